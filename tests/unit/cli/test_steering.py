"""`./baton pause`, `resume`, `skip`, `retry`, `status`: what people may write, and what they are told."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from cli.status import picture, status_json
from cli.steering import (
    Request,
    job_json,
    pause_json,
    read_scope,
    sentence_of_go_ahead,
    sentence_of_pause,
    sentence_of_resume,
    sentence_of_retry,
    sentence_of_skip,
)
from shared.domain.errors import InvalidInput
from shared.domain.heartbeat import Heartbeat
from shared.domain.job import JobState
from shared.domain.mode import Mode
from shared.domain.pause import Pause
from shared.use_cases.give_go_ahead import Answered
from shared.use_cases.pause_policies import Paused
from shared.use_cases.resume_policies import Resumed
from shared.use_cases.retry_vm import Retried
from shared.use_cases.skip_vm import Skipped
from shared.use_cases.status import PolicyStatus, Status
from tests.builders import NOW, a_job

MINUTE = timedelta(minutes=1)
ALL = Pause(by="ann", at=NOW, reason="a bad night")
WEB = Pause(team="shop", policy="web", by="ann", at=NOW)
AWAY = a_job("web-1", state=JobState.REDEPLOYING, claimed_at=NOW - 5 * MINUTE)


@pytest.mark.parametrize(
    ("text", "scope"), [("", ("", "")), (" shop ", ("shop", "")), ("shop/web", ("shop", "web"))]
)
def test_a_scope_is_nothing_a_team_or_a_policy(text, scope):
    assert read_scope(text) == scope


@pytest.mark.parametrize("text", ["/", "/web", "shop/", "a/b/c"])
def test_any_other_scope_is_refused_with_an_example(text):
    with pytest.raises(InvalidInput, match="such as shop or shop/web, or nothing for everything"):
        read_scope(text)


def test_whoever_sits_here_asks_unless_somebody_is_named():
    assert Request(by="ann", reason="why").asked().by == "ann"
    assert Request().asked().by
    with pytest.raises(InvalidInput, match="by is ''"):
        Request(by="").asked()


def test_a_pause_says_what_is_held_back_what_is_finished_and_how_to_go_on():
    done = Paused(pause=WEB, already=False, waiting=2, away=(AWAY,))

    assert sentence_of_pause(done) == (
        "Policy shop/web is paused by ann since 2026-03-02 12:00 UTC. 2 VMs are held back. "
        "web-1 had started and will be finished. Go on with: ./baton resume shop/web"
    )
    again = sentence_of_pause(replace(done, pause=ALL, already=True, away=()))
    assert again == (
        "Nothing changed: everything is paused by ann since 2026-03-02 12:00 UTC: a bad night. "
        "Go on with: ./baton resume"
    )


def test_a_resume_says_what_goes_on_and_what_holds_it_still():
    ended = replace(WEB, resumed_by="bob", resumed_at=NOW)

    assert sentence_of_resume("shop/web", Resumed(pause=ended, held=(ALL,))) == (
        "Policy shop/web is resumed by bob; what is due starts within minutes. "
        "Still, everything is paused by ann since 2026-03-02 12:00 UTC: a bad night."
    )
    nothing = sentence_of_resume("", Resumed(pause=None, held=()))
    assert nothing == "Nothing changed: everything was not paused."


def test_a_skip_says_what_azure_does_and_how_to_take_it_back():
    job = a_job(state=JobState.SKIPPED, ended_at=NOW, reason="skipped by ann: migrated")

    first, again = (sentence_of_skip(Skipped(job, already=already)) for already in (False, True))

    assert "Azure does it by itself after 2026-03-09 12:00 UTC" in first
    assert "./baton retry web-1" in first
    assert again == "Nothing changed: web-1 was skipped by ann: migrated, at 2026-03-02 12:00 UTC."


def test_a_go_ahead_says_who_gave_it_and_a_no_how_to_take_it_back():
    yes = a_job(asked_at=NOW, allowed_by="ann", allowed_at=NOW)
    no = a_job(state=JobState.SKIPPED, ended_at=NOW, reason="go-ahead refused by ann: not drained")

    said = [
        sentence_of_go_ahead(Answered(yes, already=False), allow=True),
        sentence_of_go_ahead(Answered(yes, already=True), allow=True),
        sentence_of_go_ahead(Answered(no, already=False), allow=False),
    ]

    assert said == [
        "web-1 has its go-ahead. It starts within minutes, if every rule still allows it.",
        (
            "Nothing changed: ann gave it at 2026-03-02 12:00 UTC already. "
            "It starts within minutes, if every rule still allows it."
        ),
        (
            "web-1 is left out of its maintenance: go-ahead refused by ann: not drained. "
            "Take it back with: ./baton retry web-1"
        ),
    ]


def test_a_retry_says_who_asked_and_what_comes_next():
    job = a_job(state=JobState.ABORTED, retried_by="bob", retried_at=NOW)

    first, again = (sentence_of_retry(Retried(job, already=already)) for already in (False, True))

    assert first.startswith("web-1 is tried again. The next discovery gives it a new job")
    assert again.startswith("Nothing changed: bob asked at 2026-03-02 12:00 UTC already.")


def test_programs_read_the_same_with_instants_in_utc():
    job = a_job(state=JobState.ABORTED, retried_by="bob", retried_at=NOW)

    assert pause_json(ALL)["at"] == "2026-03-02T12:00:00Z"
    assert (pause_json(ALL)["team"], pause_json(WEB)["policy"]) == (None, "web")
    assert pause_json(replace(ALL, at=None))["at"] is None
    assert (job_json(job)["state"], job_json(job)["retriedBy"]) == ("aborted", "bob")


BEAT = Heartbeat(
    at=NOW - MINUTE, vms=12, changed=0, unmatched=1, unreadable=0, failed_subscriptions=0
)
WEB_STATUS = PolicyStatus(
    team="shop",
    policy="web",
    rollout=3,
    counts={JobState.PLANNED: 2, JobState.REDEPLOYING: 1},
    behind=4,
    start=NOW + MINUTE,
    closes=NOW + 60 * MINUTE,
    no_start=1,
    why="web-2: its planned start is in PT1M",
    problems=("gap is 'soon'",),
)
STATUS = Status(
    now=NOW,
    mode=Mode.LIVE,
    heartbeat=BEAT,
    pauses=(ALL,),
    policies=(WEB_STATUS,),
    away=(AWAY,),
    bad=(a_job("web-9", state=JobState.FAILED, ended_at=NOW, reason="Azure refused it"),),
    unsent=2,
)


def shown(status: Status) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(picture(status))
    return captured.get()


def test_the_status_tells_people_what_needs_them():
    text = shown(STATUS)

    for told in (
        "Mode here: live; last discovery 1m ago saw 12 VMs, 1 without a policy, 2 alerts",
        "everything is paused by ann",
        "2 planned, 1 redeploying, 4 behind",
        "2026-03-02 12:01",
        "wrong row: gap is 'soon'",
        "1 without a start",
        "web-2: its planned start is in PT1M",
        "web-1",
        "5m",
        "Azure refused it",
    ):
        assert told in text


def test_an_empty_status_says_why_it_is_empty():
    text = shown(replace(STATUS, heartbeat=None, pauses=(), policies=(), away=(), bad=()))

    assert "No discovery went through yet" in text
    assert "There are no policies" in text


def test_the_status_for_programs_has_the_same():
    document = json.loads(json.dumps(status_json(STATUS)))

    assert (document["mode"], document["lastDiscovery"]) == ("live", "2026-03-02T11:59:00Z")
    (policy,) = document["policies"]
    assert policy["counts"] == {"planned": 2, "redeploying": 1}
    assert (policy["nextStart"], policy["withoutStart"]) == ("2026-03-02T12:01:00Z", 1)
    assert [job["vm"] for job in (*document["away"], *document["bad"])] == ["web-1", "web-9"]
    assert status_json(replace(STATUS, heartbeat=None))["lastDiscovery"] is None
