"""Settling an attempt: its outcome recorded, people told, the next VM woken.

The job row keeps the attempt until all of that is done, so that a crash anywhere repeats it; every part
is idempotent.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.domain import lifecycle
from shared.domain.alert import Alert, event_id
from shared.domain.attempt import Attempt
from shared.domain.errors import Stale
from shared.domain.job import Job, JobState
from shared.domain.ledger import Change, Ledger
from shared.domain.policy import Policy
from shared.domain.policy_row import standing
from shared.domain.rules import Turn, halted_by, its_window, next_turns
from shared.ports import Bus, Clock, JobStore, OutcomeStore, Wake, WakeAt
from shared.use_cases.herald import Herald
from shared.use_cases.tell import Tell
from shared.use_cases.wording import azure_acts, facts_of_attempt

log = logging.getLogger("baton.settle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Settles a job's attempt."""

    clock: Clock
    jobs: JobStore
    outcomes: OutcomeStore
    bus: Bus
    tell: Tell
    herald: Herald

    async def __call__(self, job: Job) -> Job:
        """Does what is left to do for the job's ended attempt; returns the job as it is then stored.

        Raises:
            Retryable: Something was busy; calling again goes on.
        """
        attempt = job.unsettled
        if attempt is None:
            return job
        await self.outcomes.add(job, attempt)
        log.info(
            "Outcome of %s: %s",
            job.vm_name,
            attempt.outcome,
            extra={"action": "outcome_recorded", **_told(job, attempt)},
        )
        ledger = await self.jobs.ledger(job.team, job.policy)
        policy = good_policy(ledger) if ledger else None
        if attempt.is_bad:
            await self._tell_of(job, attempt, ledger, policy)
        if ledger and policy:
            await self.wake_next(ledger, policy)
        settled = replace(job, unsettled=None)
        try:
            events = lifecycle.ended(job, attempt)
            change = Change(jobs=(settled,), events=events, at=self.clock.now())
            committed = await self.jobs.commit(change)
        except Stale:
            # Another handler settled it too, or discovery moved it: nothing is lost.
            return settled
        await self.herald()
        return replace(settled, etag=committed.jobs[job.id])

    async def wake_next(self, ledger: Ledger, policy: Policy) -> None:
        """Wakes the jobs whose turn is next, each at its first legal instant."""
        now = self.clock.now()
        turns = next_turns(ledger, policy, now)
        await self.bus.wake([wake_for(turn) for turn in turns], now=now)

    async def _tell_of(
        self, job: Job, attempt: Attempt, ledger: Ledger | None, policy: Policy | None
    ) -> None:
        now = self.clock.now()
        alert = Alert(
            id=event_id(attempt.outcome, job.id, str(attempt.number)),
            kind=attempt.outcome,
            subject=job.vm_name,
            reason=attempt.reason,
            raised_at=now,
            team=job.team,
            policy=job.policy,
            next_step=_next_step(job, attempt, ledger, policy),
            facts=facts_of_attempt(job, attempt, now),
            recipients=policy.owners if policy else (),
            deadline=job.closes,
            vm_id=job.vm_id,
            zone=policy.hours.zone_name if policy else "",
        )
        await self.tell(alert)


def _told(job: Job, attempt: Attempt) -> dict[str, object]:
    """What the log says of an attempt: enough to draw it."""
    return {
        **job.log_context(),
        "attempt": attempt.number,
        "outcome": attempt.outcome,
        "terminal": attempt.terminal,
        "discoveredAt": job.discovered_at,
        "startedAt": attempt.started_at,
        "endedAt": attempt.ended_at,
    }


def good_policy(ledger: Ledger) -> Policy | None:
    """The policy's last good version, as its head keeps it; None if this version cannot read it."""
    return standing(ledger.head.key, ledger.head.columns, None).policy


def wake_for(turn: Turn) -> WakeAt:
    """The message for a turn."""
    job = turn.job
    return WakeAt(
        wake=Wake(team=job.team, policy=job.policy, job_id=job.id), at=turn.at, cause="turn"
    )


def _next_step(job: Job, attempt: Attempt, ledger: Ledger | None, policy: Policy | None) -> str:
    if not attempt.terminal:
        return "Look at its patches; Baton goes on with its redeploy, and does not try them again."
    if job.state is JobState.MISSED:
        return f"Baton can no longer start it. Azure does it by itself {azure_acts(job)}."
    if not ledger or not policy:
        return "Baton does nothing more with this VM."
    rollout = ledger.in_rollout(job.rollout)
    waiting = [other for other in rollout if other.state is JobState.PLANNED]
    if halted_by([job], policy) and waiting:
        return (
            f"The rollout is halted: {_count(waiting)} of {job.team}/{job.policy} will not start. "
            f"./baton retry {job.vm_name} has it tried again if that is safe; onFailure 'continue' in the policy "
            "lets the rollout go on without it. Whatever is not done when "
            f"{its_window(job)} closes, Azure does by itself."
        )
    if waiting:
        return f"The rollout goes on with {_count(waiting)}; Baton does nothing more with this VM."
    if job.patches:
        return "Baton does not try this release again; look at the VM, and install it by hand if it must be."
    return f"Baton does nothing more with this VM. Look at it; ./baton retry {job.vm_name} has it tried again if that is safe."


def _count(jobs: Iterable[Job]) -> str:
    count = len(list(jobs))
    return "1 more VM" if count == 1 else f"{count} more VMs"
