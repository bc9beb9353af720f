"""Telling people: an event becomes an alert once, and a mail soon."""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain.alert import Alert
from shared.ports import AlertStore, Bus, Clock

log = logging.getLogger("baton.alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Raises alerts.

    Attributes:
        recipients: Of every alert (BATON_EMAIL_TO).
        digest: BATON_ALERT_DIGEST.
    """

    clock: Clock
    alerts: AlertStore
    bus: Bus
    recipients: tuple[str, ...]
    digest: timedelta

    async def __call__(self, alert: Alert, *, everyone: bool = True) -> None:
        """Raises the alert. Idempotent by its id.

        Args:
            alert: With its own recipients.
            everyone: Whether those of every alert are told too.
        """
        recipients = {*alert.recipients, *(self.recipients if everyone else ())}
        if await self.alerts.add(replace(alert, recipients=tuple(sorted(recipients)))):
            extra = {"action": "alert_raised", "kind": alert.kind, "alert": alert.id}
            log.info("Alert: %s %s", alert.kind, alert.subject, extra=extra)
        # Even where it was raised before: the process that raised it may have died before this line.
        await self.bus.wake_alerts(alert.raised_at + self.digest, now=self.clock.now())
