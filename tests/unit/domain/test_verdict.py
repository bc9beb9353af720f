from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.job import JobState
from shared.domain.verdict import Again, Look, Then, judge, shows_acceptance
from tests.builders import NOW, a_job, a_status, a_view, a_vm

TIMEOUT = timedelta(hours=2)


def redeploying(**changes):
    return a_job(
        **{
            "state": JobState.REDEPLOYING,
            "claimed_at": NOW,
            "started_at": NOW,
            "accepted": True,
            "code_before": "None",
            "operation_url": "https://management.azure.com/op",
            **changes,
        }
    )


def look(
    operation="succeeded",
    *,
    code="None",
    allowed=False,
    status=True,
    power="running",
    ready=True,
    provisioning="Succeeded",
    **more,
):
    maintenance = a_status(allowed=allowed, last_operation_result_code=code)
    view = a_view(power_state=power, agent_ready=ready, maintenance=maintenance if status else None)
    return Look(
        vm=replace(a_vm(provisioning_state=provisioning), view=view), operation=operation, **more
    )


def judged(job, seen, *, after=timedelta(minutes=5), retries=3):
    return judge(job, seen, now=NOW + after, timeout=TIMEOUT, again=Again(retries=retries))


def outcome(job, seen, **how):
    return judged(job, seen, **how).outcome


def test_completed_needs_azures_word_and_the_vm_back():
    verdict = judged(redeploying(), look(code="MaintenanceCompleted"))

    assert verdict.outcome is JobState.COMPLETED
    assert verdict.verified


@pytest.mark.parametrize(
    "half",
    [
        {"power": "starting"},
        {"power": None},
        {"ready": False},
        {"provisioning": "Updating"},
    ],
)
def test_azures_word_alone_is_not_enough(half):
    assert judged(redeploying(), look(code="MaintenanceCompleted", **half)).then is Then.LOOK_AGAIN


def test_a_vm_that_was_not_ready_before_need_not_be_ready_after():
    job = redeploying(was_ready=False)

    assert outcome(job, look(code="MaintenanceCompleted", ready=False)) is JobState.COMPLETED


def test_a_status_that_azure_drops_once_it_is_done_counts_as_its_word():
    assert outcome(redeploying(), look(status=False)) is JobState.COMPLETED
    assert outcome(redeploying(), look(allowed=False, code="None")) is JobState.COMPLETED


def test_success_of_the_operation_while_the_maintenance_is_still_offered_is_not_completed():
    seen = look(allowed=True)

    assert judged(redeploying(), seen).then is Then.LOOK_AGAIN
    assert outcome(redeploying(), seen, after=TIMEOUT) is JobState.TIMED_OUT


def test_a_running_operation_is_looked_at_again_whatever_the_old_code_says():
    assert (
        judged(redeploying(), look("inProgress", code="MaintenanceAborted")).then is Then.LOOK_AGAIN
    )


def test_a_running_operation_times_out():
    verdict = judged(redeploying(), look("inProgress"), after=TIMEOUT)

    assert verdict.outcome is JobState.TIMED_OUT
    assert "2h" in verdict.reason


def test_retry_later_is_tried_again_until_the_retries_are_used_up():
    seen = look(code="RetryLater", allowed=True)

    assert judged(redeploying(attempt=3), seen, retries=3).then is Then.RETRY
    assert outcome(redeploying(attempt=4), seen, retries=3) is JobState.FAILED
    assert outcome(redeploying(attempt=1), seen, retries=0) is JobState.FAILED


def test_retry_later_twice_in_a_row_is_seen_twice():
    again = redeploying(attempt=2, code_before="RetryLater")

    assert judged(again, look(code="RetryLater", allowed=True)).then is Then.RETRY


@pytest.mark.parametrize("code", ["None", "RetryLater", "MaintenanceAborted"])
def test_a_view_from_before_the_operation_ended_decides_nothing(code):
    job = redeploying(attempt=2, code_before=code)
    lagging = look("failed", code=code, provisioning="Updating")

    assert judged(job, lagging).then is Then.LOOK_AGAIN
    assert outcome(job, lagging, after=TIMEOUT) is JobState.TIMED_OUT


def test_an_abort_is_named():
    assert outcome(redeploying(), look(code="MaintenanceAborted")) is JobState.ABORTED
    assert outcome(redeploying(), look("failed", code="MaintenanceAborted")) is JobState.ABORTED


def test_a_failed_operation_carries_azures_words():
    verdict = judged(
        redeploying(), look("failed", code="None", message="no room"), after=timedelta(0)
    )
    named = judged(
        redeploying(), replace(look("failed"), code="AllocationFailed", message="no room")
    )

    assert verdict.outcome is JobState.FAILED
    assert "AllocationFailed: no room" in named.reason


def test_an_unknown_result_code_decides_nothing_by_itself():
    assert judged(redeploying(), look("unknown", code="Postponed")).then is Then.LOOK_AGAIN


def test_a_vm_that_vanished_is_gone():
    assert outcome(redeploying(), Look(vm=None)) is JobState.GONE


def test_without_an_operation_a_code_from_before_the_start_counts_for_nothing():
    stale = redeploying(code_before="MaintenanceCompleted", operation_url="")

    assert judged(stale, look("unknown", code="MaintenanceCompleted")).then is Then.LOOK_AGAIN


def test_without_an_operation_a_changed_code_counts():
    job = redeploying(operation_url="")

    assert outcome(job, look("unknown", code="MaintenanceCompleted")) is JobState.COMPLETED
    assert outcome(job, look("unknown", code="MaintenanceAborted")) is JobState.ABORTED


def test_without_an_operation_a_false_flag_may_be_a_redeploy_that_still_runs():
    assert (
        judged(redeploying(operation_url=""), look("unknown", allowed=False)).then
        is Then.LOOK_AGAIN
    )


def test_without_an_operation_a_maintenance_that_is_gone_is_done():
    assert (
        outcome(redeploying(operation_url=""), look("unknown", status=False)) is JobState.COMPLETED
    )


def starting(**changes):
    return a_job(
        **{"state": JobState.STARTING, "claimed_at": NOW, "code_before": "None", **changes}
    )


@pytest.mark.parametrize(
    "sign",
    [
        {"provisioning": "Updating"},
        {"power": "stopped"},
        {"ready": False},
        {"code": "MaintenanceCompleted"},
        {"allowed": False},
    ],
)
def test_any_sign_at_the_vm_shows_that_the_start_was_taken(sign):
    seen = look(**{"allowed": True, **sign}).vm

    assert seen is not None
    assert shows_acceptance(starting(), seen, NOW)


def test_a_vm_as_it_was_shows_nothing():
    seen = look(allowed=True).vm

    assert seen is not None
    assert not shows_acceptance(starting(), seen, NOW)


def test_a_vm_that_was_stopped_before_shows_nothing_by_being_stopped():
    seen = look(allowed=True, power="deallocated").vm

    assert seen is not None
    assert not shows_acceptance(starting(was_running=False), seen, NOW)


@pytest.mark.parametrize("opens", [timedelta(hours=1), timedelta(hours=-9)])
def test_outside_its_window_a_flag_that_is_false_tells_nothing_of_the_start(opens):
    window = {"opens": NOW + opens, "closes": NOW + opens + timedelta(hours=8)}
    status = a_status(allowed=False, **window)
    seen = a_vm(view=a_view(maintenance=status), provisioning_state="Succeeded")

    verdict = judged(redeploying(), Look(vm=seen, operation="succeeded"))

    assert verdict.then is Then.LOOK_AGAIN
    assert not shows_acceptance(starting(), seen, NOW)
