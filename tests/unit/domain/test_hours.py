from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidInput
from shared.domain.hours import Hours, parse_hours
from shared.domain.intervals import merged

AMSTERDAM = "Europe/Amsterdam"
ESTIMATE = timedelta(minutes=25)
DAY = timedelta(days=1)
TUESDAY = datetime(2026, 12, 1, tzinfo=UTC)
NIGHTS = "Mon-Fri 22:00-04:00"


def some_hours(windows="", freezes="", zone="UTC"):
    return parse_hours(windows=windows, time_zone=zone, freezes=freezes)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_hours_without_windows_are_always_open():
    assert Hours().intervals(TUESDAY, TUESDAY + 90 * DAY) == ((TUESDAY, TUESDAY + 90 * DAY),)
    assert some_hours() == Hours()
    assert some_hours(" ", "", "") == Hours()


def test_intervals_are_windows_minus_freezes_clipped_to_what_is_asked():
    hours = some_hours("12:00-18:00", "2026-12-02; 2026-12-03T13:00/PT1H")

    assert hours.intervals(at("2026-12-01T13:00"), at("2026-12-03T16:00")) == (
        (at("2026-12-01T13:00"), at("2026-12-01T18:00")),
        (at("2026-12-03T12:00"), at("2026-12-03T13:00")),
        (at("2026-12-03T14:00"), at("2026-12-03T16:00")),
    )


def test_freezes_that_overlap_freeze_together():
    hours = some_hours("", "2026-12-01T02:00/PT6H; 2026-12-01T03:00/PT1H; 2026-12-01T07:00/PT3H")

    assert hours.intervals(TUESDAY, TUESDAY + DAY) == (
        (TUESDAY, at("2026-12-01T02:00")),
        (at("2026-12-01T10:00"), TUESDAY + DAY),
    )


def test_nothing_is_open_in_no_time_or_in_time_turned_around():
    assert some_hours("12:00-18:00").intervals(TUESDAY, TUESDAY) == ()
    assert some_hours("12:00-18:00").intervals(TUESDAY + DAY, TUESDAY) == ()


def test_intervals_are_in_utc_whatever_the_question_was_asked_in():
    tokyo = timezone(timedelta(hours=9))
    ((start, end),) = Hours().intervals(TUESDAY.astimezone(tokyo), TUESDAY + DAY)

    assert start.tzinfo is UTC
    assert end.tzinfo is UTC


def test_a_time_that_occurs_twice_is_the_instant_that_its_offset_says():
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo(AMSTERDAM))
    hours = some_hours("02:00-02:45", "", AMSTERDAM)

    assert hours.contains(first, first)
    assert hours.next_start(first, timedelta(minutes=15), first + DAY) == at("2026-10-25T00:30")
    assert not hours.contains(first.replace(fold=1), first.replace(fold=1))
    assert hours.why_closed(first, timedelta(minutes=15)) == ""
    assert hours.why_closed(first.replace(fold=1), ESTIMATE)


def test_naive_times_are_refused():
    naive = TUESDAY.replace(tzinfo=None)

    with pytest.raises(TypeError):
        some_hours(NIGHTS).intervals(naive, naive + DAY)
    with pytest.raises(TypeError):
        Hours().next_start(naive, ESTIMATE, naive + DAY)


def test_all_of_the_time_away_must_lie_in_one_window_and_outside_every_freeze():
    hours = some_hours("12:00-18:00; 18:30-20:00", "2026-12-01T14:00/PT1H")

    assert hours.contains(at("2026-12-01T17:35"), at("2026-12-01T18:00"))
    assert not hours.contains(at("2026-12-01T17:36"), at("2026-12-01T18:01"))
    assert not hours.contains(at("2026-12-01T17:50"), at("2026-12-01T18:40"))
    assert hours.contains(at("2026-12-01T13:35"), at("2026-12-01T14:00"))
    assert not hours.contains(at("2026-12-01T13:36"), at("2026-12-01T14:01"))
    assert not hours.contains(at("2026-12-01T13:50"), at("2026-12-01T15:10"))


def test_an_instant_is_inside_from_the_start_to_just_before_the_end():
    hours = some_hours("12:00-18:00")

    assert hours.contains(at("2026-12-01T12:00"), at("2026-12-01T12:00"))
    assert not hours.contains(at("2026-12-01T18:00"), at("2026-12-01T18:00"))


def test_the_next_start_is_the_first_that_leaves_room_for_the_length():
    hours = some_hours("12:00-18:00", "2026-12-01T12:20/2026-12-02T17:50")

    assert hours.next_start(TUESDAY, timedelta(minutes=20), TUESDAY + 9 * DAY) == at(
        "2026-12-01T12:00"
    )
    assert hours.next_start(TUESDAY, ESTIMATE, TUESDAY + 9 * DAY) == at("2026-12-03T12:00")
    assert hours.next_start(at("2026-12-03T17:35"), ESTIMATE, TUESDAY + 9 * DAY) == at(
        "2026-12-03T17:35"
    )


