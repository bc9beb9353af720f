"""What a person may ask for one VM and its maintenance: to leave it out, and to try it again.

Every answer is why not, a sentence to act on; `""` where nothing speaks against it.
"""

from datetime import datetime

from shared.domain.job import Job, JobState
from shared.domain.maintenance import MaintenanceStatus, Vm

BY_A_PERSON = "person"
"""`skipped_because` of a job that somebody skipped."""

# Results after which Azure may be asked once more for the same maintenance (promise P1).
_AGAIN = ("RetryLater", "MaintenanceAborted")


def why_not_skipped(job: Job) -> str:
    """Why the VM cannot be left out of its maintenance.

    Args:
        job: Its open job, or the one that ended last.
    """
    if job.unsettled:
        return "its last attempt is still being recorded; ask again in a minute"
    if job.state.is_begun:
        return "it is away: a start cannot be taken back, and what runs is finished"
    if job.state.is_end:
        return f"its job ended {job.state}: {job.reason}"
    return ""


def why_not_again(job: Job, vm: Vm | None, now: datetime) -> str:
    """Why a VM's maintenance may not be tried again.

    Args:
        job: Its open job, or the one that ended last.
        vm: As read now; None if it does not exist.
        now: The instant of the decision.
    """
    if not job.state.is_end:
        return f"its job is open: it is {job.state}, and Baton goes on with it by itself"
    if job.unsettled:
        return "its outcome is still being recorded; ask again in a minute"
    if job.maintenance is None:
        return _by_outcome(job) or _by_release(job, now)
    status = vm.maintenance if vm else None
    if status is None:
        return "Azure announces no maintenance for it" if vm else "Azure no longer knows the VM"
    if not job.maintenance.overlaps(status):
        return "that maintenance is over; Azure announces another, which gets a job by itself"
    return _by_outcome(job) or _by_start(job, status) or _by_offer(status, now)


def _by_outcome(job: Job) -> str:
    match job.state:
        case JobState.COMPLETED:
            return f"it is done: {job.reason}"
        case JobState.WITHDRAWN | JobState.GONE | JobState.SKIPPED if not _is_by_a_person(job):
            return f"it ended {job.state} ({job.reason}), and gets a new job by itself when that passes"
        case _:
            return ""


def _by_release(job: Job, now: datetime) -> str:
    """P1 for patches: one accepted installation per release, whatever came of it."""
    if job.tried_release:
        return (
            f"Azure was asked to install release {job.tried_release}, and Baton never installs one twice; "
            "look at the VM, and install it by hand if it must be"
        )
    if now >= job.closes:
        return f"its window for patches closed at {job.closes:%Y-%m-%d %H:%M} UTC; Azure installs by itself"
    return ""


def _by_start(job: Job, status: MaintenanceStatus) -> str:
    """P1: after a start that Azure accepted only RetryLater or an abort let another one follow."""
    if job.claimed_at and not job.started_at:
        return "nobody knows whether Azure took its start, and Baton never starts a VM twice"
    if not job.accepted or job.started_at is None:
        return ""
    code = status.last_operation_result_code
    is_new = job.state is not JobState.TIMED_OUT or code != job.code_before
    if code in _AGAIN and is_new:
        return ""
    return (
        f"Azure took its start at {job.started_at:%Y-%m-%d %H:%M} UTC and neither aborted it nor answered "
        "RetryLater, and Baton never starts a VM twice for one maintenance; look at it in the portal"
    )


def _by_offer(status: MaintenanceStatus, now: datetime) -> str:
    closes = status.pre_maintenance_window_end_time
    if now >= closes:
        return f"its self-service window closed at {closes:%Y-%m-%d %H:%M} UTC; Azure does it by itself"
    if not status.is_offered(now):
        return "Azure no longer offers it (isCustomerInitiatedMaintenanceAllowed is false)"
    return ""


def _is_by_a_person(job: Job) -> bool:
    return job.state is JobState.SKIPPED and job.skipped_because == BY_A_PERSON
