"""JobStore and OutcomeStore in memory."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.adapters import event_rows, job_rows, outcome_rows
from shared.adapters.cells import Entity
from shared.adapters.memory.scripted import Partition, Scripted
from shared.adapters.writes import Write
from shared.domain.attempt import Attempt
from shared.domain.job import Job
from shared.domain.ledger import Away, Books, Change, Head, Ledger, PolicyKey
from shared.ports import Committed


class MemoryJobs(Scripted):
    """JobStore."""

    def __init__(self, *, keeps_events: bool = False) -> None:
        """`keeps_events`: whether what is committed goes into the outbox too."""
        super().__init__()
        self._keeps_events = keeps_events
        self._table = Partition()

    def jobs(self) -> list[Job]:
        """Every job, for a test to look at."""
        return list(self._table.values(Job))

    async def books(self) -> Books:
        """See the port."""
        async with self.call("books"):
            guard = self._table.rows.get(job_rows.GUARD)
            jobs: dict[PolicyKey, list[Job]] = defaultdict(list)
            for job in self._table.values(Job):
                jobs[job.team, job.policy].append(job)
            ledgers = {
                head.key: Ledger(head=head, jobs=tuple(jobs[head.key]))
                for head in self._table.values(Head)
            }
            return Books(guard=guard.value.etag if guard else "", ledgers=ledgers)

    async def ledger(self, team: str, policy: str, *, known: Ledger | None = None) -> Ledger | None:
        """See the port."""
        async with self.call("ledger", team, policy):
            prefix = job_rows.policy_prefix(team, policy)
            head = self._table.rows.get(prefix)
            if head is None:
                return None
            if known and known.head.etag == head.value.etag:
                return known
            found = sorted(item for item in self._table.rows.items() if item[0].startswith(prefix))
            return Ledger(head=head.value, jobs=tuple(row.value for _, row in found[1:]))

    async def job(self, team: str, policy: str, job_id: str) -> Job | None:
        """See the port."""
        async with self.call("job", team, policy, job_id):
            row = self._table.rows.get(job_rows.job_key(team, policy, job_id))
            return row.value if row else None

    async def away(self, domain_set: str) -> Away:
        """See the port."""
        async with self.call("away", domain_set):
            row = self._table.rows.get(job_rows.away_key(domain_set))
            return row.value if row else Away(domain_set=domain_set)

    async def commit(self, change: Change) -> Committed:
        """See the port."""
        async with self.call("commit", change):
            kept = change if self._keeps_events else replace(change, events=())
            return job_rows.committed(change, self.apply(job_rows.change_writes(kept)))

    def apply(self, writes: Sequence[Write]) -> dict[str, str]:
        """One transaction on the table, in which the outbox stands too."""
        return self._table.apply(writes, _read_job_row)

    def values(self, kind: type[Any]) -> list[Any]:
        """The table's values of one kind, by RowKey."""
        return list(self._table.values(kind))


class MemoryOutcomes(Scripted):
    """OutcomeStore."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[tuple[str, str], Entity] = {}

    def rows(self) -> list[Entity]:
        """Every row as the table has it; in each subscription the newest first."""
        return [row for _, row in sorted(self._rows.items())]

    async def of(self, vm_id: str) -> Sequence[Mapping[str, object]]:
        """See the port."""
        async with self.call("of", vm_id):
            return outcome_rows.outcomes_of(vm_id, self.rows())

    async def add(self, job: Job, attempt: Attempt) -> None:
        """See the port."""
        async with self.call("add", job, attempt):
            row = outcome_rows.outcome_row(job, attempt)
            self._rows.setdefault((row["PartitionKey"], row["RowKey"]), row)


@dataclass(frozen=True, slots=True)
class _Guard:
    etag: str


def _read_job_row(entity: Entity, etag: str) -> object:
    """Whatever kind of row of the jobs' table it is."""
    if entity["RowKey"] == job_rows.GUARD:
        return _Guard(etag)
    if "away" in entity:
        return job_rows.away_of(entity, etag)
    if "eventId" in entity:
        return event_rows.event_of(entity, etag)
    if entity["RowKey"] == event_rows.LEASE:
        return event_rows.lease_of(entity, etag)
    return job_rows.job_of(entity, etag) if "jobId" in entity else job_rows.head_of(entity, etag)
