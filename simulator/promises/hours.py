"""Windows and freezes, as the description of the columns has them: day after day, from the calendar."""

import calendar
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from simulator.promises.clocks import first_instant, last_instant, shown, wall_time, whole_day
from simulator.scenario_table import parse_duration

_DAY = timedelta(days=1)
_LONGEST = 7 * _DAY
_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RULE = re.compile(
    r"(?:(?P<days>[a-z].*?)\s+)?(?P<start>\d\d:\d\d)\s*"
    r"(?:-\s*(?P<end>\d\d:\d\d)|\+\s*(?P<length>\S+))",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Span:
    """From an instant up to, not including, another; both UTC."""

    start: datetime
    end: datetime

    def holds(self, start: datetime, end: datetime) -> bool:
        """Whether all of the time from start to end lies inside."""
        return self.start <= start < self.end and end <= self.end

    def meets(self, start: datetime, end: datetime) -> bool:
        """Whether any of it does."""
        return start < self.end and self.start < max(end, start + timedelta.resolution)


@dataclass(frozen=True)
class Rule:
    """One part of `windows`: on which days it starts, at which minute, and where it ends.

    Attributes:
        days: (weekday from Monday 0, which of the month; 0 is each of them).
        start: minutes of the wall clock.
        end: minutes of the wall clock, or how long it lasts.
    """

    days: tuple[tuple[int, int], ...]
    start: int
    end: int | timedelta

    def is_of(self, day: date) -> bool:
        """Whether it starts on that day."""
        last = calendar.monthrange(day.year, day.month)[1]
        which = (0, (day.day - 1) // 7 + 1, -((last - day.day) // 7 + 1))
        return any(weekday == day.weekday() and nth in which for weekday, nth in self.days)

    def on(self, day: date, zone: ZoneInfo) -> Span:
        """The occurrence that starts on that day; it ends where it starts if the clock skips it."""
        start = first_instant(wall_time(day, self.start), zone)
        if isinstance(self.end, timedelta):
            return Span(start, start + self.end)
        end_day = day if self.end > self.start else day + _DAY
        return Span(start, first_instant(wall_time(end_day, self.end), zone))


def read_windows(text: str) -> tuple[Rule, ...]:
    """The rules of a `windows` column.

    Raises:
        ValueError: a part of it is none.
    """
    return tuple(_rule(part) for part in _parts(text))


def read_freezes(text: str, zone: ZoneInfo) -> tuple[Span, ...]:
    """The spans of a `freezes` column.

    Raises:
        ValueError: a part of it is none.
    """
    return tuple(_freeze(part, zone) for part in _parts(text))


def opened(
    rules: Iterable[Rule], zone: ZoneInfo, start: datetime, end: datetime
) -> tuple[Span, ...]:
    """Every time that lies in a window and touches start to end; occurrences that touch are one."""
    day, last = shown(start, zone).date() - _LONGEST - 2 * _DAY, shown(end, zone).date() + _DAY
    found = []
    for rule in rules:
        each = day
        while each <= last:
            if rule.is_of(each):
                found.append(rule.on(each, zone))
            each += _DAY
    return tuple(_merged(found))


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in sorted(spans):
        if span.end <= span.start:
            continue
        if current and span.start <= current.end:
            current = Span(current.start, max(current.end, span.end))
            continue
        if current:
            yield current
        current = span
    if current:
        yield current


# --- reading ----------------------------------------------------------------------------------------


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if not parts:
        raise ValueError("it names nothing")
    return parts


def _rule(text: str) -> Rule:
    read = _RULE.fullmatch(text)
    if not read:
        raise ValueError(f"{text} is no window")
    start = _minutes(read["start"])
    end = parse_duration(read["length"]) if read["length"] else _minutes(read["end"], most=1440)
    if isinstance(end, timedelta) and not timedelta() < end <= _LONGEST:
        raise ValueError(f"{text} has no length, or more than seven days")
    if end == start:
        raise ValueError(f"{text} ends where it starts")
    every = tuple((weekday, 0) for weekday in range(7))
    days = (
        (day for part in read["days"].split(",") for day in _days(part)) if read["days"] else every
    )
    return Rule(tuple(days), start, end)


def _days(text: str) -> list[tuple[int, int]]:
    name, numbered, nth = text.strip().lower().partition("#")
    first, ranged, last = (part.strip() for part in name.partition("-"))
    if numbered:
        if not re.fullmatch(r"-?[1-5]", nth, re.ASCII):
            raise ValueError(f"no month has a {text}")
        return [(_NAMES.index(name), int(nth))]
    weekday, days = _NAMES.index(first), [_NAMES.index(first)]
    while ranged and _NAMES[weekday] != _NAMES[_NAMES.index(last)]:
        weekday = (weekday + 1) % 7
        days.append(weekday)
    return [(day, 0) for day in days]


def _minutes(text: str, most: int = 1439) -> int:
    hours, minutes = int(text[:2]), int(text[3:])
    if minutes > 59 or 60 * hours + minutes > most:
        raise ValueError(f"no clock shows {text}")
    return 60 * hours + minutes


def _freeze(text: str, zone: ZoneInfo) -> Span:
    first, interval, last = (part.strip() for part in text.partition("/"))
    if not interval:
        return Span(*whole_day(date.fromisoformat(first), zone))
    day, until = _as_day(first), _as_day(last)
    start = whole_day(day, zone)[0] if day else _instant(first, zone, first_instant)
    if until:
        end = whole_day(until, zone)[1]
    elif re.match(r"\d{4}-", last):
        end = _instant(last, zone, last_instant)
    else:
        end = start + parse_duration(last)
    if end <= start:
        raise ValueError(f"{text} ends before it starts")
    return Span(start, end)


def _as_day(text: str) -> date | None:
    """A date, where the text is nothing more."""
    return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None


def _instant(
    text: str, zone: ZoneInfo, which: Callable[[datetime, ZoneInfo], datetime]
) -> datetime:
    """A date-time; an offset that is written with it wins over the zone."""
    read = datetime.fromisoformat(text)
    return read.astimezone(UTC) if read.tzinfo else which(read, zone)
