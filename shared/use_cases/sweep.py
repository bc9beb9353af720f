"""The sweep: wakes whatever lost its message. It changes nothing itself."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.job import Job, JobState
from shared.domain.ledger import Books, Ledger, PolicyKey
from shared.domain.mode import Mode
from shared.domain.pace import Pace, last_tick
from shared.domain.pause import Pause, pause_of
from shared.domain.rules import next_turns, why_not_now
from shared.ports import AlertStore, Bus, Clock, JobStore, Outbox, PauseStore, Wake, WakeAt
from shared.use_cases.settle import good_policy

# Three discoveries of the default schedule.
_SILENT = timedelta(minutes=15)
# A job that is so long past its time is told to the alarms outside.
_LATE = timedelta(minutes=15)

_NAMED_MAX = 10

log = logging.getLogger("baton.sweep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Finds jobs, alerts and events that should have been looked at, and sends them a message.

    Attributes:
        outbox: None where events go nowhere.
    """

    clock: Clock
    jobs: JobStore
    pauses: PauseStore
    alerts: AlertStore
    bus: Bus
    pace: Pace
    mode: Mode
    outbox: Outbox | None

    async def __call__(self) -> None:
        """Sweeps once.

        A message's instant is a tick of a coarse grid, so that sweeping more often sends no more: the bus
        drops the second message of the same job and tick.
        """
        now = self.clock.now()
        books = await self.jobs.books()
        due = {key: _due(ledger, now) for key, ledger in books.ledgers.items()}
        tick = last_tick(now, self.pace.sweep_interval)
        wakes = [
            WakeAt(
                wake=Wake(team=job.team, policy=job.policy, job_id=job.id), at=tick, cause="sweep"
            )
            for key, ledger in books.ledgers.items()
            for job in self._forgotten(ledger, due[key], now)
        ]
        if wakes:
            log.info(
                "Waking %d jobs", len(wakes), extra={"action": "sweep_woke", "jobs": len(wakes)}
            )
            await self.bus.wake(wakes, now=now)
        if await self.alerts.unsent() or (self.outbox and await self.outbox.waiting(1)):
            await self.bus.wake_alerts(tick, now=now)
        self._say_late(books, due, await self.pauses.all(), now)
        await self._listen(now)

    def _say_late(
        self,
        books: Books,
        due: Mapping[PolicyKey, Mapping[str, Job]],
        pauses: Sequence[Pause],
        now: datetime,
    ) -> None:
        late = [
            job
            for key, ledger in books.ledgers.items()
            for job in self._late(ledger, due[key], pause_of(pauses, *key), now)
        ]
        if late:
            names = sorted(job.vm_name for job in late)[:_NAMED_MAX]
            extra = {"action": "jobs_late", "jobs": len(late), "vms": names}
            log.error("%d jobs are past their time: %s", len(late), ", ".join(names), extra=extra)

    def _late(
        self, ledger: Ledger, due: Mapping[str, Job], pause: Pause | None, now: datetime
    ) -> Iterator[Job]:
        """The jobs that nothing is in the way of and that nobody has moved on for long."""
        policy, since = good_policy(ledger), now - _LATE
        # Who waits behind others is woken when they are done: since then it has its time.
        moved = max((job.freed_at or job.discovered_at for job in ledger.jobs), default=now)
        for job in due.values() if moved <= since else ():
            is_past = bool(job.planned_start and job.planned_start <= since)
            if is_past and not why_not_now(job, ledger, policy, self.mode, now, pause=pause):
                yield job
        for job in ledger.jobs:
            if job.unsettled:
                late = job.unsettled.ended_at <= since
            elif job.state is JobState.PLANNED:
                late = job.closes <= since
            else:
                gone_since = since - self.pace.redeploy_timeout
                late = job.state.is_begun and bool(job.claimed_at and job.claimed_at <= gone_since)
            if late:
                yield job

    async def _listen(self, now: datetime) -> None:
        """Says so in the log, for an alarm outside, where discovery has been silent for long."""
        heartbeat = await self.alerts.heartbeat()
        if heartbeat and now - heartbeat.at >= _SILENT:
            minutes = int((now - heartbeat.at) / timedelta(minutes=1))
            extra = {"action": "discovery_silent", "minutes": minutes}
            log.error("Baton has not discovered for %d minutes", minutes, extra=extra)

    def _forgotten(self, ledger: Ledger, due: Mapping[str, Job], now: datetime) -> Iterator[Job]:
        late = now - self.pace.sweep_interval
        for job in ledger.jobs:
            closed = now >= job.closes
            if job.unsettled:
                forgotten = job.unsettled.ended_at <= late
            elif job.state is JobState.PLANNED:
                forgotten = closed or job.id in due
            else:
                # Before a VM is expected back hardly anybody looks, and no message is missed.
                since = job.expected_back or job.claimed_at
                forgotten = job.state.is_begun and bool(since and since <= late)
            if forgotten:
                yield job


def _due(ledger: Ledger, now: datetime) -> dict[str, Job]:
    """Those whose turn has come, by id."""
    policy = good_policy(ledger)
    turns = next_turns(ledger, policy, now) if policy else ()
    return {turn.job.id: turn.job for turn in turns if turn.at <= now}
