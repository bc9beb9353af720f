"""The jobs, and the outcomes of their attempts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.domain.attempt import Attempt
from shared.domain.job import Job
from shared.domain.ledger import Away, Books, Change, Ledger, PolicyKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The ETags that a transaction gave, for a next one after it.

    Attributes:
        guard: `""` if the change had none.
        jobs: Job id → ETag.
    """

    guard: str = ""
    heads: Mapping[PolicyKey, str] = field(default_factory=dict)
    jobs: Mapping[str, str] = field(default_factory=dict)


class JobStore(Protocol):
    """Table `BatonJobs`."""

    async def books(self) -> Books:
        """Everything. The guard is read before the rest, so that a commit under it saw all."""
        ...

    async def ledger(self, team: str, policy: str, *, known: Ledger | None = None) -> Ledger | None:
        """One policy's head and jobs, the head read first; None if the policy has no head.

        Args:
            team: The policy's.
            policy: Its name.
            known: As it was read or written before. While the head is the same it is given back, and its
                jobs are not read: no slot and no planned job's state changes but under the head.
        """
        ...

    async def job(self, team: str, policy: str, job_id: str) -> Job | None:
        """One job, read now."""
        ...

    async def away(self, domain_set: str) -> Away:
        """The placement row of a set; an empty one with no ETag if there is none.

        Raises:
            InvalidInput: It cannot be read. Nothing of the set may start then: who is away is unknown.
        """
        ...

    async def commit(self, change: Change) -> Committed:
        """Writes all of it or nothing, in one transaction of at most 100 rows.

        A row with an ETag is replaced (or removed) only if it still has that ETag; a row without is
        created only if there is none.

        Raises:
            Stale: Some row was not as expected; nothing was written.
            ValueError: More than 100 rows.
        """
        ...


class OutcomeStore(Protocol):
    """Table `BatonOutcomes`: one row per attempt, never changed."""

    async def of(self, vm_id: str) -> Sequence[Mapping[str, object]]:
        """A VM's rows, newest first, with the columns of the table."""
        ...

    async def add(self, job: Job, attempt: Attempt) -> None:
        """Writes the row. The same job and attempt number again changes nothing."""
        ...
