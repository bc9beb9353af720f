import pytest

from shared.adapters.memory import MemoryClock, MemoryMachines, MemoryPatchStore
from shared.domain.errors import Retryable, Terminal, VmNotFound
from shared.domain.places import Location
from shared.domain.preflight import FindingKind, Surroundings
from shared.use_cases.see_fleet import SeeFleet
from tests.builders import NOW, SUBSCRIPTION, a_heartbeat, a_job, a_view, a_vm

OTHER = "22222222-2222-2222-2222-222222222222"
GAP = a_job().maintenance.pre_maintenance_window_end_time - NOW  # longer than any pause of Azure's
CALM = a_view(maintenance=None)


class OneSilent(MemoryMachines):
    """db-1 never answers."""

    async def get(self, vm_id):
        if vm_id.endswith("/db-1"):
            raise Retryable("no answer in time")
        return await super().get(vm_id)


async def seen(machines, *jobs):
    return await SeeFleet(clock=MemoryClock(NOW), vms=machines, patches=MemoryPatchStore())(jobs)


async def test_surroundings_are_read_only_where_a_vm_is_in_a_maintenance():
    machines = MemoryMachines(
        a_vm("web-1"), a_vm("web-2"), a_vm("calm", subscription_id=OTHER, view=CALM)
    )

    sight = await seen(machines)

    assert machines.called("surroundings") == [(SUBSCRIPTION,)]
    assert sight.fleet.surroundings == {SUBSCRIPTION: Surroundings()}


async def test_findings_on_a_vm_go_by_the_surroundings_of_its_own_subscription():
    vm = a_vm("web-1", vm_size="Standard_D4s_v5")
    machines = MemoryMachines(vm, a_vm("erp-1", subscription_id=OTHER))
    machines.around = {SUBSCRIPTION: Surroundings(shutdowns={vm.key: "19:00 UTC"})}

    sight = await seen(machines)

    assert [one.kind for one in sight.fleet.findings(vm, gap=GAP)] == [FindingKind.AUTO_SHUTDOWN]
    calm = a_vm("calm", subscription_id="elsewhere", vm_size="Standard_D4s_v5")
    assert [one.kind for one in sight.fleet.findings(calm, gap=GAP)] == [FindingKind.NOT_CHECKED]


async def test_the_places_of_all_subscriptions_are_merged():
    machines = MemoryMachines(a_vm("web-1"), a_vm("erp-1", subscription_id=OTHER))
    machines.regions = [
        Location(
            subscription_id=subscription,
            name="westeurope",
            pairs=frozenset({"northeurope"}),
            zones={number: "westeurope-az1"},
        )
        for subscription, number in ((SUBSCRIPTION, "1"), (OTHER, "3"))
    ]

    places = (await seen(machines)).fleet.places

    assert places.pairs("northeurope") == {"westeurope"}
    assert places.zone_of(SUBSCRIPTION, "westeurope", "1") == places.zone_of(
        OTHER, "westeurope", "3"
    )


@pytest.mark.parametrize("method", ["locations", "models", "statuses"])
async def test_a_subscription_that_breaks_off_is_named_and_stops_no_other(method):
    machines = MemoryMachines(a_vm("web-1"), a_vm("erp-1", subscription_id=OTHER))
    machines.fail_next(method, Terminal("no right"))

    sight = await seen(machines)

    assert list(sight.failed.values()) == ["no right"]
    assert len(sight.fleet.whole) == 1


async def test_a_subscription_of_which_only_an_open_job_is_known_is_not_whole():
    machines = MemoryMachines(a_vm("web-1"))
    machines.fail_next("subscriptions", Terminal("no right"))

    sight = await seen(machines, a_job("web-1"))

    assert list(sight.fleet.vms) == [a_vm("web-1").key]
    assert sight.fleet.whole == frozenset()


async def test_a_vm_that_arm_was_too_busy_to_show_is_asked_for_again_in_the_same_discovery():
    machines = MemoryMachines(a_vm("db-1"), a_vm("web-1"))
    machines.fail_next("get", Retryable("429"), Retryable("429"))

    sight = await seen(machines)

    assert {vm.name for vm in sight.fleet.vms.values()} == {"db-1", "web-1"}


async def test_a_vm_of_which_no_list_tells_and_that_never_answers_holds_a_new_wave_back_once():
    machines = OneSilent(a_vm("db-1"), a_vm("web-1"))
    machines.bare = set(machines.vms)

    first = await seen(machines)

    assert "1 of its 2 VMs did not answer while a maintenance is new" in first.failed[SUBSCRIPTION]
    assert not first.fleet.whole

    see = SeeFleet(clock=MemoryClock(NOW), vms=machines, patches=MemoryPatchStore())
    then = await see((), last=a_heartbeat(first))

    assert [vm.name for vm in then.fleet.vms.values()] == ["web-1"]
    assert then.fleet.whole == {SUBSCRIPTION}


async def test_a_vm_that_arm_never_shows_is_planned_as_the_list_tells_of_it():
    machines = MemoryMachines(a_vm("db-1"), a_vm("web-1"))
    machines.fail_next("get", *[Retryable("429")] * 9)

    sight = await seen(machines)

    assert sight.fleet.vms == machines.vms


async def test_a_vm_that_is_gone_since_the_list_is_not_planned():
    gone, stays = a_vm("db-1"), a_vm("web-1")
    machines = MemoryMachines(gone, stays)
    machines.fail_next("get", VmNotFound("404"), VmNotFound("404"))

    sight = await seen(machines)

    assert not sight.fleet.vms
    assert sight.fleet.absent == {gone.key, stays.key}


@pytest.mark.parametrize(
    ("error", "goes_on"), [(Terminal("no right"), True), (Retryable("no answer in time"), False)]
)
async def test_vms_are_listed_though_scale_sets_may_not_be_but_not_where_azure_is_busy(
    error, goes_on
):
    machines = MemoryMachines(a_vm("web-1"))
    machines.fail_next("scale_sets", error)

    sight = await seen(machines)

    assert bool(machines.called("models")) is goes_on
    assert sight.failed == {SUBSCRIPTION: str(error)}


async def test_only_a_subscription_with_something_to_do_has_its_locations_read():
    machines = MemoryMachines(a_vm("web-1"), a_vm("calm", subscription_id=OTHER, view=CALM))
    see = SeeFleet(clock=MemoryClock(NOW), vms=machines, patches=MemoryPatchStore())

    await see((), keeps=lambda _: False)

    assert machines.called("locations") == [(SUBSCRIPTION,)]
