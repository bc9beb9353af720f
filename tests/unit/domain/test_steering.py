"""What people may ask for one VM, and why not: P1 forbids what nobody may be talked into."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.job import JobState
from shared.domain.steering import BY_A_PERSON, why_not_again, why_not_skipped
from tests.builders import NOW, a_job, a_release, a_status, a_view, a_vm, an_attempt

HOUR = timedelta(hours=1)
BEFORE = NOW - HOUR


def ended(state, **changes):
    defaults = {"ended_at": NOW, "reason": "as it was"}
    return a_job(state=state, **(defaults | changes))


def taken(state, **changes):
    """One whose start Azure took."""
    started = {"accepted": True, "claimed_at": BEFORE, "started_at": BEFORE, "code_before": "None"}
    return ended(state, **(started | changes))


def vm(code="None", **status):
    return a_vm(view=a_view(maintenance=a_status(last_operation_result_code=code, **status)))


@pytest.mark.parametrize(
    ("job", "shown"),
    [
        pytest.param(ended(JobState.FAILED), vm(), id="refused before it was taken"),
        pytest.param(
            taken(JobState.ABORTED), vm("MaintenanceAborted"), id="aborted, still offered"
        ),
        pytest.param(taken(JobState.FAILED), vm("RetryLater"), id="RetryLater too often"),
        pytest.param(
            taken(JobState.TIMED_OUT), vm("MaintenanceAborted"), id="timed out, then aborted"
        ),
        pytest.param(
            ended(JobState.SKIPPED, skipped_because=BY_A_PERSON), vm(), id="skipped by a person"
        ),
        pytest.param(
            ended(JobState.MISSED, accepted=True), vm("RetryLater"), id="missed after RetryLater"
        ),
    ],
)
def test_a_vm_may_be_tried_again_where_azure_did_not_do_it_and_offers_it(job, shown):
    assert why_not_again(job, shown, NOW) == ""


@pytest.mark.parametrize(
    ("job", "shown", "why"),
    [
        (a_job(), vm(), "it is planned"),
        (a_job(state=JobState.REDEPLOYING), vm(), "it is redeploying"),
        (ended(JobState.FAILED, unsettled=an_attempt()), vm(), "still being recorded"),
        (ended(JobState.FAILED), None, "no longer knows the VM"),
        (ended(JobState.FAILED), a_vm(view=a_view(maintenance=None)), "announces no maintenance"),
        (taken(JobState.COMPLETED), vm("MaintenanceCompleted"), "is done"),
        (ended(JobState.WITHDRAWN), vm(), "gets a new job by itself"),
        (ended(JobState.SKIPPED, skipped_because="dryRun"), vm(), "gets a new job by itself"),
        (taken(JobState.FAILED), vm(), "never starts a VM twice"),
        (taken(JobState.TIMED_OUT), vm(), "never starts a VM twice"),
        (ended(JobState.FAILED, claimed_at=BEFORE), vm(), "nobody knows whether Azure took"),
        (
            ended(JobState.FAILED),
            vm(opens=BEFORE - HOUR, closes=NOW),
            "window closed at 2026-03-02",
        ),
        (taken(JobState.ABORTED), vm("MaintenanceAborted", allowed=False), "no longer offers it"),
        (
            ended(JobState.FAILED),
            vm(opens=NOW + 30 * 24 * HOUR, closes=NOW + 40 * 24 * HOUR),
            "announces another",
        ),
    ],
)
def test_every_no_says_why(job, shown, why):
    assert why in why_not_again(job, shown, NOW)


def test_a_code_of_an_earlier_attempt_says_nothing_of_one_that_timed_out():
    job = taken(JobState.TIMED_OUT, code_before="RetryLater")

    assert "never starts a VM twice" in why_not_again(job, vm("RetryLater"), NOW)


def test_only_a_vm_that_has_not_started_can_be_skipped():
    assert why_not_skipped(a_job()) == ""
    assert "away" in why_not_skipped(a_job(state=JobState.STARTING))
    assert "ended failed: as it was" in why_not_skipped(ended(JobState.FAILED))
    assert "being recorded" in why_not_skipped(replace(a_job(), unsettled=an_attempt()))


def patched(state, **changes):
    """A job of patches alone."""
    return ended(state, patches=a_release(), **changes)


def test_patches_that_somebody_skipped_can_be_taken_back_while_their_window_is_open():
    job = patched(JobState.SKIPPED, skipped_because=BY_A_PERSON)

    assert why_not_again(job, a_vm(), NOW) == ""
    assert "window for patches closed" in why_not_again(job, a_vm(), job.closes)


def test_a_release_that_azure_was_asked_to_install_is_never_installed_again():
    job = patched(JobState.FAILED, tried_release="2026-03-10")

    assert "never installs one twice" in why_not_again(job, a_vm(), NOW)
