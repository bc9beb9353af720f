from datetime import UTC, datetime

import pytest
from tzlocal.windows_tz import win_tz

from shared.domain.errors import InvalidInput
from shared.domain.timezones import first_pass, last_pass, read_zone_name, zone_of


def problem(text):
    with pytest.raises(InvalidInput) as caught:
        read_zone_name(text, field="timeZone")
    (found,) = caught.value.problems
    return found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("UTC", "UTC"),
        ("Europe/Amsterdam", "Europe/Amsterdam"),
        ("europe/amsterdam", "Europe/Amsterdam"),
        (" America/Argentina/Buenos_Aires ", "America/Argentina/Buenos_Aires"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("eastern standard time", "America/New_York"),
        ("India Standard Time", "Asia/Calcutta"),
    ],
)
def test_reads_iana_and_windows_names(text, name):
    assert read_zone_name(text, field="timeZone") == name
    assert zone_of(name).key == name


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Europe/Amsterdm", "did you mean Europe/Amsterdam"),
        ("Amsterdam", "did you mean Europe/Amsterdam"),
        ("new york", "did you mean America/New_York"),
        ("W Europe Standard Time", "did you mean W. Europe Standard Time"),
        ("Easter Standard Time", "Eastern Standard Time"),
        ("Nowhere at all", "an IANA name such as Europe/Amsterdam or a Windows name such as"),
        ("Factory", "an IANA name such as"),
        ("../UTC", "an IANA name such as"),
        ("+02:00", "an IANA name such as"),
    ],
)
def test_a_wrong_name_is_refused_and_near_ones_are_suggested(text, near):
    found = problem(text)

    assert found.field == "timeZone"
    assert found.value == text
    assert near in found.expected


def test_a_name_that_is_like_no_other_gets_no_suggestion():
    assert "did you mean" not in problem("???").expected


@pytest.mark.parametrize("name", win_tz)
def test_every_windows_name_is_a_zone(name):
    assert zone_of(read_zone_name(name, field="timeZone")).key in (win_tz[name], "UTC")


@pytest.mark.parametrize(
    ("zone", "wall", "first", "last"),
    [
        ("Europe/Amsterdam", "2026-07-01T12:00", "2026-07-01T10:00", "2026-07-01T10:00"),
        ("Europe/Amsterdam", "2026-10-25T02:30", "2026-10-25T00:30", "2026-10-25T01:30"),
        ("Europe/Amsterdam", "2026-03-29T02:30", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Europe/Amsterdam", "2026-03-29T02:00", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Europe/Amsterdam", "2026-03-29T02:59:59.9", "2026-03-29T01:00", "2026-03-29T01:00"),
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45", "2026-04-04T15:15"),
        ("Pacific/Apia", "2011-12-30T00:00", "2011-12-30T10:00", "2011-12-30T10:00"),
        ("Pacific/Apia", "2011-12-30T23:00", "2011-12-30T10:00", "2011-12-30T10:00"),
        # Clocks went from 00:00 to 00:44:30: not every change is by whole minutes.
        ("Africa/Monrovia", "1972-01-07T00:20", "1972-01-07T00:44:30", "1972-01-07T00:44:30"),
    ],
)
def test_a_wall_time_is_its_first_or_last_pass_or_the_end_of_the_gap(zone, wall, first, last):
    wall = datetime.fromisoformat(wall)

    assert first_pass(wall, zone_of(zone)) == datetime.fromisoformat(first).replace(tzinfo=UTC)
    assert last_pass(wall, zone_of(zone)) == datetime.fromisoformat(last).replace(tzinfo=UTC)
