"""A wave that Azure's list does not tell of, in a fleet where only some are asked at each discovery."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.maintenance import ListedStatus
from shared.domain.turns import Turns
from tests.builders import NOW, OFFERED, a_view, a_vm
from tests.simulation.world import World

HOUR = timedelta(hours=1)

OTHER = "22222222-2222-2222-2222-222222222222"
CALM = a_view(maintenance=None)


def silent(world):
    """Azure's status list no longer carries the maintenance."""
    listed = world.azure.statuses

    async def statuses(subscription_id):
        async for status in listed(subscription_id):
            yield ListedStatus(status.vm_id, replace(status.view, maintenance=None))

    world.azure.statuses = statuses


def a_fleet():
    """Sixty VMs of each tier, the second tier in another subscription."""
    vms = [a_vm(f"db-{number}", tags={"tier": "db"}, view=CALM) for number in range(60)]
    return vms + [
        a_vm(f"we-{number}", tags={"tier": "we"}, view=CALM, subscription_id=OTHER)
        for number in range(60)
    ]


async def a_wave(world, *vms):
    """Comes when the fleet has been calm for a while; the time until each was started."""
    await world.run(HOUR / 2)
    began = world.clock.now()
    for vm in vms:
        world.azure.announce(vm, OFFERED)
    await world.run(2 * HOUR)
    return {start.vm: start.at - began for start in world.azure.started}


async def test_no_vm_of_a_later_stage_goes_first_because_its_turn_came_first():
    fleet = a_fleet()
    columns = {"sequence": "tag:tier=db; tag:tier=we", "gap": "1m", "stageGap": "1m"}
    world = World(*fleet, policies={"web": columns | {"estimate": "6m"}})
    silent(world)
    in_turn = sorted(fleet, key=lambda vm: Turns(NOW + HOUR / 2, NOW + HOUR).turn(vm.key))
    early = next(vm for vm in in_turn if vm.tags["tier"] == "we")
    late = next(vm for vm in reversed(in_turn) if vm.tags["tier"] == "db")

    started = await a_wave(world, early, late)

    assert list(started) == [late.name, early.name]


async def test_one_new_maintenance_is_seen_within_an_hour():
    fleet = a_fleet()
    world = World(*fleet, policies={"web": {}})
    silent(world)

    (started,) = (await a_wave(world, fleet[17])).values()

    assert started <= HOUR + timedelta(minutes=6)
