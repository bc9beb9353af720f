from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidInput
from shared.domain.freezes import parse_freezes
from shared.domain.timezones import zone_of


def read(text, zone="UTC"):
    return parse_freezes(text, zone_of(zone), field="freezes")


def frozen(text, zone="UTC"):
    """Start and end of the only freeze, in UTC."""
    (freeze,) = read(text, zone)
    assert freeze.start.tzinfo == freeze.end.tzinfo == UTC
    return f"{freeze.start:%Y-%m-%dT%H:%M}", f"{freeze.end:%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-12-24", "2026-12-23T23:00", "2026-12-24T23:00"),
        ("2026-12-24/2026-12-24", "2026-12-23T23:00", "2026-12-24T23:00"),
        ("2026-12-24/2027-01-02", "2026-12-23T23:00", "2027-01-02T23:00"),
        (" 2026-12-24 / 2027-01-02 ;", "2026-12-23T23:00", "2027-01-02T23:00"),
        ("2026-12-31T18:00/2027-01-02T08:00", "2026-12-31T17:00", "2027-01-02T07:00"),
        ("2026-12-31t18:00/2027-01-02t08:00:00.5", "2026-12-31T17:00", "2027-01-02T07:00"),
        ("2026-12-31T18:00/2027-01-02", "2026-12-31T17:00", "2027-01-02T23:00"),
        ("2026-12-31/2027-01-02T08:00", "2026-12-30T23:00", "2027-01-02T07:00"),
        ("2026-12-24T18:00/PT12H", "2026-12-24T17:00", "2026-12-25T05:00"),
        ("2026-12-24T18:00/12h", "2026-12-24T17:00", "2026-12-25T05:00"),
        ("2026-12-24/P2D", "2026-12-23T23:00", "2026-12-25T23:00"),
        # A written offset wins over the zone, each for its own side.
        ("2026-12-31T18:00Z/2027-01-02T08:00+09:00", "2026-12-31T18:00", "2027-01-01T23:00"),
        ("2026-12-31T18:00Z/2027-01-02T08:00", "2026-12-31T18:00", "2027-01-02T07:00"),
        # The day that has 25 hours, by date and by length; elapsed time is elapsed time.
        ("2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("2026-10-25/P1D", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("2026-10-25T00:00/PT24H", "2026-10-24T22:00", "2026-10-25T22:00"),
        # A doubled time is the first pass of a start and the last pass of an end.
        ("2026-10-25T02:30/2026-10-25T04:00", "2026-10-25T00:30", "2026-10-25T03:00"),
        ("2026-10-25T01:00/2026-10-25T02:30", "2026-10-24T23:00", "2026-10-25T01:30"),
        # A time that does not exist is the end of the gap, on either side.
        ("2026-03-29T02:30/2026-03-29T04:00", "2026-03-29T01:00", "2026-03-29T02:00"),
        ("2026-03-29T01:00/2026-03-29T02:30", "2026-03-29T00:00", "2026-03-29T01:00"),
    ],
)
def test_reads(text, start, end):
    assert frozen(text, "Europe/Amsterdam") == (start, end)


def test_a_day_whose_midnight_occurs_twice_is_frozen_to_the_last_of_them():
    assert frozen("2025-11-01", "America/Havana") == ("2025-11-01T04:00", "2025-11-02T05:00")


def test_a_day_that_clocks_skip_freezes_nothing():
    assert read("2011-12-30", "Pacific/Apia") == ()


def test_freezes_are_sorted_and_keep_their_text():
    found = read("2027-01-01 ; 2026-12-24/P2D; 2026-12-24")

    assert [freeze.text for freeze in found] == ["2026-12-24", "2026-12-24/P2D", "2027-01-01"]


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("christmas", "dates or intervals such as"),
        ("2026-12", "dates or intervals such as"),
        ("20261224", "dates or intervals such as"),
        ("24-12-2026", "dates or intervals such as"),
        ("2026-02-30", "dates or intervals such as"),
        ("1969-12-31", "dates or intervals such as"),
        ("9999-12-31", "dates or intervals such as"),
        ("2026-12-24 18:00/2026-12-25 08:00", "dates or intervals such as"),
        ("2026-12-24T24:00/2026-12-26", "dates or intervals such as"),
        ("2026-12-24T18/2026-12-26", "dates or intervals such as"),
        ("2026-12-24T18:00+25:00/2026-12-26", "dates or intervals such as"),
        ("2026-12-24/", "dates or intervals such as"),
        ("/2026-12-24", "dates or intervals such as"),
        ("PT12H/2026-12-24T18:00", "dates or intervals such as"),
        ("2026-12-24/2026-12-26/2026-12-28", "dates or intervals such as"),
        ("2026-12-24T18:00/tomorrow", "dates or intervals such as"),
        ("2026-12-24T18:00/P1Y", "a duration such as"),
        ("2026-12-24T18:00/P400D", "at most 366 days"),
        ("2026-12-24T18:00", "an end beside a date-time, such as 2026-12-24T18:00/PT12H"),
        ("2026-12-26/2026-12-24", "an end after the start"),
        ("2026-12-25/2026-12-24", "an end after the start"),
        ("2026-12-24T18:00/2026-12-24T18:00", "an end after the start"),
        ("2026-12-24T18:00/2026-12-24T19:00+02:00", "an end after the start"),
        ("2026-12-24/PT0S", "an end after the start"),
        (";", "1 to 100 parts"),
        (";".join(["2026-12-24"] * 101), "1 to 100 parts"),
    ],
)
def test_refuses_and_says_how_to_write_it(text, fix):
    with pytest.raises(InvalidInput) as caught:
        read(text)

    (problem,) = caught.value.problems
    assert problem.field == "freezes"
    assert fix in problem.expected


def test_a_doubled_time_does_not_end_before_itself():
    """Its last pass is later than its first, yet nobody means that hour by writing one time twice."""
    with pytest.raises(InvalidInput):
        read("2026-10-25T02:30/2026-10-25T02:30", "Europe/Amsterdam")


@given(st.text(alphabet="0123456789-:/TPZDH+; ", max_size=40) | st.text(max_size=40))
def test_never_fails_in_another_way(text):
    try:
        found = read(text, "America/Havana")
    except InvalidInput:
        return
    assert all(freeze.start < freeze.end for freeze in found)
    assert all(isinstance(freeze.start, datetime) for freeze in found)
