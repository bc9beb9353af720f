from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.host.ncrontab import ScheduleError, parse_schedule

NOW = datetime(2026, 11, 24, 3, 49, 12, 500_000, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("* * * * * *", datetime(2026, 11, 24, 3, 49, 13, tzinfo=UTC)),
        ("*/2 * * * * *", datetime(2026, 11, 24, 3, 49, 14, tzinfo=UTC)),
        ("0 */5 * * * *", datetime(2026, 11, 24, 3, 50, 0, tzinfo=UTC)),
        ("30 * * * * *", datetime(2026, 11, 24, 3, 49, 30, tzinfo=UTC)),
        ("*/5 * * * *", datetime(2026, 11, 24, 3, 50, 0, tzinfo=UTC)),
        ("0 0 3 * * *", datetime(2026, 11, 25, 3, 0, 0, tzinfo=UTC)),
        ("0 30 9-17 * * MON-FRI", datetime(2026, 11, 24, 9, 30, 0, tzinfo=UTC)),
        ("0 0 0 * * 0", datetime(2026, 11, 29, tzinfo=UTC)),
        ("0 0 0 * * Sunday", datetime(2026, 11, 29, tzinfo=UTC)),
        ("0 0 0 * * fr", datetime(2026, 11, 27, tzinfo=UTC)),
        ("0 0 0 * * FRI-MON", datetime(2026, 11, 25, tzinfo=UTC)),  # NCRONTAB reads MON-FRI
        ("*/0 * * * * *", datetime(2026, 11, 24, 3, 49, 13, tzinfo=UTC)),
        ("0 0 0 13 * fri", datetime(2027, 8, 13, tzinfo=UTC)),  # both must fit, unlike in cron
        ("0 0 0 1 jan *", datetime(2027, 1, 1, tzinfo=UTC)),
        ("0 0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
        ("0 5/20 * * * *", datetime(2026, 11, 24, 4, 5, 0, tzinfo=UTC)),
        ("0,15,45 49 3 * * *", datetime(2026, 11, 24, 3, 49, 15, tzinfo=UTC)),
    ],
)
def test_fires_next(text, due):
    assert parse_schedule(text).after(NOW) == due


def test_an_occurrence_is_not_its_own_successor():
    schedule = parse_schedule("0 */5 * * * *")
    first = schedule.after(NOW)

    assert schedule.after(first) == first + timedelta(minutes=5)
    assert schedule.shortest_gap(NOW) == timedelta(minutes=5)


def test_the_shortest_gap_is_found_inside_a_burst():
    assert parse_schedule("0,10 0 * * * *").shortest_gap(NOW) == timedelta(seconds=10)


def test_a_naive_instant_is_refused():
    with pytest.raises(ValueError, match="offset"):
        parse_schedule("* * * * * *").after(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "* * 24 * * *",
        "* * * 0 * *",
        "* * * * 13 *",
        "x * * * * *",
        "*/-1 * * * * *",
        "1,,2 * * * * *",
        "+5 * * * * *",
        "1_0 * * * * *",
        "* * * ? * *",
        "* * * L * *",
        "* * * * * 7",
        "* * * * * SUNDAYISH",
        "* * * * * mon#2",
        "1- * * * * *",
    ],
)
def test_refuses_what_no_timer_can_follow(text):
    with pytest.raises(ScheduleError):
        parse_schedule(text)


def test_a_date_that_never_comes_is_said():
    with pytest.raises(ScheduleError, match="never fires"):
        parse_schedule("0 0 0 31 2 *").after(NOW)


@settings(max_examples=50)
@given(
    st.integers(0, 59),
    st.integers(1, 30),
    st.integers(0, 23),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_nothing_lies_between_an_instant_and_its_next_occurrence(second, step, hour, now):
    schedule = parse_schedule(f"{second} */{step} {hour} * * *")

    due = schedule.after(now)

    seconds, minutes, hours = schedule.fields[:3]
    assert due > now
    assert (due.second, due.minute, due.hour) in {
        (s, m, h) for s in seconds for m in minutes for h in hours
    }
    minute = now.replace(second=second, microsecond=0)
    while minute < due:
        fires = minute > now and minute.minute in minutes and minute.hour in hours
        assert not fires
        minute += timedelta(minutes=1)
