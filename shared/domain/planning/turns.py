"""Who of a stage starts next, in the order of time."""

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import NamedTuple

from shared.domain.planning.model import Place, Task
from shared.domain.planning.timeline import Timeline

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


def one_by_one(line: Timeline, tasks: Iterable[Task], opens: int) -> Iterator[tuple[Task, int]]:
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


def take_turns(
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
