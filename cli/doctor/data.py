"""Tables, bus and mail: what the identity may do there, and in what state they are."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime

from cli.doctor.look import Look
from shared.adapters.probe_bus import BusProbe
from shared.adapters.probe_tables import ProbedTable
from shared.adapters.table_alerts import TableAlerts
from shared.adapters.tables import TableService
from shared.domain import health
from shared.domain.alert import Mail
from shared.domain.errors import Terminal
from shared.domain.health import Finding, State
from shared.ports import Clock, Mailer, Receiver
from shared.settings import Settings

_TABLES = ("Policies", "Jobs", "Outcomes", "Alerts", "Pauses", "Patches")


def of_tables(service: TableService, clock: Clock) -> list[Look]:
    """The tables, and what the alerts' one says of the app."""
    alerts = TableAlerts(service)
    fix = (
        "Correct BATON_TABLES__endpoint (or BATON_TABLES); give the identity the role 'Storage Table "
        "Data Contributor' on the storage account, and let it through the account's firewall"
    )
    return [
        Look(name="tables", findings=_tables(service), fix=fix),
        Look(name="heartbeat", findings=_heartbeat(alerts, clock), fix=fix),
        Look(name="alerts", findings=_alerts(alerts, clock), fix=fix),
    ]


def of_queue(probe: BusProbe, queue: str, setting: str) -> list[Look]:
    """One queue: each right, its properties, its dead letters."""
    fix = (
        f"Correct {setting} or BATON_BUS__fullyQualifiedNamespace, or deploy the queue again; the "
        "identity needs 'Azure Service Bus Data Sender' and '... Data Receiver' on it"
    )
    return [Look(name=f"queue {queue}", findings=_queue(probe, queue), fix=fix)]


def of_mail(
    mailer: Mailer | None, settings: Settings, clock: Clock, *, send_test: bool
) -> list[Look]:
    """The mail service; a mail goes out only where one is asked for."""
    fix = (
        "Correct BATON_EMAIL_URL and BATON_EMAIL_FROM, or what they name: a relay needs the right "
        "login, Communication Services the role 'Communication and Email Service Owner' and a linked domain"
    )
    test = [Look(name="test mail", findings=_test_mail(mailer, settings, clock), fix=fix)]
    return [Look(name="mail", findings=_mail(mailer), fix=fix), *(test if send_test else [])]


def of_events(receiver: Receiver) -> list[Look]:
    """The receiver of lifecycle events, where one is set."""
    fix = (
        "Correct BATON_EVENTS_URL and BATON_EVENTS_SECRET. An Event Grid topic takes CloudEvents 1.0 as its "
        "input schema, and the identity needs the role 'EventGrid Data Sender' on it (docs/events.md)"
    )
    return [Look(name="events", findings=_events(receiver), fix=fix)]


async def _tables(service: TableService) -> AsyncIterator[Finding]:
    probed = {name: ProbedTable(service, service.prefix + name) for name in _TABLES}
    missing = [table.name for table in probed.values() if not await table.exists()]
    if len(missing) == len(_TABLES):
        raise Terminal(f"{service.endpoint} has none of {', '.join(missing)}")
    if probed["Alerts"].name not in missing:
        await probed["Alerts"].try_writing()
    if missing:
        says = f"{', '.join(missing)} not there yet; each is made when it is first needed"
        yield Finding(name="tables", state=State.NOTE, says=says)
        return
    yield Finding(name="tables", state=State.OK, says="all six can be read, and written")


async def _heartbeat(alerts: TableAlerts, clock: Clock) -> AsyncIterator[Finding]:
    yield health.heartbeat(await alerts.heartbeat(), clock.now())


async def _alerts(alerts: TableAlerts, clock: Clock) -> AsyncIterator[Finding]:
    yield health.unsent_alerts(await alerts.unsent(), clock.now())


async def _queue(probe: BusProbe, queue: str) -> AsyncIterator[Finding]:
    letters = await _links(probe, queue)
    try:
        properties = await probe.properties(queue)
    except Terminal as unseen:
        fix = f"Have somebody look: az servicebus queue show --name {queue} ..."
        yield Finding(name=f"queue {queue}", state=State.UNKNOWN, says=str(unseen), fix=fix)
    else:
        yield health.queue(queue, properties)
    yield health.dead_letters(queue, *letters)


async def _links(probe: BusProbe, queue: str) -> tuple[int, str]:
    """Tries each right at once, since a link takes a second to open; what the dead letters say."""
    try:
        async with asyncio.TaskGroup() as links:
            letters = links.create_task(probe.dead_letters(queue))
            links.create_task(probe.try_sending(queue))
            links.create_task(probe.try_receiving(queue))
    except ExceptionGroup as refusals:
        raise refusals.exceptions[0] from None
    return letters.result()


async def _mail(mailer: Mailer | None) -> AsyncIterator[Finding]:
    if mailer is None:
        says = "no mail service is set: alerts are only recorded, in BatonAlerts"
        fix = "Set BATON_EMAIL_URL, BATON_EMAIL_FROM and BATON_EMAIL_TO"
        yield Finding(name="mail", state=State.NOTE, says=says, fix=fix)
        return
    await mailer.check()
    yield Finding(name="mail", state=State.OK, says="the service answers; --send-test sends a mail")


async def _events(receiver: Receiver) -> AsyncIterator[Finding]:
    await receiver.check()
    yield Finding(name="events", state=State.OK, says=f"{receiver.name} answers")


async def _test_mail(
    mailer: Mailer | None, settings: Settings, clock: Clock
) -> AsyncIterator[Finding]:
    if mailer is None:
        raise Terminal("there is no mail service to send it by")
    delivery = await mailer.send(_letter(settings.email_to, clock.now()), again=False)
    to = ", ".join(settings.email_to)
    if delivery.refused:
        raise Terminal("; ".join(delivery.refused))
    says = f"the service took it for {to}" if delivery.look_after else f"sent to {to}"
    yield Finding(name="test mail", state=State.OK, says=says)


def _letter(recipients: tuple[str, ...], now: datetime) -> Mail:
    text = "Baton's doctor was asked to send this mail. There is nothing to do.\n"
    return Mail(
        id=hashlib.sha256(now.isoformat().encode()).hexdigest()[:24],
        recipients=recipients,
        subject="Baton: a test mail",
        text=text,
        html=f"<p>{text}</p>",
        at=now,
    )
