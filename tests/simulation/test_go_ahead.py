"""A policy that wants a go-ahead, while the whole app runs."""

from datetime import timedelta

import pytest

from shared.domain.errors import Declined
from shared.use_cases.asking import Asked
from shared.use_cases.give_go_ahead import GiveGoAhead
from tests.builders import NOW, a_status, a_view, a_vm
from tests.simulation.world import World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ANN = Asked.of("ann", "load is drained")
HOOK = {"BATON_EVENTS_URL": "https://hook.example.com/"}


def a_world(*names: str, default: str = "skip", **columns: object) -> World:
    asks = {"goAhead": "20m", "goAheadDefault": default, "gap": "10m", **columns}
    return World(*(a_vm(name) for name in names), policies={"web": asks}, **HOOK)


def answers(world: World) -> GiveGoAhead:
    return GiveGoAhead(clock=world.clock, jobs=world.jobs, bus=world.bus)


async def test_a_vm_asks_when_its_turn_comes_and_starts_on_the_answer():
    world = a_world("web-1")
    await world.run(5 * MINUTE)
    asked_for = world.told()

    done = await answers(world)("web-1", allow=True, asked=ANN)
    again = await answers(world)("web-1", allow=True, asked=ANN)
    await world.run(MINUTE)

    assert asked_for == ["planned", "asking"]
    assert (done.already, again.already) == (False, True)
    assert [start.at for start in world.azure.started] == [NOW + 5 * MINUTE]
    assert world.jobs.jobs()[0].reason == "go-ahead by ann"


async def test_the_question_says_until_when_and_what_silence_means():
    world = a_world("web-1")
    await world.run(MINUTE)

    asking = world.receiver.received[-1]

    assert asking.data["goAhead"] == {"deadline": "2026-03-02T12:20:00Z", "default": "skip"}


async def test_without_an_answer_it_starts_or_is_skipped_as_the_policy_says():
    starts, skips = a_world("web-1", default="start"), a_world("web-1", default="skip")

    await starts.run(2 * HOUR, outcomes=1)
    await skips.run(2 * HOUR, outcomes=1)

    assert starts.azure.started[0].at == NOW + 20 * MINUTE
    assert skips.azure.started == []
    assert [row["reason"] for row in skips.outcomes.rows()] == [
        "nobody gave a go-ahead within 20m, and goAheadDefault is skip"
    ]
    assert skips.told() == ["planned", "asking", "done"]


async def test_a_no_skips_the_vm_and_the_next_one_is_asked():
    world = a_world("web-1", "web-2", estimate="6m")
    await world.run(MINUTE)

    await answers(world)("web-1", allow=False, asked=ANN)
    again = await answers(world)("web-1", allow=False, asked=ANN)
    await world.run(20 * MINUTE)

    assert again.already
    assert world.terminal() == {"web-1": "skipped"}
    assert world.told("web-1") == ["planned", "asking", "done"]
    assert world.told("web-2")[-1] == "asking"


async def test_while_one_waits_for_its_answer_no_other_is_asked_in_its_place():
    world = a_world("web-1", "web-2", "web-3", concurrency=2)

    await world.run(15 * MINUTE)

    assert world.told().count("asking") == 2
    assert world.azure.started == []


async def test_each_start_asks_anew_also_the_one_after_retry_later():
    world = a_world("web-1", default="start")
    world.azure.scripts = {"web-1": ["RetryLater"]}

    await world.run(4 * HOUR, outcomes=1)

    assert world.told().count("asking") == 2
    first, second = world.azure.started
    assert second.at >= first.back + timedelta(minutes=15) + 20 * MINUTE


async def test_a_yes_starts_nothing_that_a_rule_forbids_by_then_and_is_asked_for_anew_later():
    # From 12:00 the policy is open for half an hour, of which a redeploy takes 25 minutes.
    world = a_world("web-1", windows="12:00-12:30; 15:00-16:00", default="start")
    await world.run(6 * MINUTE)
    await answers(world)("web-1", allow=True, asked=ANN)

    await world.run(4 * HOUR, outcomes=1)

    assert [start.at for start in world.azure.started] == [NOW + 3 * HOUR + 20 * MINUTE]
    assert world.told().count("asking") == 2


async def test_a_window_that_closes_during_the_question_is_missed_and_nothing_starts():
    soon = a_view(maintenance=a_status(closes=NOW + 10 * MINUTE))
    columns: dict[str, object] = {"goAhead": "20m", "goAheadDefault": "start"}
    world = World(a_vm("web-1", view=soon), policies={"web": columns}, **HOOK)

    await world.run(2 * HOUR, outcomes=1)

    assert (world.starts(), world.terminal()) == ([], {"web-1": "missed"})


@pytest.mark.parametrize("minutes", [0, 30])
async def test_there_is_nothing_to_answer_before_the_question_and_after_the_start(minutes):
    world = a_world("web-1", default="start", lead="1h" if not minutes else "0m")
    await world.run(minutes * MINUTE + MINUTE)

    with pytest.raises(Declined, match="asked for none" if not minutes else "has started|ended"):
        await answers(world)("web-1", allow=False, asked=ANN)


async def test_wherever_the_process_dies_the_question_is_asked_and_its_default_kept():
    reference = a_world("web-1", default="start")
    await reference.run(30 * MINUTE)
    for call in range(0, reference.calls, 7):  # odd: before and after the calls in turn
        world = a_world("web-1", default="start")
        world.die_at(call)

        await world.run(2 * HOUR, outcomes=1)

        told = f"died at call {call}"
        assert world.starts() == ["web-1"], told
        assert world.azure.started[0].at >= NOW + 20 * MINUTE, told
