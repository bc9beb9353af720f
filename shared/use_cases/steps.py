"""What every step of a job shares: its services, and how it writes, waits and looks again."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zlib import crc32

from shared.domain import lifecycle
from shared.domain.alert import Alert, event_id
from shared.domain.errors import InvalidInput, Retryable, Stale, Terminal, VmNotFound
from shared.domain.job import Job, JobState
from shared.domain.ledger import Away, Change, Ledger, PolicyKey
from shared.domain.maintenance import Vm
from shared.domain.pace import Pace, next_tick
from shared.domain.placement import without_away
from shared.domain.rules import Wait, its_window
from shared.ports import Bus, Clock, JobStore, Patches, VirtualMachines, Wake, WakeAt
from shared.use_cases.settle import Settle

# A claim without an answer is read: of nothing else is so little known.
_REMEMBERED = (JobState.PLANNED, JobState.REDEPLOYING)
# Ledgers that a process remembers: of as many policies as are at work at a time.
_KNOWN_MAX = 50

log = logging.getLogger("baton.redeploy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A job as it was written.

    Attributes:
        before, after: Its policy's ledger as it was read, and as that write left it.
        tells: Whether events were written with it.
    """

    job_id: str
    before: Ledger
    after: Ledger
    tells: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The services of a step.

    Attributes:
        turns: Policy → who of this process reads and writes its ledger now.
        known: Policy → its ledger as this process last read or wrote it, to be read again only where
            somebody else wrote since.
    """

    clock: Clock
    vms: VirtualMachines
    patches: Patches
    jobs: JobStore
    bus: Bus
    settle: Settle
    pace: Pace
    turns: dict[PolicyKey, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    known: dict[PolicyKey, Ledger] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(self, job: Job) -> AsyncIterator[Ledger | None]:
        """The ledger of the job's policy as it is now, while no other handler of this process writes it.

        It spares work and is no guard: of two processes the head's ETag lets one write. Without it, of
        many VMs that are due together all but one would read and decide in vain.

        Args:
            job: As it was read; what is written in this turn must hold it, under its ETag.
        """
        key = job.team, job.policy
        async with self.turns[key]:
            known = self.known.get(key)
            ledger = await self.jobs.ledger(*key, known=known)
            is_known = ledger is not None and ledger is known
            ledger = ledger and self._latest(ledger)
            if ledger:
                self.keep(ledger)
            # What is written without the head, such as that a start was accepted, the job's own row has.
            yield ledger.with_job(job) if ledger and is_known else ledger

    def remembered(self, wake: Wake) -> Job | None:
        """The job as this process remembers it, if it may be about to start, or is away.

        Its own ETag guards what is written of it. What is merely looked at in vain costs no read of the table.
        """
        ledger = self.known.get((wake.team, wake.policy))
        job = ledger.job(wake.job_id) if ledger else None
        return job if job and job.state in _REMEMBERED and not job.unsettled else None

    def _latest(self, ledger: Ledger) -> Ledger:
        """The ledger with what was written meanwhile without its head: starts that were taken."""
        known = self.known.get(ledger.head.key)
        return known if known and known.head.etag == ledger.head.etag else ledger

    def keep(self, ledger: Ledger) -> None:
        """Remembers a ledger as it was read or written, unless part of it could not be read."""
        if len(self.known) >= _KNOWN_MAX:
            self.known.clear()
        if not ledger.unread:
            self.known[ledger.head.key] = ledger

    async def take(self, started: Job) -> None:
        """Writes that Azure took a start, which needs no turn: the claim holds the slot already.

        Raises:
            Stale: Somebody else found that out, or more; nothing was written.
        """
        now, key = self.clock.now(), (started.team, started.policy)
        change = Change(jobs=(started,), events=lifecycle.away(started, now), at=now)
        committed = await self.jobs.commit(change)
        known = self.known.get(key)
        was = known.job(started.id) if known else None
        # Not over what was read meanwhile: an answer that came late may be older.
        if known and was and was.etag == started.etag:
            self.known[key] = known.with_job(replace(started, etag=committed.jobs[started.id]))
        self.accepted(started)

    async def commit(self, change: Change, ledger: Ledger) -> Ledger:
        """Writes a change of one job of the ledger in its turn; the ledger as that leaves it.

        Raises:
            Stale: Something changed meanwhile; nothing was written.
        """
        committed = await self.jobs.commit(change)
        (job,) = change.jobs
        head = replace(ledger.head, etag=committed.heads[ledger.head.key])
        job = replace(job, etag=committed.jobs[job.id])
        after = replace(self._latest(ledger), head=head).with_job(job)
        self.keep(after)
        return after

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

    async def conclude(self, job: Job, *, before: Job) -> None:
        """Writes a job that gives its slot back, or ends without one; then does what follows from it.

        Args:
            job: As it is to be, with the ETag under which it was read.
            before: As it was read: what it held is given back.

        Raises:
            Stale: Something changed meanwhile; the step is to be done anew.
        """
        async with self.turn(before) as ledger:
            written = await self.write(job, ledger)
        await self.follow_up(written)

    async def write(self, job: Job, ledger: Ledger | None) -> Written:
        """Writes such a job in its turn; `follow_up` is then due, out of the turn.

        Raises:
            Stale: As `conclude`.
        """
        before = ledger.job(job.id) if ledger else None
        if ledger is None or before is None:
            raise Stale(f"job {job.id} is gone")
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
        after = await self.commit(change, ledger)
        return Written(job_id=job.id, before=ledger, after=after, tells=bool(change.events))

    async def follow_up(self, written: Written) -> None:
        """Settles the attempt, if one ended, wakes those whose turn came by this, and sends its events."""
        job = written.after.job(written.job_id)
        if job and job.unsettled:
            await self.settle(job, written.after, before=written.before)
        else:
            await self.settle.wake_next(written.after, before=written.before)
        if written.tells:
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
        at = self.pace.next_look(
            self.clock.now(),
            since=since,
            least=least or timedelta(0),
            expected=job.expected_back,
            spread=crc32(job.vm_key.encode()),
        )
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
