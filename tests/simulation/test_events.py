"""Lifecycle events while the whole app runs: each once it is written, none lost, and nothing waits for them."""

from datetime import timedelta

import pytest

from shared.domain.errors import Retryable, Terminal
from tests.builders import NOW, a_status, a_view, a_vm
from tests.simulation.world import AWAY, World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WHOLE = ["planned", "starting", "away", "back", "done"]
HOOK = {"BATON_EVENTS_URL": "https://hook.example.com/"}


def a_world(*names: str, **columns: object) -> World:
    return World(
        *(a_vm(name) for name in names),
        policies={"web": {"gap": "10m", "estimate": "6m", **columns}},
        **HOOK,
    )


async def test_a_vm_is_followed_from_its_plan_to_its_end():
    world = a_world("web-1")

    await world.run(2 * HOUR, outcomes=1)

    assert world.told() == WHOLE
    away = next(event for event in world.receiver.received if event.kind == "away")
    assert (away.vm_id, away.team, away.policy) == (a_vm("web-1").id, "shop", "web")
    assert {"jobId", "vmName", "plannedStart", "preMaintenanceWindowEndTime"} <= away.data.keys()


async def test_events_arrive_seconds_after_what_they_tell():
    world = a_world("web-1")

    await world.run(MINUTE)

    assert world.told() == ["planned", "starting", "away"]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (["RetryLater"], ["planned", "starting", "away", "back", *WHOLE[1:]]),
        (["Throttled"], ["planned", "starting", "back", *WHOLE[1:]]),
        (["MaintenanceAborted"], ["planned", "starting", "away", "failed"]),
    ],
)
async def test_what_starting_began_is_ended_also_where_it_is_tried_again(script, told):
    world = a_world("web-1")
    world.azure.scripts = {"web-1": script}

    await world.run(4 * HOUR, outcomes=1)

    assert world.told() == told


async def test_a_vm_that_is_missed_failed_and_one_in_a_dry_run_is_done():
    soon = a_view(maintenance=a_status(closes=NOW + HOUR))
    policies: dict[str, dict[str, object]] = {"web": {"windows": "23:00-24:00"}}
    missed = World(a_vm("web-1", view=soon), policies=policies, **HOOK)
    dry = World(a_vm("web-1"), policies={"web": {}}, BATON_MODE="dryRun", **HOOK)

    await missed.run(4 * HOUR, outcomes=1)
    await dry.run(4 * HOUR, outcomes=1)

    assert missed.told() == ["failed"]
    assert dry.told() == ["planned", "done"]


async def test_a_dead_receiver_delays_no_redeploy_costs_little_and_is_told_of_once():
    world = a_world("web-1", "web-2")
    world.receiver.fail_next("send", *[Retryable("away")] * 10_000)

    await world.run(26 * HOUR)

    assert world.terminal() == {"web-1": "completed", "web-2": "completed"}
    second = world.azure.started[1].at - world.azure.started[0].back
    assert timedelta(minutes=10) <= second <= timedelta(minutes=12)
    # Seven tries within ten minutes, then one every ten.
    assert len(world.receiver.called("send")) <= 7 + 24 * 6 + 5
    assert world.mailed() == ["events memory"]


async def test_a_receiver_that_comes_back_gets_what_waited_in_its_order():
    world = a_world("web-1")
    world.receiver.fail_next("send", *[Retryable("away")] * 8)

    await world.run(4 * HOUR)

    assert world.told() == WHOLE
    assert world.mailed() == []


async def test_a_receiver_may_ask_for_a_longer_wait():
    world = a_world("web-1")
    world.receiver.fail_next("send", Retryable("busy", retry_after=timedelta(minutes=3)))

    await world.run(2 * MINUTE)
    assert world.receiver.received == []

    await world.run(2 * MINUTE)
    assert world.told() == ["planned", "starting", "away"]


async def test_an_event_that_is_refused_for_what_it_is_holds_no_other_up():
    world = a_world("web-1")
    world.receiver.fail_next("send", Terminal("400"))

    await world.run(2 * HOUR)

    assert world.told() == WHOLE[1:]
    assert world.mailed() == ["events memory"]


async def test_wherever_the_process_dies_each_event_arrives_under_one_id():
    reference = a_world("web-1")
    await reference.run(2 * HOUR, outcomes=1)
    ids = {event.id for event in reference.receiver.received}
    for call in range(0, reference.calls, 3):  # odd: before and after the calls in turn
        world = a_world("web-1")
        world.die_at(call)

        await world.run(4 * HOUR, outcomes=1, copies=1 + call % 2)

        died = f"died at call {call}"
        assert world.terminal() == {"web-1": "completed"}, died
        kinds = set(world.told())
        # Who dies between claim and answer finds out that Azure took it, or ends the try and makes another.
        assert kinds == set(WHOLE), died
        stable = {e.id for e in world.receiver.received if e.kind in ("planned", "done")}
        assert len(stable) == 2, died
        assert len({e.id for e in world.receiver.received}) >= len(ids), died


async def test_a_bus_that_takes_no_hint_fails_no_step_and_the_sweep_delivers():
    world = a_world("web-1")
    world.bus.fail_next("wake_alerts", Retryable("busy"))

    await world.run(MINUTE)

    assert world.starts() == ["web-1"]
    assert world.told() == ["planned", "starting", "away"]


async def test_of_many_handlers_at_once_one_delivers():
    world = a_world("web-1", "web-2")

    await world.run(2 * HOUR, outcomes=2, copies=4)

    arrived = [event.id for event in world.receiver.received]
    assert len(arrived) == 2 * len(WHOLE) == len(set(arrived))


async def test_nothing_is_written_where_events_go_nowhere():
    world = World(a_vm("web-1"), policies={"web": {}})

    await world.run(AWAY + HOUR, outcomes=1)

    assert world.told() == []
    assert world.outbox.calls == []
