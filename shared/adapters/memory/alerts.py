"""AlertStore in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.adapters import alert_rows
from shared.adapters.memory.scripted import Partition, Scripted
from shared.adapters.writes import Write
from shared.domain.alert import Alert, AlertState
from shared.domain.heartbeat import Heartbeat, LeftAlone


class MemoryAlerts(Scripted):
    """AlertStore."""

    def __init__(self) -> None:
        super().__init__()
        self._table = Partition()
        self._heartbeat: Heartbeat | None = None
        self._left_alone: tuple[LeftAlone, ...] = ()

    def alerts(self) -> list[Alert]:
        """Every alert, for a test to look at; oldest first."""
        return sorted(self._table.values(Alert), key=lambda alert: (alert.raised_at, alert.id))

    async def add(self, alert: Alert) -> bool:
        """See the port."""
        async with self.call("add", alert):
            row = alert_rows.alert_row(alert)
            if row["RowKey"] in self._table.rows:
                return False
            self._table.apply([Write(verb="create", entity=row)], alert_rows.alert_of)
            return True

    async def unsent(self) -> Sequence[Alert]:
        """See the port."""
        async with self.call("unsent"):
            unsent = (AlertState.RAISED, AlertState.MAILING)
            return [alert for alert in self.alerts() if alert.state in unsent]

    async def tried_since(self, since: datetime) -> Sequence[Alert]:
        """See the port."""
        async with self.call("tried_since", since):
            return [one for one in self.alerts() if one.tried_at and one.tried_at > since]

    async def raised_since(self, since: datetime) -> Sequence[Alert]:
        """See the port."""
        async with self.call("raised_since", since):
            return [alert for alert in self.alerts()[::-1] if alert.raised_at > since]

    async def replace(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """See the port."""
        async with self.call("replace", alerts):
            etags = self._table.apply(alert_rows.alert_writes(alerts), alert_rows.alert_of)
            return [replace(alert, etag=etags[alert.id]) for alert in alerts]

    async def heartbeat(self) -> Heartbeat | None:
        """See the port."""
        async with self.call("heartbeat"):
            return self._heartbeat

    async def beat(self, heartbeat: Heartbeat) -> None:
        """See the port."""
        async with self.call("beat", heartbeat):
            self._heartbeat = alert_rows.heartbeat_of(alert_rows.heartbeat_row(heartbeat))

    async def left_alone(self) -> Sequence[LeftAlone]:
        """See the port."""
        async with self.call("left_alone"):
            return self._left_alone

    async def keep_left_alone(self, found: Sequence[LeftAlone]) -> None:
        """See the port."""
        async with self.call("keep_left_alone", found):
            self._left_alone = tuple(sorted(found, key=lambda vm: vm.vm_id.lower()))
