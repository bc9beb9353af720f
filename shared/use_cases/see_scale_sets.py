"""Seeing scale sets: the instances of uniform ones, and what each set says of its VMs' domains."""

from collections.abc import MutableMapping, MutableSequence

from shared.domain.errors import BatonError
from shared.domain.maintenance import Unreadable, Vm
from shared.domain.scale_sets import ScaleSet, with_set
from shared.ports import VirtualMachines


async def see_scale_sets(
    machines: VirtualMachines,
    subscription_id: str,
    vms: MutableMapping[str, Vm],
    unreadable: MutableSequence[Unreadable],
) -> str:
    """Adds the instances of the subscription's uniform scale sets, and says of each VM what its set says.

    Costs a list of sets, and a list of instances for each uniform one; the lists carry the instance views.

    Args:
        machines: Where to read.
        subscription_id: Of the sets.
        vms: By key, those that are known so far; changed.
        unreadable: What could not be used; added to.

    Returns:
        Why some set, or its instances, could not be read; `""` if all could. What was read counts all the
        same, and a VM whose set is not known has an unknown domain, and so goes alone.
    """
    sets: dict[str, ScaleSet] = {}
    failures: list[str] = []
    try:
        async for item in machines.scale_sets(subscription_id):
            if isinstance(item, Unreadable):
                unreadable.append(item)
            else:
                sets[item.key] = item
    except BatonError as error:
        failures.append(str(error))
    for scale_set in (one for one in sets.values() if one.is_uniform):
        try:
            async for instance in machines.instances(scale_set):
                if isinstance(instance, Unreadable):
                    unreadable.append(instance)
                else:
                    vms[instance.key] = instance
        except BatonError as error:
            failures.append(str(error))
    for key, vm in vms.items():
        vms[key] = with_set(vm, sets)
    return "; ".join(failures)
