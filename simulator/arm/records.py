"""The records the cloud keeps, and the ids by which Azure calls them."""

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from typing import Final

from simulator.arm.features import Features
from simulator.arm.state import VmState
from simulator.scenario_model import AvailabilitySet, Fault, ScaleSet, Step, Vm

NAMESPACE: Final = uuid.UUID("6c4d3f5e-0f5b-4f0e-9d59-8d2f2c1b7a10")
"""The same scenario has the same ids in every run."""


@dataclass
class SubscriptionRecord:
    """A subscription.

    Attributes:
        rotation: by how much its zone numbers are shifted, see ``locations``.
        tenant: the customer's who delegated it; empty where it is the caller's own.
    """

    id: str
    name: str
    fault: Fault
    denied: frozenset[str]
    rotation: int
    features: Features
    tenant: str = ""


@dataclass
class VmRecord:
    """A VM: what it was made as in ``spec``, what it is now in ``state``.

    Attributes:
        id: the resource id in its true casing.
        step: how many script entries were used up.
        announced: how many maintenances it has had.
        patch_steps: how many script entries were used up, by the action.
    """

    spec: Vm
    id: str
    state: VmState
    script: tuple[Step, ...]
    step: int = 0
    announced: int = 0
    patch_steps: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The id as it is compared: in lower case."""
        return self.id.lower()

    @property
    def guid(self) -> str:
        """``vmId``: the VM's identity, whatever it is called."""
        return str(uuid.uuid5(NAMESPACE, self.key))

    @property
    def address(self) -> str:
        """The public address, empty for none; a dynamic one is another after every move."""
        if not self.spec.public_address:
            return ""
        moves = self.state.moves if self.spec.public_address == "dynamic" else 0
        digest = hashlib.sha256(f"{self.key}#{moves}".encode()).digest()
        return f"20.{digest[0]}.{digest[1]}.{digest[2]}"


def vm_id(vm: Vm) -> str:
    """The resource id of a VM; an instance of a uniform scale set is one of the set's own resources."""
    if not vm.instance_id:
        return compute_id(vm, "virtualMachines")
    return f"{scale_set_id(vm)}/virtualMachines/{vm.instance_id}"


def scale_set_id(vm: Vm) -> str:
    """The resource id of the scale set of a VM that is in one."""
    return compute_id(replace(vm, name=vm.scale_set), "virtualMachineScaleSets")


def compute_id(resource: Vm | AvailabilitySet | ScaleSet, kind: str) -> str:
    """The resource id, in the casing of the scenario; ``kind`` is virtualMachines or the like."""
    return (
        f"/subscriptions/{resource.subscription}/resourceGroups/{resource.resource_group}"
        f"/providers/Microsoft.Compute/{kind}/{resource.name}"
    )
