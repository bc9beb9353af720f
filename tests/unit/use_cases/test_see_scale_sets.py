import pytest

from shared.adapters.memory import MemoryClock, MemoryMachines, MemoryPatchStore
from shared.domain.errors import Problem, Terminal
from shared.use_cases.see_fleet import SeeFleet
from tests.builders import NOW, SUBSCRIPTION, a_job, a_scale_set, a_view, a_vm, an_instance

FLEXIBLE = a_scale_set("api", orchestration_mode="Flexible", fault_domain_count=3)
OF_FLEXIBLE = a_vm("api_0a1b", scale_set=FLEXIBLE.key, view=a_view(fault_domain=2))
WEB = a_scale_set(tags={"tier": "web"})


def machines(*vms):
    found = MemoryMachines(a_vm("db-1"), OF_FLEXIBLE, an_instance(0), an_instance(1), *vms)
    found.sets = [WEB, FLEXIBLE]
    return found


async def seen(machines, *jobs):
    return await SeeFleet(clock=MemoryClock(NOW), vms=machines, patches=MemoryPatchStore())(jobs)


async def test_instances_are_seen_beside_the_vms_and_each_set_is_listed_once():
    arm = machines()

    sight = await seen(arm)

    names = sorted(vm.name for vm in sight.fleet.vms.values())
    assert names == ["api_0a1b", "db-1", "web-vmss_0", "web-vmss_1"]
    assert arm.called("instances") == [(WEB.id,)]
    assert sight.failed == {}


async def test_each_vm_knows_what_its_set_says():
    vms = (await seen(machines())).fleet.vms

    assert (vms[OF_FLEXIBLE.key].domain_set, vms[OF_FLEXIBLE.key].domain) == (FLEXIBLE.key, 2)
    assert vms[an_instance(0).key].tags == {"tier": "web"}


@pytest.mark.parametrize("method", ["scale_sets", "instances"])
async def test_sets_that_cannot_be_read_are_named_and_stop_no_vm_and_no_new_job_is_made(method):
    arm = machines()
    arm.fail_next(method, Terminal("no right to read scale sets"))

    sight = await seen(arm)

    assert sight.failed == {SUBSCRIPTION: "no right to read scale sets"}
    assert a_vm("db-1").key in sight.fleet.vms
    assert sight.fleet.whole == frozenset()


async def test_a_vm_whose_set_cannot_be_read_has_an_unknown_domain():
    arm = machines()
    arm.fail_next("scale_sets", Terminal("no right"))

    vm = (await seen(arm)).fleet.vms[OF_FLEXIBLE.key]

    assert (vm.domain_set, vm.domain) == (FLEXIBLE.key, None)


async def test_a_bad_set_or_instance_is_named_and_stops_no_other():
    arm = machines()
    problem = Problem("properties", "", "a JSON object")
    arm.unreadable = {FLEXIBLE.key: problem, an_instance(0).key: problem}

    sight = await seen(arm)

    assert {one.vm_id for one in sight.unreadable} == {FLEXIBLE.id, an_instance(0).id}
    assert an_instance(1).key in sight.fleet.vms


async def test_an_instance_with_an_open_job_that_is_deleted_is_absent():
    job = a_job(vm=an_instance(7))

    sight = await seen(machines(), job)

    assert sight.fleet.absent == {job.vm_key}
