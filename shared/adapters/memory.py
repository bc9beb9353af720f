"""Every port in memory, for tests and for the simulation; the contract tests hold it to the real ones.

The stores write and read through the same rows, so that what does not fit a table does not fit here, and what
comes back is what a table would give. Each can be told to fail, before or after its work is done.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.adapters import event_rows, job_rows, outcome_rows, policy_rows
from shared.adapters.cells import Entity
from shared.adapters.writes import Write
from shared.domain.alert import Delivery, Mail
from shared.domain.attempt import Attempt
from shared.domain.errors import Stale, Terminal
from shared.domain.job import Job
from shared.domain.ledger import Away, Books, Change, Head, Ledger, PolicyKey
from shared.ports import Committed, PolicyRow, Wake, WakeAt


class Scripted:
    """Records every call, lets other tasks run at each, and fails where a test says so.

    Attributes:
        calls: (method, arguments) in their order.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._failures: dict[tuple[str, bool], deque[Exception]] = defaultdict(deque)

    def fail_next(self, method: str, *errors: Exception, done: bool = False) -> None:
        """Has the next calls of a method raise these errors, one each.

        Args:
            method: Its name.
            errors: What to raise.
            done: Raise only after the work is done: an answer that is lost.
        """
        self._failures[method, done].extend(errors)

    def called(self, method: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of a method."""
        return [arguments for name, arguments in self.calls if name == method]

    @asynccontextmanager
    async def call(self, method: str, *arguments: object) -> AsyncIterator[None]:
        """What surrounds a method's work."""
        self.calls.append((method, arguments))
        await asyncio.sleep(0)
        self._raise(method, done=False)
        yield
        self._raise(method, done=True)

    def _raise(self, method: str, *, done: bool) -> None:
        if failures := self._failures[method, done]:
            raise failures.popleft()


class MemoryClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """The instant that was set."""
        return self._now

    def set(self, now: datetime) -> None:
        """Moves it to an instant."""
        self._now = now

    def advance(self, by: timedelta) -> datetime:
        """Moves it on; returns the new instant."""
        self._now += by
        return self._now


@dataclass(slots=True)
class _Row:
    entity: Entity
    value: Any


class Partition:
    """Rows of one partition, their ETags, and transactions."""

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}
        self._written = 0

    def apply(self, writes: Sequence[Write], read: Callable[[Entity, str], Any]) -> dict[str, str]:
        """Writes all or nothing; returns RowKey → ETag."""
        for write in writes:
            row = self.rows.get(write.row_key)
            etag = row.value.etag if row else ""
            if (write.verb == "create") is bool(row) or write.etag != etag:
                raise Stale(f"{write.row_key} is not as it was read")
        etags: dict[str, str] = {}
        for write in writes:
            self._written += 1
            etags[write.row_key] = etag = f'W/"{self._written}"'
            if write.verb == "delete":
                del self.rows[write.row_key]
            else:
                self.rows[write.row_key] = _Row(write.entity, read(write.entity, etag))
        return etags

    def values(self, kind: type[Any]) -> Iterable[Any]:
        """The values of one kind by RowKey."""
        for _, row in sorted(self.rows.items()):
            if isinstance(row.value, kind):
                yield row.value


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


