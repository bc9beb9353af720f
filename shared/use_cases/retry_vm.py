"""Retrying: a maintenance that ended without success is tried again, where promise P1 allows it."""

import logging
from dataclasses import dataclass, replace

from shared.domain.errors import Declined, VmNotFound
from shared.domain.job import Job
from shared.domain.ledger import Change
from shared.domain.maintenance import Vm
from shared.domain.steering import why_not_again
from shared.ports import Clock, JobStore, VirtualMachines
from shared.use_cases.asking import Asked, until_written
from shared.use_cases.which_vm import job_of

log = logging.getLogger("baton.steer")


@dataclass(frozen=True, slots=True)
class Retried:
    """The job that ended, with who asked to try again; and whether somebody had asked before."""

    job: Job
    already: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryVm:
    """Notes on the ended job that it is to be tried again: the next discovery makes a new one.

    That one goes through every rule as any other does. A failure that is to be tried again halts no rollout.
    """

    clock: Clock
    vms: VirtualMachines
    jobs: JobStore

    async def __call__(self, name: str, *, asked: Asked) -> Retried:
        """Asks for it; again is no error.

        Args:
            name: The VM's name or ARM id, in any case.
            asked: Who asks, and why.

        Raises:
            InvalidInput: Several VMs have the name.
            Unknown: Baton has no job of such a VM.
            Declined: It is open, done, or may not be started again.
            Retryable: The tables or ARM are busy.
            Stale: Others kept writing first.
        """
        return await until_written(lambda: self._once(name, asked))

    async def _once(self, name: str, asked: Asked) -> Retried:
        books = await self.jobs.books()
        job = job_of(name, books.jobs())
        if job.retried_at:
            return Retried(job, already=True)
        if why := why_not_again(job, await self._vm(job), self.clock.now()):
            raise Declined(f"{job.vm_name} cannot be tried again: {why}")
        again = replace(job, retried_by=asked.by, retried_at=self.clock.now())
        head = books.ledgers[job.team, job.policy].head
        await self.jobs.commit(Change(heads=(head,), jobs=(again,), at=self.clock.now()))
        extra = {"action": "vm_retry_asked", "by": asked.by, **again.log_context()}
        log.info("%s is to be tried again, says %s", job.vm_name, asked, extra=extra)
        return Retried(again, already=False)

    async def _vm(self, job: Job) -> Vm | None:
        try:
            return await self.vms.get(job.vm_id)
        except VmNotFound:
            return None
