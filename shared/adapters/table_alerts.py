"""AlertStore over table `BatonAlerts`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.adapters import alert_rows
from shared.adapters.table_pages import Found
from shared.adapters.tables import TableService, readable
from shared.adapters.writes import ROWS_MAX, fitted, removal, write_of
from shared.domain.alert import Alert, AlertState
from shared.domain.heartbeat import Heartbeat, LeftAlone


class TableAlerts:
    """AlertStore."""

    def __init__(self, service: TableService) -> None:
        self._table = service.table("Alerts")

    async def add(self, alert: Alert) -> bool:
        """See the port."""
        return await self._table.create(alert_rows.alert_row(alert))

    async def unsent(self) -> Sequence[Alert]:
        """See the port."""
        found = await self._table.query(
            # Not "is one of": the SDK's parameters and OData's parentheses do not go together.
            "PartitionKey eq @partition and state ne @mailed and state ne @recorded",
            partition=alert_rows.ALERTS,
            mailed=str(AlertState.MAILED),
            recorded=str(AlertState.RECORDED),
        )
        return self._read(found)

    async def tried_since(self, since: datetime) -> Sequence[Alert]:
        """See the port."""
        found = await self._table.query(
            "PartitionKey eq @partition and triedAt gt @since",
            partition=alert_rows.ALERTS,
            since=since,
        )
        return self._read(found)

    async def raised_since(self, since: datetime) -> Sequence[Alert]:
        """See the port."""
        found = await self._table.query(
            "PartitionKey eq @partition and raisedAt gt @since",
            partition=alert_rows.ALERTS,
            since=since,
        )
        return self._read(found)[::-1]

    async def replace(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """See the port."""
        etags = await self._table.transact(alert_rows.alert_writes(alerts))
        return [replace(alert, etag=etags[alert.id]) for alert in alerts]

    async def heartbeat(self) -> Heartbeat | None:
        """See the port."""
        found = await self._table.get(*alert_rows.HEARTBEAT_KEY)
        read, _ = readable(
            self._table, [found] if found else [], alert_rows.heartbeat_of, "heartbeat"
        )
        return read[0] if read else None

    async def beat(self, heartbeat: Heartbeat) -> None:
        """See the port."""
        await self._table.put(alert_rows.heartbeat_row(heartbeat))

    async def left_alone(self) -> Sequence[LeftAlone]:
        """See the port."""
        read, _ = readable(self._table, await self._kept(), alert_rows.left_alone_of, "left_alone")
        return sorted(read, key=lambda vm: vm.vm_id.lower())

    async def keep_left_alone(self, found: Sequence[LeftAlone]) -> None:
        """See the port. Rows that are as they should be are not written."""
        kept = {str(row.entity["RowKey"]): row for row in await self._kept()}
        wanted = {str(row["RowKey"]): row for row in map(alert_rows.left_alone_row, found)}
        writes = [
            removal(alert_rows.ALONE, name, row.etag)
            for name, row in kept.items()
            if name not in wanted
        ]
        for name, entity in wanted.items():
            before = kept.get(name)
            if before is None:
                writes.append(write_of(entity, ""))
            elif any(before.entity.get(column) != cell for column, cell in entity.items()):
                writes.append(write_of(entity, before.etag))
        for start in range(0, len(writes), ROWS_MAX):
            await self._table.transact(fitted(writes[start : start + ROWS_MAX]))

    async def _kept(self) -> list[Found]:
        return await self._table.query("PartitionKey eq @partition", partition=alert_rows.ALONE)

    def _read(self, found: Sequence[Found]) -> Sequence[Alert]:
        alerts, _ = readable(self._table, found, alert_rows.alert_of, "alert")
        return sorted(alerts, key=lambda alert: (alert.raised_at, alert.id))
