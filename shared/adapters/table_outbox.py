"""Outbox over table `BatonJobs`, in the jobs' own partition."""

from collections.abc import Sequence
from dataclasses import replace

from shared.adapters import event_rows
from shared.adapters.tables import Table, TableService, readable
from shared.domain.errors import InvalidInput
from shared.domain.lifecycle import Event, Lease


class TableOutbox:
    """Outbox."""

    def __init__(self, service: TableService) -> None:
        self._table: Table = service.table("Jobs")

    async def lease(self) -> Lease:
        """See the port. One that cannot be read is free: the next that is written replaces it."""
        found = await self._table.get(event_rows.JOBS, event_rows.LEASE)
        if found is None:
            return Lease()
        try:
            return event_rows.lease_of(found.entity, found.etag)
        except InvalidInput:
            return Lease(etag=found.etag)

    async def waiting(self, most: int) -> Sequence[Event]:
        """See the port."""
        low, high = event_rows.EVENTS
        found = await self._table.first(
            most,
            "PartitionKey eq @partition and RowKey ge @low and RowKey lt @high",
            partition=event_rows.JOBS,
            low=low,
            high=high,
        )
        events, _ = readable(self._table, found, event_rows.event_of, "event")
        return events

    async def write(self, lease: Lease, *, done: Sequence[Event] = ()) -> Lease:
        """See the port."""
        etags = await self._table.transact(event_rows.outbox_writes(lease, done))
        return replace(lease, etag=etags[event_rows.LEASE])
