"""JobStore over table `BatonJobs`: one partition, so that a transaction can hold rows of several policies."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from shared.adapters import job_rows
from shared.adapters.event_rows import JOBS
from shared.adapters.table_pages import Found
from shared.adapters.tables import Table, TableService, readable
from shared.domain.job import Job
from shared.domain.ledger import Away, Books, Change, Head, Ledger, PolicyKey, UnreadRow
from shared.ports import Committed


class TableJobs:
    """JobStore.

    A row that cannot be read is told as `unread` and stays as it is: a job of the same id cannot be made
    over it, since that would be a create.
    """

    def __init__(self, service: TableService, *, keeps_events: bool = False) -> None:
        """`keeps_events`: whether what is committed goes into the outbox too; else nobody would empty it."""
        self._keeps_events = keeps_events
        self._table: Table = service.table("Jobs")

    async def books(self) -> Books:
        """See the port."""
        guard = await self._table.get(JOBS, job_rows.GUARD)
        pages = await self._table.pages(self._read, "PartitionKey eq @partition", partition=JOBS)
        heads = [head for page in pages for head in page[0]]
        unread = tuple(row for page in pages for row in page[2])
        by_policy: dict[PolicyKey, list[Job]] = defaultdict(list)
        for _, jobs, _ in pages:
            for job in jobs:
                by_policy[job.team, job.policy].append(job)
        ledgers = {
            head.key: Ledger(
                head=head,
                jobs=tuple(by_policy[head.key]),
                unread=tuple(row for row in unread if row.key == head.key),
            )
            for head in heads
        }
        return Books(guard=guard.etag if guard else "", ledgers=ledgers, unread=unread)

    async def ledger(self, team: str, policy: str, *, known: Ledger | None = None) -> Ledger | None:
        """See the port.

        A policy that is known is not read again while its head is the same: no slot and no planned job's
        state changes but under the head.
        One query reads the head first, because its RowKey is the first of the range; on a later page a job
        may be newer than the head, and then a commit under the head's ETag fails.
        """
        low, high = job_rows.policy_range(team, policy)
        if known:
            head = await self._table.get(JOBS, low)
            if head and head.etag == known.head.etag:
                return known
        found = await self._table.query(
            "PartitionKey eq @partition and RowKey ge @low and RowKey lt @high",
            partition=JOBS,
            low=low,
            high=high,
        )
        heads, jobs, unread = self._read(found)
        return Ledger(head=heads[0], jobs=tuple(jobs), unread=unread) if heads else None

    async def job(self, team: str, policy: str, job_id: str) -> Job | None:
        """See the port."""
        found = await self._table.get(JOBS, job_rows.job_key(team, policy, job_id))
        read, _ = readable(self._table, [found] if found else [], job_rows.job_of, "job")
        return read[0] if read else None

    async def away(self, domain_set: str) -> Away:
        """See the port.

        Raises:
            InvalidInput: The row cannot be read. Nothing of the set may start then: who is away is unknown.
        """
        found = await self._table.get(JOBS, job_rows.away_key(domain_set))
        if found is None:
            return Away(domain_set=domain_set)
        return job_rows.away_of(found.entity, found.etag)

    async def commit(self, change: Change) -> Committed:
        """See the port."""
        kept = change if self._keeps_events else replace(change, events=())
        return job_rows.committed(change, await self._table.transact(job_rows.change_writes(kept)))

    def _read(self, found: Iterable[Found]) -> tuple[list[Head], list[Job], tuple[UnreadRow, ...]]:
        of_policies = [row for row in found if not str(row.entity["RowKey"]).startswith("!")]
        is_head = [str(row.entity["RowKey"]).endswith("|") for row in of_policies]
        pairs = list(zip(of_policies, is_head, strict=True))
        heads, bad_heads = readable(
            self._table, [row for row, head in pairs if head], job_rows.head_of, "job"
        )
        jobs, bad_jobs = readable(
            self._table, [row for row, head in pairs if not head], job_rows.job_of, "job"
        )
        return heads, jobs, tuple(_unread(key) for key in (*bad_heads, *bad_jobs))


def _unread(row_key: str) -> UnreadRow:
    team, policy, job_id = [*row_key.split("|", 2), "", ""][:3]
    return UnreadRow(team, policy, job_id)
