"""Alerts as mails by Communication Services Email, on its wire: each event is in one mail, whatever happens."""

from collections import Counter
from datetime import timedelta

import pytest

from shared.adapters.acs import connect_acs
from shared.adapters.credentials import Identity
from shared.domain.alert import AlertState
from tests.mail_sink import running_sink
from tests.office import Office

BAD, GOOD, OTHER = "bad@example.com", "good@example.com", "other@example.com"
NAMES = {"api-1": (BAD, GOOD), "api-2": (BAD, GOOD), "db-1": (OTHER,)}
MINUTES = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def running():
    with running_sink() as sink:
        yield sink


@pytest.fixture
async def sent(running):
    """Raises three alerts in two mails, lets an hour pass, and gives the sink and the alerts."""
    running.clear()
    offices = []

    async def send(faults, *, until=HOUR):
        running.faults(faults)
        office = Office(
            lambda clock: connect_acs(running.acs_url, "baton@example.com", Identity(), clock=clock)
        )
        offices.append(office)
        for name, recipients in NAMES.items():
            await office.raise_alert(name, subject=name, recipients=recipients)
        await office.run(until, handlers=2)
        return running.mails(), office

    yield send
    for office in offices:
        await office.post.close()


def states(office):
    return Counter(alert.state for alert in office.alerts.alerts())


def told(mails):
    return Counter(
        (name, to)
        for mail in mails
        for name in NAMES
        if name in mail["text"]
        for to in mail["envelopeTo"]
    )


ONCE = Counter((name, to) for name, recipients in NAMES.items() for to in recipients)


@pytest.mark.parametrize(
    "faults",
    [
        "",
        "throttle=1x1:30s",
        "throttle=1x3:2m@*",
        "accept-then-drop=1x2",
        "busy=1x2",
        "accept-then-drop=1x1,busy=1x2@ask *",
        "down=1x3",
        "throttle=1x2:1s@ask *",
    ],
)
async def test_each_alert_is_mailed_once_whatever_the_service_does(sent, faults):
    mails, office = await sent(faults)

    assert states(office) == {AlertState.MAILED: 3}
    assert told(mails) == ONCE
    assert len(mails) == 2


async def test_a_bad_recipient_costs_nobody_else_the_mail_and_is_noted(sent):
    mails, office = await sent(f"refuse=1@{BAD}")

    assert states(office) == {AlertState.MAILED: 3}
    assert told(mails) == Counter({key: count for key, count in ONCE.items() if key[1] != BAD})
    assert [BAD in alert.note for alert in office.alerts.alerts() if alert.subject != "db-1"] == [
        True,
        True,
    ]


async def test_a_mail_that_is_dropped_after_it_was_taken_is_recorded_with_the_services_reason(sent):
    mails, office = await sent("fail=1x1@baton@example.com")

    assert states(office) in (
        {AlertState.MAILED: 1, AlertState.RECORDED: 2},
        {AlertState.MAILED: 2, AlertState.RECORDED: 1},
    )
    assert any(
        "EmailDroppedAllRecipientsSuppressed" in alert.note for alert in office.alerts.alerts()
    )
    assert len(mails) == 2


async def test_a_service_that_never_tells_is_given_a_mail_once_and_asked_for_an_hour(sent):
    mails, office = await sent("late=1:24h", until=30 * MINUTES)
    assert states(office) == {AlertState.MAILING: 3}
    assert {alert.note for alert in office.alerts.alerts()} == {"taken by the mail service"}

    await office.run(2 * HOUR)
    assert states(office) == {AlertState.MAILED: 3}
    assert "did not say within an hour" in office.alerts.alerts()[0].note
    assert len(mails) == 2
