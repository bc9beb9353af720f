"""ARM ids of virtual machines: their own, and those of a scale set with Uniform orchestration."""

import re
from dataclasses import dataclass

_GROUP = r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
_ID = re.compile(
    rf"/?{_GROUP}/providers/Microsoft\.Compute"
    r"(?:/virtualMachineScaleSets/(?P<scale_set>[^/]+))?/virtualMachines/(?P<last>[^/]+)/?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VmId:
    """What an id says; make it with `parse`.

    Attributes:
        name: The VM's name; an instance of a uniform scale set has Azure's, `SET_3`.
        scale_set: Name of the uniform scale set that it is an instance of; `""` for a VM of its own, those of
            a flexible scale set among them.
        instance_id: Which instance of the set it is; `""` for a VM of its own.
    """

    subscription_id: str
    resource_group: str
    name: str
    scale_set: str = ""
    instance_id: str = ""

    @classmethod
    def parse(cls, vm_id: str) -> "VmId":
        """Reads an id, in any case.

        Raises:
            ValueError: It is not the id of a virtual machine.
        """
        found = _ID.fullmatch(vm_id)
        if found is None:
            raise ValueError(f"not the id of a virtual machine: {vm_id[:300]!r}")
        scale_set, last = found["scale_set"] or "", found["last"]
        return cls(
            subscription_id=found["subscription"],
            resource_group=found["group"],
            name=f"{scale_set}_{last}" if scale_set else last,
            scale_set=scale_set,
            instance_id=last if scale_set else "",
        )


def name_of(vm_id: str) -> str:
    """The name of a VM for people; the last part of what is not a VM's id."""
    try:
        return VmId.parse(vm_id).name
    except ValueError:
        return vm_id.rsplit("/", 1)[-1]
