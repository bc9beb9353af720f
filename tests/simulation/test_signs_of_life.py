"""Signs of life: the heartbeat of each discovery, a mail a month, and a line where discovery is silent."""

from datetime import timedelta

import pytest

from shared.domain.errors import Retryable
from tests.builders import a_vm
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
