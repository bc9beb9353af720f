"""What a look at a VM means for its job: after a start with no answer, and while it redeploys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.durations import format_duration
from shared.domain.job import Job, JobState
from shared.domain.maintenance import MaintenanceStatus, Vm

# Between Azure's clock and ours.
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What ARM said when asked.

    Attributes:
        vm: As read now; None if ARM says that it does not exist.
        operation: `inProgress`, `succeeded`, `failed`, or `unknown` where there is no operation to ask.
        code, message: ARM's error of a failed operation.
    """

    vm: Vm | None
    operation: str = "unknown"
    code: str = ""
    message: str = ""


class Then(StrEnum):
    """What to do about it."""

    LOOK_AGAIN = "lookAgain"
    RETRY = "retry"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision and its reason.

    Attributes:
        outcome: With END: which.
        repeats: With RETRY: what came of this attempt, `retryLater` or `aborted`.
        verified: Whether the VM was seen back.
    """

    then: Then
    reason: str
    outcome: JobState | None = None
    repeats: str = ""
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What the policy says of further attempts.

    Attributes:
        retries: So many at most.
        aborted: Also after `MaintenanceAborted`, while Azure still offers the maintenance.
    """

    retries: int = 0
    aborted: bool = False


def judge(job: Job, look: Look, *, now: datetime, timeout: timedelta, again: Again) -> Verdict:
    """Decides about a redeploying job.

    Azure's own result code counts once the operation is over; until then the code may be that of an
    earlier attempt. Where no operation can be asked, a code or a flag that changed since the start counts.

    Args:
        job: REDEPLOYING.
        look: What ARM says now.
        now: The instant of the look.
        timeout: BATON_REDEPLOY_TIMEOUT.
        again: The policy's word on further attempts.
    """
    verdict = _judged(job, look, again, now)
    began = job.started_at or job.claimed_at or now
    if verdict.then is Then.LOOK_AGAIN and now - began >= timeout:
        return _end(
            JobState.TIMED_OUT, f"not back after {format_duration(now - began)}: {verdict.reason}"
        )
    return verdict


def shows_acceptance(job: Job, vm: Vm, now: datetime) -> bool:
    """Whether the VM shows that Azure took the start whose answer was lost.

    False proves nothing by itself: Azure may show the start later.
    """
    updating = vm.provisioning_state.lower() == "updating"
    view = vm.view
    stopped = bool(view and job.was_running and not view.is_running)
    silent = bool(view and job.was_ready and not view.agent_ready)
    changed = bool(vm.maintenance and _code_of(vm) != job.code_before)
    not_offered = vm.maintenance is not None and _is_taken_back(vm.maintenance, now)
    return updating or stopped or silent or changed or not_offered


def not_back(job: Job, vm: Vm) -> str:
    """What the VM lacks to be as well as it was before the start; `""` if nothing."""
    view = vm.view
    if vm.provisioning_state.lower() == "updating":
        return "the VM is still being updated"
    if job.was_running and not (view and view.is_running):
        power = view.power_state if view and view.power_state else "unknown"
        return f"the VM's power state is {power}"
    if job.was_ready and not (view and view.agent_ready):
        return "the VM agent is not ready"
    return ""


def _judged(job: Job, look: Look, again: Again, now: datetime) -> Verdict:
    if look.vm is None:
        return _end(JobState.GONE, "the VM was deleted while it was redeployed")
    if look.operation == "inProgress":
        return Verdict(then=Then.LOOK_AGAIN, reason="Azure is redeploying it")
    over = look.operation in ("succeeded", "failed")
    if over and look.vm.provisioning_state.lower() == "updating":
        reason = "the operation is over, and the VM does not show yet what came of it"
        return Verdict(then=Then.LOOK_AGAIN, reason=reason)
    if over or _code_of(look.vm) != job.code_before:
        by_code = _by_code(job, look.vm, again, now)
        if by_code:
            return by_code
    if look.operation == "failed":
        detail = f"{look.code}: {look.message}" if look.code else "without a code"
        return _end(JobState.FAILED, f"Azure's operation failed, {detail}")
    if look.vm.maintenance is None:
        return _back(job, look.vm, "The maintenance is no longer offered")
    if not over:
        # Nobody can be asked, and a flag that is false says as much of a running redeploy as of a done one.
        return Verdict(then=Then.LOOK_AGAIN, reason="Azure has not given its result yet")
    if not _is_taken_back(look.vm.maintenance, now):
        reason = "the operation succeeded, but Azure still offers the maintenance"
        return Verdict(then=Then.LOOK_AGAIN, reason=reason)
    return _back(job, look.vm, "The operation succeeded and the maintenance is no longer offered")


def _by_code(job: Job, vm: Vm, again: Again, now: datetime) -> Verdict | None:
    """What Azure's result code decides; None where it is no known result."""
    match _code_of(vm):
        case "RetryLater":
            return _retry_later(job, again)
        case "MaintenanceAborted":
            return _aborted(job, vm, again, now)
        case "MaintenanceCompleted":
            return _back(job, vm, "Azure reports MaintenanceCompleted")
        case _:
            return None


def _back(job: Job, vm: Vm, said: str) -> Verdict:
    """Completed needs both: Azure says so, and the VM is as well as it was before."""
    if missing := not_back(job, vm):
        return Verdict(then=Then.LOOK_AGAIN, reason=f"{said}; {missing}")
    return _end(JobState.COMPLETED, f"{said}, and the VM runs again", verified=True)


def _retry_later(job: Job, again: Again) -> Verdict:
    if job.tries > again.retries:
        return _end(
            JobState.FAILED,
            f"Azure answered RetryLater {job.tries} times; retries is {again.retries}",
        )
    return Verdict(then=Then.RETRY, reason="Azure answered RetryLater", repeats="retryLater")


def _aborted(job: Job, vm: Vm, again: Again, now: datetime) -> Verdict:
    """Azure's texts differ on whether it offers the VM once more: its flag tells."""
    reason = "Azure aborted the maintenance; the VM was not moved"
    offered = vm.maintenance is not None and vm.maintenance.is_open(now)
    if again.aborted and offered and job.tries <= again.retries:
        return Verdict(then=Then.RETRY, reason=reason, repeats="aborted")
    return _end(JobState.ABORTED, reason)


def _end(outcome: JobState, reason: str, *, verified: bool = False) -> Verdict:
    return Verdict(then=Then.END, reason=reason, outcome=outcome, verified=verified)


def _code_of(vm: Vm) -> str:
    return vm.maintenance.last_operation_result_code if vm.maintenance else ""


def _is_taken_back(status: MaintenanceStatus, now: datetime) -> bool:
    """Whether Azure offers it no more though its window is open: then it did, or does, what was asked.

    Outside the window the flag is false whatever became of the start. At its edges our clock may be off.
    """
    opens, closes = status.pre_maintenance_window_start_time, status.pre_maintenance_window_end_time
    is_inside = opens + _CLOCKS_DIFFER <= now < closes - _CLOCKS_DIFFER
    return is_inside and not status.is_customer_initiated_maintenance_allowed
