"""A sign of life after each discovery, and once a month by mail, so that silence means something."""

from dataclasses import dataclass

from shared.domain.alert import Alert, event_id
from shared.domain.heartbeat import Heartbeat
from shared.ports import AlertStore
from shared.use_cases.tell import Tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Keeps the heartbeat."""

    alerts: AlertStore
    tell: Tell

    async def __call__(self, heartbeat: Heartbeat) -> None:
        """Keeps it; the first of a month, but not the first ever, also has a test mail sent."""
        last = await self.alerts.heartbeat()
        month = f"{heartbeat.at:%Y-%m}"
        if last and f"{last.at:%Y-%m}" < month:
            # Before the heartbeat is kept: a crash in between tells the same event again, which is one.
            await self.tell(_test(heartbeat, month))
        await self.alerts.beat(heartbeat)


def _test(heartbeat: Heartbeat, month: str) -> Alert:
    return Alert(
        id=event_id("test", month),
        kind="test",
        subject=f"mail of {month}",
        reason="Baton runs and its mails arrive; this is the only one that comes without a reason.",
        next_step="Nothing to do. If it stays away at the beginning of a month, look for Baton.",
        facts=(
            ("VMs seen", str(heartbeat.vms)),
            ("Subscriptions not read", str(heartbeat.failed_subscriptions)),
        ),
        raised_at=heartbeat.at,
    )
