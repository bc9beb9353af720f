"""One message, one short step of a job.

Nothing here waits for Azure: every step reads the state, decides with pure functions, writes under an
ETag and leaves a message for the next look. Any step may be repeated, or die between any two lines.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from shared.domain.errors import InvalidInput, Retryable, Stale
from shared.domain.job import Job, JobState
from shared.ports import Wake
from shared.use_cases.follow_installation import LookAtInstallation
from shared.use_cases.follow_vm import FindOut, LookAt
from shared.use_cases.start_vm import StartVm
from shared.use_cases.steps import Steps

log = logging.getLogger("baton.redeploy")

# A conditional write that loses this often in one step leaves the rest to a later message.
_TRIES_MAX = 5
# What becomes of a job that ARM does not let us look at until long after its time.
_WITHOUT_A_LOOK = {
    JobState.PLANNED: JobState.MISSED,
    JobState.STARTING: JobState.FAILED,
    JobState.REDEPLOYING: JobState.TIMED_OUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeployVm:
    """Does a job's next step."""

    steps: Steps
    start: StartVm
    find_out: FindOut
    look_at: LookAt
    look_at_installation: LookAtInstallation

    async def __call__(self, wake: Wake) -> None:
        """Does the next step of the job that the wake names, if it needs one.

        Where something is busy it leaves a later message, and gives the job up only long after its time.

        Raises:
            Retryable: The tables or the bus are busy; the bus then delivers the wake again.
        """
        job: Job | None = None
        for tried in range(_TRIES_MAX):
            known = None if tried else self.steps.remembered(wake)
            job = known or await self.steps.jobs.job(wake.team, wake.policy, wake.job_id)
            if job is None:
                extra = {"action": "wake_without_job", "job": wake.job_id}
                log.info("No such job: %s", wake.job_id, extra=extra)
                return
            try:
                await self._step(job, remembered=known is not None)
            except Stale:
                continue
            except Retryable as busy:
                await self._put_off(job, busy)
            except InvalidInput as wrong:
                # A row of ours that cannot be read, named in the log: wait until it is mended.
                await self._put_off(job, Retryable(str(wrong)))
            return
        if job:
            await self.steps.look_later(job)

    async def _put_off(self, job: Job, busy: Retryable) -> None:
        extra = {"action": "step_put_off", **job.log_context()}
        log.warning("%s is put off: %s", job.vm_name, busy, extra=extra)
        now = self.steps.clock.now()
        outcome = _WITHOUT_A_LOOK.get(job.state)
        if outcome and now >= self._gives_up_at(job):
            reason = f"given up without a last look: {busy}"
            given_up = (
                job.after_installation(outcome, now=now, reason=reason)
                if job.patches and job.state.is_begun
                else job.ended(outcome, now=now, reason=reason)
            )
            await self.steps.conclude(given_up, before=job)
            return
        await self.steps.look_later(job, least=busy.retry_after)

    def _gives_up_at(self, job: Job) -> datetime:
        """When a job that cannot be looked at gets its outcome all the same: no VM is ever lost."""
        timeout = self.steps.pace.redeploy_timeout
        if job.state is JobState.PLANNED:
            return job.closes + timeout
        return (job.claimed_at or job.discovered_at) + 2 * timeout

    async def _step(self, job: Job, *, remembered: bool) -> None:
        if job.unsettled:
            job = await self.steps.settle(job)
        match job.state:
            case JobState.PLANNED:
                await self.start(job, remembered=remembered)
            case JobState.STARTING:
                await self.find_out(job)
            case JobState.REDEPLOYING if job.patches:
                await self.look_at_installation(job)
            case JobState.REDEPLOYING:
                await self.look_at(job)
            case _:
                pass
