"""One policy's plan: stage after stage, each VM as early as the rules let it.

Inside a stage the next start goes to whoever can go first, and of those to the one whose window closes
first. Equally long times away make that the fastest order wherever placement forbids nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

from shared.domain.planning.model import Lane, Place, Stage, Task
from shared.domain.planning.timeline import Elsewhere, Timeline

Heap = list[tuple[int, str, Task]]


class Turn(NamedTuple):
    """Who could start next: the first of those of one place."""

    start: int
    closes: int
    waiting: int
    key: str
    place: Place


Rank = Callable[[Turn], tuple[object, ...]]
"""Which turn goes first; the least wins."""


def soonest(turn: Turn) -> tuple[object, ...]:
    """Whoever can go first; then whose window closes first; then the place where most wait."""
    return turn.start, turn.closes, -turn.waiting, turn.key


def crowded(turn: Turn) -> tuple[object, ...]:
    """Whoever can go first; then the place where most wait."""
    return turn.start, -turn.waiting, turn.closes, turn.key


def urgent(turn: Turn) -> tuple[object, ...]:
    """Whose window closes first, even if others could go before it."""
    return turn.closes, turn.start, -turn.waiting, turn.key


OTHER_RANKS: tuple[Rank, ...] = (crowded, urgent)

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
            if start is not None and task.place.availability_set:
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
        elsewhere: By availability set, whom other policies have away.
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
    turns = _one_by_one(line, free, opens) if alone else _take_turns(line, free, opens, rank)
    taken = list(turns)
    placed += taken
    if len(taken) < len(placed):
        placed.sort(key=lambda each: (each[1], each[0].key))
    return placed, len(stage.tasks) - len(placed)


def _may_keep(task: Task, kept: int, opens: int) -> bool:
    return max(opens, task.opens) <= kept < task.closes


def _one_by_one(line: Timeline, tasks: Iterable[Task], opens: int) -> Iterator[tuple[Task, int]]:
    """Starts in the order of time, for whose window closes first of those that can go."""
    coming = sorted(tasks, key=lambda task: (task.opens, task.key), reverse=True)
    ready: Heap = []
    at = opens
    while coming or ready:
        if not ready:
            at = max(at, coming[-1].opens)
        while coming and coming[-1].opens <= at:
            task = coming.pop()
            heappush(ready, (task.closes, task.key, task))
        task = ready[0][2]
        start = line.earliest(task.place, at, task.closes)
        if start is not None and coming and coming[-1].opens < start:
            at = coming[-1].opens  # it might go before
            continue
        heappop(ready)
        if start is not None:
            line.put(task.place, start)
            yield task, start
            at = start


def _take_turns(
    line: Timeline, tasks: Iterable[Task], opens: int, rank: Rank
) -> Iterator[tuple[Task, int]]:
    """Starts in the order of time, for whoever ranks first of those that can go."""
    coming = sorted(tasks, key=lambda task: (task.opens, task.key), reverse=True)
    queue = _Queue(line, rank)
    at = opens
    while coming or queue:
        if not queue:
            at = max(at, coming[-1].opens)
        while coming and coming[-1].opens <= at:
            queue.add(coming.pop(), at)
        turn = queue.first(at)
        if turn is None:
            continue
        if coming and coming[-1].opens < turn.start:
            at = coming[-1].opens  # it might go before
            continue
        task = queue.take(turn)
        line.put(task.place, turn.start)
        yield task, turn.start
        at = turn.start


class _Queue:
    """Those who wait, by place; the first of each place has a turn.

    A turn's start is only looked up when the turn comes first: it moves to later and never to sooner, so
    that a start looked up before is too early at worst.
    """

    def __init__(self, line: Timeline, rank: Rank) -> None:
        self._line, self._rank = line, rank
        self._waiting: dict[Place, Heap] = {}
        self._turns: list[tuple[tuple[object, ...], Turn]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, task: Task, at: int) -> None:
        """One more, who may start at `at`."""
        heappush(self._waiting.setdefault(task.place, []), (task.closes, task.key, task))
        self._turn(task.place, at)

    def first(self, at: int) -> Turn | None:
        """Whose turn is next, from `at` on; those for whom it is too late are dropped."""
        while self._turns:
            _, turn = self._turns[0]
            heap = self._waiting.get(turn.place)
            if not heap or (turn.closes, turn.key, turn.waiting) != (*heap[0][:2], len(heap)):
                heappop(self._turns)  # another has taken its place
                continue
            start = self._line.earliest(turn.place, max(at, turn.start), turn.closes)
            if start == turn.start:
                return turn
            heappop(self._turns)
            if start is None:
                self._leave(turn.place)
            self._turn(turn.place, at if start is None else start)
        return None

    def take(self, turn: Turn) -> Task:
        """The one whose turn it is."""
        heappop(self._turns)
        task = self._leave(turn.place)
        self._turn(turn.place, turn.start)
        return task

    def _leave(self, place: Place) -> Task:
        heap = self._waiting[place]
        task = heappop(heap)[2]
        if not heap:
            del self._waiting[place]
        return task

    def _turn(self, place: Place, start: int) -> None:
        """Notes the turn of the first of a place, who cannot start before `start`."""
        heap = self._waiting.get(place)
        if heap:
            closes, key, _ = heap[0]
            turn = Turn(start, closes, len(heap), key, place)
            heappush(self._turns, (self._rank(turn), turn))
