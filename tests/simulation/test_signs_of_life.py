"""Signs of life: the heartbeat of each discovery, a mail a month, and a line where discovery is silent."""

from datetime import timedelta

import pytest

from shared.domain.errors import Retryable
from shared.domain.pause import Pause
from tests.builders import NOW, a_vm
from tests.simulation.world import World

HOUR = timedelta(hours=1)


async def test_a_discovery_leaves_its_time_and_counts():
    world = World(a_vm("web-1"), policies={"web": {}})

    await world.app.discover()

    heartbeat = await world.alerts.heartbeat()
    assert (heartbeat.at, heartbeat.vms, heartbeat.changed) == (world.clock.now(), 1, 1)


async def test_a_discovery_that_fails_leaves_none():
    world = World(policies={})
    world.policies.fail_next("rows", Retryable("busy"))

    with pytest.raises(Retryable):
        await world.app.discover()

    assert await world.alerts.heartbeat() is None


@pytest.mark.parametrize("death", range(16))
async def test_each_month_but_the_first_one_test_mail_comes_even_where_discovery_dies_half_way(
    death,
):
    world = World(policies={})
    await world.run(HOUR)
    assert world.mailer.sent == []

    for month in (1, 2):
        world.clock.advance(timedelta(days=31))
        world.die_at(death)
        await world.run(HOUR)

        texts = [mail.text for mail in world.mailer.sent]
        assert len(texts) == month
        assert all(text.startswith("test mail of ") for text in texts)
    assert {mail.recipients for mail in world.mailer.sent} == {("ops@example.com",)}
    assert world.deaths == 2


async def test_where_discovery_is_silent_the_sweep_says_for_how_many_minutes(caplog):
    world = World(policies={})
    await world.app.sweep()
    await world.app.discover()
    world.clock.advance(timedelta(minutes=14))
    await world.app.sweep()
    assert "has not discovered" not in caplog.text
    world.clock.advance(timedelta(minutes=3))

    await world.app.sweep()

    assert "Baton has not discovered for 17 minutes" in caplog.text


async def late(world, caplog):
    """What a sweep says now of jobs past their time."""
    caplog.clear()
    await world.app.sweep()
    return [record.vms for record in caplog.records if getattr(record, "action", "") == "jobs_late"]


async def test_a_job_that_nobody_moves_on_is_said_to_be_past_its_time(caplog):
    world = World(a_vm("web-1"), a_vm("web-2"), policies={"web": {"gap": "5h"}})
    await world.app.discover()
    world.bus.messages.clear()
    world.clock.advance(timedelta(minutes=14))
    assert await late(world, caplog) == []

    world.clock.advance(timedelta(minutes=2))

    # The other one waits for it, which is no lateness.
    assert await late(world, caplog) == [["web-1"]]


@pytest.mark.parametrize(
    ("settings", "policy"),
    [({"BATON_MODE": "paused"}, {}), ({}, {"approval": "required"}), ({}, {"lead": "5h"})],
)
async def test_a_job_that_a_rule_holds_back_is_not_past_its_time(settings, policy, caplog):
    world = World(a_vm("web-1"), policies={"web": policy}, **settings)
    await world.app.discover()
    world.bus.messages.clear()
    world.clock.advance(HOUR)

    assert await late(world, caplog) == []


async def test_a_job_that_somebody_paused_is_not_past_its_time(caplog):
    world = World(a_vm("web-1"), policies={"web": {}})
    await world.app.discover()
    world.bus.messages.clear()
    world.clock.advance(HOUR)
    assert await late(world, caplog) == [["web-1"]]

    await world.pauses.write(Pause(team="shop", by="ann", at=NOW))

    assert await late(world, caplog) == []


async def test_a_redeploy_that_nobody_looks_at_any_more_is_past_its_time(caplog):
    world = World(a_vm("web-1"), policies={"web": {}})
    await world.run(timedelta(minutes=2))
    world.bus.messages.clear()
    world.clock.advance(timedelta(hours=2))
    assert await late(world, caplog) == []

    world.clock.advance(timedelta(minutes=16))

    assert await late(world, caplog) == [["web-1"]]


async def test_an_outcome_that_nobody_records_is_past_its_time(caplog):
    world = World(a_vm("web-1"), policies={"web": {}})
    world.outcomes.fail_next("add", *[Retryable("busy")] * 99)
    await world.run(timedelta(minutes=9))
    world.bus.messages.clear()
    world.clock.advance(timedelta(minutes=20))

    assert await late(world, caplog) == [["web-1"]]
