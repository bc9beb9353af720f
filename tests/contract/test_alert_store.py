"""AlertStore: what every implementation promises."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.alert import Alert, AlertState
from shared.domain.errors import Stale
from shared.domain.heartbeat import Behind, Heartbeat, LeftAlone
from shared.ports import AlertStore
from tests.builders import NOW, a_vm_id, an_alert


def without_etags(alerts: Sequence[Alert]) -> list[Alert]:
    return [replace(alert, etag="") for alert in alerts]


async def test_an_alert_is_kept_as_it_is(alerts: AlertStore) -> None:
    alert = an_alert(
        reason="It's “down”\n100%", raised_at=NOW + timedelta(microseconds=7), recipients=()
    )

    assert await alerts.add(alert)

    assert without_etags(await alerts.unsent()) == [alert]


async def test_the_same_alert_twice_is_one(alerts: AlertStore) -> None:
    assert await alerts.add(an_alert())
    assert not await alerts.add(an_alert(reason="told by somebody else"))

    assert without_etags(await alerts.unsent()) == [an_alert()]


async def test_of_many_that_raise_one_alert_at_once_one_is_first(alerts: AlertStore) -> None:
    new = await asyncio.gather(*(alerts.add(an_alert()) for _ in range(8)))

    assert sorted(new) == [False] * 7 + [True]


async def test_unsent_are_those_raised_or_mailing_oldest_first(alerts: AlertStore) -> None:
    states = [*AlertState, *AlertState]
    for number, state in enumerate(states):
        raised_at = NOW - timedelta(seconds=number)
        await alerts.add(an_alert(str(number), state=state, raised_at=raised_at))

    found = [(alert.state, alert.raised_at) for alert in await alerts.unsent()]

    assert found == [
        (AlertState.MAILING, NOW - timedelta(seconds=5)),
        (AlertState.RAISED, NOW - timedelta(seconds=4)),
        (AlertState.MAILING, NOW - timedelta(seconds=1)),
        (AlertState.RAISED, NOW),
    ]


async def test_tried_since_are_those_later_than_that_in_any_state(alerts: AlertStore) -> None:
    await alerts.add(an_alert("never"))
    for state in AlertState:
        for name, tried_at in (("at", NOW), ("after", NOW + timedelta(seconds=1))):
            await alerts.add(an_alert(name, state, state=state, tried_at=tried_at, note=name))

    found = await alerts.tried_since(NOW)

    assert sorted((alert.note, alert.state) for alert in found) == sorted(
        ("after", state) for state in AlertState
    )


async def test_the_last_heartbeat_is_kept_and_is_no_alert(alerts: AlertStore) -> None:
    assert await alerts.heartbeat() is None
    first = Heartbeat(at=NOW, vms=7, changed=2, unmatched=1, unreadable=0, failed_subscriptions=0)
    last = replace(first, at=NOW + timedelta(minutes=5), vms=8, failed_subscriptions=1)

    await alerts.beat(first)
    await alerts.beat(last)

    assert await alerts.heartbeat() == last
    assert await alerts.unsent() == []


async def test_a_heartbeat_names_whoever_was_not_read_as_many_as_a_row_has_room_for(
    alerts: AlertStore,
) -> None:
    reason = '403 "AuthorizationFailed": ' + "é" * 500
    behind = {
        f"{number:08d}-1111-1111-1111-111111111111": Behind(
            name=f'"Shop" {number}', reason=reason, since=NOW if number % 2 else None
        )
        for number in range(300)
    }
    figures = {"vms": 7, "changed": 0, "unmatched": 0, "unreadable": 0}

    await alerts.beat(
        Heartbeat(at=NOW, **figures, failed_subscriptions=300, seen_at=NOW, behind=behind)
    )

    kept = await alerts.heartbeat()
    assert kept
    assert kept.seen_at == NOW
    assert 50 < len(kept.behind) < 300
    for key, one in kept.behind.items():
        assert (one.name, one.since) == (behind[key].name, behind[key].since)
        assert one.reason.startswith('403 "AuthorizationFailed"')
    assert kept.seen_until("one that is not named") is None


async def test_raised_since_are_those_later_than_that_in_any_state_newest_first(
    alerts: AlertStore,
) -> None:
    for number, state in enumerate(AlertState):
        at = NOW + timedelta(minutes=number)
        await alerts.add(an_alert(str(number), state=state, raised_at=at))

    found = await alerts.raised_since(NOW)

    assert [alert.state for alert in found] == list(AlertState)[:0:-1]


def left_alone(name: str, reason: str = "no enabled policy matches it") -> LeftAlone:
    return LeftAlone(vm_id=a_vm_id(name), location="westeurope", closes=NOW, reason=reason)


async def test_those_left_alone_are_the_last_that_were_kept_and_no_alerts(
    alerts: AlertStore,
) -> None:
    assert list(await alerts.left_alone()) == []

    await alerts.keep_left_alone([left_alone("b"), left_alone("a"), left_alone("c")])
    assert list(await alerts.left_alone()) == [left_alone(name) for name in "abc"]
    await alerts.keep_left_alone([left_alone("c", "tied"), left_alone("d"), left_alone("a")])

    assert list(await alerts.left_alone()) == [
        left_alone("a"),
        left_alone("c", "tied"),
        left_alone("d"),
    ]
    assert await alerts.unsent() == []


async def test_more_are_left_alone_than_fit_one_transaction_and_then_none(
    alerts: AlertStore,
) -> None:
    many = [left_alone(f"vm-{number:03}") for number in range(201)]

    await alerts.keep_left_alone(many)
    assert list(await alerts.left_alone()) == many
    await alerts.keep_left_alone([])

    assert list(await alerts.left_alone()) == []


async def test_alerts_are_replaced_together_and_can_be_replaced_again(alerts: AlertStore) -> None:
    for name in "abc":
        await alerts.add(an_alert(name))
    taken = [
        replace(one, state=AlertState.MAILING, mail_id="m", leased_until=NOW, tries=1)
        for one in await alerts.unsent()
    ]

    replaced = await alerts.replace(taken)
    assert list(await alerts.unsent()) == list(replaced)
    await alerts.replace([replace(one, state=AlertState.MAILED) for one in replaced])

    assert list(await alerts.unsent()) == []


async def test_a_lease_can_be_given_back(alerts: AlertStore) -> None:
    await alerts.add(an_alert(leased_until=NOW))

    await alerts.replace([replace(one, leased_until=None) for one in await alerts.unsent()])

    assert [one.leased_until for one in await alerts.unsent()] == [None]


async def test_one_stale_alert_and_none_is_replaced(alerts: AlertStore) -> None:
    for name in "ab":
        await alerts.add(an_alert(name))
    read = await alerts.unsent()
    await alerts.replace([replace(read[1], note="somebody was first")])
    before = await alerts.unsent()

    with pytest.raises(Stale):
        await alerts.replace([replace(one, state=AlertState.MAILED) for one in read])

    assert list(await alerts.unsent()) == list(before)


async def test_a_hundred_alerts_are_replaced_and_more_are_refused(alerts: AlertStore) -> None:
    for number in range(101):
        await alerts.add(an_alert(str(number)))
    read = await alerts.unsent()

    with pytest.raises(ValueError, match="at most 100"):
        await alerts.replace(read)
    await alerts.replace([replace(one, state=AlertState.RECORDED) for one in read[:100]])
    await alerts.replace([])

    assert [one.id for one in await alerts.unsent()] == [read[100].id]


async def test_an_alert_with_a_fact_of_any_length_is_still_raised(alerts: AlertStore) -> None:
    facts = (("VM", "web-1"), ("lastOperationMessage", "long " * 20_000))

    assert await alerts.add(an_alert(facts=facts, reason="long " * 20_000))

    (kept,) = await alerts.unsent()
    assert kept.facts[0] == ("VM", "web-1")
    assert kept.facts[1][1].startswith("long long")
    assert len(kept.reason) == 32_000
