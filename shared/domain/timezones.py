"""Time zones by name, and the instants that a wall clock means.

Zones come from the pinned tzdata package and not from the machine, so that a laptop and Azure plan alike.
Windows names are those of Unicode's CLDR, as tzlocal keeps them.
"""

import difflib
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from shared.domain.errors import InvalidInput, Problem

_EXPECTED = (
    "an IANA name such as Europe/Amsterdam or a Windows name such as W. Europe Standard Time"
)
# Both know UTC: the plain name is shown.
_WINDOWS = win_tz | {"UTC": "UTC"}
_SECOND = timedelta(seconds=1)
_ZERO = timedelta(0)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH = _EPOCH_UTC.replace(tzinfo=None)


def read_zone_name(text: str, *, field: str) -> str:
    """The IANA name of a zone.

    Args:
        text: An IANA or Windows name; case does not matter.
        field: What to name in an error.

    Raises:
        InvalidInput: There is no such zone; names those that are spelled alike.
    """
    wanted = " ".join(text.lower().split())
    if name := _names().get(wanted):
        return _WINDOWS.get(name, name)
    known = _cities() | _names()
    near = dict.fromkeys(known[key] for key in difflib.get_close_matches(wanted, known))
    hint = f" (did you mean {' or '.join(near)}?)" if near else ""
    raise InvalidInput(field, (Problem(field, text, _EXPECTED + hint),))


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name."""
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def first_pass(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the zone's clocks show a time.

    Args:
        wall: Naive. Where clocks skip it, the first instant after the gap counts.
        zone: Whose clocks.
    """
    before, after = _offsets(wall, zone)
    return _at(wall, before) if before >= after else _gap_end(wall, zone)


def last_pass(wall: datetime, zone: ZoneInfo) -> datetime:
    """As `first_pass`, but the last instant at which clocks show a time that occurs twice."""
    before, after = _offsets(wall, zone)
    return _at(wall, after) if before >= after else _gap_end(wall, zone)


def _offsets(wall: datetime, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """The offsets before and after the clock change that a wall time falls into; equal where in none.

    Clocks that go back, to a smaller offset, show the time twice; clocks that go forward skip it (PEP 495).
    """
    before, after = zone.utcoffset(wall), zone.utcoffset(wall.replace(fold=1))
    return before or _ZERO, after or _ZERO


def _at(wall: datetime, offset: timedelta) -> datetime:
    # Eight times as fast as replace(tzinfo=UTC), in what the expansion of windows spends its time on.
    return _EPOCH_UTC + (wall - _EPOCH - offset)


def _gap_end(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of the clock change that skips the wall time, by halving; changes come at whole seconds."""
    late, early = (_at(wall.replace(microsecond=0), offset) for offset in _offsets(wall, zone))
    while late - early > _SECOND:
        middle = early + (late - early) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).replace(tzinfo=None) > wall:
            late = middle
        else:
            early = middle
    return late


@cache
def _names() -> dict[str, str]:
    """Every zone's name, lower-cased → as it is spelled."""
    zones = resources.files("tzdata").joinpath("zones").read_text("utf-8").split()
    # `Factory` is what a machine is set to before anybody chose its zone.
    return {name.lower(): name for name in (*zones, *_WINDOWS) if name != "Factory"}


@cache
def _cities() -> dict[str, str]:
    """The last part of every name, lower-cased → the name: for people who write only the city."""
    return {key.rpartition("/")[2].replace("_", " "): name for key, name in _names().items()}
