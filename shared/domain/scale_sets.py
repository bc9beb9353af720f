"""Scale sets, as far as they decide how their VMs are found and kept apart.

A set with Uniform orchestration keeps its instances to itself: they are in no list of VMs. One with Flexible
orchestration is made of ordinary VMs that name it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from shared.domain.maintenance import Vm

UNIFORM = "Uniform"
FLEXIBLE = "Flexible"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleSet:
    """One scale set.

    Attributes:
        id: The ARM id as Azure spelt it this time; compare `key` instead.
        orchestration_mode: Azure's word. A set without one is older than the choice, and Uniform.
        fault_domain_count: `platformFaultDomainCount`; None where Azure does not tell. 1 is max spreading:
            no two VMs are known to share anything, or not to.
        host_group: Lower-cased ARM id of the dedicated hosts that its instances are placed on, `""` if none.
    """

    id: str
    name: str
    resource_group: str
    subscription_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    orchestration_mode: str = UNIFORM
    fault_domain_count: int | None = None
    host_group: str = ""

    @property
    def key(self) -> str:
        """The id by which sets are compared."""
        return self.id.lower()

    @property
    def is_uniform(self) -> bool:
        """Whether its instances have to be asked of itself."""
        return self.orchestration_mode.lower() != FLEXIBLE.lower()


def with_set(vm: Vm, sets: Mapping[str, ScaleSet]) -> Vm:
    """The VM with what its scale set says of it; one whose set is not among these stays as it is.

    An instance of a uniform set that has no tags of its own has its set's: Azure copies those to the instances
    that it makes afterwards, and people tag sets.
    """
    scale_set = sets.get(vm.scale_set)
    if scale_set is None:
        return vm
    if not vm.is_uniform:
        return replace(vm, fault_domain_count=scale_set.fault_domain_count)
    return replace(
        vm,
        tags=vm.tags or scale_set.tags,
        dedicated_host=vm.dedicated_host or scale_set.host_group,
    )
