from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidInput
from shared.domain.hours import parse_hours
from shared.domain.timezones import zone_of
from shared.domain.windows import longest, occurrences, parse_windows


def read(text):
    return parse_windows(text, field="windows")


def problem(text):
    with pytest.raises(InvalidInput) as caught:
        read(text)
    (found,) = caught.value.problems
    return found


def opened(text, zone, since, until):
    """The open intervals as that zone's clocks show them, between two UTC dates."""
    hours = parse_hours(windows=text, time_zone=zone, freezes="")
    day = [datetime.fromisoformat(date).replace(tzinfo=UTC) for date in (since, until)]
    return [tuple(str(moment) for moment in interval) for interval in hours.intervals(*day)]


@pytest.mark.parametrize(
    "text",
    [
        "Mon-Fri 22:00-04:00",
        "mon-FRI 22:00-04:00",
        " Mon - Fri  22:00 - 04:00 ;",
        "Sat,Sun 00:00-24:00",
        "Sat, Sun 00:00-24:00",
        "Mon,Wed-Fri,Sun 01:00-02:00",
        "Fri-Mon 22:00-04:00",
        "22:00-04:00",
        "22:00-00:00",
        "22:00-24:00",
        "00:00-24:00",
        "23:59-23:58",
        "Tue#2 23:00+5h",
        "Tue#5 23:00+PT5H",
        "Tue#-1 23:00+1h30m",
        "Tue#-5 23:00+5h",
        "Sat#2,Sun#2 01:00-05:00",
        "Mon 00:00+7d",
        "Mon 00:00+1s",
        ";".join(["01:00-02:00"] * 100),
    ],
)
def test_reads(text):
    assert read(text)


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("Mon-Fri", "days, a start, and an end or a length"),
        ("22:00", "days, a start, and an end or a length"),
        ("22:00-", "days, a start, and an end or a length"),
        ("22:00/04:00", "days, a start, and an end or a length"),
        ("22:00-04:00 Mon", "days, a start, and an end or a length"),
        ("always", "days, a start, and an end or a length"),
        ("Fry 22:00-04:00", "'Fry' is none"),
        ("Monday 22:00-04:00", "'Monday' is none"),
        ("Mon-Fri-Sat 22:00-04:00", "'Fri-Sat' is none"),
        ("Mon Tue 22:00-04:00", "'Mon Tue' is none"),
        ("Mon, 22:00-04:00", "'' is none"),
        ("- 22:00-04:00", "'' is none"),
        ("9:00-17:00", "'9:00' is none"),
        ("22:00-4", "'4' is none"),
        ("22:00-04:60", "'04:60' is none"),
        ("25:00-04:00", "'25:00' is none"),
        ("22:00-24:01", "'24:01' is none"),
        ("22.00-04.00", "'22.00' is none"),
        ("22:00-0٣:00", "'0٣:00' is none"),
        ("24:00-04:00", "24:00 only as an end"),
        ("24:00+5h", "24:00 only as an end"),
        ("22:00-22:00", "an end that is not the start"),
        ("00:00-00:00", "a whole day is 00:00-24:00"),
        ("23:00+0s", "a length above zero and of at most 7 days"),
        ("23:00+169h", "a length above zero and of at most 7 days"),
        ("23:00+-5h", "a duration such as"),
        ("23:00+5", "a duration such as"),
        ("Tue#0 23:00+5h", "#1 to #5, or #-1 to #-5"),
        ("Tue#6 23:00+5h", "#1 to #5, or #-1 to #-5"),
        ("Tue#-6 23:00+5h", "#1 to #5, or #-1 to #-5"),
        ("Tue# 23:00+5h", "#1 to #5, or #-1 to #-5"),
        ("Tue#x 23:00+5h", "#1 to #5, or #-1 to #-5"),
        ("Tue#2#3 23:00+5h", "#1 to #5, or #-1 to #-5"),
        ("#2 23:00+5h", "'' is none"),
        ("Mon-Fri#2 23:00+5h", "not on a range"),
        ("Sat,Sun#2 23:00+5h", "at each day of a list or at none"),
        (";", "1 to 100 parts"),
        (";".join(["01:00-02:00"] * 101), "1 to 100 parts"),
    ],
)
def test_refuses_and_says_how_to_write_it(text, fix):
    found = problem(text)

    assert found.field == "windows"
    assert fix in found.expected


def test_names_every_wrong_part_and_only_those():
    with pytest.raises(InvalidInput) as caught:
        read("Mon 22:00-04:00; Fry 22:00-04:00; Tue 24:00-04:00")

    assert [found.value for found in caught.value.problems] == [
        "Fry 22:00-04:00",
        "Tue 24:00-04:00",
    ]


@given(st.text(alphabet="MonTueFri,-#0123456789:+hd; ", max_size=40) | st.text(max_size=40))
def test_never_fails_in_another_way(text):
    try:
        read(text)
    except InvalidInput:
        pass


def test_the_day_belongs_to_the_start():
    assert opened("Fri 22:00-04:00", "UTC", "2026-03-01", "2026-03-15") == [
        ("2026-03-06 22:00:00+00:00", "2026-03-07 04:00:00+00:00"),
        ("2026-03-13 22:00:00+00:00", "2026-03-14 04:00:00+00:00"),
    ]


