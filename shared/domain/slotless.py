"""When those start that take no slot: installations without a reboot, as soon as the stages before them are done."""

from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from shared.domain.job import Job
from shared.domain.planning.model import instant, micros
from shared.domain.policy import Policy
from shared.domain.rules import by_itself


def without_slots(
    policy: Policy,
    rollouts: Sequence[Sequence[Job]],
    waiting: Collection[str],
    starts: Mapping[str, int],
    opens: datetime,
    now: datetime,
) -> dict[str, int]:
    """A start for each that the policy's hours leave one, by job id.

    Args:
        policy: Theirs.
        rollouts: Its open rollouts, in their order, each with all its jobs.
        waiting: The ids of those to plan.
        starts: Of the others, as planned.
        opens: No start of the first rollout before this.
        now: The instant of the decision.
    """
    found: dict[str, int] = {}
    planned = ChainMap(found, dict(starts))
    for jobs in rollouts:
        for number in sorted({job.stage for job in jobs}):
            stage = [job for job in jobs if job.stage == number]
            for job in stage:
                if job.id in waiting:
                    start = _start(job, policy, max(opens, now))
                    found |= {job.id: micros(start)} if start else {}
            ends = _ends(stage, planned, policy)
            opens = max([opens, *(end + policy.stage_gap for end in ends)])
    return found


def _start(job: Job, policy: Policy, opens: datetime) -> datetime | None:
    """The start that people were told, or the first that is possible."""
    first = max(opens, by_itself(job, policy))
    told = job.planned_start
    if told and first <= told < job.closes and not policy.hours.why_closed(told, policy.estimate):
        return told
    return policy.hours.next_start(first, policy.estimate, job.closes)


def _ends(stage: Sequence[Job], starts: Mapping[str, int], policy: Policy) -> Iterator[datetime]:
    """When each of a stage was done, or is planned to be."""
    for job in stage:
        if job.ended_at:
            yield job.ended_at
        elif job.id in starts:
            yield instant(starts[job.id]) + policy.estimate
