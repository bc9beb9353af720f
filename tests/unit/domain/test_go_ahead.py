"""How a job stands that wants a go-ahead, and what a row says of it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidInput
from shared.domain.go_ahead import GoAhead, Question, deadline, question
from shared.domain.rules import next_turns, why_wait
from tests.builders import NOW, a_head, a_job, a_ledger, a_policy

MINUTE = timedelta(minutes=1)
ASKS = GoAhead(wait=20 * MINUTE, starts=True)
SKIPS = GoAhead(wait=20 * MINUTE, starts=False)


@pytest.mark.parametrize(
    ("asked", "allowed", "go_ahead", "expected"),
    [
        (None, None, None, Question.START),
        (None, None, ASKS, Question.ASK),
        (19, None, ASKS, Question.WAIT),
        (20, None, ASKS, Question.START),
        (20, None, SKIPS, Question.SKIP),
        (39, None, SKIPS, Question.SKIP),
        (40, None, ASKS, Question.ASK),
        (40, None, SKIPS, Question.ASK),
        (10, 0, SKIPS, Question.START),
        (25, 19, SKIPS, Question.START),
        (25, 20, ASKS, Question.ASK),
    ],
)
def test_a_job_asks_waits_and_does_as_it_was_told_or_as_silence_means(
    asked, allowed, go_ahead, expected
):
    job = a_job(
        asked_at=None if asked is None else NOW - asked * MINUTE,
        allowed_at=None if allowed is None else NOW - allowed * MINUTE,
        allowed_by=None if allowed is None else "ann",
    )

    assert question(job, go_ahead, NOW) is expected


@given(asked=st.integers(0, 120), wait=st.integers(1, 60), starts=st.booleans())
def test_nobody_starts_before_the_deadline_without_an_answer(asked, wait, starts):
    job, go_ahead = a_job(asked_at=NOW - asked * MINUTE), GoAhead(wait=wait * MINUTE, starts=starts)

    stands = question(job, go_ahead, NOW)

    assert (stands is Question.WAIT) is (deadline(job, go_ahead) > NOW)
    assert stands is not Question.START or (starts and asked >= wait)


def test_one_that_asked_keeps_its_turn_until_its_deadline_and_says_what_silence_means():
    columns = {"match": "name:web-*", "goAhead": "20m", "goAheadDefault": "skip"}
    ledger = a_ledger(
        a_job("web-1", planned_start=NOW, asked_at=NOW),
        a_job("web-2", planned_start=NOW),
        head=a_head(**columns),
    )

    (turn,) = next_turns(ledger, a_policy(**columns), NOW)
    wait = why_wait(ledger.jobs[0], ledger, a_policy(**columns), NOW)

    assert (turn.job.vm_name, turn.at) == ("web-1", NOW + 20 * MINUTE)
    assert wait is not None
    assert wait.reason == (
        "it asked for a go-ahead (./baton go-ahead web-1); without an answer it is skipped in 20m"
    )


def test_what_silence_means_must_be_said():
    assert a_policy().go_ahead is None
    assert a_policy(goAhead="none", goAheadDefault="skip").go_ahead is None
    assert a_policy(goAhead="20m", goAheadDefault="start").go_ahead == ASKS

    with pytest.raises(InvalidInput, match="what happens to a VM when nobody answers"):
        a_policy(goAhead="20m")
