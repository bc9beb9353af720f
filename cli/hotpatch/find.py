"""Which VM a person means, read now."""

from cli.desk import Desk
from shared.domain.errors import InvalidInput, Problem
from shared.domain.maintenance import Unreadable, Vm
from shared.domain.patching.eligibility import uniform_instance
from shared.use_cases.which_vm import meant


async def find_vm(desk: Desk, name: str) -> Vm:
    """The VM of a name or an ARM id.

    Raises:
        InvalidInput: No VM is meant, or several are; they are named. Or it is an instance of a scale set
            with Uniform orchestration, which has no patches of its own.
    """
    if lack := uniform_instance(name):
        raise InvalidInput("hotpatch", (Problem("VM", name, f"a VM. {lack}"),))
    if "/" in name:
        return await desk.vms.get(name.strip())
    known = [record.vm_id for record in await desk.patch_store.records()]
    key = meant(name, known)
    ids = {vm_id.lower(): vm_id for vm_id in known}
    if key is None:
        ids = await _all(desk)
        key = meant(name, ids)
    if key is None:
        expected = f"the name or ARM id of one of the {len(ids)} VMs that Baton sees"
        raise InvalidInput("hotpatch", (Problem("VM", name, expected),))
    return await desk.vms.get(ids[key])


async def _all(desk: Desk) -> dict[str, str]:
    found: dict[str, str] = {}
    for subscription in await desk.vms.subscriptions():
        async for item in desk.vms.models(subscription.id):
            vm_id = item.vm_id if isinstance(item, Unreadable) else item.id
            found[vm_id.lower()] = vm_id
    return found
