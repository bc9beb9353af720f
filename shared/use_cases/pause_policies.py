"""Pausing: nothing new starts from now on; what runs is finished, and nothing is lost."""

import logging
from contextlib import suppress
from dataclasses import dataclass

from shared.domain.errors import Stale
from shared.domain.job import Job, JobState
from shared.domain.ledger import Change, Ledger, PolicyKey
from shared.domain.pause import Pause
from shared.ports import Clock, JobStore, PauseStore, PolicyStore
from shared.use_cases.asking import Asked, books_of, until_written

log = logging.getLogger("baton.steer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """What stands still.

    Attributes:
        pause: As it is kept.
        already: Whether it was paused before; that pause then stands as it was.
        waiting: How many VMs it holds back.
        away: Those that had started, and are finished.
    """

    pause: Pause
    already: bool
    waiting: int
    away: tuple[Job, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PausePolicies:
    """Pauses everything, a team or a policy."""

    clock: Clock
    jobs: JobStore
    policies: PolicyStore
    pauses: PauseStore

    async def __call__(self, team: str, policy: str, *, asked: Asked) -> Paused:
        """Pauses it; again is no error. When this returns, no start follows that was not claimed before.

        Args:
            team: `""` for everything.
            policy: `""` for the whole team.
            asked: Who asks, and why.

        Raises:
            Unknown: There is no such team or policy.
            Retryable: The tables are busy.
            Stale: Others kept writing first; nothing is paused.
        """
        _, keys = await books_of(self.jobs, self.policies, team, policy)
        pause, already = await until_written(lambda: self._write(team, policy, asked))
        # The row holds every start that is decided from now on. Those decided before it must not be claimed
        # any more: they were decided under their head's ETag.
        ledgers = [found for key in keys if (found := await self._guarded(key))]
        jobs = [job for ledger in ledgers for job in ledger.jobs]
        if not already:
            extra = {"action": "paused", "team": team, "policy": policy, "by": asked.by}
            log.info("%s", pause, extra=extra)
        return Paused(
            pause=pause,
            already=already,
            waiting=sum(job.state is JobState.PLANNED for job in jobs),
            away=tuple(job for job in jobs if job.state.is_begun),
        )

    async def _write(self, team: str, policy: str, asked: Asked) -> tuple[Pause, bool]:
        """The pause that now stands, and whether it did before."""
        kept = await kept_pause(self.pauses, team, policy)
        if kept and kept.holds:
            return kept, True
        pause = Pause(
            team=team,
            policy=policy,
            by=asked.by,
            at=self.clock.now(),
            reason=asked.reason,
            etag=kept.etag if kept else "",
        )
        await self.pauses.write(pause)
        return pause, False

    async def _guarded(self, key: PolicyKey) -> Ledger | None:
        """The policy's ledger once its head has a new ETag; where others keep writing, they see the pause."""

        async def work() -> None:
            ledger = await self.jobs.ledger(*key)
            if ledger and any(job.state is JobState.PLANNED for job in ledger.jobs):
                await self.jobs.commit(Change(heads=(ledger.head,), at=self.clock.now()))

        with suppress(Stale):
            await until_written(work)
        return await self.jobs.ledger(*key)


async def kept_pause(pauses: PauseStore, team: str, policy: str) -> Pause | None:
    """The row of exactly this; None if there is none."""
    rows = await pauses.all()
    return next((row for row in rows if (row.team, row.policy) == (team, policy)), None)
