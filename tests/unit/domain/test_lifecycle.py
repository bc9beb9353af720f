"""Which events a change of a job is told by."""

import json
from dataclasses import replace
from datetime import timedelta

import jsonschema_rs
import pytest

from cli.paths import ROOT
from shared.adapters.cloud_events import cloud_event
from shared.domain import lifecycle
from shared.domain.job import JobState
from tests.builders import NOW, a_job, an_attempt

SCHEMA = jsonschema_rs.validator_for(json.loads((ROOT / "docs/events.schema.json").read_text()))
MINUTE = timedelta(minutes=1)


def kinds(events):
    return [str(event.kind) for event in events]


def an_end(outcome, **other):
    attempt = an_attempt(outcome=outcome, **other)
    job = a_job(state=JobState.COMPLETED, ended_at=NOW, unsettled=attempt)
    return lifecycle.ended(job, attempt)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("completed", ["back", "done"]),
        ("failed", ["failed"]),
        ("aborted", ["failed"]),
        ("timedOut", ["failed"]),
        ("missed", ["failed"]),
        ("withdrawn", ["done"]),
        ("gone", ["done"]),
        ("skipped", ["done"]),
    ],
)
def test_every_end_is_told_and_only_a_vm_that_was_seen_is_back(outcome, told):
    assert kinds(an_end(outcome, terminal=True)) == told


def test_a_try_that_is_repeated_is_told_as_back_and_as_no_end():
    assert kinds(an_end("retryLater", terminal=False)) == ["back"]


def test_an_installation_before_a_redeploy_takes_nothing_away_and_is_no_end():
    assert an_end("completed", terminal=False, work="patch") == ()


def test_a_plan_is_told_when_its_owners_are_told():
    job = a_job(told_start=NOW, told_at=NOW)

    assert kinds(lifecycle.planned(None, job)) == ["planned"]
    assert lifecycle.planned(job, replace(job, planned_start=NOW + MINUTE)) == ()
    assert kinds(lifecycle.planned(job, replace(job, told_at=NOW + MINUTE))) == ["planned"]
    assert lifecycle.planned(None, replace(job, state=JobState.SKIPPED)) == ()
    assert lifecycle.planned(None, a_job(told_start=None, told_at=None)) == ()


def test_a_start_that_came_to_nothing_is_told_and_one_that_was_taken_is_not():
    before = a_job(state=JobState.STARTING, request_id="r")

    assert kinds(lifecycle.not_away(before, a_job(), NOW)) == ["back"]
    assert lifecycle.not_away(before, replace(before, state=JobState.REDEPLOYING), NOW) == ()


def test_the_same_change_has_the_same_id_and_another_has_another():
    job = a_job(state=JobState.STARTING, request_id="r", claimed_at=NOW)
    again, other = (replace(job, reason="x"), replace(job, request_id="s"))

    ids = [lifecycle.starting(each)[0].id for each in (job, again, other)]

    assert ids[0] == ids[1] != ids[2]


def test_every_event_is_as_its_schema_says():
    job = a_job(
        told_start=NOW,
        told_at=NOW,
        asked_at=NOW,
        claimed_at=NOW,
        request_id="r",
        reason="x" * 9_000,
    )
    starting = replace(job, state=JobState.STARTING)
    events = [
        *lifecycle.planned(None, job),
        *lifecycle.asking(job, until=NOW + MINUTE, default="skip"),
        *lifecycle.starting(starting),
        *lifecycle.away(starting, NOW),
        *lifecycle.not_away(starting, job, NOW),
        *an_end("completed", terminal=True),
        *an_end("failed", terminal=True, reason="y" * 9_000),
    ]

    assert set(kinds(events)) == set(lifecycle.EventKind)
    for event in events:
        document = json.loads(json.dumps(cloud_event(event)))
        assert [str(error) for error in SCHEMA.iter_errors(document)] == []
        assert len(json.dumps(document)) < 10_000
