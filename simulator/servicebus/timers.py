"""What falls due in a queue, soonest first."""

import heapq
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, Final, NamedTuple

from simulator.servicebus.messages import Instant

_STALE_MIN: Final = 1_000
"""Below this many a sweep is not worth its while."""


class Due(IntEnum):
    """What may fall due."""

    ENQUEUE = 0
    LOCK = 1
    EXPIRY = 2
    SESSION = 3


class Timer(NamedTuple):
    """Something that falls due; `key` names the message, lock or session."""

    at: Instant
    what: Due
    key: Any


class Timers:
    """A heap of timers. One that no longer holds stays in it until it is met or swept out.

    A message that lives two weeks and is settled in a second would else be remembered for two weeks.
    """

    def __init__(self, holds: Callable[[Timer], bool]) -> None:
        self._holds = holds
        self._heap: list[Timer] = []
        self._sweep_above = _STALE_MIN

    def add(self, timer: Timer) -> None:
        """Remember a timer."""
        heapq.heappush(self._heap, timer)
        if len(self._heap) > self._sweep_above:
            self._heap = [timer for timer in self._heap if self._holds(timer)]
            heapq.heapify(self._heap)
            self._sweep_above = max(_STALE_MIN, 2 * len(self._heap))

    def due(self, now: Instant) -> Iterator[Timer]:
        """Take out those that are due and still hold, soonest first."""
        while self._heap and self._heap[0].at <= now:
            timer = heapq.heappop(self._heap)
            if self._holds(timer):
                yield timer

    def next_at(self) -> Instant | None:
        """When to look again; None if nothing will ever fall due."""
        while self._heap and not self._holds(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0].at if self._heap else None
