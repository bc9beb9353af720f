"""Alerts become mails: those raised close together, to the same people, as one.

A mail is decided (its alerts written down with its id) before it is sent, and sent with that id as its
Message-ID at every try. So an event is never in two different mails, and a crash between sending and
writing that down repeats the same mail: a service that can be asked is asked first, and mail systems
recognise the Message-ID. A service that took a mail and knows no more yet is asked again later.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.alert import Alert, AlertState, mail_id
from shared.domain.errors import BatonError, Retryable, Stale, Terminal
from shared.domain.mode import Mode
from shared.ports import AlertStore, Bus, Clock, Letters, Mailer
from shared.use_cases.team_calendar import TeamCalendar

log = logging.getLogger("baton.alerts")

# How long one handler may take to send a mail before another takes it over.
_LEASE = timedelta(minutes=2)
# As many alerts as one transaction writes down.
_ALERTS_PER_MAIL_MAX = 100
_RETRY_MAX = timedelta(minutes=10)
# How long a mail that was taken is asked for. Beyond that the service may have forgotten it, and a
# service that forgot must not be given it again.
_FOLLOWED_FOR = timedelta(hours=1)
# All mails of Baton's within an hour. What is beyond waits, and is gathered with what comes meanwhile.
_MAILS_MAX = 60
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAlerts:
    """Sends the mails that are due.

    Attributes:
        mailer: None where no mail service is set: alerts are then only recorded.
        digest: BATON_ALERT_DIGEST.
    """

    clock: Clock
    alerts: AlertStore
    bus: Bus
    mailer: Mailer | None
    letters: Letters
    calendar: TeamCalendar
    digest: timedelta
    mode: Mode

    async def __call__(self) -> None:
        """Sends what is due, and leaves a message for what is due later."""
        now = self.clock.now()
        later: list[datetime] = []
        for group in _groups(await self.alerts.unsent()):
            due = self._due(group)
            if due > now:
                later.append(due)
            else:
                retry_at = await self._send(group, now)
                later += [retry_at] if retry_at else []
        if later:
            await self.bus.wake_alerts(min(later), now=now)

    def _due(self, group: Sequence[Alert]) -> datetime:
        if group[0].state is AlertState.MAILING:
            return max(alert.leased_until or alert.raised_at for alert in group)
        return min(alert.raised_at for alert in group) + self.digest

    async def _send(self, group: Sequence[Alert], now: datetime) -> datetime | None:
        """Sends one mail; returns when to look again, if it is not done with."""
        mailer, recipients = self.mailer, group[0].recipients
        if mailer is None or not recipients:
            note = "nobody to mail it to" if mailer else "no mail service is set (BATON_EMAIL_URL)"
            return await self._write(group, now, state=AlertState.RECORDED, note=note)
        taken_at = group[0].taken_at
        if taken_at and now - taken_at >= _FOLLOWED_FOR:
            note = "taken by the mail service, which did not say within an hour what became of it"
            return await self._write(group, now, state=AlertState.MAILED, note=note)
        number = group[0].mail_id or mail_id(group)
        tries = group[0].tries + 1
        if free_at := await self._free_at(number, now):
            return free_at
        leased = [
            replace(
                alert,
                state=AlertState.MAILING,
                mail_id=number,
                leased_until=now + _LEASE,
                tries=tries,
                tried_at=now,
            )
            for alert in group
        ]
        try:
            leased = list(await self.alerts.replace(leased))
        except Stale:
            return now + _LEASE  # another handler has it
        if free_at := await self._free_at(number, now):
            # Another handler wrote its mail down between our two looks; give the place back.
            back = [replace(a, etag=b.etag) for a, b in zip(group, leased, strict=True)]
            return await self._write(back, now) or free_at
        return await self._hand_over(mailer, leased, now)

    async def _hand_over(
        self, mailer: Mailer, leased: Sequence[Alert], now: datetime
    ) -> datetime | None:
        """Gives the mail to the service and notes what it says; returns when to look again."""
        first = leased[0]
        mail = self.letters(
            leased,
            mail_id=first.mail_id,
            recipients=first.recipients,
            mode=str(self.mode),
            now=now,
        )
        mail = replace(mail, calendars=await self._calendars(leased))
        if self.clock.now() >= now + _LEASE / 2:
            # Held up for so long that another handler may take the lease over while this one sends.
            return now + _LEASE
        tries = first.tries
        extra = {"action": "mail_sent", "mail": mail.id, "alerts": len(leased), "tries": tries}
        try:
            delivery = await mailer.send(mail, again=tries > 1)
        except Retryable as busy:
            log.warning("Mail not sent yet: %s", busy, extra={**extra, "action": "mail_put_off"})
            until = self.clock.now() + max(_backoff(tries), busy.retry_after or timedelta(0))
            await self._write(leased, now, leased_until=until, note=f"not sent yet: {busy}")
            return until
        except Terminal as never:
            log.error(  # noqa: TRY400 - the reason is enough; a trace would say nothing more
                "Mail cannot be sent: %s", never, extra={**extra, "action": "mail_refused"}
            )
            note = f"cannot be mailed: {never}"
            return await self._write(leased, now, state=AlertState.RECORDED, note=note)
        if delivery.look_after:
            log.info("Mail taken", extra={**extra, "action": "mail_taken"})
            until = self.clock.now() + max(_backoff(tries), delivery.look_after)
            taken = {"taken_at": first.taken_at or now, "note": "taken by the mail service"}
            await self._write(leased, now, leased_until=until, **taken)
            return until
        log.info("Mailed %d alerts", len(leased), extra=extra)
        note = f"refused: {'; '.join(delivery.refused)}" if delivery.refused else ""
        return await self._write(leased, now, state=AlertState.MAILED, note=note)

    async def _calendars(self, alerts: Sequence[Alert]) -> tuple[tuple[str, str], ...]:
        """(file name, document) of each team whose plan is announced; a mail goes out without them too."""
        found = []
        for team in sorted({alert.team for alert in alerts if alert.kind == "planned"}):
            try:
                found.append((f"{team}.ics", await self.calendar(team)))
            except BatonError as missing:
                extra = {"action": "calendar_missing", "team": team}
                log.warning("No calendar of %s: %s", team, missing, extra=extra)
        return tuple(found)

    async def _free_at(self, number: str, now: datetime) -> datetime | None:
        """When this mail may go; None where it may go now, as far as the others of the hour are concerned."""
        recent = await self.alerts.tried_since(now - _HOUR)
        others = {one.mail_id: one.tried_at for one in recent if one.mail_id != number}
        tried = sorted(at for at in others.values() if at)
        if len(tried) < _MAILS_MAX:
            return None
        extra = {"action": "mail_held", "mail": number, "mails": len(tried)}
        log.warning("Mail held: %d went out within an hour", len(tried), extra=extra)
        return tried[-_MAILS_MAX] + _HOUR

    async def _write(
        self, group: Sequence[Alert], now: datetime, **changes: object
    ) -> datetime | None:
        try:
            await self.alerts.replace([replace(alert, **changes) for alert in group])  # type: ignore[arg-type]
        except Stale:
            return now + _LEASE
        return None


def _backoff(tries: int) -> timedelta:
    return min(timedelta(seconds=5 * 2 ** min(tries, 8)), _RETRY_MAX)


def _groups(alerts: Sequence[Alert]) -> list[Sequence[Alert]]:
    """The alerts as mails: those of a mail already decided, and new ones by their recipients."""
    groups: dict[tuple[object, ...], list[Alert]] = defaultdict(list)
    for alert in alerts:
        key = (alert.mail_id,) if alert.mail_id else ("new", alert.recipients)
        groups[key].append(alert)
    return [
        group[start : start + _ALERTS_PER_MAIL_MAX]
        for group in groups.values()
        for start in range(0, len(group), _ALERTS_PER_MAIL_MAX)
    ]
