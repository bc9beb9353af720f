"""What mails say of a VM and its maintenance, in the order in which a reader needs it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.attempt import Attempt
from shared.domain.due import Work
from shared.domain.durations import format_duration
from shared.domain.job import Job
from shared.domain.maintenance import MaintenanceStatus, Vm

Facts = tuple[tuple[str, str], ...]


def facts_of_attempt(job: Job, attempt: Attempt, now: datetime) -> Facts:
    """The facts of an attempt that ended badly."""
    return _told(
        ("VM", _vm(job)),
        ("Policy", f"{job.team}/{job.policy}, stage {job.stage}, attempt {attempt.number}"),
        *_of_redeploy(attempt),
        *_of_patches(job, attempt),
        *windows_of(job, now),
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
        ("Patches", patches_of(job)),
        *windows_of(job, now),
        *_findings(job.findings),
        ("Subscription", job.subscription_id),
    )


def facts_of_vm(vm: Vm, status: MaintenanceStatus, now: datetime) -> Facts:
    """The facts of a VM that no policy has."""
    return _told(("VM", _vm(vm)), *_windows(status, now), ("Subscription", vm.subscription_id))


def done_to(job: Job) -> str:
    """What a start does to the job's VM: `redeployed it`, `installed its patches`."""
    return "installed its patches" if job.patches else "redeployed it"


def patches_of(job: Job) -> str:
    """What a job installs, and what that means for its VM; `""` of a redeploy alone."""
    if job.patches is None:
        return ""
    kbs = ", ".join(f"KB{kb}" for kb in job.patches.kbs)
    what = f"patches of release {job.patches.release}{f' ({kbs})' if kbs else ''}"
    if job.maintenance:
        return f"{what}, without a reboot of their own; then its redeploy"
    return f"{what}, {'with a reboot' if job.patches.reboots else 'without a reboot'}"


def azure_acts(job: Job) -> str:
    """When Azure does by itself what the job was to do."""
    if job.maintenance:
        return azure_redeploys(job.maintenance)
    return f"until {utc(job.closes)}, in the VM's off-peak hours and while it runs"


def azure_redeploys(status: MaintenanceStatus) -> str:
    """When Azure redeploys it by itself: `between ... and ...`; `later` where it does not say."""
    start, end = status.maintenance_window_start_time, status.maintenance_window_end_time
    if start and end:
        return f"between {utc(start)} and {utc(end)}"
    return f"from {utc(start)} on" if start else "later"


def utc(at: datetime) -> str:
    """An instant as mails write it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def windows_of(job: Job, now: datetime) -> Facts:
    """Until when Baton may act, and when Azure does."""
    if job.maintenance:
        return _windows(job.maintenance, now)
    return (("Window for patches", _open_until(job.closes, now)),)


def _of_redeploy(attempt: Attempt) -> Facts:
    if attempt.work != Work.REDEPLOY:
        return ()
    return (
        ("lastOperationResultCode", attempt.last_operation_result_code or "(none)"),
        ("lastOperationMessage", attempt.last_operation_message or "(none)"),
    )


def _of_patches(job: Job, attempt: Attempt) -> Facts:
    if attempt.work != Work.PATCH:
        return ()
    kbs = ", ".join(f"KB{kb}" for kb in job.patches.kbs) if job.patches else ""
    installed = attempt.installed
    counts = f"{installed.installed_patch_count or 0} installed, {installed.failed_patch_count or 0} failed"
    return (
        ("Patches", f"release {attempt.release}{f': {kbs}' if kbs else ''}"),
        ("Installation", counts if installed.installation_activity_id else ""),
        ("rebootStatus", installed.reboot_status),
        ("installationActivityId", installed.installation_activity_id),
    )


def _vm(item: Job | Vm) -> str:
    name = item.vm_name if isinstance(item, Job) else item.name
    return f"{name} (resource group {item.resource_group}, {item.location})"


def _windows(status: MaintenanceStatus, now: datetime) -> Facts:
    window = _open_until(status.pre_maintenance_window_end_time, now)
    announced = status.maintenance_window_start_time is not None
    return (
        ("Self-service window", window),
        ("Azure acts by itself", azure_redeploys(status) if announced else ""),
    )


def _open_until(closes: datetime, now: datetime) -> str:
    left = closes - now
    if left > timedelta(0):
        return f"open until {utc(closes)} ({format_duration(left)} left)"
    return f"closed at {utc(closes)}"


def _findings(findings: Iterable[str]) -> Facts:
    return tuple(("Know before it starts", finding) for finding in findings)


def _told(*facts: tuple[str, str]) -> Facts:
    return tuple((label, value) for label, value in facts if value)
