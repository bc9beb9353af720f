"""From what is seen of a VM, and what was known before, to its record."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.ledger import PolicyKey
from shared.domain.maintenance import Vm
from shared.domain.patching.calendar import AZURE_INSTALLS_WITHIN, last_release
from shared.domain.patching.judge import is_done, judged
from shared.domain.patching.model import (
    AvailablePatchSummary,
    PatchOperationStatus,
    PatchSettings,
    PatchStatus,
)
from shared.domain.patching.off_peak import off_peak_hours
from shared.domain.patching.record import PatchRecord, PatchState
from shared.domain.patching.results import Assessment

# Azure assesses "every few days"; after this Baton asks for an assessment of its own.
ASSESS_AFTER = timedelta(hours=24)
# Minutes, as a rule; the extension may be installed first.
ASSESSMENT_TIMEOUT = timedelta(hours=3)


def observed(vm: Vm, before: PatchRecord | None, *, key: PolicyKey, now: datetime) -> PatchRecord:
    """The VM's record after a look at it.

    Args:
        vm: With its instance view, as far as that could be read.
        before: Its record after the last look.
        key: (team, policy) of the policy that has it watched.
        now: Aware.
    """
    settings, status = vm.patch_settings or PatchSettings(), vm.patch_status or PatchStatus()
    kept = before or _first(vm)
    record = replace(
        kept,
        vm_id=vm.id,
        vm_name=vm.name,
        resource_group=vm.resource_group,
        location=vm.location,
        team=key[0],
        policy=key[1],
        image=str(vm.image or ""),
        enable_hotpatching=settings.enable_hotpatching,
        patch_mode=settings.patch_mode,
        assessment_mode=settings.assessment_mode,
        reboot_setting=settings.reboot_setting,
        time_zone=settings.time_zone,
        power_state=(vm.view.power_state if vm.view else None) or "",
        assessment=_assessment(status.available_patch_summary, kept.assessment, now),
        installation=status.last_patch_installation_summary or kept.installation,
        seen_at=now,
    )
    record = _with_due(_with_off_peak(record, vm, now), now)
    state, reason = judged(vm, record, now)
    compliant_at = now if state is PatchState.COMPLIANT else record.compliant_at
    return replace(record, state=state, reason=reason, compliant_at=compliant_at)


def assessed(record: PatchRecord, found: Assessment, now: datetime) -> PatchRecord:
    """The record after an assessment that Baton asked for ended with a result."""
    if not is_done(found.status):
        why = str(found.error) if found.error else "Azure gives no error"
        return failed(record, f"the assessment ended {found.status or 'without a status'}: {why}")
    summary = AvailablePatchSummary(
        status=found.status,
        assessment_activity_id=found.assessment_activity_id,
        reboot_pending=found.reboot_pending,
        critical_and_security_patch_count=found.critical_and_security_patch_count,
        other_patch_count=found.other_patch_count,
        start_time=found.start_date_time,
        last_modified_time=now,
        error=found.error,
    )
    return replace(
        record,
        assessment=summary,
        patches=found.available_patches,
        patches_at=now,
        assessing_url="",
        assessment_failures=0,
        assessment_problem="",
    )


def failed(record: PatchRecord, why: str) -> PatchRecord:
    """The record after an assessment came to nothing."""
    return replace(
        record,
        assessing_url="",
        assessment_failures=record.assessment_failures + 1,
        assessment_problem=why,
    )


def wants_assessment(
    vm: Vm, record: PatchRecord, now: datetime, *, after: timedelta = ASSESS_AFTER
) -> bool:
    """Whether Baton should have the VM assessed: it can be, and what is known is old or lacks the list.

    Args:
        vm: As seen now.
        record: As observed now.
        now: Aware.
        after: BATON_PATCH_ASSESS_AFTER.
    """
    ready = vm.view is not None and vm.view.is_running and vm.view.agent_ready
    if not ready or record.assessing_url or record.state is PatchState.NOT_ELIGIBLE:
        return False
    if record.assessing_since and now - record.assessing_since < _patience(record, after):
        return False
    at = record.assessment.at if record.assessment and is_done(record.assessment.status) else None
    stale = at is None or now - at > after or at < last_release(now).at
    return stale or (record.due_count > 0 and _is_unlisted(record, now, after))


def _is_unlisted(record: PatchRecord, now: datetime, after: timedelta) -> bool:
    """Whether no list tells what is due, or an installation has come between."""
    listed = record.patches_at
    installed = record.installation.at if record.installation else None
    return listed is None or now - listed > after or (installed is not None and installed > listed)


def _patience(record: PatchRecord, after: timedelta) -> timedelta:
    """How long to leave a VM alone after an assessment: an hour of a day, and longer after each failure."""
    return min(after / 24 * (1 << min(record.assessment_failures, 5)), after)


def _assessment(
    seen: AvailablePatchSummary | None, known: AvailablePatchSummary | None, now: datetime
) -> AvailablePatchSummary | None:
    """The assessment that counts: the last that ended, while another is under way as it should be."""
    if seen is None or known is None or seen.status != PatchOperationStatus.IN_PROGRESS:
        return seen or known
    is_late = seen.at is None or now - seen.at > ASSESSMENT_TIMEOUT
    return seen if is_late or not is_done(known.status) else known


def _first(vm: Vm) -> PatchRecord:
    return PatchRecord(
        vm_id=vm.id,
        vm_name=vm.name,
        resource_group=vm.resource_group,
        subscription_id=vm.subscription_id,
        location=vm.location,
        team="",
        policy="",
    )


def _with_off_peak(record: PatchRecord, vm: Vm, now: datetime) -> PatchRecord:
    """Counts a look at the VM in its off-peak hours, from the newest release on."""
    since = last_release(now).at
    if record.off_peak_since != since:
        record = replace(record, off_peak_since=since, off_peak_seen=0, off_peak_running=0)
    if vm.view is None or not off_peak_hours(vm).contains(now, now):
        return record
    return replace(
        record,
        off_peak_seen=record.off_peak_seen + 1,
        off_peak_running=record.off_peak_running + vm.view.is_running,
    )


def _with_due(record: PatchRecord, now: datetime) -> PatchRecord:
    """Since when something is due, and until when Azure installs it."""
    if not record.due_count:
        left = tuple(patch for patch in record.patches if not patch.is_automatic)
        return replace(record, due_since=None, azure_installs_by=None, patches=left)
    published = [
        patch.published_date
        for patch in record.due_patches
        if patch.published_date and patch.published_date <= now
    ]
    first = min(published) if published else last_release(now).at
    # A newer cumulative update takes the place of the one that was missed: due it is all the same.
    since = min(first, record.due_since) if record.due_since else first
    return replace(record, due_since=since, azure_installs_by=since + AZURE_INSTALLS_WITHIN)
