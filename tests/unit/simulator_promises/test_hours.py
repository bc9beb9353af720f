"""The checker's own reading of windows and freezes, against what a calendar shows."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from simulator.promises.clocks import first_instant, last_instant, whole_day, zone_named
from simulator.promises.hours import Span, opened, read_freezes, read_windows

AMSTERDAM, APIA = ZoneInfo("Europe/Amsterdam"), ZoneInfo("Pacific/Apia")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(start: str, end: str) -> Span:
    return Span(utc(start), utc(end))


def spans(windows: str, start: str, end: str, zone: ZoneInfo = AMSTERDAM) -> list[Span]:
    """What is open and touches start to end."""
    first, last = utc(start), utc(end)
    return [
        each for each in opened(read_windows(windows), zone, first, last) if each.meets(first, last)
    ]


@pytest.mark.parametrize(
    ("wall", "first", "last"),
    [
        ("2026-07-01T12:00", "2026-07-01T10:00", "2026-07-01T10:00"),
        # Put back from three to two on 25 October, forward from two to three on 29 March.
        ("2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T01:30"),
        ("2026-10-25T03:00", "2026-10-25T02:00", "2026-10-25T02:00"),
        ("2026-03-29T02:00", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("2026-03-29T02:30:30", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("2026-03-29T03:00", "2026-03-29T01:00", "2026-03-29T01:00"),
    ],
)
def test_a_time_of_the_clock_is_its_first_pass_its_last_or_the_end_of_the_hole(wall, first, last):
    at = datetime.fromisoformat(wall)

    assert first_instant(at, AMSTERDAM) == utc(first)
    assert last_instant(at, AMSTERDAM) == utc(last)


def test_a_day_that_a_place_skipped_ends_where_it_begins():
    # Samoa went over the date line after 29 December 2011.
    start, end = whole_day(date(2011, 12, 30), APIA)

    assert start == end == utc("2011-12-30T10:00")


@pytest.mark.parametrize(
    ("windows", "start", "end", "expected"),
    [
        (
            "Mon-Fri 22:00-04:00",
            "2026-07-03T00:00",
            "2026-07-06T21:00",
            [
                span("2026-07-02T20:00", "2026-07-03T02:00"),
                span("2026-07-03T20:00", "2026-07-04T02:00"),
                span("2026-07-06T20:00", "2026-07-07T02:00"),
            ],
        ),
        (
            "SAT,sun 00:00-24:00",
            "2026-07-04T12:00",
            "2026-07-04T13:00",
            [span("2026-07-03T22:00", "2026-07-05T22:00")],
        ),
        (
            "Tue#2 23:00+5h",
            "2026-07-01T00:00",
            "2026-07-31T00:00",
            [span("2026-07-14T21:00", "2026-07-15T02:00")],
        ),
        (
            "Fri#5 01:00-02:00; Fri#-1 03:00-04:00",
            "2026-07-01T00:00",
            "2026-08-31T00:00",
            [
                span("2026-07-30T23:00", "2026-07-31T00:00"),
                span("2026-07-31T01:00", "2026-07-31T02:00"),
                span("2026-08-28T01:00", "2026-08-28T02:00"),
            ],
        ),
        (
            "22:00-00:00",
            "2026-07-01T21:00",
            "2026-07-01T22:00",
            [span("2026-07-01T20:00", "2026-07-01T22:00")],
        ),
        (
            "14:03+20s",
            "2026-07-01T00:00",
            "2026-07-01T23:00",
            [Span(utc("2026-07-01T12:03"), utc("2026-07-01T12:03:20"))],
        ),
        # Five elapsed hours, and four on the wall that take five, in the night the clock is put back.
        (
            "Sat 23:00+5h",
            "2026-10-24T12:00",
            "2026-10-25T12:00",
            [span("2026-10-24T21:00", "2026-10-25T02:00")],
        ),
        (
            "Sat 23:00-03:00",
            "2026-10-24T12:00",
            "2026-10-25T12:00",
            [span("2026-10-24T21:00", "2026-10-25T02:00")],
        ),
        # In the night it is put forward, a window inside the hole does not occur.
        ("02:10-02:50", "2026-03-29T00:00", "2026-03-29T12:00", []),
        (
            "02:30-03:30",
            "2026-03-29T00:00",
            "2026-03-29T12:00",
            [span("2026-03-29T01:00", "2026-03-29T01:30")],
        ),
        (
            "Fri-Mon 20:00-21:00; 21:00-22:00",
            "2026-07-06T18:00",
            "2026-07-07T20:00",
            [
                span("2026-07-06T18:00", "2026-07-06T20:00"),
                span("2026-07-07T19:00", "2026-07-07T20:00"),
            ],
        ),
    ],
)
def test_windows_are_intervals_of_the_calendar(windows, start, end, expected):
    assert spans(windows, start, end) == expected


@pytest.mark.parametrize(
    "windows",
    [
        "22:00",
        "25:00-26:00",
        "22:60-23:00",
        "24:00-02:00",
        "22:00-22:00",
        "22:00+0s",
        "22:00+8d",
        "Monday 22:00-23:00",
        "Tue#6 22:00-23:00",
        "Tue#0 22:00-23:00",
        "Mon-Fri#1 22:00-23:00",
        "Mon - 22:00-23:00",
        "9:00-10:00",
        "; ;",
    ],
)
def test_what_is_no_window_is_refused(windows):
    with pytest.raises(ValueError, match=r".+"):
        read_windows(windows)


@pytest.mark.parametrize(
    ("freezes", "expected"),
    [
        ("2026-12-24", [span("2026-12-23T23:00", "2026-12-24T23:00")]),
        ("2026-12-24/2026-12-26", [span("2026-12-23T23:00", "2026-12-26T23:00")]),
        ("2026-12-31T18:00/2027-01-02T08:00", [span("2026-12-31T17:00", "2027-01-02T07:00")]),
        ("2026-12-31T18:00/2027-01-02", [span("2026-12-31T17:00", "2027-01-02T23:00")]),
        ("2026-12-31T18:00Z/PT8H", [span("2026-12-31T18:00", "2027-01-01T02:00")]),
        ("2026-12-31T18:00-05:00/1h30m", [span("2026-12-31T23:00", "2027-01-01T00:30")]),
        # The day the clock is put back has 25 hours; a freeze lasts through both passes.
        ("2026-10-25", [span("2026-10-24T22:00", "2026-10-25T23:00")]),
        ("2026-10-25T02:00/2026-10-25T02:30", [span("2026-10-25T00:00", "2026-10-25T01:30")]),
        (
            "2026-05-01; 2026-06-01",
            [
                span("2026-04-30T22:00", "2026-05-01T22:00"),
                span("2026-05-31T22:00", "2026-06-01T22:00"),
            ],
        ),
    ],
)
def test_freezes_are_days_and_intervals_of_the_calendar(freezes, expected):
    assert list(read_freezes(freezes, AMSTERDAM)) == expected


@pytest.mark.parametrize(
    "freezes",
    [
        "Christmas",
        "2026-12-24T10:00",
        "2026-12-24T10:00/",
        "2026-02-30",
        "2026-12-24/2026-12-23",
        "2026-12-24T10:00/2026-12-24T10:00",
        "2026-12-24T10:00/PT0S",
        ";",
    ],
)
def test_what_is_no_freeze_is_refused(freezes):
    with pytest.raises(ValueError, match=r".+"):
        read_freezes(freezes, AMSTERDAM)


def test_a_span_holds_its_start_and_not_its_end():
    hour, minute = span("2026-07-01T12:00", "2026-07-01T13:00"), timedelta(minutes=1)

    assert hour.holds(hour.start, hour.end)
    assert not hour.holds(hour.start - minute, hour.end)
    assert not hour.holds(hour.end, hour.end)
    assert not hour.meets(hour.end, hour.end + minute)
    assert not hour.meets(hour.start - minute, hour.start)
    assert hour.meets(hour.start - minute, hour.start + minute)


def test_zones_have_the_names_of_the_iana_and_of_windows():
    assert zone_named("W. Europe Standard Time") == ZoneInfo("Europe/Berlin")
    with pytest.raises(ValueError, match="Middle-earth"):
        zone_named("Middle-earth/Shire")
