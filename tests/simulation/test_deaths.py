"""The process dies once, at every call of a port there is, before it and after it."""

from datetime import timedelta

import pytest

from tests.builders import a_vm
from tests.simulation.world import World

HOUR = timedelta(hours=1)


def a_world():
    vms = [a_vm("db-1", tags={"tier": "db"}), a_vm("web-1"), a_vm("web-2")]
    world = World(
        *vms, policies={"web": {"sequence": "tag:tier=db", "gap": "10m", "onFailure": "continue"}}
    )
    world.azure.scripts = {"web-1": ["MaintenanceAborted"], "web-2": ["RetryLater"]}
    return world


async def calls_of_a_whole_run():
    world = a_world()
    await world.run(4 * HOUR, outcomes=3)
    return world.calls


@pytest.mark.parametrize("part", range(4))
async def test_wherever_the_process_dies_no_vm_is_started_twice_none_is_lost_and_each_mail_goes_once(
    part,
):
    total = await calls_of_a_whole_run()
    assert total > 200
    for call in range(part, total, 4):
        copies = 1 + call // 4 % 2  # every other time each message reaches two handlers at once
        world = a_world()
        world.die_at(call)

        await world.run(8 * HOUR, copies=copies, outcomes=3)

        told = f"died at call {call} of {total}"
        assert world.deaths <= 1, told
        assert sorted(world.starts()) == ["db-1", "web-1", "web-2", "web-2"], told
        assert world.starts()[0] == "db-1", told
        assert world.azure.refused == [], told
        assert world.terminal() == {
            "db-1": "completed",
            "web-1": "aborted",
            "web-2": "completed",
        }, told
        assert world.mailed() == ["aborted web-1"], told
        for earlier, later in zip(world.azure.started, world.azure.started[1:], strict=False):
            assert later.at >= earlier.back + timedelta(minutes=10), told
