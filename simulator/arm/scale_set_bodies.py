"""The JSON of scale sets and their instances, as the compute provider writes it."""

import uuid
from datetime import datetime
from typing import Any

from simulator.arm.bodies import instance_view, vm_model
from simulator.arm.records import NAMESPACE, VmRecord, compute_id
from simulator.scenario_model import ArmSettings, ScaleSet

Json = dict[str, Any]

_OF_A_VM = frozenset(("virtualMachineScaleSet", "hostGroup"))
"""What the model of a VM has, and that of an instance of a uniform scale set has not."""

_NOT_OF_AN_INSTANCE = ("patchStatus", "isVMInStandbyPool")
"""What the view of a VM has, and that of an instance of a uniform scale set has not."""


def scale_set_body(scale_set: ScaleSet, capacity: int) -> Json:
    """The model of a scale set."""
    identity = compute_id(scale_set, "virtualMachineScaleSets")
    is_uniform = scale_set.mode == "uniform"
    upgrades: Json = {"upgradePolicy": {"mode": "Manual"}, "overprovision": False}
    body: Json = {
        "name": scale_set.name,
        "id": identity,
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": scale_set.location,
        "sku": {"name": scale_set.size, "tier": "Standard", "capacity": capacity},
        "properties": {
            "orchestrationMode": "Uniform" if is_uniform else "Flexible",
            **(upgrades if is_uniform else {}),
            "virtualMachineProfile": {"osProfile": {"computerNamePrefix": scale_set.name[:9]}},
            "provisioningState": "Succeeded",
            "singlePlacementGroup": is_uniform,
            "platformFaultDomainCount": scale_set.fault_domains,
            "uniqueId": str(uuid.uuid5(NAMESPACE, identity.lower())),
            "timeCreated": "2025-03-04T08:15:30.1234567+00:00",
        },
    }
    if scale_set.host_group:
        scope = identity.split("/virtualMachineScaleSets/", maxsplit=1)[0]
        body["properties"]["hostGroup"] = {"id": f"{scope}/hostGroups/{scale_set.host_group}"}
    if scale_set.tags:
        body["tags"] = dict(scale_set.tags)
    if scale_set.zones:
        body["zones"] = list(scale_set.zones)
    return body


def instance_body(record: VmRecord, *, shouting: bool = False) -> Json:
    """The model of an instance of a uniform scale set; it has the set's tags where it has no others."""
    spec, model = record.spec, vm_model(record, shouting=shouting)
    properties = model["properties"]
    for name in _OF_A_VM & properties.keys():
        del properties[name]
    properties |= {"latestModelApplied": True, "modelDefinitionApplied": "VirtualMachineScaleSet"}
    return {
        **model,
        "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
        "instanceId": spec.instance_id,
        "sku": {"name": spec.size, "tier": "Standard"},
    }


def instance_status(record: VmRecord, now: datetime, settings: ArmSettings) -> Json:
    """The instance view of an instance of a uniform scale set."""
    view = instance_view(record, now, settings)
    kept = {name: value for name, value in view.items() if name not in _NOT_OF_AN_INSTANCE}
    return {**kept, "placementGroupId": record.guid}
