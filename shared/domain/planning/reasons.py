"""Why a VM has no start, and what would free it: found by planning again with one rule changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.durations import format_duration
from shared.domain.hours import Hours
from shared.domain.ledger import PolicyKey
from shared.domain.planning.groups import lane_of
from shared.domain.planning.lane import could_start, plan_lane
from shared.domain.planning.model import Lane, Place, Task, instant
from shared.domain.planning.search import GroupPlan, away_elsewhere
from shared.domain.planning.timeline import Elsewhere
from shared.domain.policy import Policy

# Looking for the least change costs a plan each time; larger policies get a rougher answer.
_FINE_MAX = 100
_CONCURRENCY_MAX = 1000


def reasons(
    lanes: Sequence[Lane], plan: GroupPlan, policies: Mapping[PolicyKey, Policy]
) -> dict[str, str]:
    """A sentence for each VM of a group that the plan has no start for, by task key."""
    found: dict[str, str] = {}
    away = None
    for lane in lanes:
        starts = plan.lanes[lane.key].starts
        without = [task for task in lane.tasks if task.key not in starts]
        alone = [task for task in without if not could_start(lane, task)]
        policy = policies[lane.key]
        found |= {task.key: _why_never(lane, task, policy) for task in alone}
        if len(alone) < len(without):
            away = away or away_elsewhere(lanes, plan.lanes)
            found |= _why_crowded(_Case(lane, policy, starts, away.beside(lane)), alone)
    return found


# --- alone ------------------------------------------------------------------------------------------


def _why_never(lane: Lane, task: Task, policy: Policy) -> str:
    """Why the VM had no start even if it were alone."""
    opens, closes = instant(max(lane.opens, task.opens)), instant(task.closes)
    if opens >= closes:
        if policy.lead:
            return (
                f"the lead of {format_duration(policy.lead)} ends at {_utc(opens)}, and its self-service "
                f"window closes at {_utc(closes)}; a shorter lead would free it"
            )
        return f"it may not start before {_utc(opens)}, and its self-service window closes at {_utc(closes)}"
    estimate = format_duration(policy.estimate)
    hours = policy.hours
    if hours.has_freezes:
        start = hours.without_freezes().next_start(opens, policy.estimate, closes)
        if start:
            sooner = "at once" if start <= instant(lane.opens) else f"at {_utc(start)}"
            return (
                f"the freezes ({_frozen(hours)}) leave no {estimate} inside the policy's hours before its "
                f"self-service window closes at {_utc(closes)}; without them it could start {sooner}"
            )
    return (
        f"the windows ({hours.text}, {hours.zone_name}) leave no {estimate} before its self-service window "
        f"closes at {_utc(closes)}; a longer window, or one more before then, would free it"
    )


# --- among others -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Case:
    """A policy of which some VMs found no room."""

    lane: Lane
    policy: Policy
    starts: Mapping[str, int]
    elsewhere: Mapping[str, list[Elsewhere]]

    def lost(self, lane: Lane) -> int:
        """How many have no start if the policy were so."""
        return len(lane.tasks) - len(plan_lane(lane, self.elsewhere).starts)

    def again(self, **columns: object) -> Lane:
        """The policy's lane with some columns changed."""
        policy = replace(self.policy, **columns)  # type: ignore[arg-type] # columns by name
        return lane_of(policy, self.lane.stages, instant(self.lane.opens))


def _why_crowded(case: _Case, alone: Sequence[Task]) -> dict[str, str]:
    """Why each VM that could start alone has no start among the others."""
    lane, starts = case.lane, case.starts
    never = {task.key for task in alone}
    lost = [task for task in lane.tasks if task.key not in starts and task.key not in never]
    given_up = _given_up(lane, starts, lost)
    room = _room(case, lost)
    freed = _what_frees(case, len(alone))
    return {
        task.key: f"given up for this rollout: {given_up[task.key]}{freed}"
        if task.key in given_up
        else f"{room}{freed}"
        for task in lost
    }