class MemoryPolicies(Scripted):
    """PolicyStore. People's part is played by `put` and `remove`."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[PolicyKey, PolicyRow] = {}
        self._written = 0

    def put(self, team: str, policy: str, **columns: object) -> PolicyRow:
        """Writes a row as a person would: Baton's two columns stay as they are."""
        old = self._rows.get((team, policy)) or PolicyRow(team=team, policy=policy, columns={})
        return self._keep(replace(old, columns=columns))

    def remove(self, team: str, policy: str) -> None:
        """Deletes a row."""
        del self._rows[team, policy]

    async def rows(self) -> Sequence[PolicyRow]:
        """See the port."""
        async with self.call("rows"):
            return [row for _, row in sorted(self._rows.items())]

    async def row(self, team: str, policy: str) -> PolicyRow | None:
        """See the port."""
        async with self.call("row", team, policy):
            return self._rows.get((team, policy))

    async def write(self, row: PolicyRow) -> None:
        """See the port."""
        async with self.call("write", row):
            entity = policy_rows.policy_write(row).entity
            self._check(row)
            self._keep(policy_rows.policy_of(entity, ""))

    async def delete(self, row: PolicyRow) -> None:
        """See the port."""
        async with self.call("delete", row):
            self._check(row)
            self.remove(row.team, row.policy)

    async def write_status(self, row: PolicyRow, *, status: str, message: str) -> None:
        """See the port."""
        async with self.call("write_status", row, status, message):
            old = self._check(row)
            cells = policy_rows.status_row(row, status=status, message=message)
            self._keep(replace(old, status=cells["status"], status_message=cells["statusMessage"]))

    def _check(self, row: PolicyRow) -> PolicyRow:
        """The row as it is kept, if it still has the ETag with which it was read, or is new."""
        old = self._rows.get((row.team, row.policy)) or replace(row, etag="")
        if old.etag != row.etag:
            raise Stale(f"policy {row.team}/{row.policy} is not as it was read")
        return old

    def _keep(self, row: PolicyRow) -> PolicyRow:
        self._written += 1
        kept = replace(row, etag=f'W/"{self._written}"')
        self._rows[row.team, row.policy] = kept
        return kept


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


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A message on the memory bus.

    Attributes:
        wake: None wakes the alerts.
    """

    at: datetime
    sequence: int
    wake: Wake | None = field(compare=False)


class MemoryBus(Scripted):
    """Bus. Messages wait in `messages` until `take` gives those that are due.

    Attributes:
        messages: In the order of their instants, then of their sending.
    """

    def __init__(self, *, duplicates_for: timedelta = timedelta(minutes=10)) -> None:
        super().__init__()
        self.messages: list[Due] = []
        self._duplicates_for = duplicates_for
        self._seen: dict[tuple[object, ...], datetime] = {}
        self._sent = 0

    async def wake(self, wakes: Sequence[WakeAt], *, now: datetime) -> None:
        """See the port."""
        async with self.call("wake", wakes, now):
            for one in wakes:
                identity = (one.wake, one.at, one.cause)
                self._send(identity, one.at, one.wake, now)

    async def wake_alerts(self, at: datetime, *, now: datetime) -> None:
        """See the port."""
        async with self.call("wake_alerts", at, now):
            self._send(("alerts", at.replace(microsecond=0)), at, None, now)

    def take(self, now: datetime) -> list[Due]:
        """Removes and returns what is due."""
        due = [message for message in self.messages if message.at <= now]
        self.messages = [message for message in self.messages if message.at > now]
        return due

    def _send(
        self, identity: tuple[object, ...], at: datetime, wake: Wake | None, now: datetime
    ) -> None:
        seen = self._seen.get(identity)
        if seen is not None and now - seen < self._duplicates_for:
            return
        self._seen[identity] = now
        self._sent += 1
        self.messages = sorted([*self.messages, Due(max(at, now), self._sent, wake)])


class MemoryMailer(Scripted):
    """Mailer.

    Attributes:
        sent: Every mail that somebody got. `refuses`: address → why its mail is refused.
    """

    def __init__(self, refuses: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.sent: list[Mail] = []
        self.refuses = dict(refuses or {})

    async def send(self, mail: Mail, *, again: bool) -> Delivery:
        """See the port. Sends twice what it is given twice, as SMTP does."""
        async with self.call("send", mail, again):
            refused = [f"{a}: {self.refuses[a]}" for a in mail.recipients if a in self.refuses]
            if len(refused) == len(mail.recipients):
                raise Terminal("every recipient was refused: " + "; ".join(refused))
            self.sent.append(mail)
            return Delivery(refused=refused)

    async def check(self) -> None:
        """See the port."""
