"""A policy's hours: its windows minus its freezes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from shared.domain.durations import format_duration
from shared.domain.errors import InvalidInput, Problem
from shared.domain.freezes import Freeze, parse_freezes
from shared.domain.intervals import Interval, clipped, merged, without
from shared.domain.timezones import read_zone_name, zone_of
from shared.domain.windows import Window, occurrences, parse_windows

# Hours are worked out a block at a time and kept: a planner asks about the same weeks again and again.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK = timedelta(days=16)
_END = datetime(9000, 1, 1, tzinfo=UTC)
# Self-service windows last months at most; a bogus one that ends in 9999 must cost nobody a minute.
_HORIZON = timedelta(days=3 * 366)
_INSTANT = timedelta(microseconds=1)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When VMs of a policy may be away; always, by default.

    Attributes:
        text: `windows` as it was written; empty where there are none.
        zone_name: IANA name of the zone.
        windows: The parts of `windows`; none: always open.
        freezes: The parts of `freezes`, sorted by start.
    """

    text: str = ""
    zone_name: str = "UTC"
    windows: tuple[Window, ...] = field(default=(), hash=False)
    freezes: tuple[Freeze, ...] = ()

    @property
    def has_windows(self) -> bool:
        """Whether windows close it at times."""
        return bool(self.windows)

    @property
    def has_freezes(self) -> bool:
        """Whether freezes close it at times."""
        return bool(self.freezes)

    def without_windows(self) -> "Hours":
        """As if no `windows` were written."""
        return replace(self, text="", windows=())

    def without_freezes(self) -> "Hours":
        """As if no `freezes` were written."""
        return replace(self, freezes=())

    def intervals(self, since: datetime, until: datetime) -> tuple[Interval, ...]:
        """The open intervals, clipped to [since, until): in UTC, sorted, disjoint, none touching another.

        It looks three years ahead of `since` at most, and says nothing of what comes later.
        """
        return tuple(_pieces(self, since, until))

    def contains(self, start: datetime, end: datetime) -> bool:
        """Whether all of [start, end) lies in one open interval; of the instant itself if they are equal."""
        start = _utc(start)
        end = max(_utc(end), start + _INSTANT)
        return self.intervals(start, end) == ((start, end),)

    def next_start(self, at: datetime, length: timedelta, until: datetime) -> datetime | None:
        """The first instant from `at` and before `until` from which it stays open for a length.

        None where there is none, or none within three years.
        """
        for start, end in _pieces(self, at, _utc(until) + length):
            if start + length <= end:
                return start if start < until else None
        return None

    def why_closed(self, start: datetime, length: timedelta) -> str:
        """A sentence on why a VM must not be away in [start, start + length); `""` if it may."""
        start = _utc(start)
        end = start + length
        if self.contains(start, end):
            return ""
        if frozen := [freeze for freeze in self.freezes if freeze.start <= start < freeze.end]:
            last = max(frozen, key=lambda freeze: freeze.end)
            return f"the freeze {last.text} lasts until {self._shown(last.end)}"
        unfrozen = self.without_freezes()
        if not unfrozen.contains(start, start):
            opens = unfrozen.next_start(start, _INSTANT, _END)
            when = f"open next at {self._shown(opens)}" if opens else "are not known so far ahead"
            return f"its windows ({self.text}, {self.zone_name}) {when}"
        too_soon = f"sooner than the estimate of {format_duration(length)} fits"
        if not unfrozen.contains(start, end):
            _, closes = unfrozen.intervals(start, end)[0]
            return f"the window closes at {self._shown(closes)}, {too_soon}"
        first = next(freeze for freeze in self.freezes if start < freeze.start)
        return f"the freeze {first.text} begins at {self._shown(first.start)}, {too_soon}"

    def _shown(self, moment: datetime) -> str:
        return f"{moment.astimezone(zone_of(self.zone_name)):%Y-%m-%d %H:%M %Z}"


def parse_hours(*, windows: str, time_zone: str, freezes: str) -> Hours:
    """Reads the columns `windows`, `timeZone` and `freezes`; an empty one is its default.

    Raises:
        InvalidInput: With every problem of the three, each naming its column.
    """
    problems: list[Problem] = []

    def read(text: str, reader: Callable[[str], _T], default: _T) -> _T:
        try:
            return reader(text) if text.strip() else default
        except InvalidInput as wrong:
            problems.extend(wrong.problems)
            return default

    zone_name = read(time_zone, lambda text: read_zone_name(text, field="timeZone"), "UTC")
    zone = zone_of(zone_name)
    hours = Hours(
        text=windows.strip(),
        zone_name=zone_name,
        windows=read(windows, lambda text: parse_windows(text, field="windows"), ()),
        freezes=read(freezes, lambda text: parse_freezes(text, zone, field="freezes"), ()),
    )
    if problems:
        raise InvalidInput("hours", tuple(problems))
    return hours


def _utc(moment: datetime) -> datetime:
    """In UTC, and no naive one: comparing refuses it. A year that nobody means is the nearest to reckon with."""
    return min(max(moment, _EPOCH), _END).astimezone(UTC)


def _pieces(hours: Hours, since: datetime, until: datetime) -> Iterator[Interval]:
    """The open intervals in [since, until), lazily."""
    since = _utc(since)
    until = min(_utc(until), since + _HORIZON)
    blocks = range((since - _EPOCH) // _BLOCK, -((_EPOCH - until) // _BLOCK))
    found = (interval for index in blocks for interval in _block(hours, index))
    return merged(clipped(found, since, until))


@lru_cache(maxsize=8192)
def _block(hours: Hours, index: int) -> tuple[Interval, ...]:
    since = _EPOCH + index * _BLOCK
    until = since + _BLOCK
    zone = zone_of(hours.zone_name)
    opened = occurrences(hours.windows, zone, since, until) if hours.windows else ((since, until),)
    frozen = [
        (freeze.start, freeze.end)
        for freeze in hours.freezes
        if freeze.start < until and since < freeze.end
    ]
    return tuple(piece for interval in opened for piece in without(interval, frozen))
