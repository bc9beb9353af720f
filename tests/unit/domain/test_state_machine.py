import re
from pathlib import Path

import pytest

from shared.domain.job import LEADS_TO, JobState

DRAWING = Path(__file__).parents[3] / "docs" / "state-machine.md"


def drawn():
    return set(
        re.findall(r"^\s+(\S+) --> (\S+)$", DRAWING.read_text(encoding="utf-8"), re.MULTILINE)
    )


def test_the_drawing_shows_exactly_the_table():
    table = {(str(state), str(to)) for state, leads in LEADS_TO.items() for to in leads}
    table |= {("[*]", "planned")}
    table |= {(str(state), "[*]") for state in JobState if state.is_end}

    assert drawn() == table


def test_every_state_is_in_the_table_and_can_be_reached():
    assert set(LEADS_TO) == set(JobState)
    assert set().union(*LEADS_TO.values()) == set(JobState)


@pytest.mark.parametrize("state", list(JobState))
def test_an_end_is_never_left(state):
    assert state.is_end == (not LEADS_TO[state])
    assert not (state.is_end and state.is_begun)


def test_what_was_done_to_a_vm_halts_and_what_was_not_does_not():
    assert {state for state in JobState if state.halts} == {
        JobState.FAILED,
        JobState.ABORTED,
        JobState.TIMED_OUT,
    }


def test_every_bad_end_is_told():
    assert {state for state in JobState if state.is_bad} == {
        JobState.FAILED,
        JobState.ABORTED,
        JobState.TIMED_OUT,
        JobState.MISSED,
    }
