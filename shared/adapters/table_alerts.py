"""AlertStore over table `BatonAlerts`."""

from collections.abc import Sequence
from dataclasses import replace

from shared.adapters import rows
from shared.adapters.tables import TableService, readable
from shared.domain.alert import Alert, AlertState


class TableAlerts:
    """AlertStore."""

    def __init__(self, service: TableService) -> None:
        self._table = service.table("Alerts")

    async def add(self, alert: Alert) -> bool:
        """See the port."""
        return await self._table.create(rows.alert_row(alert))

    async def unsent(self) -> Sequence[Alert]:
        """See the port."""
        found = await self._table.query(
            # Not "is one of": the SDK's parameters and OData's parentheses do not go together.
            "PartitionKey eq @partition and state ne @mailed and state ne @recorded",
            partition=rows.ALERTS,
            mailed=str(AlertState.MAILED),
            recorded=str(AlertState.RECORDED),
        )
        alerts, _ = readable(self._table, found, rows.alert_of, "alert")
        return sorted(alerts, key=lambda alert: (alert.raised_at, alert.id))

    async def replace(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """See the port."""
        etags = await self._table.transact(rows.alert_writes(alerts))
        return [replace(alert, etag=etags[alert.id]) for alert in alerts]