def test_a_next_start_comes_before_the_limit_and_may_last_beyond_it():
    hours = some_hours("12:00-18:00")
    noon = at("2026-12-01T12:00")

    assert hours.next_start(TUESDAY, ESTIMATE, noon) is None
    assert hours.next_start(TUESDAY, ESTIMATE, noon + timedelta(seconds=1)) == noon
    assert hours.next_start(TUESDAY, timedelta(hours=7), TUESDAY + 9 * DAY) is None


def test_a_limit_at_the_end_of_the_calendar_costs_no_more_than_three_years():
    far = datetime.max.replace(tzinfo=UTC)
    long_ago = datetime.min.replace(tzinfo=UTC)
    frozen = some_hours(NIGHTS, "2026-01-01/2999-12-31")

    assert frozen.next_start(TUESDAY, ESTIMATE, far) is None
    assert Hours().intervals(TUESDAY, far) == ((TUESDAY, TUESDAY + 1098 * DAY),)
    assert Hours().next_start(far, ESTIMATE, far) is None
    assert Hours().next_start(long_ago, ESTIMATE, TUESDAY) == at("1970-01-01")
    assert "not known so far ahead" in frozen.why_closed(far, ESTIMATE)


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("2026-12-01T22:00", ""),
        ("2026-12-02T03:35", ""),
        (
            "2026-12-01T12:00",
            "its windows (Mon-Fri 22:00-04:00, Europe/Amsterdam) open next at 2026-12-01 22:00 CET",
        ),
        (
            "2026-12-02T03:36",
            "the window closes at 2026-12-02 04:00 CET, sooner than the estimate of 25m fits",
        ),
        (
            "2026-12-23T23:36",
            "the freeze 2026-12-24/2027-01-02 begins at 2026-12-24 00:00 CET, sooner than the estimate of 25m fits",
        ),
        ("2026-12-24T12:00", "the freeze 2026-12-24/2027-01-02 lasts until 2027-01-03 00:00 CET"),
        ("2026-12-29T12:00", "the freeze 2026-12-29/2027-01-05 lasts until 2027-01-06 00:00 CET"),
    ],
)
def test_says_what_is_in_the_way(start, why):
    hours = some_hours(NIGHTS, "2026-12-24/2027-01-02; 2026-12-29/2027-01-05", AMSTERDAM)

    assert hours.why_closed(datetime.fromisoformat(f"{start}+01:00"), ESTIMATE) == why


def test_can_be_asked_as_if_there_were_no_windows_or_no_freezes():
    hours = some_hours(NIGHTS, "2026-12-24", AMSTERDAM)

    assert (hours.text, hours.zone_name) == (NIGHTS, AMSTERDAM)
    assert hours.has_windows
    assert hours.has_freezes
    assert hours.without_freezes() == some_hours(NIGHTS, "", AMSTERDAM)
    assert hours.without_windows() == some_hours("", "2026-12-24", AMSTERDAM)
    assert not hours.without_freezes().has_freezes
    assert not hours.without_windows().has_windows


def test_the_problems_of_all_three_columns_come_together():
    with pytest.raises(InvalidInput) as caught:
        some_hours("Fry 22:00-04:00", "christmas", "Europe/Amsterdm")

    assert [problem.field for problem in caught.value.problems] == [
        "timeZone",
        "windows",
        "freezes",
    ]


@given(
    st.sampled_from(
        ["", NIGHTS, "00:00-24:00", "Sat,Sun 00:00-24:00; Tue#2 23:00+5h", "Wed 06:00+3d"]
    ),
    st.sampled_from(
        ["", "2026-10-25", "2026-10-24T23:30/2026-10-25T02:30", "2026-10-20/2026-11-10"]
    ),
    st.lists(st.integers(0, 60 * 24 * 60), min_size=3, max_size=3).map(sorted),
    st.integers(1, 9 * 60),
)
def test_intervals_contains_next_start_and_why_closed_agree(windows, freezes, minutes, length):
    hours = some_hours(windows, freezes, AMSTERDAM)
    first, middle, last = (at("2026-10-01") + timedelta(minutes=minute) for minute in minutes)
    away = timedelta(minutes=length)
    whole = hours.intervals(first, last)
    halves = (*hours.intervals(first, middle), *hours.intervals(middle, last))
    roomy = [start for start, end in hours.intervals(first, last + away) if end - start >= away]

    assert all(start < end for start, end in whole)
    assert all(end < start for (_, end), (start, _) in pairwise(whole))
    assert tuple(merged(halves)) == whole
    assert hours.next_start(first, away, last) == next((s for s in roomy if s < last), None)
    assert hours.contains(first, first + away) == (roomy[:1] == [first])
    assert hours.contains(first, first + away) == (not hours.why_closed(first, away))
