"""What a look at a VM means for an installation of patches: whether it began, how it goes, what came of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.due import Installed
from shared.domain.durations import format_duration
from shared.domain.job import Job, JobState
from shared.domain.maintenance import Vm
from shared.domain.patching.model import (
    LastPatchInstallationSummary,
    PatchOperationStatus,
    RebootSetting,
)
from shared.domain.patching.results import Installation, InstallRequest, RebootStatus
from shared.domain.policy import Policy
from shared.domain.verdict import Then, Verdict, not_back

# Between Azure's clock and ours.
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationLook:
    """What ARM said when asked.

    Attributes:
        vm: As read now; None if ARM says that it does not exist.
        operation: `inProgress`, `succeeded`, `failed`, or `unknown` where there is no operation to ask.
        code, message: ARM's error of a failed operation.
        result: Azure's, once it has given it.
    """

    vm: Vm | None
    operation: str = "unknown"
    code: str = ""
    message: str = ""
    result: Installation | None = None


def request_for(job: Job, policy: Policy, *, at_most: timedelta) -> InstallRequest:
    """What Azure is asked to install, and whether it may reboot the VM for it.

    A job that holds no slot never reboots its VM: where a redeploy follows, that does, and one of patches
    that need no reboot leaves out whatever came to need one since they were assessed.
    """
    patches = job.patches
    may_reboot = job.takes_slot and policy.reboot_setting is RebootSetting.IF_REQUIRED
    return InstallRequest(
        maximum_duration=at_most,
        reboot_setting=RebootSetting.IF_REQUIRED if may_reboot else RebootSetting.NEVER,
        classifications=policy.patch_classifications,
        kb_include=policy.kb_include,
        kb_exclude=policy.kb_exclude,
        exclude_kbs_requiring_reboot=not (patches and patches.needs_reboot),
    )


def is_installing(vm: Vm) -> bool:
    """Whether Azure shows an installation that runs on the VM, whoever asked for it."""
    last = _last(vm)
    return last is not None and last.status == PatchOperationStatus.IN_PROGRESS


def shows_installation(job: Job, vm: Vm) -> bool:
    """Whether the VM shows that Azure took the start whose answer was lost; False proves nothing."""
    return _mine(job, vm) is not None or is_installing(vm)


def judge_installation(
    job: Job, look: InstallationLook, *, now: datetime, timeout: timedelta
) -> Verdict:
    """Decides about a job whose installation Azure took.

    Args:
        job: REDEPLOYING, with patches.
        look: What ARM says now.
        now: The instant of the look.
        timeout: BATON_REDEPLOY_TIMEOUT.
    """
    verdict = _judged(job, look)
    began = job.started_at or job.claimed_at or now
    if verdict.then is Then.LOOK_AGAIN and now - began >= timeout:
        reason = f"not done after {format_duration(now - began)}: {verdict.reason}"
        return Verdict(then=Then.END, reason=reason, outcome=JobState.TIMED_OUT)
    return verdict


def came_to(job: Job, look: InstallationLook) -> Installed:
    """The installation by Azure's own numbers, from its result or else from the VM."""
    if result := look.result:
        return Installed(
            installation_activity_id=result.installation_activity_id,
            reboot_status=result.reboot_status,
            installed_patch_count=result.installed_patch_count,
            failed_patch_count=result.failed_patch_count,
        )
    last = _mine(job, look.vm) if look.vm else None
    if last is None:
        return Installed()
    return Installed(
        installation_activity_id=last.installation_activity_id,
        installed_patch_count=last.installed_patch_count,
        failed_patch_count=last.failed_patch_count,
    )


def _judged(job: Job, look: InstallationLook) -> Verdict:
    if look.vm is None:
        reason = "the VM was deleted while its patches were installed"
        return Verdict(then=Then.END, reason=reason, outcome=JobState.GONE)
    if look.operation == "inProgress":
        return Verdict(then=Then.LOOK_AGAIN, reason="Azure is installing its patches")
    last = _mine(job, look.vm)
    status = look.result.status if look.result else last.status if last else ""
    error = look.result.error if look.result else last.error if last else None
    match status:
        case PatchOperationStatus.SUCCEEDED | PatchOperationStatus.COMPLETED_WITH_WARNINGS:
            return _installed(job, look.vm, look.result, status)
        case PatchOperationStatus.FAILED:
            return _failed(f"Azure could not install its patches: {error or 'it does not say why'}")
        case PatchOperationStatus.IN_PROGRESS:
            return Verdict(then=Then.LOOK_AGAIN, reason="Azure is installing its patches")
        case _ if look.operation == "failed":
            said = f"{look.code}: {look.message}" if look.code else "without a code"
            return _failed(f"Azure could not install its patches, {said}")
        case _:
            return Verdict(then=Then.LOOK_AGAIN, reason="Azure has not given its result yet")


def _installed(job: Job, vm: Vm, result: Installation | None, status: str) -> Verdict:
    """Completed needs both: Azure says so, and the VM is as well as it was before."""
    reboot = result.reboot_status if result else ""
    if reboot == RebootStatus.FAILED:
        return _failed("its patches are installed, and the reboot that they need failed")
    said = "Azure reports its patches installed"
    if status == PatchOperationStatus.COMPLETED_WITH_WARNINGS:
        said += f", with warnings ({result.error if result and result.error else 'it names none'})"
    if missing := not_back(job, vm):
        return Verdict(then=Then.LOOK_AGAIN, reason=f"{said}; {missing}")
    if reboot == RebootStatus.REQUIRED:
        said += "; they take effect with its next reboot"
    return Verdict(then=Then.END, reason=said, outcome=JobState.COMPLETED, verified=True)


def _failed(reason: str) -> Verdict:
    return Verdict(then=Then.END, reason=reason, outcome=JobState.FAILED)


def _mine(job: Job, vm: Vm) -> LastPatchInstallationSummary | None:
    """The VM's last installation, if it began after the job's claim."""
    last = _last(vm)
    if last is None or last.start_time is None or job.claimed_at is None:
        return None
    return last if last.start_time >= job.claimed_at - _CLOCKS_DIFFER else None


def _last(vm: Vm) -> LastPatchInstallationSummary | None:
    return vm.patch_status.last_patch_installation_summary if vm.patch_status else None