def _given_up(lane: Lane, starts: Mapping[str, int], lost: Sequence[Task]) -> dict[str, str]:
    """Those of a stage that would have cost later stages their windows."""
    found: dict[str, str] = {}
    keys = {task.key for task in lost}
    for number, stage in enumerate(lane.stages):
        later = [t for after in lane.stages[number + 1 :] for t in after.tasks if t.key in starts]
        mine = [task for task in stage.tasks if task.key in keys]
        if later and mine:
            first = min(starts[task.key] for task in later)
            for task in mine:
                waits = max(task.opens, first)
                found[task.key] = (
                    f"waiting for it (it could start at {_utc(instant(waits))} at the earliest) would cost "
                    "VMs of later stages their start"
                )
    return found


def _room(case: _Case, lost: Sequence[Task]) -> str:
    hours, policy = case.policy.hours, case.policy
    closes = max(task.closes for task in lost)
    before = [task for task in case.lane.tasks if task.closes <= closes]
    placed = sum(task.key in case.starts for task in before)
    rules = f"concurrency {policy.concurrency} with a gap of {format_duration(policy.gap)}"
    what = f"windows {hours.text}, " if hours.has_windows else ""
    return f"{what}{rules} leaves room for {placed} of {len(before)} VMs before {_utc(instant(closes))}"


def _what_frees(case: _Case, hopeless: int) -> str:
    """The first single change after which every VM that could start has a start."""
    for change in (_by_concurrency, _by_gap, _by_hours, _by_sequence, _by_placement):
        if told := change(case, hopeless):
            return f"; {told} would fit all"
    return "; no single change of concurrency, gap, windows, sequence or placement would fit all"


def _by_concurrency(case: _Case, hopeless: int) -> str:
    most = min(len(case.lane.tasks), _CONCURRENCY_MAX)
    now = case.policy.concurrency

    def fits(count: int) -> bool:
        return case.lost(case.again(concurrency=count)) <= hopeless

    if most <= now or not fits(most):
        return ""
    high = min(2 * now, most)
    while not fits(high):
        high = min(2 * high, most)
    if len(case.lane.tasks) <= _FINE_MAX:
        high = _least(max(now + 1, high // 2), high, fits)
    return f"concurrency {high}"


def _by_gap(case: _Case, hopeless: int) -> str:
    minute = timedelta(minutes=1)

    def fits(minutes: int) -> bool:
        return case.lost(case.again(gap=minutes * minute)) <= hopeless

    if not case.policy.gap or not fits(0):
        return ""
    longest = case.policy.gap // minute
    fine = len(case.lane.tasks) <= _FINE_MAX
    steps = range(longest - 1, 0, -max(1, longest // 8)) if fine else ()
    return f"a gap of {format_duration(next(filter(fits, steps), 0) * minute)}"


def _by_hours(case: _Case, hopeless: int) -> str:
    hours = case.policy.hours
    if hours.has_freezes and case.lost(case.again(hours=hours.without_freezes())) <= hopeless:
        return f"going on through the freezes ({_frozen(hours)})"
    if hours.has_windows and case.lost(case.again(hours=hours.without_windows())) <= hopeless:
        return "longer windows"
    return ""


def _by_sequence(case: _Case, hopeless: int) -> str:
    if len(case.lane.stages) < 2:
        return ""
    unrested = [replace(stage, rest=0) for stage in case.lane.stages]
    if case.lost(replace(case.lane, stages=tuple(unrested))) <= hopeless:
        return "a shorter stageGap"
    together = replace(
        unrested[-1],
        tasks=tuple(case.lane.tasks),
        fixed=tuple(one for stage in unrested for one in stage.fixed),
    )
    fits = case.lost(replace(case.lane, stages=(together,))) <= hopeless
    return "one stage instead of the sequence" if fits else ""


def _by_placement(case: _Case, hopeless: int) -> str:
    anywhere = [
        replace(stage, tasks=tuple(task._replace(place=Place()) for task in stage.tasks))
        for stage in case.lane.stages
    ]
    if case.lost(replace(case.lane, stages=tuple(anywhere))) > hopeless:
        return ""
    return (
        "a policy of its own for each zone or region of a pair (or, for an availability set or a scale set, "
        "leaving it to Azure)"
    )


def _least(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """The least number in [low, high] that fits, where `high` does and more always fits better."""
    while low < high:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle + 1
    return high


def _frozen(hours: Hours) -> str:
    return "; ".join(freeze.text for freeze in hours.freezes)


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
