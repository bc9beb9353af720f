"""Mails: each event in exactly one, in as few as possible, never more than the ceiling in an hour."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from shared.domain.alert import AlertState
from tests.builders import NOW
from tests.office import Office

CEILING = 60
HOUR = timedelta(hours=1)


async def test_with_mail_down_for_an_hour_every_alert_goes_out_when_it_is_back_each_once():
    office = Office()
    office.post.away_until = NOW + HOUR
    for minute in range(0, 60, 6):
        office.clock.set(NOW + timedelta(minutes=minute))
        await office.raise_alert(f"web-{minute}", subject=f"web-{minute}")
        await office.run(timedelta(minutes=minute + 5))

    await office.run(HOUR + timedelta(minutes=11))

    assert office.each_is_in_one_mail()
    text = "\n".join(mail.text for mail in office.post.sent)
    assert [
        text.count(f"\nweb-{minute}: failed") + text.count(f"web-{minute}: failed\n") > 0
        for minute in range(0, 60, 6)
    ] == [True] * 10


async def test_beyond_the_ceiling_alerts_wait_and_are_merged_and_none_is_lost():
    office = Office()
    for number in range(CEILING + 5):
        await office.raise_alert(f"a{number}", recipients=(f"team{number:03}@example.com",))
    await office.run(timedelta(minutes=30), handlers=3)
    assert len(office.post.sent) == CEILING
    late = next(a for a in office.alerts.alerts() if a.state is AlertState.RAISED)
    await office.raise_alert("later", recipients=late.recipients)

    await office.run(timedelta(hours=3), handlers=3)

    assert len(office.alerts.alerts()) == CEILING + 6
    assert office.each_is_in_one_mail()
    assert len(office.post.sent) == CEILING + 5
    for first, last in zip(office.post.at, office.post.at[CEILING:], strict=False):
        assert last - first >= HOUR


async def test_of_many_handlers_at_the_last_place_none_goes_over_the_ceiling():
    office = Office()
    for number in range(CEILING - 1):
        await office.raise_alert(f"a{number}", recipients=(f"team{number:03}@example.com",))
    await office.run(timedelta(minutes=10))
    rivals = [f"rival{number}@example.com" for number in range(4)]
    for rival in rivals:
        await office.raise_alert(rival, recipients=(rival,))

    await office.run(timedelta(minutes=50), handlers=4)
    assert len(office.post.sent) <= CEILING
    await office.run(timedelta(hours=3), handlers=4)

    assert office.each_is_in_one_mail()
    assert len(office.post.sent) == CEILING + 3


async def test_a_mail_that_nobody_can_get_does_not_stop_the_others():
    office = Office()
    office.post.refuses = {"bad@example.com": "550 no such user"}
    await office.raise_alert("a", recipients=("bad@example.com",))
    await office.raise_alert("b", recipients=("bad@example.com", "good@example.com"))
    await office.raise_alert("c", recipients=("good@example.com",))

    await office.run(HOUR)

    states = [alert.state for alert in office.alerts.alerts()]
    assert Counter(states) == {AlertState.RECORDED: 1, AlertState.MAILED: 2}
    assert len(office.post.sent) == 2


async def test_a_handler_that_was_held_up_leaves_its_mail_to_whoever_takes_over_its_lease(
    monkeypatch,
):
    office = Office()
    await office.raise_alert()
    look, looks = office.alerts.tried_since, []

    async def held_up(since):
        looks.append(since)
        if len(looks) == 2:
            office.clock.advance(timedelta(seconds=70))
        return await look(since)

    monkeypatch.setattr(office.alerts, "tried_since", held_up)
    office.clock.advance(timedelta(minutes=2))
    await office.send()
    assert office.post.sent == []

    await office.run(HOUR)

    assert len(office.post.sent) == 1
    assert office.each_is_in_one_mail()


async def test_who_was_held_up_by_a_calendar_leaves_its_mail_to_whoever_takes_over_its_lease():
    office = Office()
    await office.raise_alert(kind="planned", team="shop")

    async def slow(_team):
        office.clock.advance(timedelta(seconds=70))
        return "BEGIN:VCALENDAR"

    office.send = replace(office.send, calendar=slow)
    office.clock.advance(timedelta(minutes=2))

    await office.send()

    assert office.post.sent == []
