"""The time axis of a picture: to scale where something happens, cut short where nothing does."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from shared.domain.intervals import Interval

_HOUR = timedelta(hours=1)
# Widths in pixels. A plan of a night fits a laptop's screen; one of a month is scrolled.
_FITS = 900.0
_WIDEST = 12_000.0
_BAR_LEAST = 10.0
_HOUR_MOST = 240.0
_IDLE_MOST = 140.0  # a longer idle time is cut to
_CUT = 44.0
_BETWEEN_TICKS = 58.0
_LABEL = 36.0
_BETWEEN_DAYS = 72.0
_STEPS = (5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440)  # minutes


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the axis, itself to scale."""

    start: datetime
    end: datetime
    left: float
    width: float
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled instant."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Instants as horizontal positions."""

    stretches: tuple[Stretch, ...]

    @property
    def width(self) -> float:
        """Of all of it."""
        last = self.stretches[-1]
        return last.left + last.width

    def x(self, at: datetime) -> float:
        """Where an instant lies; at the nearer edge if it is outside."""
        index = bisect_right([stretch.start for stretch in self.stretches], at) - 1
        stretch = self.stretches[max(0, index)]
        part = (at - stretch.start) / (stretch.end - stretch.start)
        return stretch.left + stretch.width * min(max(part, 0.0), 1.0)

    def holds(self, at: datetime) -> bool:
        """Whether an instant is on it."""
        return self.stretches[0].start <= at <= self.stretches[-1].end

    def clipped(self, intervals: Iterable[Interval]) -> Iterator[tuple[float, float]]:
        """(left, width) of the parts of intervals that are on it."""
        for start, end in intervals:
            left, right = self.x(start), self.x(end)
            if right > left:
                yield left, right - left

    def hours(self, zone: tzinfo) -> list[Tick]:
        """Times of day at round local times, as close as their labels allow; none where it is cut."""
        found: list[Tick] = []
        for stretch in self.stretches:
            if stretch.is_cut:
                continue
            minute = stretch.width / ((stretch.end - stretch.start) / timedelta(minutes=1))
            step = next((s for s in _STEPS if s * minute >= _BETWEEN_TICKS), _STEPS[-1])
            for at in _round_times(stretch, step, zone):
                x = self.x(at)
                if not found or x - found[-1].x >= _LABEL:
                    found.append(Tick(x, f"{at.astimezone(zone):%H:%M}"))
        return found

    def days(self, zone: tzinfo) -> list[Tick]:
        """The day at the beginning of each stretch and at each local midnight, where there is room."""
        found: list[Tick] = []
        for stretch in self.stretches:
            if stretch.is_cut:
                continue
            for at in (stretch.start, *_round_times(stretch, _STEPS[-1], zone)):
                x = self.x(at)
                if not found or found[-1].x + _BETWEEN_DAYS <= x <= self.width - _BETWEEN_DAYS:
                    found.append(Tick(x, day(at, zone)))
        return found


def axis_of(busy: Sequence[Interval]) -> Axis:
    """An axis that shows these intervals, at least one, to one scale."""
    shortest = min(end - start for start, end in busy)
    pad = min(max(shortest / 2, timedelta(minutes=5)), _HOUR)
    pieces = _merged([(start - pad, end + pad) for start, end in busy], timedelta(0))
    total = sum((end - start for start, end in pieces), timedelta(0)) / _HOUR
    per_hour = min(max(_FITS / total, _BAR_LEAST / (shortest / _HOUR)), _HOUR_MOST)
    per_hour = min(per_hour, _WIDEST / total)
    pieces = _merged(pieces, _HOUR * (_IDLE_MOST / per_hour))
    stretches: list[Stretch] = []
    left = 0.0
    for start, end in pieces:
        if stretches:
            before = stretches[-1]
            stretches.append(Stretch(before.end, start, left, _CUT, is_cut=True))
            left += _CUT
        width = per_hour * ((end - start) / _HOUR)
        stretches.append(Stretch(start, end, left, width, is_cut=False))
        left += width
    return Axis(tuple(stretches))


def day(at: datetime, zone: tzinfo) -> str:
    """`Tue 1 Dec`."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}"


def _merged(intervals: Iterable[Interval], across: timedelta) -> list[Interval]:
    """The intervals in order, those in one that are at most so far apart."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start - found[-1][1] <= across:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _round_times(stretch: Stretch, step: int, zone: tzinfo) -> Iterator[datetime]:
    """The instants of a stretch at which local clocks show a multiple of so many minutes."""
    date = stretch.start.astimezone(zone).date()
    while date <= stretch.end.astimezone(zone).date():
        for minute in range(0, 24 * 60, step):
            local = datetime.combine(date, time(minute // 60, minute % 60), tzinfo=zone)
            # A time that the clocks skip becomes the one that they show instead.
            at = local.astimezone(UTC)
            if stretch.start <= at <= stretch.end:
                yield at
        date += timedelta(days=1)
