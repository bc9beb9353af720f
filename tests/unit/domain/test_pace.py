from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.pace import Pace, last_tick, next_tick

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
SLOW = Pace(
    check_interval=timedelta(seconds=30),
    redeploy_timeout=timedelta(hours=2),
    retry_delay=timedelta(minutes=15),
)
seconds = st.integers(1, 3600).map(lambda n: timedelta(seconds=n))


@given(seconds, st.integers(0, 10**7).map(lambda n: timedelta(milliseconds=n)), seconds)
def test_the_next_tick_lies_ahead_on_the_grid_and_within_one_step_of_the_least_wait(
    every, later, least
):
    now = NOW + later

    tick = next_tick(now, every, since=NOW, least=least)

    assert (tick - NOW) % every == timedelta(0)
    assert now + least < tick <= now + least + every


@given(seconds, st.integers(0, 10**7).map(lambda n: timedelta(milliseconds=n)))
def test_handlers_between_two_ticks_name_the_same_next_one(every, later):
    now = NOW + later
    tick = next_tick(now, every, since=NOW)

    assert next_tick(tick - timedelta(microseconds=1), every, since=NOW) == tick
    assert last_tick(now, every, since=NOW) == tick - every


def test_silence_counts_after_twice_the_deadline_and_no_sooner_than_another_start_would_be_tried():
    slow = Pace(
        check_interval=timedelta(minutes=5),
        redeploy_timeout=timedelta(hours=2),
        retry_delay=timedelta(minutes=15),
    )
    fast = Pace(
        check_interval=timedelta(seconds=1),
        redeploy_timeout=timedelta(hours=2),
        retry_delay=timedelta(seconds=3),
    )

    assert slow.start_deadline == timedelta(seconds=30)
    assert fast.start_deadline == timedelta(seconds=5)
    assert fast.quiet == timedelta(seconds=20)
    assert slow.quiet == timedelta(minutes=15)


def test_a_short_retry_delay_does_not_make_silence_count_before_the_activity_log_can_speak():
    log_lags_and_two_clocks_differ = timedelta(minutes=5 + 2)
    pace = Pace(
        check_interval=timedelta(seconds=30),
        redeploy_timeout=timedelta(hours=2),
        retry_delay=timedelta(minutes=1),
    )

    assert pace.quiet > log_lags_and_two_clocks_differ


def test_the_next_look_is_another_than_the_one_that_a_slow_clock_is_at():
    since = datetime(2026, 12, 1, tzinfo=UTC)
    pace = Pace(
        check_interval=timedelta(minutes=2),
        redeploy_timeout=timedelta(hours=2),
        retry_delay=timedelta(minutes=15),
    )
    due = since + timedelta(minutes=2)

    for behind in (-30, 0, 30):
        now = due - timedelta(seconds=behind)
        assert pace.next_look(now, since=since) == due + timedelta(minutes=2)
    later = pace.next_look(due, since=since, least=timedelta(minutes=5))
    assert later == due + timedelta(minutes=6)


def looks(pace, since, expected, spread, until):
    """When a job is looked at, if every look asks for the next one."""
    at, found = since, []
    while at < until:
        at = pace.next_look(at, since=since, expected=expected, spread=spread)
        found.append(at - since)
    return found


@pytest.mark.parametrize("spread", [0, 1, 5, 4_000_000_000])
def test_before_a_vm_is_expected_back_it_is_looked_at_once_and_then_at_every_interval(spread):
    since, expected = NOW, NOW + timedelta(minutes=8, seconds=3)

    found = looks(SLOW, since, expected, spread, until=since + timedelta(minutes=9))

    assert timedelta(0) < found[0] < timedelta(minutes=8)
    assert found[1:] == [timedelta(minutes=8), timedelta(minutes=8.5), timedelta(minutes=9)]


def test_the_early_look_at_each_vm_is_at_another_time():
    since, expected = NOW, NOW + timedelta(minutes=8)

    early = {SLOW.next_look(since, since=since, expected=expected, spread=n) for n in range(100)}

    assert len(early) == 15


def test_a_vm_that_nobody_knows_how_long_to_wait_for_is_looked_at_at_every_interval():
    found = looks(SLOW, NOW, None, 7, until=NOW + timedelta(minutes=2))

    assert found == [timedelta(seconds=30 * n) for n in range(1, 5)]
