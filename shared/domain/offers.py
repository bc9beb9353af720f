"""What a VM is offered that is new to Baton: a maintenance, the patches of a release, or both at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime

from shared.domain.due import DuePatches
from shared.domain.job import Job, JobState
from shared.domain.maintenance import MaintenanceStatus, Vm
from shared.domain.own_mechanism import own_mechanism
from shared.domain.patching.calendar import AZURE_INSTALLS_WITHIN
from shared.domain.patching.columns import Patching
from shared.domain.patching.model import AvailablePatchSummary, RebootSetting
from shared.domain.patching.record import PatchRecord, PatchState
from shared.domain.patching.results import AvailablePatch
from shared.domain.policy import Policy
from shared.domain.steering import BY_A_PERSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """What is available to a VM, by the last assessment that told.

    Attributes:
        at: When that was.
    """

    at: datetime
    patches: tuple[AvailablePatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What may be done to a VM: one of the two, or both in one job."""

    maintenance: MaintenanceStatus | None = None
    patches: DuePatches | None = None

    def __bool__(self) -> bool:
        return bool(self.maintenance or self.patches)

    @property
    def identity(self) -> datetime | str:
        """What the job's id is made of."""
        if self.maintenance:
            return self.maintenance.pre_maintenance_window_start_time
        return self.patches.release if self.patches else ""


def available_to(record: PatchRecord) -> Available | None:
    """What a VM's record knows to be available; None where it is not known, or nothing can be installed."""
    if record.state in (PatchState.UNKNOWN, PatchState.NOT_ELIGIBLE):
        return None
    counted = record.assessment or AvailablePatchSummary()
    automatic, other = counted.critical_and_security_patch_count, counted.other_patch_count
    if record.patches_at is None:
        return Available(at=counted.at) if counted.at and automatic == other == 0 else None
    # The counts may be of a later assessment than the list.
    left = (p for p in record.patches if (automatic if p.is_automatic else other) != 0)
    return Available(at=record.patches_at, patches=tuple(left))


def due_patches(available: Available | None, policy: Policy | None) -> DuePatches | None:
    """The patches that the policy wants installed; None where there are none, or they are not known."""
    if available is None or policy is None or policy.patching is not Patching.INSTALL:
        return None
    wanted = [patch for patch in available.patches if _is_wanted(patch, policy)]
    if not wanted:
        return None
    released = max(patch.published_date or available.at for patch in wanted)
    midnight = released.replace(hour=0, minute=0, second=0, microsecond=0)
    return DuePatches(
        release=f"{released:%Y-%m-%d}",
        since=available.at,
        until=midnight + AZURE_INSTALLS_WITHIN,
        kbs=tuple(sorted({patch.kb_id for patch in wanted if patch.kb_id})),
        needs_reboot=any(patch.may_reboot for patch in wanted),
        may_reboot=policy.reboot_setting is not RebootSetting.NEVER,
    )


def together(status: MaintenanceStatus | None, patches: DuePatches | None) -> Offer:
    """Both in one job, if the patches' window has not ended when the maintenance's opens; else what comes first."""
    if status and patches and status.pre_maintenance_window_start_time >= patches.until:
        return Offer(patches=patches)
    return Offer(maintenance=status, patches=patches)


