"""A policy's owners are told when their VMs go, when that moves for good, and how it went; nobody else is."""

from datetime import timedelta

import pytest
from icalendar import Calendar

from shared.adapters.smtp import connect_smtp
from shared.domain.dated import dated
from shared.use_cases.asking import Asked
from shared.use_cases.pause_policies import PausePolicies
from tests.builders import NOW, OWNER, a_job, a_status, a_view, a_vm
from tests.simulation.world import World

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
POLICY: dict[str, object] = {
    "match": "name:web-*",
    "gap": "15m",
    "estimate": "6m",
    "lead": "2h",
    "owners": OWNER,
    "timeZone": "Europe/Amsterdam",
}


def a_world(*names: str, **columns: object) -> World:
    return World(*(a_vm(name) for name in names), policies={"web": {**POLICY, **columns}})


def news(world: World, kind: str):
    return [alert for alert in world.alerts.alerts() if alert.kind == kind]


async def test_a_plan_is_announced_once_to_the_owners_alone_with_a_picture_and_a_calendar():
    world = a_world("web-1", "web-2")
    await world.run(HOUR)

    (alert,) = news(world, "planned")
    (mail,) = world.mailer.sent
    assert mail.recipients == (OWNER,)
    assert alert.subject == "2 VMs of shop/web"
    assert alert.deadline == NOW + 7 * 24 * HOUR
    first, second = (dict(alert.facts)[name] for name in ("web-1", "web-2"))
    assert first == "2026-03-02 14:00 UTC, stage 1"
    assert second.startswith("2026-03-02 14:21 UTC")
    assert alert.zone == "Europe/Amsterdam"
    assert [(span.label, span.start) for span in alert.spans] == [
        ("web-1", NOW + 2 * HOUR),
        ("web-2", NOW + 2 * HOUR + 21 * MINUTE),
    ]
    ((name, text),) = mail.calendars
    events = Calendar.from_ical(text).walk("VEVENT")
    assert (name, len(events)) == ("shop.ics", 2)


async def test_of_many_vms_the_stages_are_drawn():
    world = a_world(*(f"web-{n:02}" for n in range(21)), sequence="name:web-0*", concurrency=5)
    await world.app.discover()

    (alert,) = news(world, "planned")
    assert [span.label for span in alert.spans] == ["stage 1, 10 VMs", "stage 2, 11 VMs"]
    assert alert.spans[0].end < alert.spans[1].start < alert.spans[1].end


async def test_a_policy_without_owners_announces_nothing():
    world = a_world("web-1", owners="")
    await world.run(6 * HOUR)

    assert world.alerts.alerts() == []


async def test_a_start_that_moves_is_announced_again_with_why():
    world = a_world("web-1", "web-2")
    await world.app.discover()
    world.policies.put("shop", "web", **{**POLICY, "windows": "20:00-23:00"})
    world.clock.advance(5 * MINUTE)
    await world.app.discover()

    first, moved = sorted(news(world, "planned"), key=lambda alert: alert.raised_at)
    assert first.raised_at < moved.raised_at
    said = dict(moved.facts)["web-1"]
    assert said.startswith("2026-03-02 19:00 UTC")
    assert "moved from 2026-03-02 14:00 UTC: its policy was edited" in said


async def test_a_pause_is_not_announced_at_every_discovery():
    world = a_world("web-1")
    await world.app.discover()
    await PausePolicies(
        clock=world.clock, jobs=world.jobs, policies=world.policies, pauses=world.pauses
    )("", "", asked=Asked.of("ann"))
    await world.run(24 * HOUR)

    assert 2 <= len(news(world, "planned")) <= 5


async def test_a_rollout_that_is_done_is_summed_up_once_with_what_is_left():
    world = a_world("web-1", "web-2", onFailure="continue")
    world.azure.scripts["web-1"] = ["MaintenanceAborted"]
    await world.run(8 * HOUR)

    (alert,) = news(world, "done")
    assert alert.subject == "1 completed, 1 aborted: rollout 1 of shop/web"
    assert "longest time away was 6m" in alert.reason
    assert [label for label, _ in alert.facts] == ["web-1"]
    assert "Azure's own turn is between" in alert.facts[0][1]
    assert alert.recipients == (OWNER,)


async def test_a_process_that_died_before_it_told_is_made_up_for():
    world = a_world("web-1")
    await world.app.discover()
    (alert,) = news(world, "planned")

    again = a_world("web-1")
    again.alerts.fail_next("add", RuntimeError("died"))
    with pytest.raises(RuntimeError):
        await again.app.discover()
    again.clock.advance(5 * MINUTE)
    await again.app.discover()

    assert [one.id for one in news(again, "planned")] == [alert.id]


@pytest.mark.parametrize(
    ("told", "start", "is_news"),
    [
        (None, 2, True),
        (2, 2.25, False),
        (2, 2.5, True),
        (2, 1, True),
        (-1, 2, False),
        (-1, 5, True),
    ],
)
def test_only_what_people_would_want_to_know_is_news(told, start, is_news):
    told_start = None if told is None else NOW + told * HOUR
    before = a_job(planned_start=NOW - HOUR, told_start=told_start)
    after = dated(before, a_job(planned_start=NOW + start * HOUR, told_start=told_start), NOW)

    assert (after.told_at == NOW) is is_news
    assert after.planned_at == NOW


async def test_the_mail_carries_the_calendar_as_a_file():
    world = World(a_vm("web-1", view=a_view(maintenance=a_status())), policies={"web": POLICY})
    await world.run(HOUR)
    (mail,) = world.mailer.sent

    message = connect_smtp("smtp://127.0.0.1:25", "baton@example.com")._message(mail)
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("shop.ics", "text/calendar")
    assert Calendar.from_ical(file.get_payload(decode=True)).walk("VEVENT")
    assert mail.text in message.get_body(("plain",)).get_content()
