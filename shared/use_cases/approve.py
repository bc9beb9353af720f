"""Approving a rollout: who, when, and until when, in the policy's head."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.errors import InvalidInput, Problem, Stale
from shared.domain.job import JobState
from shared.domain.ledger import Change
from shared.ports import Clock, JobStore
from shared.use_cases.settle import good_policy

log = logging.getLogger("baton.approve")

# A running rollout writes the same row; each try decides on what is there then.
_TRIES_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What was approved.

    Attributes:
        waiting: How many of its VMs have not started.
        needed: Whether the policy asks for approval at all.
    """

    rollout: int
    waiting: int
    needed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Approves a policy's rollout that acts, or would. The sweep wakes those that waited for it."""

    clock: Clock
    jobs: JobStore

    async def __call__(
        self, team: str, policy: str, *, by: str, until: datetime | None = None
    ) -> Approved:
        """Approves it. Again is no error; the last approval counts.

        Args:
            team: Of the policy.
            policy: Its name.
            by: Who approves.
            until: The approval counts before this; None for the whole rollout.

        Raises:
            InvalidInput: There is nothing to approve, or `until` is past.
            Retryable: The tables are busy.
            Stale: Others kept writing first.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return await self._once(team, policy, by, until)
            except Stale:
                if tries == _TRIES_MAX:
                    raise

    async def _once(self, team: str, policy: str, by: str, until: datetime | None) -> Approved:
        name, now = f"{team}/{policy}", self.clock.now()
        if until and until <= now:
            expected = f"an instant after {now:%Y-%m-%d %H:%M} UTC"
            raise _wrong("--until", f"{until:%Y-%m-%d %H:%M} UTC", expected)
        ledger = await self.jobs.ledger(team, policy)
        if ledger is None or not ledger.rollout:
            raise _wrong(
                "TEAM/POLICY", name, "a policy with VMs that wait; ./baton plan shows them"
            )
        number = ledger.rollout
        head = replace(
            ledger.head,
            approved_rollout=number,
            approved_by=by,
            approved_at=now,
            approved_until=until,
        )
        await self.jobs.commit(Change(heads=(head,), at=now))
        extra = {"action": "rollout_approved", "team": team, "policy": policy, "by": by}
        log.info("Rollout %d of %s is approved", number, name, extra=extra)
        acts = good_policy(ledger)
        waiting = [job for job in ledger.in_rollout(number) if job.state is JobState.PLANNED]
        needed = bool(acts and acts.needs_approval)
        return Approved(rollout=number, waiting=len(waiting), needed=needed)


def _wrong(field: str, value: str, expected: str) -> InvalidInput:
    return InvalidInput("approve", (Problem(field, value, expected),))
