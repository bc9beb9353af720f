"""The plan of faults: what its text means, and that the seed decides alone."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.faults import FaultError, FaultPlan

KINDS = {"busy": None, "drop-after": None, "slow": timedelta(seconds=2)}


def strikes(plan, subjects, *kinds):
    return [bool(plan.strike(subject, *(kinds or KINDS))) for subject in subjects]


def test_without_a_text_nothing_is_struck():
    assert FaultPlan(KINDS).strike("GET /", *KINDS) is None


def test_an_entry_says_kind_rate_most_length_and_subject():
    plan = FaultPlan(KINDS, " slow=1x2:1m30s@get *jobs*, busy=1 ")

    struck = [plan.strike(subject, *KINDS) for subject in ("POST Jobs", *["GET BatonJobs"] * 3)]

    assert [fault.kind for fault in struck] == ["busy", "slow", "slow", "busy"]
    assert struck[1].length == timedelta(seconds=90)


def test_a_kind_without_a_length_takes_its_usual_one():
    assert FaultPlan(KINDS, "slow=1").strike("x", "slow").seconds == 2


def test_only_the_kinds_asked_for_strike():
    assert FaultPlan(KINDS, "busy=1").strike("x", "slow", "drop-after") is None


def test_what_struck_is_counted_by_kind_over_every_plan():
    plan = FaultPlan(KINDS, "busy=1x1,slow=1", seed=7)
    strikes(plan, "abc")
    plan.set("busy=1")
    strikes(plan, "a")

    assert plan.report() == {
        "faults": "busy=1",
        "seed": 7,
        "injected": {"busy": 2, "slow": 2},
        "known": ["busy", "drop-after", "slow"],
    }


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), order=st.permutations([f"{n % 5}" for n in range(40)]))
def test_the_same_requests_in_another_order_meet_the_same_faults(seed, order):
    plans = [FaultPlan(KINDS, "busy=0.3,slow=0.2", seed) for _ in range(2)]

    met = [
        Counter(
            (subject, hit.kind) for subject in subjects if (hit := plan.strike(subject, *KINDS))
        )
        for plan, subjects in zip(plans, (sorted(order), order), strict=True)
    ]

    assert met[0] == met[1]


def test_a_rate_is_about_how_often_it_strikes_and_another_seed_strikes_elsewhere():
    subjects = [f"GET /{number}" for number in range(2_000)]
    first, second = (strikes(FaultPlan(KINDS, "busy=0.1", seed), subjects) for seed in (1, 2))

    assert 150 < sum(first) < 250
    assert first != second


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("busy", "'busy': write KIND=RATE"),
        ("busy=often", "'busy=often': write KIND=RATE"),
        ("thunder=1", "no such kind; use one of busy, drop-after, slow"),
        ("busy=1.5", "a rate is between 0 and 1"),
        ("busy=1:2s", "busy takes no length"),
        ("slow=1:soon", "a duration is written 90s"),
    ],
)
def test_a_text_that_cannot_be_used_is_named_with_its_fix_and_changes_nothing(text, complaint):
    plan = FaultPlan(KINDS, "busy=1")

    with pytest.raises(FaultError) as refused:
        plan.set(f"slow=1,{text}")

    assert complaint in str(refused.value)
    assert plan.report()["faults"] == "busy=1"
