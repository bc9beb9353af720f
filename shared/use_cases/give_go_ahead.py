"""A person, or a tool of a team, answers a VM that asked for a go-ahead: yes, or no."""

import logging
from dataclasses import dataclass, replace

from shared.domain.errors import BatonError, Declined, Outdated
from shared.domain.go_ahead import version, why_not_answered
from shared.domain.job import Job, JobState
from shared.domain.ledger import Change
from shared.domain.steering import BY_A_PERSON
from shared.ports import Bus, Clock, JobStore, Wake, WakeAt
from shared.use_cases.asking import Asked, until_written
from shared.use_cases.which_vm import job_of

log = logging.getLogger("baton.steer")


@dataclass(frozen=True, slots=True)
class Answered:
    """The job as the answer left it, and whether it had been answered so before."""

    job: Job
    already: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveGoAhead:
    """Answers. Yes lets every rule be read again and the VM start; no skips it.

    Attributes:
        bus: To wake the job at once; None leaves that to the sweep.
    """

    clock: Clock
    jobs: JobStore
    bus: Bus | None = None

    async def __call__(self, name: str, *, allow: bool, asked: Asked, seen: str = "") -> Answered:
        """Answers; again is no error.

        Args:
            name: The VM's name or ARM id, in any case.
            allow: Yes, or no.
            asked: Who answers, and why.
            seen: The version of the question that the person saw; `""` answers whichever is asked.

        Raises:
            InvalidInput: Several VMs have the name.
            Unknown: Baton has no job of such a VM.
            Declined: It asked for nothing, or it has started, or ended.
            Outdated: It asked anew since.
            Retryable: The tables are busy.
            Stale: Others kept writing first.
        """
        answered = await until_written(lambda: self._once(name, asked, seen, allow=allow))
        if not answered.already:
            await self._wake(answered.job)
        return answered

    async def _once(self, name: str, asked: Asked, seen: str, *, allow: bool) -> Answered:
        books, now = await self.jobs.books(), self.clock.now()
        job = job_of(name, books.jobs())
        refused = job.state is JobState.SKIPPED and job.skipped_because == BY_A_PERSON
        if refused and job.asked_at and not allow:
            return Answered(job, already=True)
        if why := why_not_answered(job):
            raise Declined(f"{job.vm_name} waits for no go-ahead: {why}")
        if seen not in ("", version(job)):
            raise Outdated(
                f"{job.vm_name} asked anew at {job.asked_at:%Y-%m-%d %H:%M} UTC, after what you saw; "
                "look at it again"
            )
        if allow and job.allowed_at:
            return Answered(job, already=True)
        answered = (
            replace(job, allowed_by=asked.by, allowed_at=now)
            if allow
            else job.ended(
                JobState.SKIPPED,
                now=now,
                reason=f"go-ahead refused by {asked}",
                skipped_because=BY_A_PERSON,
            )
        )
        head = books.ledgers[job.team, job.policy].head
        await self.jobs.commit(Change(heads=(head,), jobs=(answered,), at=now))
        extra = {"action": "go_ahead", "by": asked.by, "allow": allow, **answered.log_context()}
        log.info(
            "%s: go-ahead %s by %s",
            job.vm_name,
            "given" if allow else "refused",
            asked,
            extra=extra,
        )
        return Answered(answered, already=False)

    async def _wake(self, job: Job) -> None:
        """A hint: the sweep would wake it within a minute."""
        if self.bus is None:
            return
        now = self.clock.now()
        wake = Wake(team=job.team, policy=job.policy, job_id=job.id)
        try:
            await self.bus.wake([WakeAt(wake=wake, at=now, cause="answer")], now=now)
        except BatonError as error:
            extra = {"action": "answer_unheralded", **job.log_context()}
            log.info("The sweep wakes %s: %s", job.vm_name, error, extra=extra)
