"""A team's calendar, read back by another library than wrote it, while the plan moves and ends."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from shared.domain.errors import Unknown
from shared.domain.job import JobState
from shared.use_cases.ics import Event, EventStatus, write_calendar
from shared.use_cases.team_calendar import TeamCalendar, event_of
from tests.builders import NOW, a_job, a_status, a_vm
from tests.simulation.world import World

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
EVENT = Event(
    uid="job-1@baton",
    changed=NOW,
    start=NOW,
    end=NOW + HOUR,
    status=EventStatus.CONFIRMED,
    summary="Redeploy web-1",
    lines=("first", "second"),
    location="shop, westeurope",
    category="shop/web",
)


async def events_of(world: World, team: str = "shop"):
    """VM's summary → its event, as icalendar reads it."""
    text = await TeamCalendar(clock=world.clock, jobs=world.jobs)(team)
    read = Calendar.from_ical(text)
    return {str(event["UID"]): event for event in read.walk("VEVENT")}


async def the_event(world: World):
    (event,) = (await events_of(world)).values()
    return event


async def test_an_event_stands_moves_and_is_done_with_the_plan_under_one_uid():
    world = World(a_vm("web-1"), a_vm("web-2"), policies={"web": {"gap": "15m", "estimate": "6m"}})
    await world.app.discover()
    planned = await events_of(world)
    world.policies.put("shop", "web", gap="2h", estimate="6m")
    world.clock.advance(MINUTE)
    await world.app.discover()
    moved = await events_of(world)
    await world.run(4 * HOUR)
    done = await events_of(world)

    assert [str(event["STATUS"]) for event in planned.values()] == ["CONFIRMED", "CONFIRMED"]
    assert list(planned) == list(moved) == list(done)
    before, after = (list(found.values())[1] for found in (planned, moved))
    assert after["DTSTART"].dt > before["DTSTART"].dt
    assert after["DTEND"].dt - after["DTSTART"].dt == 6 * MINUTE
    assert after["SEQUENCE"] > before["SEQUENCE"]
    for event in done.values():
        assert str(event["SUMMARY"]).endswith("(done)")
        assert event["SEQUENCE"] > planned[str(event["UID"])]["SEQUENCE"]


async def test_an_event_is_cancelled_when_azure_takes_the_maintenance_back_and_vanishes_later():
    world = World(a_vm("web-1"), policies={"web": {"lead": "2h"}})
    await world.app.discover()
    planned = await the_event(world)
    world.azure.announce(a_vm("web-1"), None)
    world.clock.advance(MINUTE)
    await world.app.discover()
    cancelled = await the_event(world)

    assert (str(planned["STATUS"]), str(cancelled["STATUS"])) == ("CONFIRMED", "CANCELLED")
    assert cancelled["SEQUENCE"] > planned["SEQUENCE"]
    assert cancelled["UID"] == planned["UID"]
    assert "(withdrawn)" in str(cancelled["SUMMARY"])

    world.clock.advance(timedelta(days=61))
    assert await events_of(world) == {}


async def test_the_same_state_gives_the_same_document_at_any_time():
    world = World(a_vm("web-1"), policies={"web": {}})
    await world.app.discover()
    calendar = TeamCalendar(clock=world.clock, jobs=world.jobs)

    before = await calendar("shop")
    world.clock.advance(MINUTE)

    assert await calendar("shop") == before


async def test_a_team_that_has_none_is_refused_with_those_that_have():
    world = World(a_vm("web-1"), policies={"web": {}})
    await world.app.discover()

    with pytest.raises(Unknown, match=r"'shp'; expected a team with policies: shop$"):
        await events_of(world, "shp")


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({}, "CONFIRMED", "Redeploy web-1"),
        ({"planned_start": None}, "CANCELLED", "Redeploy web-1 (has no start any more)"),
        ({"state": JobState.REDEPLOYING, "started_at": NOW}, "CONFIRMED", "(under way)"),
        ({"state": JobState.STARTING, "planned_start": None}, "CONFIRMED", "(under way)"),
        (
            {"state": JobState.FAILED, "started_at": NOW, "ended_at": NOW + MINUTE},
            "CONFIRMED",
            "(failed)",
        ),
        ({"state": JobState.SKIPPED, "ended_at": NOW}, "CANCELLED", "(skipped)"),
    ],
)
def test_an_event_says_how_its_vm_stands(changes, status, said):
    event = event_of(a_job(**changes), None, NOW)

    assert str(event.status) == status
    assert said in event.summary


def test_people_read_the_start_in_the_policys_time_and_in_utc_and_what_azure_does_otherwise():
    closes = NOW + 5 * HOUR
    vm = replace(a_vm(), view=replace(a_vm().view, maintenance=a_status(closes=closes)))
    event = event_of(a_job(vm=vm, reason="moved from 11:00"), None, NOW)

    assert "Start: 2026-03-02 12:00 UTC." in event.lines
    assert "Moved from 11:00." in event.lines
    assert any(
        "Its self-service window closes at 2026-03-02 17:00 UTC" in line for line in event.lines
    )


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=200), st.text(max_size=200))
def test_whatever_a_name_holds_the_document_is_read_back_and_no_line_is_too_long(name, line):
    text = write_calendar(name, [replace(EVENT, summary=f"x{name}", lines=(line, "second"))])

    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert str(event["SUMMARY"]).startswith("x")
    assert str(event["DESCRIPTION"]).endswith("second")
    assert all(len(part.encode()) <= 75 for part in text.split("\r\n"))
    assert text.count("BEGIN:") == 2
