"""Following a start: whether it reached Azure, how it goes, and what came of it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.durations import format_duration
from shared.domain.errors import Retryable
from shared.domain.installation import shows_installation
from shared.domain.job import Job, JobState
from shared.domain.maintenance import Vm
from shared.domain.pace import LOG_IS_LATE
from shared.domain.policy import Policy
from shared.domain.rules import backoff
from shared.domain.verdict import Again, Look, Then, judge, shows_acceptance
from shared.ports import Activity, Operation
from shared.use_cases.settle import good_policy
from shared.use_cases.steps import Steps

log = logging.getLogger("baton.redeploy")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindOut:
    """A STARTING job: its claim has no answer, so look at the VM and its activity before anything else."""

    steps: Steps

    async def __call__(self, job: Job) -> None:
        """Finds out; leaves a message to look again while nothing is certain."""
        claimed_at = job.claimed_at or job.discovered_at
        vm = await self.steps.vm(job)
        mine, busy = await self._logged(job, since=claimed_at - timedelta(minutes=2))
        now = self.steps.clock.now()
        # "Started" is logged for a refused request too; only these prove that it was taken.
        taken = any(event.status.lower() in ("accepted", "succeeded") for event in mine)
        if vm is None:
            await self.steps.conclude(_gone(job, mine[0] if taken else None, now), before=job)
        elif taken or _is_shown(job, vm, now):
            started = job.accepted_at(
                claimed_at,
                correlation_id=mine[0].correlation_id if mine else job.correlation_id,
                reason="the start's answer was lost; Azure shows that it was taken",
            )
            await self.steps.take(started)
            await self.steps.look_later(started)
            await self.steps.settle.herald()
        elif now - claimed_at < self._quiet(job, vm):
            await self.steps.look_later(job)
        elif busy:
            raise busy
        elif job.maintenance and vm.maintenance is None:
            reason = "Azure no longer announces the maintenance"
            withdrawn = job.ended(JobState.WITHDRAWN, now=now, reason=reason)
            await self.steps.conclude(withdrawn, before=job)
        else:
            log.warning(
                "The start of %s never reached Azure",
                job.vm_name,
                extra={"action": "redeploy_not_taken", **job.log_context()},
            )
            reason = "its start never reached Azure; tried again"
            job = replace(job, maintenance=vm.maintenance if job.maintenance else None)
            planned = job.moved(JobState.PLANNED, reason=reason, claimed_at=None)
            await self.steps.conclude(planned, before=job)

    async def _logged(
        self, job: Job, *, since: datetime
    ) -> tuple[Sequence[Activity], Retryable | None]:
        """What the activity log has of this start, and the error if it was too busy to tell."""
        try:
            if job.patches:
                events = await self.steps.patches.installation_activities(job.vm_id, since=since)
            else:
                events = await self.steps.vms.activities(job.vm_id, since=since)
        except Retryable as busy:
            return (), busy
        return [event for event in events if event.request_id == job.request_id], None

    def _quiet(self, job: Job, vm: Vm) -> timedelta:
        """After a claim: when nothing seen means that nothing was started.

        Azure drops the maintenance when it is done as when it takes it back: then only the log tells.
        """
        dropped = job.maintenance and vm.maintenance is None
        return max(self.steps.pace.quiet, LOG_IS_LATE) if dropped else self.steps.pace.quiet


def _is_shown(job: Job, vm: Vm, now: datetime) -> bool:
    return shows_installation(job, vm) if job.patches else shows_acceptance(job, vm, now)


def _gone(job: Job, taken: Activity | None, now: datetime) -> Job:
    """The job of a VM that was deleted while its start had no answer; the log may say more than the VM."""
    if taken is None:
        reason = "the VM was deleted, and nothing shows whether its start had reached Azure"
        return job.ended(JobState.GONE, now=now, reason=reason)
    job = job.accepted_at(job.claimed_at or now, correlation_id=taken.correlation_id)
    return job.ended(JobState.GONE, now=now, reason="the VM was deleted after its start")


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAt:
    """A REDEPLOYING job without patches: ask how it goes, and conclude it when it is over.

    Attributes:
        jitter: 0 to 1, for back-off.
    """

    steps: Steps
    jitter: Callable[[], float]

    async def __call__(self, job: Job) -> None:
        """Looks, and leaves a message for the next look or writes the end.

        Raises:
            Stale: Something changed meanwhile; the step is to be done anew.
        """
        operation = Operation(status="unknown")
        if job.operation_url:
            operation = await self.steps.vms.operation(job.operation_url)
        since = job.started_at or job.discovered_at
        in_time = self.steps.clock.now() - since < self.steps.pace.redeploy_timeout
        if operation.status == "inProgress" and in_time:
            await self.steps.look_later(job, least=operation.retry_after)
            return
        vm = await self.steps.vm(job)
        look = Look(
            vm=vm, operation=operation.status, code=operation.code, message=operation.message
        )
        if vm and vm.maintenance:
            job = replace(job, maintenance=vm.maintenance)
        elif vm and job.maintenance:
            # Azure may drop the status with the maintenance: its code is then empty, as last read.
            gone = replace(
                job.maintenance, last_operation_result_code="", last_operation_message=""
            )
            job = replace(job, maintenance=gone)
        if self._judged(job, look, None) is None:
            # Not over by any policy.
            await self.steps.look_later(job)
            return
        async with self.steps.turn(job) as ledger:
            over = self._judged(job, look, good_policy(ledger) if ledger else None)
            written = await self.steps.write(over, ledger) if over else None
        await (self.steps.follow_up(written) if written else self.steps.look_later(job))

    def _judged(self, job: Job, look: Look, policy: Policy | None) -> Job | None:
        """The job as what was seen leaves it; None to look again."""
        now = self.steps.clock.now()
        verdict = judge(
            job,
            look,
            now=now,
            timeout=self.steps.pace.redeploy_timeout,
            again=Again(retries=policy.retries, aborted=policy.retries_aborted)
            if policy
            else Again(),
        )
        if verdict.then is Then.LOOK_AGAIN:
            # Not worth a line that is paid for, several times a redeploy: the outcome says it all.
            log.debug(
                "%s is not back yet: %s",
                job.vm_name,
                verdict.reason,
                extra={"action": "redeploy_running", **job.log_context()},
            )
            return None
        if verdict.then is Then.RETRY or verdict.outcome is None:
            wait = backoff(self.steps.pace.retry_delay, job.tries, jitter=self.jitter())
            not_before = self.steps.within_window(job, now + wait)
            reason = f"{verdict.reason}; tried again in {format_duration(not_before - now)}"
            repeats = verdict.repeats or "retryLater"
            return job.to_retry(outcome=repeats, now=now, not_before=not_before, reason=reason)
        verified = now if verdict.verified else None
        return job.ended(verdict.outcome, now=now, reason=verdict.reason, verified_at=verified)
