"""Approving a rollout: who, when, and until when, in the policy's head."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.errors import Declined, InvalidInput, Outdated, Problem, Stale, Unknown
from shared.domain.job import JobState
from shared.domain.ledger import Change, Ledger
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


@dataclass(frozen=True, slots=True)
class SeenRollout:
    """A rollout as a person saw it.

    Attributes:
        version: `Ledger.version` of it.
    """

    number: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Approves a policy's rollout that acts, or would. The sweep wakes those that waited for it."""

    clock: Clock
    jobs: JobStore

    async def __call__(
        self,
        team: str,
        policy: str,
        *,
        by: str,
        until: datetime | None = None,
        seen: SeenRollout | None = None,
    ) -> Approved:
        """Approves it. Again is no error; the last approval counts.

        Args:
            team: Of the policy.
            policy: Its name.
            by: Who approves.
            until: The approval counts before this; None for the whole rollout.
            seen: What the person saw and means; None approves whichever rollout acts.

        Raises:
            InvalidInput: `until` is past.
            Unknown: There is nothing to approve.
            Declined: Another rollout acts than the one that was seen.
            Outdated: Other VMs are in it than were seen, or its policy changed.
            Retryable: The tables are busy.
            Stale: Others kept writing first.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return await self._once(team, policy, by, until, seen)
            except Stale:
                if tries == _TRIES_MAX:
                    raise

    async def _once(
        self, team: str, policy: str, by: str, until: datetime | None, seen: SeenRollout | None
    ) -> Approved:
        name, now = f"{team}/{policy}", self.clock.now()
        if until and until <= now:
            expected = f"an instant after {now:%Y-%m-%d %H:%M} UTC"
            raise _wrong("--until", f"{until:%Y-%m-%d %H:%M} UTC", expected)
        ledger = await self.jobs.ledger(team, policy)
        if ledger is None or not ledger.rollout:
            expected = "a policy with VMs that wait; ./baton plan shows them"
            raise Unknown("approve", (Problem("TEAM/POLICY", name, expected),))
        number = ledger.rollout
        if seen:
            _check(ledger, seen)
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


def _check(ledger: Ledger, seen: SeenRollout) -> None:
    """Refuses where the person means another rollout than the one that acts, or saw it otherwise."""
    if not ledger.in_rollout(seen.number):
        expected = f"a rollout that the policy has; {ledger.rollout} acts"
        raise Unknown("approve", (Problem("rollout", str(seen.number), expected),))
    if seen.number < ledger.rollout:
        raise Declined(f"rollout {seen.number} is done; rollout {ledger.rollout} acts now")
    if seen.number > ledger.rollout:
        raise Declined(
            f"rollout {seen.number} begins when rollout {ledger.rollout} is done, and is approved then"
        )
    if seen.version != ledger.version(seen.number):
        raise Outdated(
            f"rollout {seen.number} changed since you saw it: VMs came or went, or its policy was edited; "
            "look at it again"
        )


def _wrong(field: str, value: str, expected: str) -> InvalidInput:
    return InvalidInput("approve", (Problem(field, value, expected),))
