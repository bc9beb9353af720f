"""What every step of a job shares: its services, and how it writes, waits and looks again."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain import lifecycle
from shared.domain.alert import Alert, event_id
from shared.domain.errors import InvalidInput, Retryable, Stale, Terminal, VmNotFound
from shared.domain.job import Job
from shared.domain.ledger import Away, Change, Ledger
from shared.domain.maintenance import Vm
from shared.domain.pace import Pace, next_tick
from shared.domain.placement import without_away
from shared.domain.rules import Wait, its_window
from shared.patch_ports import Patches
from shared.ports import Bus, Clock, JobStore, VirtualMachines, Wake, WakeAt
from shared.use_cases.settle import Settle, good_policy

log = logging.getLogger("baton.redeploy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The services of a step."""

    clock: Clock
    vms: VirtualMachines
    patches: Patches
    jobs: JobStore
    bus: Bus
    settle: Settle
    pace: Pace

    async def vm(self, job: Job) -> Vm | None:
        """The job's VM, read now; None if it does not exist.

        Raises:
            Retryable: ARM is busy, refuses to show it, or its answer cannot be used; people are told of
                the last two.
        """
        try:
            return await self.vms.get(job.vm_id)
        except VmNotFound:
            return None
        except (InvalidInput, Terminal) as wrong:
            await self.settle.tell(
                Alert(
                    id=event_id("vm", job.vm_key, str(wrong)),
                    kind="vm",
                    subject=job.vm_name,
                    reason=f"Baton cannot read the VM: {wrong}",
                    next_step=f"Baton asks again until {its_window(job)} closes.",
                    raised_at=self.clock.now(),
                    team=job.team,
                    policy=job.policy,
                    vm_id=job.vm_id,
                )
            )
            raise Retryable(str(wrong)) from wrong

    async def conclude(self, job: Job, ledger: Ledger | None = None) -> None:
        """Writes a job that gives its slot back, or ends without one; then settles it.

        Args:
            job: As it is to be, with the ETag under which it was read.
            ledger: Where this step read the job; its head guards the write. None: read it now.

        Raises:
            Stale: Something changed meanwhile; the step is to be done anew.
        """
        ledger = ledger or await self.jobs.ledger(job.team, job.policy)
        before = ledger.job(job.id) if ledger else None
        if ledger is None or before is None or before.etag != job.etag:
            raise Stale(f"job {job.id} changed while it was looked at")
        away: Away | None = None
        if job.domain_set and before.is_away:
            away = without_away(await self.jobs.away(job.domain_set), job)
        change = Change(
            heads=(ledger.head,),
            jobs=(job,),
            away=(away,) if away else (),
            events=lifecycle.not_away(before, job, self.clock.now()) if not job.unsettled else (),
            at=self.clock.now(),
        )
        committed = await self.jobs.commit(change)
        job = replace(job, etag=committed.jobs[job.id])
        policy = good_policy(ledger)
        if job.unsettled:
            await self.settle(job)
        elif policy:
            await self.settle.wake_next(ledger.with_job(job), policy)
        if change.events:
            await self.settle.herald()

    def accepted(self, job: Job) -> None:
        """Says that Azure took a start."""
        lag = (job.started_at or self.clock.now()) - (job.planned_start or job.discovered_at)
        log.info(
            "Start of %s accepted",
            job.vm_name,
            extra={
                "action": "redeploy_accepted",
                **job.log_context(),
                "lagSeconds": lag.total_seconds(),
                "claimedAt": job.claimed_at,
                "acceptedAt": self.clock.now(),
            },
        )

    async def wait(self, job: Job, wait: Wait) -> None:
        """Not now: leaves a message for then, if then is known; else whoever is in the way wakes it."""
        log.info(
            "%s waits: %s",
            job.vm_name,
            wait.reason,
            extra={"action": "redeploy_waits", "reason": wait.reason, **job.log_context()},
        )
        if wait.until:
            await self._wake(job, wait.until, "turn")

    async def look_later(self, job: Job, *, least: timedelta | None = None) -> None:
        """Leaves a message to look at a running redeploy again, after `least` if ARM asked for that."""
        since = job.claimed_at or job.discovered_at
        at = self.pace.next_look(self.clock.now(), since=since, least=least or timedelta(0))
        await self._wake(job, at, "look")

    def poll(self, every: timedelta) -> datetime:
        """When to look again at something that nobody announces."""
        return next_tick(self.clock.now(), every)

    def within_window(self, job: Job, at: datetime) -> datetime:
        """A wait never runs past the job's window: it ends in time for one more try."""
        last = job.closes - 2 * self.pace.check_interval
        return max(min(at, last), self.clock.now())

    async def _wake(self, job: Job, at: datetime, cause: str) -> None:
        wake = Wake(team=job.team, policy=job.policy, job_id=job.id)
        await self.bus.wake([WakeAt(wake=wake, at=at, cause=cause)], now=self.clock.now())
