"""How a VM stands in patching, and why: a state and a sentence for people."""

from datetime import UTC, datetime, timedelta

from shared.domain.durations import format_duration
from shared.domain.maintenance import Vm
from shared.domain.patching.calendar import last_release
from shared.domain.patching.eligibility import lacks_eligibility, lacks_enrolment
from shared.domain.patching.model import PatchOperationStatus, PatchSettings, PatchStatus
from shared.domain.patching.off_peak import OFF_PEAK
from shared.domain.patching.record import PatchRecord, PatchState

# An older assessment says nothing of today.
ASSESSMENT_AGE_MAX = timedelta(days=7)


def is_done(status: str) -> bool:
    """Whether an assessment came to a result."""
    return status in (PatchOperationStatus.SUCCEEDED, PatchOperationStatus.COMPLETED_WITH_WARNINGS)


def judged(vm: Vm, record: PatchRecord, now: datetime) -> tuple[PatchState, str]:
    """The state of a VM.

    Args:
        vm: As it was seen.
        record: What is known of it, this look included; its state and reason do not count.
        now: Aware.
    """
    if vm.view is None:
        return PatchState.UNKNOWN, "Its instance view could not be read."
    if problems := (vm.patch_settings or PatchSettings()).problems:
        return PatchState.UNKNOWN, f"Its settings cannot be used: {'; '.join(map(str, problems))}."
    lacks = lacks_eligibility(vm)
    if lacks:
        return PatchState.NOT_ELIGIBLE, " ".join(map(str, lacks))
    lacks = lacks_enrolment(vm)
    if lacks:
        return PatchState.NOT_ENROLLED, " ".join(map(str, lacks))
    return _of_assessment(vm, record, now)


def _of_assessment(vm: Vm, record: PatchRecord, now: datetime) -> tuple[PatchState, str]:
    summary = record.assessment
    if summary is None or not summary.at:
        return PatchState.UNKNOWN, f"It was never assessed{_hindrance(vm, record)}."
    if summary.reboot_pending:
        return (
            PatchState.REBOOT_PENDING,
            f"Patches are installed and not in force before a reboot, says the assessment of {_day(summary.at)}.",
        )
    if not is_done(summary.status):
        error = f": {summary.error}" if summary.error else ""
        return (
            PatchState.UNKNOWN,
            f"The assessment of {_day(summary.at)} is {summary.status or 'of no status'}{error}{_hindrance(vm, record)}.",
        )
    age = now - summary.at
    if age > ASSESSMENT_AGE_MAX:
        return (
            PatchState.UNKNOWN,
            f"It was last assessed {format_duration(age)} ago, on {_day(summary.at)}{_hindrance(vm, record)}.",
        )
    if summary.critical_and_security_patch_count is None:
        return PatchState.UNKNOWN, f"The assessment of {_day(summary.at)} has no count."
    if record.due_since and record.azure_installs_by:
        return _of_due(record, now)
    release = last_release(now)
    if summary.at < release.at:
        return (
            PatchState.UNKNOWN,
            f"It was last assessed on {_day(summary.at)}, before the patches of {_day(release.at)}{_hindrance(vm, record)}.",
        )
    return (
        PatchState.COMPLIANT,
        f"No critical or security patch was missing on {_day(summary.at)}.",
    )


def _of_due(record: PatchRecord, now: datetime) -> tuple[PatchState, str]:
    by = record.azure_installs_by or now
    overdue = now >= by
    count = record.due_count
    what = f"{count} critical or security patch{'es are' if count != 1 else ' is'} missing since {_day(record.due_since or now)}"
    when = (
        f"Azure was to install by itself until {_day(by)}"
        if overdue
        else f"Azure installs by itself until {_day(by)} ({(by - now).days} days left)"
    )
    state = PatchState.OVERDUE if overdue else PatchState.DUE
    return state, f"{what}; {when}.{_of_reboots(record)}{_of_off_peak(record)}{_of_last(record)}"


def _of_reboots(record: PatchRecord) -> str:
    """Whether what is due asks for a reboot, where the list is known."""
    if not record.due_patches:
        return ""
    rebooting = [f"KB{patch.kb_id}" for patch in record.due_patches if patch.may_reboot]
    return f" A reboot comes with {', '.join(rebooting)}." if rebooting else " None needs a reboot."


def _of_off_peak(record: PatchRecord) -> str:
    if not record.off_peak_seen or record.off_peak_running:
        return ""
    zone = record.time_zone or "UTC"
    return f" It was never seen running in its off-peak hours ({OFF_PEAK} {zone}), and only then Azure installs."


def _of_last(record: PatchRecord) -> str:
    last = record.installation
    if last is None or last.status != PatchOperationStatus.FAILED or not last.at:
        return ""
    error = f": {last.error}" if last.error else ""
    return f" The last installation, of {_day(last.at)}, failed{error}."


def _hindrance(vm: Vm, record: PatchRecord) -> str:
    """Why nothing newer is known."""
    problems = [str(problem) for problem in (vm.patch_status or PatchStatus()).problems]
    if problems:
        return f"; {'; '.join(problems)}"
    if record.assessment_problem:
        return f"; {record.assessment_problem}"
    if vm.view and not vm.view.is_running:
        return f"; it cannot be, while it is {vm.view.power_state or 'in no known state'}"
    return "; its agent is not ready" if vm.view and not vm.view.agent_ready else ""


def _day(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}"
