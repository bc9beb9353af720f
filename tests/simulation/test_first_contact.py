"""The first contact: a mail that shows what would happen, before anybody lets it happen."""

from datetime import timedelta

import pytest

from tests.builders import a_vm
from tests.simulation.world import World

HOUR = timedelta(hours=1)
VMS = ("web-2", "web-1", "db-1")


def previews(world):
    return [alert for alert in world.alerts.alerts() if alert.kind == "preview"]


def deployed(*vms, **policies):
    return World(*vms, policies=policies, BATON_MODE="dryRun")


async def test_the_first_discovery_mails_who_would_go_when_and_who_would_not():
    world = deployed(
        *(a_vm(name) for name in (*VMS, "app-1")),
        web={"match": "name:web-*", "gap": "1h"},
        app={"match": "name:app-*", "windows": "Sun#5 00:00-00:10"},
    )

    await world.run(HOUR / 2)

    (told,) = previews(world)
    facts = dict(told.facts)
    assert told.reason == (
        "Baton sees 4 VMs, and Azure offers 4 of them a maintenance. If it were live it would start 2 "
        "between 2026-03-02 12:00 UTC and 2026-03-02 13:25 UTC; 1 have no start, 1 no policy."
    )
    assert "BATON_MODE to live" in told.next_step
    assert list(facts)[:2] == ["web-1 (shop)", "web-2 (shop)"]
    assert facts["web-1 (shop)"] == "2026-03-02 12:00 UTC, shop/web stage 1"
    assert facts["app-1 (shop)"].startswith("no start, shop/app: ")
    assert facts["db-1 (shop)"].startswith("left alone: ")
    assert any("preview 4 VMs" in mail.text for mail in world.mailer.sent)
    assert world.starts() == []


@pytest.mark.parametrize("death", range(24))
async def test_it_comes_once_however_often_baton_discovers_and_wherever_it_dies(death):
    world = deployed(*(a_vm(name) for name in VMS), web={"match": "name:web-*", "gap": "5h"})
    world.die_at(death)

    await world.run(3 * HOUR)

    mails = {mail.id for mail in world.mailer.sent if "preview " in mail.text}
    assert len(previews(world)) == len(mails) == 1
    assert world.deaths == 1


async def test_with_nothing_offered_it_says_so_and_shows_the_first_maintenance_that_comes():
    idle = a_vm("web-1", view=None)
    world = deployed(idle, web={})
    await world.run(HOUR)
    (first,) = previews(world)
    world.azure.put(a_vm("web-1"))

    await world.run(HOUR)

    second = previews(world)[1]
    assert first.reason == "Baton sees 1 VM, and Azure offers none of them a maintenance now."
    assert first.facts == ()
    assert [label for label, _ in second.facts] == ["web-1 (shop)"]
    assert len(previews(world)) == 2


async def test_a_large_fleet_is_shown_in_a_hundred_lines_and_counted_whole():
    world = deployed(*(a_vm(f"web-{n:03d}") for n in range(130)), web={"concurrency": 130})

    await world.app.discover()

    (told,) = previews(world)
    assert told.subject == "130 VMs"
    assert told.facts[-1] == ("And more", "30 VMs; ./baton plan shows them all")
    assert len(told.facts) == 101


async def test_who_goes_live_at_once_gets_none():
    world = World(a_vm("web-1"), policies={"web": {}})

    await world.app.discover()

    assert previews(world) == []


async def test_pausing_finishes_what_runs_starts_nothing_and_going_live_goes_on():
    world = World(*(a_vm(f"web-{n}") for n in (1, 2, 3)), policies={"web": {"gap": "1m"}})
    await world.run(timedelta(minutes=2))
    assert world.starts() == ["web-1"]

    world.set_mode("paused")
    await world.run(6 * HOUR)

    assert world.starts() == ["web-1"]
    assert world.terminal() == {"web-1": "completed"}

    world.set_mode("live")
    await world.run(6 * HOUR)

    assert sorted(world.starts()) == ["web-1", "web-2", "web-3"]
    assert world.terminal() == dict.fromkeys(("web-1", "web-2", "web-3"), "completed")
