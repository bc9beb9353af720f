"""What Baton keeps of a policy and its jobs, read and written as one.

A policy's head and jobs change together in one entity-group transaction guarded by the head's ETag,
so that two handlers can never both take the last slot, or start a stage while an earlier one reopens.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.job import Job
from shared.domain.lifecycle import Event

PolicyKey = tuple[str, str]
"""(team, policy name)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A policy's own row among the jobs: its guard, and its last good version.

    Attributes:
        columns: The policy row's own columns when they were last right, as table values.
        version: Hash of `columns`.
        approved_rollout: Number of the rollout that was approved last; 0 if none was.
        approved_by, approved_at: Who approved it, and when.
        approved_until: The approval counts before this; None for the whole rollout.
    """

    team: str
    policy: str
    columns: Mapping[str, object] = field(default_factory=dict)
    version: str = ""
    approved_rollout: int = 0
    approved_by: str = ""
    approved_at: datetime | None = None
    approved_until: datetime | None = None
    etag: str = ""

    @property
    def key(self) -> PolicyKey:
        """(team, policy name)."""
        return self.team, self.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Who of a set is away, across all policies (promise P5).

    Attributes:
        domain_set: Lower-cased ARM id of an availability set, or of a scale set.
        jobs: Job id → domain; an unknown one is None and equals no other.
    """

    domain_set: str
    jobs: Mapping[str, int | None] = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A row that is there and cannot be read: whom it concerns is known, what it says is not.

    Attributes:
        job_id: `""` where it is the policy's head.
    """

    team: str
    policy: str
    job_id: str

    @property
    def key(self) -> PolicyKey:
        """(team, policy name)."""
        return self.team, self.policy

    def __str__(self) -> str:
        return f"{self.team}|{self.policy}|{self.job_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """One policy's head and jobs as one read found them.

    Attributes:
        unread: While there is one, nothing of the policy starts: who is away is not known.
    """

    head: Head
    jobs: tuple[Job, ...]
    unread: tuple[UnreadRow, ...] = ()

    def job(self, job_id: str) -> Job | None:
        """The job of that id, if it is here."""
        return next((job for job in self.jobs if job.id == job_id), None)

    def with_job(self, changed: Job) -> "Ledger":
        """The ledger with one job replaced."""
        jobs = tuple(changed if job.id == changed.id else job for job in self.jobs)
        return replace(self, jobs=jobs)

    @property
    def rollout(self) -> int:
        """Number of the rollout that may act: the lowest with an open job; 0 if none has one."""
        return min((job.rollout for job in self.jobs if not job.state.is_end), default=0)

    def version(self, number: int) -> str:
        """What an approval of a rollout is an approval of: its VMs, and its policy as it was last right."""
        jobs = sorted(job.id for job in self.jobs if job.rollout == number)
        said = "\n".join((self.head.version, str(number), *jobs))
        return hashlib.sha256(said.encode(errors="replace")).hexdigest()[:12]

    def in_rollout(self, number: int) -> tuple[Job, ...]:
        """The jobs of one rollout."""
        return tuple(job for job in self.jobs if job.rollout == number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Everything open, as discovery reads it.

    Attributes:
        guard: ETag of the discovery guard; `""` before the first run.
        unread: Every row that cannot be read, of whichever policy.
    """

    guard: str
    ledgers: Mapping[PolicyKey, Ledger]
    unread: tuple[UnreadRow, ...] = ()

    def jobs(self) -> Iterable[Job]:
        """Every job of every policy."""
        for ledger in self.ledgers.values():
            yield from ledger.jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one transaction writes. Rows with an ETag must still have it; rows without must be new.

    Attributes:
        heads: Every policy whose jobs' states or slots change must be here (it is the guard).
        jobs: Created or replaced.
        removed: Deleted.
        away: Placement rows, replaced or new.
        events: What the teams' own tools are told of it; kept only where events are delivered at all.
        guard: For discovery alone: the guard's ETag as read (`""`: it must not exist yet).
    """

    heads: tuple[Head, ...] = ()
    jobs: tuple[Job, ...] = ()
    removed: tuple[Job, ...] = ()
    away: tuple[Away, ...] = ()
    events: tuple[Event, ...] = ()
    guard: str | None = None
    at: datetime
