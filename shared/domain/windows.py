"""`windows`: when VMs of a policy may be away.

    Mon-Fri 22:00-04:00; Sat,Sun 00:00-24:00; Tue#2 23:00+5h

Each occurrence is an interval of instants. Its start, and an end `HH:MM`, are times on the wall clock of
the policy's zone; a length is elapsed time. The day belongs to the start.
"""

import calendar
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.domain.durations import parse_duration
from shared.domain.errors import InvalidInput, Problem, shown
from shared.domain.intervals import Interval, clipped, merged
from shared.domain.parts import read_parts
from shared.domain.timezones import first_pass, zone_of

EXPECTED = "windows such as Mon-Fri 22:00-04:00; Sat,Sun 00:00-24:00; Tue#2 23:00+5h"

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=7)
# The first digit that belongs to no `#n`: there the times begin.
_TIMES = re.compile(r"(?<![#\d])(?<!#-)\d", re.ASCII)
_SPAN = re.compile(r"(\S+?)\s*([-+])\s*(\S+)")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_NTH = re.compile(r"-?[1-5]")
# What repeats every week shows whole in three of them; dates and weekdays together repeat after 28 years.
_MONDAY = datetime(2001, 1, 1, tzinfo=UTC)
_THREE_WEEKS, _ALL_CALENDARS = 3 * _LONGEST, datetime(2029, 1, 1, tzinfo=UTC) - _MONDAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One part of `windows`: it begins on each of its days.

    Attributes:
        days: (weekday from Monday as 0, the n of `#n` or 0 for every week).
        start: Time of day on the wall clock, from midnight.
        length: Above zero, at most 7 days.
        elapsed: The length is elapsed time; else the end is read from the wall clock too.
    """

    days: frozenset[tuple[int, int]]
    start: timedelta
    length: timedelta
    elapsed: bool

    def occurrences(self, zone: ZoneInfo, first: date, last: date) -> Iterator[Interval]:
        """Those that begin on the days from first to last; one is empty where clocks skip all of it."""
        for weekday, nth in self.days:
            day = datetime.combine(first, time()) + (weekday - first.weekday()) % 7 * _DAY
            while day.date() <= last:
                if nth == 0 or nth in _nths(day):
                    yield self._occurrence(day + self.start, zone)
                day += 7 * _DAY

    def _occurrence(self, wall: datetime, zone: ZoneInfo) -> Interval:
        start = first_pass(wall, zone)
        return start, start + self.length if self.elapsed else first_pass(wall + self.length, zone)


def parse_windows(text: str, *, field: str) -> tuple[Window, ...]:
    """Reads `windows`.

    Raises:
        InvalidInput: With every part that is wrong, and how to write it.
    """
    return read_parts(text, lambda part: _window(part, field), field=field, expected=EXPECTED)


def occurrences(
    windows: Iterable[Window], zone: ZoneInfo, since: datetime, until: datetime
) -> Iterator[Interval]:
    """The occurrences in [since, until), clipped to it: sorted, those that touch or overlap made one.

    Args:
        windows: Any number of them.
        zone: Whose wall clock they are written for.
        since: In UTC.
        until: In UTC.
    """
    found: list[Interval] = []
    for window in windows:
        # No clock is a day ahead of UTC or behind it, and a start is up to a day after its midnight.
        first, last = (since - window.length - 2 * _DAY).date(), (until + _DAY).date()
        found += window.occurrences(zone, first, last)
    return merged(sorted(clipped(found, since, until)))


@lru_cache(maxsize=1024)
def longest(windows: tuple[Window, ...]) -> tuple[timedelta, str]:
    """The longest time that they are open without a break, were there no clock changes.

    Returns:
        (length, such as `Mon 22:00 to Tue 04:00`); timedelta.max where they never close.
    """
    weekly = all(nth == 0 for window in windows for _, nth in window.days)
    whole = _THREE_WEEKS if weekly else _ALL_CALENDARS
    opened = occurrences(windows, zone_of("UTC"), _MONDAY, _MONDAY + whole)
    start, end = max(opened, key=lambda interval: interval[1] - interval[0])
    length = timedelta.max if end - start == whole else end - start
    return length, f"{_shown(start)} to {_shown(end)}"


def _nths(day: date) -> tuple[int, int]:
    """The n of `#n` that a day is, from the start of its month and from the end."""
    left = calendar.monthrange(day.year, day.month)[1] - day.day
    return 1 + (day.day - 1) // 7, -1 - left // 7


def _shown(moment: datetime) -> str:
    return f"{_DAYS[moment.weekday()]} {moment:%H:%M}"


def _window(part: str, field: str) -> Window:
    def wrong(expected: str) -> InvalidInput:
        return InvalidInput(field, (Problem(field, part, expected),))

    begins = _TIMES.search(part)
    span = _SPAN.fullmatch(part, begins.start()) if begins else None
    if not begins or not span:
        raise wrong(f"days, a start, and an end or a length: {EXPECTED}")
    days = _days(part[: begins.start()].strip(), wrong)
    start = _time(span[1], wrong)
    if start == _DAY:
        raise wrong("24:00 only as an end; the start is 00:00 of the day after")
    if span[2] == "+":
        length = parse_duration(span[3], field=field)
        if not timedelta(0) < length <= _LONGEST:
            raise wrong("a length above zero and of at most 7 days, such as 23:00+5h")
        return Window(days=days, start=start, length=length, elapsed=True)
    end = _time(span[3], wrong)
    if start == end:
        raise wrong("an end that is not the start; a whole day is 00:00-24:00")
    length = end - start if end > start else end + _DAY - start
    return Window(days=days, start=start, length=length, elapsed=False)


def _time(text: str, wrong: Callable[[str], InvalidInput]) -> timedelta:
    if not _TIME.fullmatch(text):
        raise wrong(f"times HH:MM from 00:00 to 24:00, such as 22:00-04:00; {shown(text)} is none")
    return timedelta(hours=int(text[:2]), minutes=int(text[3:]))


def _days(text: str, wrong: Callable[[str], InvalidInput]) -> frozenset[tuple[int, int]]:
    """The days of a part; every day where none is written."""
    if not text:
        return frozenset((weekday, 0) for weekday in range(7))
    days = [day for item in text.split(",") for day in _item(item.strip(), wrong)]
    # `Sat,Sun#2` could mean every Saturday, or the second one: nobody is to be surprised.
    if len({nth == 0 for _, nth in days}) > 1:
        raise wrong("'#n' at each day of a list or at none, such as Sat#2,Sun#2")
    return frozenset(days)


def _item(item: str, wrong: Callable[[str], InvalidInput]) -> list[tuple[int, int]]:
    """One day, a day with `#n`, or a range of days, which may run past Sunday."""
    name, sign, nth = item.partition("#")
    ends = [_weekday(day.strip(), wrong) for day in name.split("-", 1)]
    if sign and len(ends) > 1:
        raise wrong("'#n' on a single day, not on a range, such as Tue#2")
    if sign and not _NTH.fullmatch(nth):
        raise wrong("#1 to #5, or #-1 to #-5 counted from the month's end, such as Tue#2 or Fri#-1")
    return [((ends[0] + ahead) % 7, int(nth or 0)) for ahead in range((ends[-1] - ends[0]) % 7 + 1)]


def _weekday(name: str, wrong: Callable[[str], InvalidInput]) -> int:
    if name.title() not in _DAYS:
        raise wrong(
            f"days of three letters, such as Mon-Fri, Sat,Sun or Tue#2; {shown(name)} is none"
        )
    return _DAYS.index(name.title())
