"""One policy's plan: stage after stage, each VM as early as the rules let it.

Inside a stage the next start goes to whoever can go first, and of those to the one whose window closes
first. Equally long times away make that the fastest order wherever placement forbids nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from shared.domain.planning.model import Lane, Stage, Task
from shared.domain.planning.timeline import Elsewhere, Timeline
from shared.domain.planning.turns import Rank, one_by_one, soonest, take_turns

# Giving up the last of a stage is tried at so many of its longest pauses, and so many ways are followed.
_CUTS_MAX = 12
_WAYS_MAX = 12


@dataclass(frozen=True, slots=True)
class LanePlan:
    """Starts by task key. `given_up` are those that make room for a later stage."""

    starts: dict[str, int] = field(default_factory=dict)
    end: int | None = None
    given_up: frozenset[str] = frozenset()

    def elsewhere(self, lane: Lane) -> Iterator[Elsewhere]:
        """Whom this plan has away, for the other policies of their sets."""
        for task in lane.tasks:
            start = self.starts.get(task.key)
            if start is not None and task.place.domain_set:
                yield Elsewhere(start, start + lane.length, task.place)


@dataclass(frozen=True, slots=True)
class _Way:
    """One way through the stages so far."""

    last: int | None = None
    lost: int = 0
    starts: tuple[tuple[str, int], ...] = ()
    given_up: frozenset[str] = frozenset()


def plan_lane(
    lane: Lane, elsewhere: Mapping[str, list[Elsewhere]], rank: Rank = soonest
) -> LanePlan:
    """A start for as many VMs of the policy as possible.

    Args:
        lane: What is to be planned.
        elsewhere: By set, whom other policies have away.
        rank: Who goes first where several can.
    """
    way = _Way()
    for stage in lane.stages:
        placed, lost = _fill(lane, stage, way, elsewhere, rank)
        way = _after(lane, stage, way, placed, lost)
    if way.lost and len(lane.stages) > 1 and _could_save(lane, way):
        way = min(_ways(lane, elsewhere, rank), key=lambda each: (each.lost, each.last or 0))
    starts = dict(way.starts)
    end = max(starts.values()) + lane.length if starts else None
    return LanePlan(starts, end, way.given_up)


def stage_opens(lane: Lane, stage: Stage, last: int | None) -> int:
    """The first instant at which a stage may start, when the stages before it end at `last`."""
    return lane.opens if last is None else max(lane.opens, last + stage.rest)


def could_start(lane: Lane, task: Task) -> bool:
    """Whether the VM had a start if it were alone."""
    start = lane.starts.next(max(lane.opens, task.opens))
    return start is not None and start < task.closes


def _could_save(lane: Lane, way: _Way) -> bool:
    """Whether a VM of a later stage was lost that could start if it were alone."""
    starts = dict(way.starts)
    later = (task for stage in lane.stages[1:] for task in stage.tasks)
    return any(task.key not in starts and could_start(lane, task) for task in later)


def _ways(lane: Lane, elsewhere: Mapping[str, list[Elsewhere]], rank: Rank) -> list[_Way]:
    """The ways through the stages of which none loses fewer VMs and ends sooner too."""
    ways = [_Way()]
    for stage in lane.stages:
        following: list[_Way] = []
        for way in ways:
            placed, lost = _fill(lane, stage, way, elsewhere, rank)
            following.append(_after(lane, stage, way, placed, lost))
            for kept in _cuts(placed):
                cut = {task.key for task, _ in placed[kept:]}
                shorter = _after(lane, stage, way, placed[:kept], lost + len(cut), cut)
                following.append(shorter)
        ways = _best(following)
    return ways


def _cuts(placed: list[tuple[Task, int]]) -> list[int]:
    """How many of a stage to keep: cut at its longest pauses, or none of it."""
    pauses = [(later[1] - earlier[1], i + 1) for i, (earlier, later) in enumerate(pairwise(placed))]
    longest = sorted(pauses, key=lambda pause: (-pause[0], pause[1]))[:_CUTS_MAX]
    return [0, *(kept for _, kept in longest)] if placed else []


def _best(ways: Iterable[_Way]) -> list[_Way]:
    best: list[_Way] = []
    for way in sorted(ways, key=lambda each: (each.lost, each.last or 0)):
        if not best or (way.last or 0) < (best[-1].last or 0):
            best.append(way)
    return best[:_WAYS_MAX]


def _after(
    lane: Lane,
    stage: Stage,
    way: _Way,
    placed: list[tuple[Task, int]],
    lost: int,
    cut: Iterable[str] = (),
) -> _Way:
    ends = [placed[-1][1] + lane.length] if placed else []
    ends += [each.back for each in stage.fixed]
    ends += [end for end in (way.last, stage.ended) if end is not None]
    return _Way(
        max(ends, default=None),
        way.lost + lost,
        (*way.starts, *((task.key, start) for task, start in placed)),
        way.given_up.union(cut),
    )


def _fill(
    lane: Lane, stage: Stage, way: _Way, elsewhere: Mapping[str, list[Elsewhere]], rank: Rank
) -> tuple[list[tuple[Task, int]], int]:
    """Places a stage's tasks; those that have one with their start, in its order, and how many have none."""
    line = Timeline(lane, stage, elsewhere)
    opens = stage_opens(lane, stage, way.last)
    placed: list[tuple[Task, int]] = []
    free: list[Task] = []
    # What can keep the start that people were told keeps it.
    for task in sorted(stage.tasks, key=lambda task: (task.kept or 0, task.key)):
        kept = task.kept
        if kept is not None and _may_keep(task, kept, opens) and line.fits(task.place, kept):
            line.put(task.place, kept)
            placed.append((task, kept))
        else:
            free.append(task)
    # Where nobody can be away beside another, places forbid nothing and need no turns of their own.
    alone = lane.slots == 1 and not elsewhere
    turns = one_by_one(line, free, opens) if alone else take_turns(line, free, opens, rank)
    taken = list(turns)
    placed += taken
    if len(taken) < len(placed):
        placed.sort(key=lambda each: (each[1], each[0].key))
    return placed, len(stage.tasks) - len(placed)


def _may_keep(task: Task, kept: int, opens: int) -> bool:
    return max(opens, task.opens) <= kept < task.closes
