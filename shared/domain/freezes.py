"""`freezes`: when no VM of a policy may be away.

    2026-12-24; 2026-12-31T18:00/2027-01-02T08:00; 2027-04-03T22:00/PT12H

A date is that whole local day, also as an end; a date-time ends exclusively.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.durations import parse_duration
from shared.domain.errors import InvalidInput, Problem
from shared.domain.parts import read_parts
from shared.domain.timezones import first_pass, last_pass

EXPECTED = (
    "dates or intervals such as 2026-12-24, 2026-12-24/2027-01-02, "
    "2026-12-31T18:00/2027-01-02T08:00 or 2026-12-24T18:00/PT12H"
)

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII | re.IGNORECASE
)
_DURATION = re.compile(r"P.*|\d+[WDHMS].*", re.ASCII | re.IGNORECASE)
_YEARS = range(1970, 3000)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Freeze:
    """One part of `freezes`.

    Attributes:
        text: As it was written.
        start: In UTC.
        end: In UTC, exclusive.
    """

    text: str
    start: datetime
    end: datetime


def parse_freezes(text: str, zone: ZoneInfo, *, field: str) -> tuple[Freeze, ...]:
    """Reads `freezes`; sorted by start.

    Args:
        text: The whole cell.
        zone: The zone of what is written without an offset.
        field: What to name in an error.

    Raises:
        InvalidInput: With every part that is wrong, and how to write it.
    """
    found = read_parts(
        text, lambda part: _freeze(part, zone, field), field=field, expected=EXPECTED
    )
    # A day that clocks skip is no time at all.
    felt = (freeze for freeze in found if freeze.start < freeze.end)
    return tuple(sorted(felt, key=lambda freeze: (freeze.start, freeze.end)))


def _freeze(part: str, zone: ZoneInfo, field: str) -> Freeze:
    def wrong(expected: str) -> InvalidInput:
        return InvalidInput(field, (Problem(field, part, expected),))

    head, slash, tail = (piece.strip() for piece in part.partition("/"))
    try:
        begins = _moment(head)
        if not slash and isinstance(begins, datetime):
            raise wrong(f"an end beside a date-time, such as {head}/PT12H; a date alone is its day")
        start = _instant(_midnight(begins), zone, first_pass)
        if _DURATION.fullmatch(tail):
            length = parse_duration(tail, field=field)
            # After a date it is counted on the wall clock, so that P2D is two whole days.
            ends = start + length if isinstance(begins, datetime) else _midnight(begins) + length
        else:
            last = _moment(tail) if slash else begins
            ends = last if isinstance(last, datetime) else _midnight(last) + _DAY
    except ValueError as error:
        raise wrong(EXPECTED) from error
    if slash and _instant(ends, zone, first_pass) <= start:
        raise wrong("an end after the start")
    return Freeze(part, start, _instant(ends, zone, last_pass))


def _moment(text: str) -> date:
    """A date, or a date-time with or without an offset.

    Raises:
        ValueError: It is neither, or not in the calendar.
    """
    if _DATE.fullmatch(text):
        moment = date.fromisoformat(text)
    elif _DATE_TIME.fullmatch(text):
        moment = datetime.fromisoformat(text.upper())
    else:
        raise ValueError(text)
    if moment.year not in _YEARS:
        raise ValueError(text)
    return moment


def _midnight(moment: date) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time())


def _instant(
    moment: datetime, zone: ZoneInfo, on_the_wall: Callable[[datetime, ZoneInfo], datetime]
) -> datetime:
    """A written offset wins over the zone."""
    return moment.astimezone(UTC) if moment.tzinfo else on_the_wall(moment, zone)
