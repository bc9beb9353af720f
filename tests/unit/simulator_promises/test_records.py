"""P6 and P7: each outcome is recorded once, as Azure told it, and a bad one is mailed."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulator.promises import judge
from tests.unit.simulator_promises.telling import Run, a_failed_run, a_run, broken

# --- P6 ---------------------------------------------------------------------------------------------


def without_row(vm: str) -> Callable[[Run], None]:
    def spoil(run: Run) -> None:
        run.rows = [row for row in run.rows if row.vm != vm]

    return spoil


def second_row(run: Run) -> None:
    run.row("web-1", 30, "failed")
    run.mail("<1@baton>", "web-1 failed")


def another_job(run: Run) -> None:
    run.row("web-1", 30, "completed", job="web-1-job-2")


def wrong_code(run: Run) -> None:
    run.rows[2] = replace(run.rows[2], code="RetryLater")


def wrong_message(run: Run) -> None:
    run.results["web-1"] = ("MaintenanceCompleted", "All is well.")


def only_a_retry(run: Run) -> None:
    run.rows[2] = replace(run.rows[2], outcome="retryLater", terminal=False)


def never_offered(run: Run) -> None:
    run.vm("web-9", "web")
    run.windows.pop()
    run.row("web-9", 30, "skipped")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_row("web-2"), "web-2 was offered maintenance and has no outcome"),
        (without_row("web-2"), "the start of web-2 at 12:00:20.000 is in no outcome"),
        (second_row, "job web-1-job has 2 terminal outcomes"),
        (another_job, "web-1 has 2 final outcomes of 1 maintenances"),
        (wrong_code, "web-1: the outcome says RetryLater, Azure showed MaintenanceCompleted"),
        (wrong_message, "web-1: lastOperationMessage is '', Azure's is 'All is well.'"),
        (only_a_retry, "job web-1-job has 0 terminal outcomes"),
        (never_offered, "web-9 has an outcome and was never offered maintenance"),
    ],
)
def test_a_record_that_is_missing_doubled_or_wrong_is_seen(spoil, said):
    run = a_run()
    spoil(run)

    assert said in broken(run)["P6"]


def test_an_empty_code_is_allowed_where_azure_dropped_it():
    run = a_run()
    run.rows = [replace(row, code="") for row in run.rows]

    assert broken(run) == {}


def test_a_job_may_follow_one_that_never_started():
    run = a_run()
    run.row("web-2", 5, "skipped", job="web-2-earlier")

    assert broken(run) == {}


def test_a_vm_that_no_policy_takes_needs_no_outcome():
    run = a_run(match="tag:owner=shop !name:web-3")
    run.vm("web-3", "web")

    assert broken(run) == {}


# --- P7 ---------------------------------------------------------------------------------------------


def a_mailed_run() -> Run:
    return a_failed_run(onFailure="continue")


def test_a_bad_end_that_nobody_was_told_of_is_seen():
    run = a_mailed_run()
    run.mails.clear()
    run.mail("<1@baton>", "db-20 was aborted, and db-2 too\nmy-db-2: aborted\ndb-2 waits")

    assert broken(run) == {"P7": ("db-2 ended aborted and no mail says so",)}


def test_a_bad_end_told_in_two_mails_is_seen():
    run = a_mailed_run()
    run.mail("<2@baton>", "db-2 was aborted, again")

    assert broken(run) == {"P7": ("db-2 ended aborted, which 2 mails tell",)}


def test_a_mail_that_only_mentions_the_vm_is_about_another():
    run = a_mailed_run()
    run.mail("<2@baton>", "Baton\nweb-9: missed\nthe rollout was halted: db-2 ended aborted")

    assert broken(run) == {}


@pytest.mark.parametrize(
    "told", ["db-2: timed out", "  - DB-2 timedOut", "Hello\n*db-2*: timed out"]
)
def test_an_outcome_may_be_told_in_words(told):
    run = a_mailed_run()
    run.mails.clear()
    run.rows = [
        replace(row, outcome="timedOut") if row.outcome == "aborted" else row for row in run.rows
    ]
    run.mail("<1@baton>", told)

    assert broken(run) == {}


def test_the_same_mail_delivered_twice_is_evidence_not_a_violation():
    run = a_mailed_run()
    run.mail("<1@baton>", "db-2 was aborted")

    (verdict,) = [v for v in judge(run.evidence()) if v.promise == "P7"]

    assert verdict.held
    assert "delivered again under the same Message-ID: 1" in verdict.evidence


@pytest.mark.parametrize("outcome", ["completed", "withdrawn", "gone", "skipped"])
def test_an_end_that_is_not_bad_needs_no_mail(outcome):
    run = Run()
    run.policy(0, match="*")
    run.vm("web-1", "web")
    run.row("web-1", 5, outcome)

    assert broken(run) == {}