def test_occurrences_that_touch_overlap_or_hold_one_another_are_one():
    text = "Fri 22:00-24:00; Sat 00:00-02:00; Sat 01:00+2h; Sat 02:10-02:20; Mon 03:00-03:01"

    assert opened(text, "UTC", "2026-03-06", "2026-03-12") == [
        ("2026-03-06 22:00:00+00:00", "2026-03-07 03:00:00+00:00"),
        ("2026-03-09 03:00:00+00:00", "2026-03-09 03:01:00+00:00"),
    ]


def test_a_whole_day_every_day_never_closes():
    assert len(opened("00:00-24:00", "Europe/Amsterdam", "2026-01-01", "2027-01-01")) == 1


@pytest.mark.parametrize(
    ("zone", "interval"),
    [
        ("Pacific/Kiritimati", ("2026-03-01T10:00", "2026-03-01T11:00")),
        ("Etc/GMT+12", ("2026-03-01T12:00", "2026-03-01T13:00")),
    ],
)
def test_the_zones_furthest_from_utc_open_on_their_own_days(zone, interval):
    start, end = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in interval)

    assert list(occurrences(read("00:00+1h"), zone_of(zone), start, end)) == [(start, end)]


@pytest.mark.parametrize(
    ("days", "dates"),
    [
        ("Tue#2", ["2026-09-08", "2026-10-13"]),
        ("Tue#-1", ["2026-09-29", "2026-10-27"]),
        ("Wed#5", ["2026-09-30"]),
        ("Wed#-5", ["2026-09-02"]),
        ("Sat#1,Sun#1", ["2026-09-05", "2026-09-06", "2026-10-03", "2026-10-04"]),
    ],
)
def test_the_nth_day_of_a_month(days, dates):
    found = opened(f"{days} 12:00-13:00", "UTC", "2026-09-01", "2026-11-01")

    assert [start[:10] for start, _ in found] == dates


def test_a_range_of_days_may_run_past_sunday():
    found = opened("Sun-Mon 12:00-13:00", "UTC", "2026-03-01", "2026-03-10")

    assert [start[:10] for start, _ in found] == [
        "2026-03-01",
        "2026-03-02",
        "2026-03-08",
        "2026-03-09",
    ]


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        # Clocks go from 02:00 to 03:00 on 2026-03-29: 02:30 does not exist.
        ("Sun 02:30-04:00", ("2026-03-29 01:00:00+00:00", "2026-03-29 02:00:00+00:00")),
        ("Sat 23:00-02:30", ("2026-03-28 22:00:00+00:00", "2026-03-29 01:00:00+00:00")),
        ("Sat 23:00+5h", ("2026-03-28 22:00:00+00:00", "2026-03-29 03:00:00+00:00")),
        ("Sat 23:00-04:00", ("2026-03-28 22:00:00+00:00", "2026-03-29 02:00:00+00:00")),
    ],
)
def test_when_clocks_go_forward_a_skipped_time_is_the_end_of_the_gap(text, interval):
    assert opened(text, "Europe/Amsterdam", "2026-03-27", "2026-04-02") == [interval]


def test_a_window_that_clocks_skip_does_not_open():
    assert opened("Sun 02:10-02:50", "Europe/Amsterdam", "2026-03-27", "2026-04-02") == []


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        # Clocks go from 03:00 back to 02:00 on 2026-10-25: 02:30 occurs twice.
        ("Sun 02:30-04:00", ("2026-10-25 00:30:00+00:00", "2026-10-25 03:00:00+00:00")),
        ("Sat 23:00-02:30", ("2026-10-24 21:00:00+00:00", "2026-10-25 00:30:00+00:00")),
        ("Sat 23:00+5h", ("2026-10-24 21:00:00+00:00", "2026-10-25 02:00:00+00:00")),
        ("Sat 23:00-04:00", ("2026-10-24 21:00:00+00:00", "2026-10-25 03:00:00+00:00")),
    ],
)
def test_when_clocks_go_back_a_doubled_time_is_its_first_pass(text, interval):
    assert opened(text, "Europe/Amsterdam", "2026-10-22", "2026-10-28") == [interval]


@pytest.mark.parametrize(
    ("text", "length", "where"),
    [
        ("Mon-Fri 22:00-04:00", timedelta(hours=6), "Mon 22:00 to Tue 04:00"),
        ("Fri 22:00-24:00; Sat 00:00-04:00", timedelta(hours=6), "Fri 22:00 to Sat 04:00"),
        ("Sun 12:00+1h; Tue#2 23:00+5h", timedelta(hours=5), "Tue 23:00 to Wed 04:00"),
        ("Sat 10:00+7d", timedelta.max, "Mon 00:00 to Mon 00:00"),
        # Only in some months is the fifth Sunday the eve of the next one's first Monday.
        ("Sun#5 22:00-24:00; Mon#1 00:00-01:00", timedelta(hours=3), "Sun 22:00 to Mon 01:00"),
    ],
)
def test_the_longest_time_without_a_break(text, length, where):
    assert longest(read(text)) == (length, where)
