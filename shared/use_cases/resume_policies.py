"""Resuming: what was paused goes on; the sweep wakes what is due."""

import logging
from dataclasses import dataclass, replace

from shared.domain.pause import Pause
from shared.ports import Clock, JobStore, PauseStore, PolicyStore
from shared.use_cases.asking import Asked, books_of, until_written
from shared.use_cases.pause_policies import kept_pause

log = logging.getLogger("baton.steer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What goes on.

    Attributes:
        pause: The one that ended; None where none held exactly this.
        held: Other pauses in force over all or a part of it.
    """

    pause: Pause | None
    held: tuple[Pause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumePolicies:
    """Resumes everything, a team or a policy: ends the pause of exactly that."""

    clock: Clock
    jobs: JobStore
    policies: PolicyStore
    pauses: PauseStore

    async def __call__(self, team: str, policy: str, *, asked: Asked) -> Resumed:
        """Resumes it; what was not paused is no error.

        Args:
            team: `""` for everything.
            policy: `""` for the whole team.
            asked: Who asks, and why.

        Raises:
            Unknown: There is no such team or policy.
            Retryable: The tables are busy.
            Stale: Others kept writing first.
        """
        kept = await kept_pause(self.pauses, team, policy)
        if kept is None:  # one of a policy that is gone meanwhile can be ended all the same
            await books_of(self.jobs, self.policies, team, policy)
        ended = await until_written(lambda: self._end(team, policy, asked))
        rows = await self.pauses.all()
        return Resumed(
            pause=ended,
            held=tuple(
                row
                for row in rows
                if row.holds and (row.covers(team, policy) or _is_within(row, team, policy))
            ),
        )

    async def _end(self, team: str, policy: str, asked: Asked) -> Pause | None:
        now = self.clock.now()
        kept = await kept_pause(self.pauses, team, policy)
        if kept is None or not kept.holds:
            return None
        ended = replace(kept, at=kept.at or now, resumed_by=asked.by, resumed_at=now)
        await self.pauses.write(ended)
        extra = {"action": "resumed", "team": team, "policy": policy, "by": asked.by}
        log.info("%s is resumed by %s", ended.what, asked, extra=extra)
        return ended


def _is_within(pause: Pause, team: str, policy: str) -> bool:
    return team in ("", pause.team) and policy in ("", pause.policy)
