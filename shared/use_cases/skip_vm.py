"""Skipping: a VM is left out of its maintenance, until somebody asks for it again."""

import logging
from dataclasses import dataclass

from shared.domain.errors import Declined
from shared.domain.job import Job, JobState
from shared.domain.ledger import Change
from shared.domain.steering import BY_A_PERSON, why_not_skipped
from shared.ports import Clock, JobStore
from shared.use_cases.asking import Asked, until_written
from shared.use_cases.which_vm import job_of

log = logging.getLogger("baton.steer")


@dataclass(frozen=True, slots=True)
class Skipped:
    """The job as it ended, and whether it had been skipped before."""

    job: Job
    already: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipVm:
    """Skips a VM that has not started. The sweep has its outcome recorded."""

    clock: Clock
    jobs: JobStore

    async def __call__(self, name: str, *, asked: Asked) -> Skipped:
        """Skips it; again is no error.

        Args:
            name: The VM's name or ARM id, in any case.
            asked: Who asks, and why.

        Raises:
            InvalidInput: Several VMs have the name.
            Unknown: Baton has no job of such a VM.
            Declined: It has started, or ended otherwise.
            Retryable: The tables are busy.
            Stale: Others kept writing first.
        """
        return await until_written(lambda: self._once(name, asked))

    async def _once(self, name: str, asked: Asked) -> Skipped:
        books = await self.jobs.books()
        job = job_of(name, books.jobs())
        if job.skipped_because == BY_A_PERSON and not job.retried_at:
            return Skipped(job, already=True)
        if why := why_not_skipped(job):
            raise Declined(f"{job.vm_name} cannot be skipped: {why}")
        ended = job.ended(
            JobState.SKIPPED,
            now=self.clock.now(),
            reason=f"skipped by {asked}",
            skipped_because=BY_A_PERSON,
        )
        head = books.ledgers[job.team, job.policy].head
        await self.jobs.commit(Change(heads=(head,), jobs=(ended,), at=self.clock.now()))
        extra = {"action": "vm_skipped", "by": asked.by, **ended.log_context()}
        log.info("%s is skipped by %s", job.vm_name, asked, extra=extra)
        return Skipped(ended, already=False)
