"""The forecast of a rollout: when each planned job is likely to start, and why one cannot."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.job import Job, JobState
from shared.domain.policy import Policy
from shared.domain.rules import placement_conflict


@dataclass(frozen=True, slots=True)
class Forecast:
    """A planned start, or the reason for none."""

    start: datetime | None
    reason: str = ""


def forecast(jobs: Iterable[Job], policy: Policy, now: datetime) -> Mapping[str, Forecast]:
    """Forecasts every planned job of one rollout.

    It goes stage by stage and fills slots in order of readiness, each VM being away for `estimate`.
    It tells people and schedules first looks; the rules are checked again at the start itself.

    Returns:
        Job id → forecast, for the jobs that are PLANNED.
    """
    rollout = list(jobs)
    plans: dict[str, Forecast] = {}
    opens = now
    for stage in sorted({job.stage for job in rollout}):
        members = [job for job in rollout if job.stage == stage]
        ends = _plan_stage(members, policy, opens, now, plans)
        opens = max([opens, *(end + policy.stage_gap for end in ends)])
    return plans


def _plan_stage(
    members: list[Job],
    policy: Policy,
    opens: datetime,
    now: datetime,
    plans: dict[str, Forecast],
) -> list[datetime]:
    """Plans one stage; returns when each of its VMs is back, or was."""
    away = [(job, _back(job, policy, now)) for job in members if job.state.is_away]
    ended = [job.ended_at for job in members if job.state.is_end and job.ended_at]
    freed = [job.freed_at + policy.gap for job in members if job.freed_at]
    slots = sorted([*freed, *(end + policy.gap for _, end in away)])[-policy.concurrency :]
    slots = [opens] * (policy.concurrency - len(slots)) + slots
    heapq.heapify(slots)
    waiting = sorted(
        (job for job in members if job.state is JobState.PLANNED),
        key=lambda job: (_opens(job, now), job.vm_key),
    )
    for job in waiting:
        start = max(slots[0], opens, _opens(job, now))
        # One that may not be away together with those before it waits until they are back.
        start = max([start, *(end for other, end in away if placement_conflict(job, [other]))])
        if start >= job.maintenance.pre_maintenance_window_end_time:
            closes = job.maintenance.pre_maintenance_window_end_time
            reason = (
                f"no start fits: its turn would come at {start:%Y-%m-%d %H:%M} UTC, and the self-service "
                f"window closes at {closes:%Y-%m-%d %H:%M} UTC; a higher concurrency or a shorter gap frees room"
            )
            plans[job.id] = Forecast(None, reason)
            continue
        plans[job.id] = Forecast(start)
        away.append((job, start + policy.estimate))
        heapq.heapreplace(slots, start + policy.estimate + policy.gap)
    return [*ended, *(end for _, end in away)]


def _opens(job: Job, now: datetime) -> datetime:
    return max(now, job.maintenance.pre_maintenance_window_start_time, job.not_before or now)


def _back(job: Job, policy: Policy, now: datetime) -> datetime:
    return max(now, (job.started_at or job.claimed_at or now) + policy.estimate)
