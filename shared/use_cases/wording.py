"""What mails say of a VM and its maintenance, in the order in which a reader needs it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.durations import format_duration
from shared.domain.job import Attempt, Job
from shared.domain.maintenance import MaintenanceStatus, Vm

Facts = tuple[tuple[str, str], ...]


def facts_of_attempt(job: Job, attempt: Attempt, now: datetime) -> Facts:
    """The facts of an attempt that ended badly."""
    return _told(
        ("VM", _vm(job)),
        ("Policy", f"{job.team}/{job.policy}, stage {job.stage}, attempt {attempt.number}"),
        ("lastOperationResultCode", attempt.last_operation_result_code or "(none)"),
        ("lastOperationMessage", attempt.last_operation_message or "(none)"),
        *_windows(job.maintenance, now),
        *_findings(job.findings),
        ("Subscription", job.subscription_id),
        ("Correlation id", attempt.correlation_id),
    )


def facts_of_job(job: Job, now: datetime) -> Facts:
    """The facts of a job that has not started."""
    return _told(
        ("VM", _vm(job)),
        ("Policy", f"{job.team}/{job.policy}, rollout {job.rollout}, stage {job.stage}"),
        ("Planned start", utc(job.planned_start) if job.planned_start else "none fits"),
        *_windows(job.maintenance, now),
        *_findings(job.findings),
        ("Subscription", job.subscription_id),
    )


def facts_of_vm(vm: Vm, status: MaintenanceStatus, now: datetime) -> Facts:
    """The facts of a VM that no policy has."""
    return _told(("VM", _vm(vm)), *_windows(status, now), ("Subscription", vm.subscription_id))


def azure_acts(status: MaintenanceStatus) -> str:
    """When Azure does it by itself: `between ... and ...`; `later` where it does not say."""
    start, end = status.maintenance_window_start_time, status.maintenance_window_end_time
    if start and end:
        return f"between {utc(start)} and {utc(end)}"
    return f"from {utc(start)} on" if start else "later"


def utc(at: datetime) -> str:
    """An instant as mails write it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _vm(item: Job | Vm) -> str:
    name = item.vm_name if isinstance(item, Job) else item.name
    return f"{name} (resource group {item.resource_group}, {item.location})"


def _windows(status: MaintenanceStatus, now: datetime) -> Facts:
    closes = status.pre_maintenance_window_end_time
    left = closes - now
    window = (
        f"open until {utc(closes)} ({format_duration(left)} left)"
        if left > timedelta(0)
        else f"closed at {utc(closes)}"
    )
    announced = status.maintenance_window_start_time is not None
    return (
        ("Self-service window", window),
        ("Azure acts by itself", azure_acts(status) if announced else ""),
    )


def _findings(findings: Iterable[str]) -> Facts:
    return tuple(("Know before it starts", finding) for finding in findings)


def _told(*facts: tuple[str, str]) -> Facts:
    return tuple((label, value) for label, value in facts if value)
