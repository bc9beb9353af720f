"""The sweep: wakes whatever lost its message. It changes nothing itself."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.job import Job, JobState
from shared.domain.ledger import Ledger
from shared.domain.pace import Pace, last_tick
from shared.domain.rules import next_turns
from shared.ports import AlertStore, Bus, Clock, JobStore, Wake, WakeAt
from shared.use_cases.settle import good_policy

# Three discoveries of the default schedule.
_SILENT = timedelta(minutes=15)

log = logging.getLogger("baton.sweep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Finds jobs and alerts that should have been looked at, and sends them a message."""

    clock: Clock
    jobs: JobStore
    alerts: AlertStore
    bus: Bus
    pace: Pace

    async def __call__(self) -> None:
        """Sweeps once.

        A message's instant is a tick of a coarse grid, so that sweeping more often sends no more: the bus
        drops the second message of the same job and tick.
        """
        now = self.clock.now()
        books = await self.jobs.books()
        tick = last_tick(now, self.pace.sweep_interval)
        wakes = [
            WakeAt(
                wake=Wake(team=job.team, policy=job.policy, job_id=job.id), at=tick, cause="sweep"
            )
            for ledger in books.ledgers.values()
            for job in self._forgotten(ledger, now)
        ]
        if wakes:
            log.info(
                "Waking %d jobs", len(wakes), extra={"action": "sweep_woke", "jobs": len(wakes)}
            )
            await self.bus.wake(wakes, now=now)
        if await self.alerts.unsent():
            await self.bus.wake_alerts(tick, now=now)
        await self._listen(now)

    async def _listen(self, now: datetime) -> None:
        """Says so in the log, for an alarm outside, where discovery has been silent for long."""
        heartbeat = await self.alerts.heartbeat()
        if heartbeat and now - heartbeat.at >= _SILENT:
            minutes = int((now - heartbeat.at) / timedelta(minutes=1))
            extra = {"action": "discovery_silent", "minutes": minutes}
            log.error("Baton has not discovered for %d minutes", minutes, extra=extra)

    def _forgotten(self, ledger: Ledger, now: datetime) -> Iterator[Job]:
        policy = good_policy(ledger)
        turns = next_turns(ledger, policy, now) if policy else ()
        due = {turn.job.id for turn in turns if turn.at <= now}
        late = now - self.pace.sweep_interval
        for job in ledger.jobs:
            closed = now >= job.closes
            if job.unsettled:
                forgotten = job.unsettled.ended_at <= late
            elif job.state is JobState.PLANNED:
                forgotten = closed or job.id in due
            else:
                forgotten = job.state.is_begun and bool(job.claimed_at and job.claimed_at <= late)
            if forgotten:
                yield job
