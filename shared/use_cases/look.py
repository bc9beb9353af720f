"""Looking at the tables: one read serves everybody who looks within a few seconds."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.domain.job import Job
from shared.domain.ledger import Books, Ledger, PolicyKey
from shared.domain.pause import Pause
from shared.domain.policy import Policy, Standing
from shared.ports import Clock, JobStore, PauseStore, PolicyRow, PolicyStore
from shared.use_cases.discover import standings_of

T = TypeVar("T")

# An open page asks for five things at once, and again every few seconds; ten people may have it open.
_FRESH_FOR, _USABLE_FOR = timedelta(seconds=3), timedelta(minutes=1)
# Tens of thousands of rows take seconds to read: who has waited so long gets what was read last.
_PATIENCE_SECONDS = 0.3
# And so that reading them takes at most a fifth of the time, they stay fresh for longer.
_REST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the tables had at one moment.

    Attributes:
        standings: Every policy row as it counts.
        pauses: Those that hold.
    """

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


class Kept(Generic[T]):
    """A read that many share. Nothing depends on what it keeps: it is read anew soon after."""

    def __init__(self, clock: Clock, read: Callable[[], Awaitable[T]]) -> None:
        self._clock = clock
        self._read = read
        self._last: tuple[datetime, T] | None = None
        self._reading: asyncio.Task[T] | None = None
        self._fresh_for = _FRESH_FOR

    async def __call__(self) -> T:
        """What the tables have, or had a few seconds ago; of large ones up to a minute ago.

        Raises:
            Retryable: The tables are busy.
        """
        since, last = self._last or (None, None)
        age = self._clock.now() - since if since else _USABLE_FOR
        if last is not None and timedelta(0) <= age < self._fresh_for:
            return last
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._anew())
            # Whoever waited too long for it never asks what came of it.
            self._reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        reading = self._reading
        if last is not None and timedelta(0) <= age < _USABLE_FOR:
            await asyncio.wait({reading}, timeout=_PATIENCE_SECONDS)
            if not reading.done():
                return last
        # Shielded: an asker who leaves must not take the read from the others.
        return await asyncio.shield(reading)

    async def _anew(self) -> T:
        began = self._clock.now()
        found = await self._read()
        # Not where somebody acted meanwhile: this may be from before.
        if self._reading is asyncio.current_task():
            self._last = began, found
            took = self._clock.now() - began
            self._fresh_for = min(max(_FRESH_FOR, took + _REST * took), _USABLE_FOR / 2)
        return found

    def again(self) -> None:
        """The next look reads: somebody changed something, and wants to see it."""
        self._last = self._reading = None


class Look(Kept[Seen]):
    """Reads the jobs, the policies and the pauses."""

    def __init__(
        self, *, clock: Clock, jobs: JobStore, policies: PolicyStore, pauses: PauseStore
    ) -> None:
        super().__init__(clock, self._see)
        self._jobs = jobs
        self._policies = policies
        self._pauses = pauses

    async def _see(self) -> Seen:
        books, rows, pauses = await asyncio.gather(
            self._jobs.books(), self._policies.rows(), self._pauses.all()
        )
        return Seen(
            books=books,
            rows=rows,
            standings=standings_of(rows, books)[0],
            pauses=tuple(pause for pause in pauses if pause.holds),
        )
