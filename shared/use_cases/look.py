"""Looking at the tables: one read serves everybody who looks within a few seconds."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.job import Job
from shared.domain.ledger import Books, Ledger, PolicyKey
from shared.domain.pause import Pause
from shared.domain.policy import Policy, Standing
from shared.pause_port import PauseStore
from shared.ports import Clock, JobStore, PolicyRow, PolicyStore
from shared.use_cases.discover import standings_of

# An open page asks for three things at once, and again every few seconds; ten people may have it open.
_FRESH_FOR = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the tables had at one moment.

    Attributes:
        standings: Every policy row as it counts.
        pauses: Those that hold.
    """

    at: datetime
    books: Books
    rows: Sequence[PolicyRow]
    standings: Mapping[PolicyKey, Standing]
    pauses: tuple[Pause, ...]

    def jobs(self) -> list[Job]:
        """Every job."""
        return list(self.books.jobs())

    def policy(self, key: PolicyKey) -> Policy | None:
        """What the policy's jobs act under; None where its row is gone, or never was right."""
        stands = self.standings.get(key)
        return stands.policy if stands else None

    def ledger(self, key: PolicyKey) -> Ledger | None:
        """The policy's jobs; None if it has none and never had."""
        return self.books.ledgers.get(key)


class Look:
    """Reads the jobs, the policies and the pauses. Nothing depends on what it keeps: it is read anew soon after."""

    def __init__(
        self, *, clock: Clock, jobs: JobStore, policies: PolicyStore, pauses: PauseStore
    ) -> None:
        self._clock = clock
        self._jobs = jobs
        self._policies = policies
        self._pauses = pauses
        self._last: Seen | None = None
        self._reading = asyncio.Lock()

    async def __call__(self) -> Seen:
        """What the tables have, or had a few seconds ago.

        Raises:
            Retryable: The tables are busy.
        """
        async with self._reading:
            now = self._clock.now()
            if self._last is None or not self._last.at <= now < self._last.at + _FRESH_FOR:
                books, rows, pauses = await asyncio.gather(
                    self._jobs.books(), self._policies.rows(), self._pauses.all()
                )
                self._last = Seen(
                    at=now,
                    books=books,
                    rows=rows,
                    standings=standings_of(rows, books)[0],
                    pauses=tuple(pause for pause in pauses if pause.holds),
                )
            return self._last

    def again(self) -> None:
        """The next look reads: somebody changed something, and wants to see it."""
        self._last = None
