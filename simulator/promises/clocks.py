"""Wall clocks, the slow and obvious way: the instant of a time is looked for minute by minute.

Where the app computes, this walks, wherever a clock is put back or forward that day: a mistake about that
would otherwise be made twice. Wall-clock times are naive, instants are UTC.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_SECOND, _MINUTE, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
_FARTHEST = timedelta(hours=16)
"""No place's clock is farther from UTC."""

_WINDOWS_ZONES = {
    "utc": "Etc/UTC",
    "gmt standard time": "Europe/London",
    "w. europe standard time": "Europe/Berlin",
    "romance standard time": "Europe/Paris",
    "eastern standard time": "America/New_York",
    "pacific standard time": "America/Los_Angeles",
    "india standard time": "Asia/Kolkata",
    "tokyo standard time": "Asia/Tokyo",
}
"""Of the public table of Windows names, those that scenarios may use."""


def zone_named(name: str) -> ZoneInfo:
    """The time zone of an IANA name, or of a Windows one that is known here.

    Raises:
        ValueError: there is no such zone.
    """
    try:
        return ZoneInfo(_WINDOWS_ZONES.get(name.lower(), name))
    except (KeyError, OSError) as error:
        raise ValueError(f"no time zone {name}") from error


@lru_cache(maxsize=100_000)
def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the clock there first shows that time, or, where it skips it, the first instant after."""
    moment = wall.replace(tzinfo=UTC) - _FARTHEST
    if _runs_evenly(wall, zone):
        return moment + (wall - shown(moment, zone))
    while shown(moment, zone) < wall:
        moment += _MINUTE
    while shown(moment - _SECOND, zone) > wall:
        moment -= _SECOND  # over the hole, by less than the minute
    return moment


def last_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the clock there last shows that time; as `first_instant` where it skips it."""
    moment = wall.replace(tzinfo=UTC) + _FARTHEST
    while shown(moment, zone) > wall:
        moment -= _MINUTE
    return moment if shown(moment, zone) == wall else first_instant(wall, zone)


def whole_day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the first instant at which the clock shows that day to the one after its last."""
    midnight = wall_time(day + _DAY, 0)
    if _runs_evenly(midnight, zone):
        end = first_instant(midnight, zone)
    else:
        end = midnight.replace(tzinfo=UTC) + _FARTHEST
        while shown(end - _MINUTE, zone).date() > day:
            end -= _MINUTE
    return first_instant(wall_time(day, 0), zone), end


def _runs_evenly(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether nobody puts the clock there back or forward around that time."""
    first, last = wall.replace(tzinfo=UTC) - _FARTHEST, wall.replace(tzinfo=UTC) + _FARTHEST
    return shown(last, zone) - shown(first, zone) == last - first


def wall_time(day: date, minutes: int) -> datetime:
    """So many minutes after the midnight that begins the day; 1440 is the next one."""
    return datetime.combine(day, time()) + minutes * _MINUTE


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clock there shows."""
    return moment.astimezone(zone).replace(tzinfo=None)
