"""NCRONTAB: when a timer fires next. Pure; UTC throughout, as on Flex Consumption.

Six fields: second minute hour day month weekday; five fields begin with the minute. An occurrence fits
all six, day and weekday too (cron's "either of them" is not NCRONTAB's). What the library that the
Functions host uses does not know (`?`, `L`, `#`, weekday 7) is refused here as well.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WEEKDAYS: Final = (
    *("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"),
)
_YEARS_MAX: Final = 9
"""29 February may stay away for eight years (1896-1904); what has not come in nine never comes."""


class ScheduleError(ValueError):
    """An expression that no timer can follow."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


_FIELDS: Final = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 6, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed expression.

    Attributes:
        text: As it was written.
        fields: For second, minute, hour, day, month, weekday: the values at which it fires, sorted.
    """

    text: str
    fields: tuple[tuple[int, ...], ...]

    def after(self, instant: datetime) -> datetime:
        """The first occurrence later than an instant.

        Raises:
            ValueError: The instant is naive.
            ScheduleError: It never fires (the 31st of February).
        """
        if instant.tzinfo is None:
            raise ValueError(f"{instant} has no offset from UTC")
        floor = instant.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        day = floor.date()
        if self._has(day) and (found := self._first_at(floor.time())):
            return datetime.combine(day, found, UTC)
        while (day := day + timedelta(days=1)).year <= floor.year + _YEARS_MAX:
            if self._has(day) and (found := self._first_at(time.min)):
                return datetime.combine(day, found, UTC)
        raise ScheduleError(f"{self.text!r} never fires")

    def shortest_gap(self, instant: datetime, occurrences: int = 5) -> timedelta:
        """The shortest time between neighbours among the next occurrences: `0,10 0 * * * *` is 10 s."""
        gaps = []
        earlier = self.after(instant)
        for _ in range(occurrences):
            later = self.after(earlier)
            gaps.append(later - earlier)
            earlier = later
        return min(gaps)

    def _has(self, day: date) -> bool:
        _, _, _, days, months, weekdays = self.fields
        return day.day in days and day.month in months and day.isoweekday() % 7 in weekdays

    def _first_at(self, floor: time) -> time | None:
        """The first time of day that fits and is not before `floor`; None: not on that day."""
        seconds, minutes, hours, *_ = self.fields
        for hour in (h for h in hours if h >= floor.hour):
            for minute in (m for m in minutes if (hour, m) >= (floor.hour, floor.minute)):
                for second in seconds:
                    if (found := time(hour, minute, second)) >= floor:
                        return found
        return None


def parse_schedule(text: str) -> Schedule:
    """Reads an expression.

    Raises:
        ScheduleError: Names the field that is wrong.
    """
    words = text.split()
    if len(words) == 5:
        words = ["0", *words]
    if len(words) != len(_FIELDS):
        raise ScheduleError(
            f"{text!r} has {len(words)} fields; six are expected, such as '0 */5 * * * *'"
        )
    return Schedule(text, tuple(_values(w, f) for w, f in zip(words, _FIELDS, strict=True)))


def _values(word: str, field: _Field) -> tuple[int, ...]:
    """The values that a list of parts names, each `*`, `a`, `a-b`, and any of them with `/step`."""
    found: set[int] = set()
    for part in word.split(","):
        span, slash, step_text = part.partition("/")
        try:
            step = _whole(step_text) if slash else 1
            # NCRONTAB turns a reversed range round: FRI-MON is Monday to Friday, not a long weekend.
            first, last = sorted(_span(span, field, open_ended=bool(slash)))
        except ValueError:
            raise ScheduleError(f"{field.name} {part!r} is no value, range or step") from None
        if not field.low <= first <= last <= field.high:
            raise ScheduleError(f"{field.name} {part!r} is not within {field.low}-{field.high}")
        found.update(range(first, last + 1, max(step, 1)))  # it takes a step of 0 for 1
    return tuple(sorted(found))


def _span(text: str, field: _Field, *, open_ended: bool) -> tuple[int, int]:
    """First and last value. `5/10` runs on from 5, `5` is 5 alone."""
    if text == "*":
        return field.low, field.high
    begin, dash, end = text.partition("-")
    first = _number(begin, field)
    if dash:
        return first, _number(end, field)
    return first, field.high if open_ended else first


def _number(text: str, field: _Field) -> int:
    """A number; or a month or day by its name or any beginning of it, as NCRONTAB matches them."""
    if not text or text[0].isdigit():
        return _whole(text)
    for number, word in enumerate(field.words, field.low):
        if word.startswith(text.lower()):
            return number
    raise ValueError(text)


def _whole(text: str) -> int:
    """Digits alone: `int` would take signs, blanks and underscores."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)
