"""The open rollouts of every policy: who goes in which, in which stage, and when.

Planned anew at each discovery. What has started stays; whoever can keep the start that people were told
keeps it; whoever moves says from when, and why. A VM for which a rollout has no room is given up for it and
planned in the next one, so that it never holds up a later stage.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.job import Job, JobState
from shared.domain.ledger import PolicyKey
from shared.domain.maintenance import Vm
from shared.domain.placement import place_of_job
from shared.domain.planning.groups import grouped, lane_of
from shared.domain.planning.lane import plan_lane
from shared.domain.planning.model import Fixed, Lane, Place, Stage, Task, instant, micros, span
from shared.domain.planning.reasons import reasons
from shared.domain.planning.search import plan_group
from shared.domain.policy import Policy
from shared.domain.rules import by_itself, halted_by, its_window
from shared.domain.slotless import without_slots
from shared.domain.staging import Staging

_MINUTE = 60_000_000  # of microseconds
# Of the estimate.
_HARDLY = 0.1
NOT_YET = 0
"""Rollout of a job that is new to its policy: the schedule says which."""


@dataclass(slots=True)
class Schedule:
    """What the plan says.

    Attributes:
        jobs: Every planned job as it should be, by id, and those that stand in another stage now.
        no_fit: Those of them that no rollout has room for.
        in_need: Policy that needs approval → the rollout that acts, approved or not.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    no_fit: list[Job] = field(default_factory=list)
    in_need: dict[PolicyKey, "InNeed"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InNeed:
    """A rollout that needs somebody's approval.

    Attributes:
        vms: How many of its VMs have not started.
        last: Until when an approval loses none of them.
        lapsed: When an approval that it had ended; None if it had none.
    """

    rollout: int
    vms: int
    last: datetime
    lapsed: datetime | None = None


def schedule(
    jobs: Mapping[PolicyKey, Sequence[Job]],
    policies: Mapping[PolicyKey, Policy],
    vms: Mapping[str, Vm],
    edited: Iterable[PolicyKey],
    now: datetime,
) -> Schedule:
    """Plans every open rollout.

    Args:
        jobs: Each policy's jobs, those that ended too.
        policies: Those that can be read.
        vms: VM key → VM as seen, for its tags.
        edited: Policies whose row changed since the last plan.
        now: The instant of the decision.
    """
    changed = frozenset(edited)
    said = Schedule()
    going: list[_Policy] = []
    for key, mine in sorted(jobs.items()):
        if key in policies and not all(job.state.is_end for job in mine):
            each = _Policy(policies[key], mine, vms, edited=key in changed, now=now)
            if each.halted:
                said.jobs |= {job.id: job for job in each.stopped()}
            else:
                going.append(each)
    starts, why = _plan(going, lambda each: (each.first,))
    for each in going:
        each.give_up(starts, why)
    if any(each.second for each in going):
        starts, why = _plan(going, lambda each: (each.first, each.second))
    for each in going:
        if each.policy.needs_approval:
            said.in_need[each.policy.key] = each.in_need()
        said.jobs |= {job.id: job for job in each.restaged()}
        for job in each.planned(starts, why):
            said.jobs[job.id] = job
            if job.planned_start is None:
                said.no_fit.append(job)
    return said


def _plan(
    going: Sequence["_Policy"], rollouts: Callable[["_Policy"], Sequence[Sequence[Job]]]
) -> tuple[dict[str, int], dict[str, str]]:
    """Starts and reasons, by job id."""
    lanes = {each.policy.key: each.lane(*rollouts(each)) for each in going}
    policies = {each.policy.key: each.policy for each in going}
    starts: dict[str, int] = {}
    why: dict[str, str] = {}
    for group in grouped(lanes.values()):
        plan = plan_group(group)
        for lane in plan.lanes.values():
            starts.update(lane.starts)
        if plan.score[0]:
            why |= reasons(group, plan, policies)
    for each in going:
        starts |= each.beside(starts, rollouts(each))
    return starts, why


class _Policy:
    """One policy's open rollouts.

    The first is the one that acts; whoever cannot join it goes in the second.
    """

    def __init__(
        self,
        policy: Policy,
        jobs: Sequence[Job],
        vms: Mapping[str, Vm],
        *,
        edited: bool,
        now: datetime,
    ) -> None:
        self.policy = policy
        self._staging = Staging(policy, vms)
        self._edited = edited
        self._now = now
        self._was = {job.id: job for job in jobs}
        behind = max(job.rollout for job in jobs) + 1
        numbers = {job.id: behind if job.rollout == NOT_YET else job.rollout for job in jobs}
        self._number = min(numbers[job.id] for job in jobs if not job.state.is_end)
        self._earlier = [job for job in jobs if numbers[job.id] < self._number]
        begun = [job for job in jobs if numbers[job.id] == self._number]
        self._due = {job.id for job in begun if self._is_due(job)}
        later = [job for job in jobs if numbers[job.id] > self._number]
        self.first = self._staging.staged(begun)
        joining = [job for job in later if self._staging.may_join(job, self.first)]
        # The start that they were told was one in the rollout behind.
        joined = [replace(job, planned_start=None) for job in joining]
        self.first = self._staging.staged([*begun, *joined])
        self.second = self._staging.staged([job for job in later if job not in joining])
        self._why_given_up: dict[str, str] = {}

    @property
    def halted(self) -> bool:
        """Whether a failure stops the rollout that acts."""
        return halted_by(self.first, self.policy) is not None

    def stopped(self) -> Iterator[Job]:
        """The planned jobs of a halted rollout, and of the one behind it."""
        failed = halted_by(self.first, self.policy)
        for number, jobs in enumerate((self.first, self.second), start=self._number):
            for job in jobs:
                if job.state is JobState.PLANNED and failed:
                    reason = f"the rollout is halted: {failed.vm_name} ended {failed.state}"
                    yield job.having(rollout=number, planned_start=None, reason=reason)

    def lane(self, *rollouts: Sequence[Job]) -> Lane:
        """What is to be planned."""
        stages: list[Stage] = []
        for jobs in rollouts:
            rest = span(self.policy.gap if stages else self.policy.stage_gap)
            for number in sorted({job.stage for job in jobs}):
                stages.append(self._stage([job for job in jobs if job.stage == number], rest))
                rest = span(self.policy.stage_gap)
        return lane_of(self.policy, stages, self._opens())

    def beside(
        self, starts: Mapping[str, int], rollouts: Sequence[Sequence[Job]]
    ) -> dict[str, int]:
        """The starts of those that take no slot, beside the starts of the others."""
        waiting = {
            job.id for jobs in rollouts for job in jobs if self._to_plan(job) and not job.disrupts
        }
        if not waiting:
            return {}
        return without_slots(self.policy, rollouts, waiting, starts, self._opens(), self._now)

    def give_up(self, starts: Mapping[str, int], why: Mapping[str, str]) -> None:
        """Has those that the first rollout has no room for go in the second."""
        out = [job for job in self.first if self._to_plan(job) and job.id not in starts]
        self._why_given_up = {job.id: why.get(job.id, "") for job in out}
        # The second plan is to keep what the first one found.
        self.first = [
            job.having(planned_start=instant(starts[job.id])) if job.id in starts else job
            for job in self.first
            if job.id not in self._why_given_up
        ]
        told = [replace(job, planned_start=self._was[job.id].planned_start) for job in out]
        self.second = self._staging.staged([*self.second, *told])

    def in_need(self) -> InNeed:
        """The rollout that acts, and the last moment from which it loses no more VMs than from now."""
        lane = self.lane(self.first)
        closes = max((task.closes for task in lane.tasks), default=lane.opens)

        def placed(opens: int) -> int:
            return len(plan_lane(replace(lane, opens=opens), {}).starts)

        early, late, whole = lane.opens, closes, placed(lane.opens)
        while late - early > _MINUTE:
            middle = (early + late) // 2
            early, late = (middle, late) if placed(middle) >= whole else (early, middle)
        waiting = [job for job in self.first if job.state is JobState.PLANNED]
        lasts = [job.closes for job in waiting if not job.disrupts]
        lasts += [instant(early)] if lane.tasks or not lasts else []
        return InNeed(self._number, len(waiting), min(lasts))

    def planned(self, starts: Mapping[str, int], why: Mapping[str, str]) -> Iterator[Job]:
        """Every planned job with its rollout, stage and start, or with the reason why it has none."""
        number = self._number
        for jobs in (self.first, self.second):
            going = [job for job in jobs if not self._to_plan(job) or job.id in starts]
            for job in going:
                if job.state is JobState.PLANNED:
                    yield self._told(job, number, starts.get(job.id))
            number += bool(going)
        for job in (*self.first, *self.second):
            if self._to_plan(job) and job.id not in starts:
                reason = self._why_given_up.get(job.id) or why.get(job.id) or self._no_hours(job)
                yield job.having(rollout=number, planned_start=None, reason=reason)

    def restaged(self) -> Iterator[Job]:
        """Those that have begun and stand in another stage now: who waits is measured by them."""
        for job in (*self.first, *self.second):
            if job.state is not JobState.PLANNED and job != self._was[job.id]:
                yield job

    # --- one stage as the planner sees it ---------------------------------------------------------

    def _opens(self) -> datetime:
        """Now, or when the gap after the rollout before ends."""
        freed = [job.freed_at + self.policy.gap for job in self._earlier if job.freed_at]
        return max([self._now, *freed])

    def _stage(self, jobs: Iterable[Job], rest: int) -> Stage:
        tasks: list[Task] = []
        fixed: list[Fixed] = []
        ended: list[int] = []
        for job in jobs:
            is_begun = job.id in self._due or job.state.is_begun
            if not job.disrupts:
                # Those behind wait until it is done, which it will be an estimate after it begins.
                begins = max(self._now, by_itself(job, self.policy))
                ended += [] if job.state.is_end else [micros(begins + self.policy.estimate)]
            elif self._to_plan(job):
                tasks.append(self._task(job))
            elif is_begun:
                fixed.append(self._away(job))
            if job.freed_at and job.freed_at + self.policy.gap > self._now:
                freed = micros(self._in_time(job, job.freed_at))
                fixed.append(Fixed(Place(), freed - span(self.policy.estimate), freed))
            if job.state.is_end and job.ended_at:
                ended.append(micros(self._in_time(job, job.ended_at)))
        return Stage(
            tasks=tuple(tasks), rest=rest, fixed=tuple(fixed), ended=max(ended, default=None)
        )

    def _to_plan(self, job: Job) -> bool:
        # One whose window has closed is left as it is: the redeploy handler records what was in the way.
        closed = self._now >= job.closes
        return job.state is JobState.PLANNED and job.id not in self._due and not closed

    def _is_due(self, job: Job) -> bool:
        """Whether the start that people were told is now: its message is on its way, so it stays."""
        told, now, away = job.planned_start, self._now, self.policy.estimate
        return (
            job.state is JobState.PLANNED
            and told is not None
            and told <= now < min(told + away, job.closes)
            and by_itself(job, self.policy) <= now
            and self.policy.hours.contains(now, now + away)
        )

    def _task(self, job: Job) -> Task:
        told = job.planned_start
        return Task(
            key=job.id,
            opens=micros(max(self._now, by_itself(job, self.policy))),
            closes=micros(job.closes),
            place=place_of_job(job),
            kept=micros(told) if told else None,
        )

    def _no_hours(self, job: Job) -> str:
        """Why one that needs no slot has no start; the planner tells of the others."""
        if job.disrupts:
            return ""
        closed = self.policy.hours.why_closed(self._now, self.policy.estimate)
        return (
            f"no start is left before {its_window(job)} closes: {closed or 'its turn comes later'}"
        )

    def _away(self, job: Job) -> Fixed:
        """One that is away, or about to be. It counts from the start that people were told.

        So a start that comes seconds after its plan moves nobody; one that is not back in time does.
        """
        began = min(filter(None, (job.planned_start, job.claimed_at, self._now)))
        back = max(began + self.policy.estimate, self._in_time(job, self._now))
        return Fixed(place_of_job(job), micros(began), micros(back))

    def _in_time(self, job: Job, at: datetime) -> datetime:
        """When a VM is back, or if that is hardly late, when it was planned to be.

        Whoever is told to go next then starts late by as much, for the rules make it wait. Moved, it
        would go after all others that keep their start, with its slot free for a whole round.
        """
        planned = job.planned_start + self.policy.estimate if job.planned_start else at
        return planned if planned < at <= planned + self.policy.estimate * _HARDLY else at

    # --- the result -------------------------------------------------------------------------------

    def _told(self, job: Job, number: int, start: int | None) -> Job:
        """The job with its start, and with the reason where that is another than people were told."""
        was = self._was[job.id]
        job = job.having(rollout=number, planned_start=was.planned_start)
        if start is None or instant(start) == was.planned_start:
            return job
        reason = self._why_given_up.get(job.id, "")
        if was.planned_start:
            reason = f"moved from {was.planned_start:%Y-%m-%d %H:%M} UTC: {self._why_moved(was)}"
        return replace(job, planned_start=instant(start), reason=reason)

    def _why_moved(self, was: Job) -> str:
        told = was.planned_start or self._now
        if was.id in self._why_given_up:
            return self._why_given_up[was.id]
        if was.opens > told:
            return f"Azure moved {its_window(was)}"
        if was.not_before and was.not_before > told:
            return "its last attempt is to be tried again"
        if self._edited:
            return "its policy was edited"
        if told <= self._now:
            return "it could not start then"
        return "a VM that goes before it, or must not be away with it, came late, moved or joined"