@dataclass(frozen=True, slots=True)
class Offers:
    """What each VM is offered now, and of that what its job is to do.

    Attributes:
        available: VM key → the patches that are available to it.
        dry_run: Whether nothing will act on the jobs.
    """

    available: Mapping[str, Available]
    _: KW_ONLY
    dry_run: bool
    now: datetime

    def new(self, vm: Vm, policy: Policy | None, before: Sequence[Job]) -> Offer:
        """What may become a job of a VM whose jobs, in the order of time, have all ended."""
        if any(job.unsettled for job in before):
            return Offer()
        status, patches = self._new_maintenance(vm, before), self._due(vm, policy, before)
        if patches and self.dry_run and _was_shown(patches, before):
            patches = None
        return together(status, patches)

    def still(self, job: Job, vm: Vm, policy: Policy, jobs: Sequence[Job]) -> Offer:
        """What an open job of the VM's jobs is to do now."""
        patches = self._due(vm, policy, jobs)
        if vm.key not in self.available and policy.patching is Patching.INSTALL:
            patches = job.patches  # not known, which takes nothing back
        if patches and job.patches and patches.release == job.patches.release:
            patches = replace(patches, since=job.patches.since)
        if job.maintenance is None:
            others = [other for other in jobs if other.id != job.id]
            return together(self._new_maintenance(vm, others), patches)
        if together(vm.maintenance, patches).maintenance is None:
            patches = None  # their window ends before this one opens
        return Offer(maintenance=vm.maintenance, patches=patches)

    def _new_maintenance(self, vm: Vm, before: Sequence[Job]) -> MaintenanceStatus | None:
        """The VM's maintenance, if it is offered and no job has done it, or begun to."""
        status = vm.maintenance
        if status is None or not status.is_offered(self.now) or own_mechanism(vm):
            return None
        last = next((job for job in reversed(before) if job.maintenance), None)
        return status if _may_follow(last, status, dry_run=self.dry_run) else None

    def _due(self, vm: Vm, policy: Policy | None, jobs: Sequence[Job]) -> DuePatches | None:
        """The patches that are due on the VM, and that no job has tried."""
        patches = due_patches(self.available.get(vm.key), policy)
        if patches is None or self.now >= patches.until:
            return None
        is_new = is_new_release(patches, jobs) and not _was_skipped(patches, jobs)
        return patches if is_new else None


def taken_back(job: Job, status: MaintenanceStatus | None, now: datetime) -> str:
    """Why the job's maintenance is none any more; `""` if it is one, or the job has none."""
    if job.maintenance is None:
        return ""
    if status is None:
        return "Azure no longer announces the maintenance"
    if status.last_operation_result_code == "MaintenanceCompleted" and not status.is_offered(now):
        return "the maintenance was completed outside Baton"
    return ""


def is_new_release(patches: DuePatches, jobs: Iterable[Job]) -> bool:
    """Whether no job tried the release, or a later one: never twice for one release."""
    return all(job.tried_release < patches.release for job in jobs)


def _is_wanted(patch: AvailablePatch, policy: Policy) -> bool:
    """As `installPatches` understands the same columns."""
    if patch.kb_id and patch.kb_id in policy.kb_exclude:
        return False
    classes = set(policy.patch_classifications)
    return patch.kb_id in policy.kb_include or bool(classes.intersection(patch.classifications))


def _may_follow(last: Job | None, status: MaintenanceStatus, *, dry_run: bool) -> bool:
    """Whether a new redeploy may follow one that has its outcome.

    After a start, only another maintenance counts: a moved window of the same one does not, so that
    no VM is redeployed twice for one maintenance (P1); after `completed`, another start is another one.
    Without a start, or where Azure answered it RetryLater, there is nothing to repeat. People's word goes
    before: whoever was skipped by one stays out, and one is tried again where somebody asked and P1 allows it.
    """
    if last is None or last.maintenance is None or last.retried_at:
        return True
    if last.skipped_because == BY_A_PERSON:
        return not last.maintenance.overlaps(status)
    postponed = (
        last.state is JobState.SKIPPED
        and last.maintenance.last_operation_result_code == "RetryLater"
    )
    if last.state.halts or (last.accepted and not postponed):
        if not last.maintenance.overlaps(status):
            return True
        moved = (
            last.maintenance.pre_maintenance_window_start_time
            != status.pre_maintenance_window_start_time
        )
        return last.state is JobState.COMPLETED and moved
    return not (last.skipped_because == "dryRun" and dry_run)


def _was_skipped(patches: DuePatches, jobs: Iterable[Job]) -> bool:
    """Whether somebody left the release out, and nobody took that back."""
    return any(
        job.skipped_because == BY_A_PERSON
        and not job.retried_at
        and job.patches
        and job.patches.release >= patches.release
        for job in jobs
    )


def _was_shown(patches: DuePatches, before: Iterable[Job]) -> bool:
    """Whether a dry run has said of the release what it would do."""
    return any(
        job.skipped_because == "dryRun" and job.patches and job.patches.release >= patches.release
        for job in before
    )
