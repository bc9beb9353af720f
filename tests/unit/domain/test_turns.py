"""Whose turn it is to be read by itself."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.turns import ROUND, Turns
from tests.builders import NOW, a_vm_id

KEYS = [a_vm_id(f"vm-{number}").lower() for number in range(50)]
GAPS = st.lists(st.integers(1, 40), min_size=1, max_size=40)


def due(since, now):
    turns = Turns(since, now)
    return [key for key in KEYS if turns.is_due(turns.turn(key))]


@given(GAPS)
def test_everybody_is_due_once_a_round_however_discoveries_come(minutes):
    since, times = NOW, [NOW]
    while times[-1] < NOW + ROUND:
        times.append(times[-1] + timedelta(minutes=minutes[len(times) % len(minutes)]))
    times[-1] = NOW + ROUND
    found = []
    for now in times[1:]:
        found += due(since, now)
        since = now

    assert sorted(found) == sorted(KEYS)


def test_who_was_read_an_hour_ago_or_nobody_knows_when_is_due():
    assert due(None, NOW) == due(NOW - ROUND, NOW) == due(NOW - timedelta(days=3), NOW) == KEYS


def test_a_time_that_lies_ahead_holds_nobody_back():
    assert due(NOW + timedelta(minutes=1), NOW) == KEYS


def test_five_minutes_are_the_turn_of_about_a_twelfth():
    assert 0 < len(due(NOW - timedelta(minutes=5), NOW)) < len(KEYS) / 3


def test_a_first_discovery_of_a_fresh_process_begins_with_others_than_the_one_before():
    first, second = (Turns(None, NOW + timedelta(minutes=minutes)) for minutes in (0, 20))

    assert min(KEYS, key=first.turn) != min(KEYS, key=second.turn)
