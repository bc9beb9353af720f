"""Intervals of instants: [start, end), both aware."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeAlias

Interval: TypeAlias = tuple[datetime, datetime]


def merged(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """Those that touch or overlap made one, lazily.

    Args:
        intervals: Sorted by their starts, none of them empty.
    """
    rest = iter(intervals)
    first = next(rest, None)
    if first is None:
        return
    start, end = first
    for next_start, next_end in rest:
        if next_start <= end:
            end = max(end, next_end)
        else:
            yield start, end
            start, end = next_start, next_end
    yield start, end


def without(interval: Interval, holes: Iterable[Interval]) -> Iterator[Interval]:
    """What the holes leave of an interval.

    Args:
        interval: Not empty.
        holes: Sorted by their starts; none empty; they may overlap.
    """
    start, end = interval
    for hole_start, hole_end in holes:
        if hole_start < end and start < hole_end:
            if start < hole_start:
                yield start, hole_start
            start = hole_end
    if start < end:
        yield start, end


def clipped(intervals: Iterable[Interval], since: datetime, until: datetime) -> Iterator[Interval]:
    """What of each interval lies in [since, until)."""
    for start, end in intervals:
        if start < until and since < end and since < until:
            yield max(start, since), min(end, until)
