from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.durations import format_duration, parse_duration
from shared.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT15M", 900),
        ("pt15m", 900),
        ("15m", 900),
        ("1h30m", 5400),
        ("90s", 90),
        ("P1DT2H", 93_600),
        ("P2W", 1_209_600),
        ("2d", 172_800),
        ("0s", 0),
        ("PT0.5S", 0.5),
        (" 15m ", 900),
    ],
)
def test_reads_iso_8601_and_the_short_form(text, seconds):
    assert parse_duration(text, field="gap") == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "15",
        "-5m",
        "15 m",
        "1m1h",
        "15min",
        "P1Y",
        "P1M",
        "PT1H30",
        "P1DT",
        "٣m",
        "9" * 30 + "s",
        "367d",
    ],
)
def test_refuses_what_is_no_duration_and_says_what_would_be(text):
    with pytest.raises(InvalidInput) as caught:
        parse_duration(text, field="gap")

    (problem,) = caught.value.problems
    assert problem.field == "gap"
    assert "duration" in problem.expected


@given(st.text(max_size=40))
def test_never_fails_in_another_way(text):
    try:
        parse_duration(text, field="gap")
    except InvalidInput:
        pass


@given(st.integers(0, 31_000_000))
def test_reads_back_every_whole_second(seconds):
    assert parse_duration(f"{seconds}s", field="x") == timedelta(seconds=seconds)
    assert parse_duration(f"PT{seconds}S", field="x") == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59, "59s"),
        (90, "1m 30s"),
        (3600, "1h"),
        (183_600, "2d 3h"),
        (93_784, "1d 2h"),
        (-90, "-1m 30s"),
    ],
)
def test_a_person_reads_the_two_largest_units(seconds, text):
    assert format_duration(timedelta(seconds=seconds)) == text
