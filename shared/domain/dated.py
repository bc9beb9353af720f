"""When a job's start was decided, and which start its policy's owners were told."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.job import Job

# A start that moves by less is no news: a slot slips by minutes whenever a VM takes longer than estimated.
_NEWS = timedelta(minutes=30)
# One that passed without a start (paused, not approved, somebody came late) is told again only now and then.
_OLD_NEWS = timedelta(hours=6)


def dated(before: Job | None, job: Job, now: datetime) -> Job:
    """The job as planned now, with when that was decided, and told if it is news.

    Args:
        before: As it was; None if it is new.
        job: As it is to be.
        now: The instant of the plan.
    """
    if job.planned_start == (before.planned_start if before else None):
        return job
    job = replace(job, planned_at=now)
    if job.planned_start and _is_news(job.told_start, job.planned_start, now):
        return replace(job, told_start=job.planned_start, told_at=now)
    return job


def _is_news(told: datetime | None, start: datetime, now: datetime) -> bool:
    if told is None:
        return True
    return abs(start - told) >= (_NEWS if told > now else _OLD_NEWS)
