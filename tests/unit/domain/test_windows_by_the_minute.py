"""Windows against an oracle that looks at the wall clock minute by minute, around every clock change.

The oracle knows one thing, the latest time that the clock has shown so far. A time of day has been reached
once the clock has shown it or a later one: that is its first pass where it occurs twice, and the end of the
gap where it never occurs.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest

from shared.domain.hours import parse_hours

YEARS = range(2010, 2020)
ZONES = [
    "Europe/Amsterdam",
    "America/New_York",
    "Australia/Lord_Howe",  # by half an hour
    "America/Sao_Paulo",  # at midnight
    "America/Havana",  # midnight itself occurs twice
    "Asia/Tehran",
    "Pacific/Apia",  # slept through 2011-12-30
]
ORIGIN = datetime(2000, 1, 1)  # noqa: DTZ001 - a reading of a wall clock
MINUTE, DAY = timedelta(minutes=1), 1440
# Asked about, and known before, on each side of a change: a window lasts 7 days at most.
AROUND, MEMORY = timedelta(days=1.5), timedelta(days=9)


@dataclass(frozen=True)
class Rule:
    """What one part of a text says, in minutes from the day's midnight; written by hand."""

    weekdays: str
    start: int
    end: int = 0
    length: int = 0
    nth: int = 0

    def begins_on(self, day: date) -> bool:
        if str(day.weekday()) not in self.weekdays:
            return False
        days = range(1, monthrange(day.year, day.month)[1] + 1)
        same = [n for n in days if day.replace(day=n).weekday() == day.weekday()]
        return not self.nth or day.day in same[self.nth - 1 if self.nth > 0 else self.nth :][:1]


EVERY_DAY = "0123456"
TEXTS = {
    "Mon-Fri 22:00-04:00; Sat,Sun 00:00-24:00": [
        Rule("01234", 22 * 60, end=28 * 60),
        Rule("56", 0, end=24 * 60),
    ],
    "01:45-02:15; 00:10-00:50; 23:20-23:40": [
        Rule(EVERY_DAY, 105, end=135),
        Rule(EVERY_DAY, 10, end=50),
        Rule(EVERY_DAY, 23 * 60 + 20, end=23 * 60 + 40),
    ],
    "02:30+45m; 00:00+20m; 23:00+30m": [
        Rule(EVERY_DAY, 150, length=45),
        Rule(EVERY_DAY, 0, length=20),
        Rule(EVERY_DAY, 23 * 60, length=30),
    ],
    "Sun#-1 00:30-02:40; Sun#2 01:30+2h; Sat 23:30-00:30": [
        Rule("6", 30, end=160, nth=-1),
        Rule("6", 90, length=120, nth=2),
        Rule("5", 23 * 60 + 30, end=24 * 60 + 30),
    ],
    "Fri-Mon 20:00+30h; Wed 12:00-11:00": [
        Rule("4560", 20 * 60, length=30 * 60),
        Rule("2", 12 * 60, end=35 * 60),
    ],
    "Fri#5 12:00+1d; Sat#1 02:10+P7D; Thu#-2 21:00-00:00": [
        Rule("4", 12 * 60, length=24 * 60, nth=5),
        Rule("5", 130, length=7 * 24 * 60, nth=1),
        Rule("3", 21 * 60, end=24 * 60, nth=-2),
    ],
}


def clock_changes(zone):
    """The first minute after each change of the zone's offset."""
    hour, at = timedelta(hours=1), datetime(YEARS[0], 1, 1, tzinfo=UTC)
    while at.year in YEARS:
        if offset(at, zone) != offset(at + hour, zone):
            yield next(
                minute
                for minute in (at + n * MINUTE for n in range(1, 61))
                if offset(minute, zone) != offset(at, zone)
            )
        at += hour


def offset(at, zone):
    return at.astimezone(zone).utcoffset()


def open_minutes(rules, latest, first):
    """The minutes, from `first` on, at which an occurrence of some rule has begun and not ended.

    Args:
        rules: Any of them may be open.
        latest: Minute by minute, the latest time that the clock has shown, in minutes since ORIGIN.
        first: The index of the first minute that is asked about.
    """
    days = range(latest[0] // DAY, latest[-1] // DAY + 1)
    begins = [
        (rule, day * DAY + rule.start)
        for rule in rules
        for day in days
        if rule.begins_on(ORIGIN.date() + timedelta(days=day))
    ]
    to_a_time = [(start, start - rule.start + rule.end) for rule, start in begins if rule.end]
    for_a_time = [(start, rule.length) for rule, start in begins if rule.length]
    return [
        minute
        for minute in range(first, len(latest))
        if any(start <= latest[minute] < end for start, end in to_a_time)
        or any(latest[minute - length] < start <= latest[minute] for start, length in for_a_time)
    ]


def in_a_row(minutes):
    runs: list[list[int]] = []
    for minute in minutes:
        if runs and runs[-1][1] == minute:
            runs[-1][1] = minute + 1
        else:
            runs.append([minute, minute + 1])
    return runs


@pytest.mark.parametrize("name", ZONES)
def test_a_minute_is_inside_exactly_when_the_wall_clock_says_so(name):
    zone = ZoneInfo(name)
    changes = list(clock_changes(zone))
    assert len(changes) >= 15
    policies = {
        text: (rules, parse_hours(windows=text, time_zone=name, freezes=""))
        for text, rules in TEXTS.items()
    }
    first = (MEMORY - AROUND) // MINUTE
    for change in changes:
        origin = change - MEMORY
        minutes = [origin + n * MINUTE for n in range((MEMORY + AROUND) // MINUTE)]
        walls = [minute.astimezone(zone).replace(tzinfo=None) for minute in minutes]
        latest = list(accumulate(((wall - ORIGIN) // MINUTE for wall in walls), max))
        for text, (rules, hours) in policies.items():
            expected = tuple(
                (origin + start * MINUTE, origin + end * MINUTE)
                for start, end in in_a_row(open_minutes(rules, latest, first))
            )

            assert hours.intervals(minutes[first], minutes[-1] + MINUTE) == expected, (text, change)
