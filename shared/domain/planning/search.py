"""The best plan of a group of policies: several good orders, and every order where the group is small.

Better means: fewer VMs without a start, then a smaller sum of the policies' last ends.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.domain.ledger import PolicyKey
from shared.domain.planning.exact import improve
from shared.domain.planning.lane import LanePlan, could_start, plan_lane
from shared.domain.planning.model import Lane, Place
from shared.domain.planning.timeline import Elsewhere
from shared.domain.planning.turns import OTHER_RANKS, Rank, soonest

Score = tuple[int, int]

# Groups of more VMs than this are not searched through, and the others no further than so many steps.
_EXACT_MAX = 14
_STEPS_MAX = 4_000
# Larger groups get one plan where it loses nobody: another is hardly ever better, by less than a percent.
_TRIED_MAX = 50
_STEPS_IF_LOST = 4_000
_STEPS_IF_SLOW = 8000
_PLACES_MAX = 40


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """Each policy's plan, and how good all of them are together."""

    lanes: Mapping[PolicyKey, LanePlan]
    score: Score


def plan_group(lanes: Sequence[Lane]) -> GroupPlan:
    """Plans policies that share sets, or a single one.

    What people were told stands, unless a plan that forgets it loses fewer VMs.
    """
    lanes = sorted(lanes, key=_urgency)
    hopeless = sum(not could_start(lane, task) for lane in lanes for task in lane.tasks)
    best = _in_order(lanes)
    if not any(task.kept is not None for lane in lanes for task in lane.tasks):
        return _improved(lanes, best, hopeless)
    if best.score[0] <= hopeless:
        return best
    forgotten = [_forgotten(lane) for lane in lanes]
    fresh = _improved(forgotten, _in_order(forgotten), hopeless)
    return fresh if fresh.score[0] < best.score[0] else best


def away_elsewhere(lanes: Sequence[Lane], plans: Mapping[PolicyKey, LanePlan]) -> "Away":
    """Whom the group has away, of the sets that several of its policies share."""
    away = Away(lanes)
    for lane in lanes:
        if lane.key in plans:
            away.add(lane, plans[lane.key])
    return away


class Away:
    """Who is away of the sets that several policies of a group share."""

    def __init__(self, lanes: Iterable[Lane]) -> None:
        """Those who are away already are counted in, and those who are to keep their start."""
        sets: Counter[str] = Counter()
        for lane in lanes:
            sets.update({place.domain_set for place in _places(lane)})
        self._shared = {name for name, count in sets.items() if name and count > 1}
        self._away: dict[str, dict[PolicyKey, list[Elsewhere]]] = {n: {} for n in self._shared}
        for lane in lanes if self._shared else ():
            self.add(lane, LanePlan({task.key: task.kept for task in lane.tasks if task.kept}))

    def add(self, lane: Lane, plan: LanePlan) -> None:
        """Counts in whom a plan of the policy has away, instead of whom it had before."""
        if not self._shared:
            return
        for name in self._names(lane):
            self._away[name][lane.key] = []
        fixed = (one for stage in lane.stages for one in stage.fixed)
        away = (Elsewhere(one.start, one.back, one.place) for one in fixed)
        for each in (*away, *plan.elsewhere(lane)):
            if each.place.domain_set in self._shared:
                self._away[each.place.domain_set][lane.key].append(each)

    def beside(self, lane: Lane) -> dict[str, list[Elsewhere]]:
        """Those of the other policies, by set."""
        return {
            name: [
                each for key, away in self._away[name].items() if key != lane.key for each in away
            ]
            for name in self._names(lane)
        }

    def _names(self, lane: Lane) -> set[str]:
        if not self._shared:
            return set()
        return {place.domain_set for place in _places(lane)} & self._shared


def _in_order(lanes: Sequence[Lane], rank: Rank = soonest) -> GroupPlan:
    """One policy after the other, each around those before it."""
    plans: dict[PolicyKey, LanePlan] = {}
    away = Away(lanes)
    lost = ends = 0
    for lane in lanes:
        plan = plan_lane(lane, away.beside(lane), rank)
        away.add(lane, plan)
        plans[lane.key] = plan
        lost += sum(len(stage.tasks) for stage in lane.stages) - len(plan.starts)
        ends += plan.end or 0
    return GroupPlan(plans, (lost, ends))


def _improved(lanes: Sequence[Lane], best: GroupPlan, hopeless: int) -> GroupPlan:
    if best.score[0] <= hopeless and len(lanes) == 1 and _is_plain(lanes[0]):
        return best
    count = sum(len(lane.tasks) for lane in lanes)
    if best.score[0] <= hopeless and count > _TRIED_MAX:
        return best
    least = hopeless, sum(_least_end(lane) for lane in lanes)
    for ordered, rank in _orders(lanes):
        if best.score <= least:
            return best
        best = min(best, _in_order(ordered, rank), key=lambda plan: plan.score)
    if best.score <= least or count > _EXACT_MAX:
        return best
    found = improve(lanes, best.score, least, steps=_STEPS_MAX)
    return GroupPlan(found.lanes, found.score) if found else best


def _orders(lanes: Sequence[Lane]) -> Iterator[tuple[Sequence[Lane], Rank]]:
    """Further orders to try."""
    for rank in OTHER_RANKS:
        yield lanes, rank
    if len(lanes) > 1:
        fewest_first = sorted(lanes, key=lambda lane: (len(lane.tasks), lane.key))
        for ordered in (lanes[::-1], fewest_first, fewest_first[::-1]):
            yield ordered, soonest


def _urgency(lane: Lane) -> tuple[int, PolicyKey]:
    return min((task.closes for task in lane.tasks), default=0), lane.key


def _forgotten(lane: Lane) -> Lane:
    stages = (
        replace(stage, tasks=tuple(task._replace(kept=None) for task in stage.tasks))
        for stage in lane.stages
    )
    return replace(lane, stages=tuple(stages))


def _least_end(lane: Lane) -> int:
    """No plan of the policy ends sooner: the plan if placement forbade nothing."""
    nowhere = Place()
    stages = (
        replace(
            stage,
            tasks=tuple(task._replace(place=nowhere) for task in stage.tasks),
            fixed=tuple(one._replace(place=nowhere) for one in stage.fixed),
        )
        for stage in lane.stages
    )
    return plan_lane(replace(lane, stages=tuple(stages)), {}).end or 0


def _is_plain(lane: Lane) -> bool:
    """Whether placement can forbid nothing within the policy."""
    if lane.slots == 1:
        return True
    places = _places(lane)
    return len(places) <= _PLACES_MAX and not any(
        one.clashes(other) for one in places for other in places
    )


def _places(lane: Lane) -> set[Place]:
    found = {task.place for stage in lane.stages for task in stage.tasks}
    return found | {one.place for stage in lane.stages for one in stage.fixed}
