"""What at a VM itself, read now, is in the way of its start, or ends its job without one."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from shared.domain.due import Work
from shared.domain.installation import is_installing
from shared.domain.job import Job, JobState
from shared.domain.maintenance import MaintenanceStatus, Vm
from shared.domain.own_mechanism import own_mechanism
from shared.domain.pace import Pace, next_tick
from shared.domain.patching.columns import Patching
from shared.domain.policy import Policy
from shared.domain.rules import Wait, its_window


def end_without_start(job: Job, vm: Vm | None, wait: Wait | None, now: datetime) -> Job | None:
    """The planned job at an end, if what Azure shows now of its VM means one.

    Args:
        job: With its maintenance as Azure shows it now.
        vm: None if it does not exist.
        wait: What by rule is in the way of a start.
        now: The instant of the decision.
    """
    if vm is None:
        return job.ended(JobState.GONE, now=now, reason="the VM was deleted")
    if job.maintenance and vm.maintenance is None:
        reason = "Azure no longer announces the maintenance"
        return job.ended(JobState.WITHDRAWN, now=now, reason=reason)
    if job.maintenance and (reason := own_mechanism(vm)):
        return job.ended(JobState.SKIPPED, now=now, reason=reason, skipped_because="unmatched")
    if now >= job.closes:
        why = wait.reason if wait else "its turn came too late"
        why = (_cannot_be_patched(vm) if job.work is Work.PATCH else "") or why
        reason = f"{its_window(job).replace('its', 'the')} closed first: {why}"
        return job.ended(JobState.MISSED, now=now, reason=reason)
    return None


def vm_in_the_way(
    job: Job, vm: Vm | None, policy: Policy | None, pace: Pace, now: datetime
) -> Wait | None:
    """What at the VM itself, read now, is in the way of a start now."""
    if vm is None or (job.maintenance and vm.maintenance is None):
        return Wait("the VM was not read")
    if policy is None or not policy.takes(vm):
        return Wait("its policy no longer matches it")
    return next(_in_the_way(job, vm, policy, pace, now), None)


def with_time_for_both(
    job: Job, vm: Vm | None, policy: Policy | None, pace: Pace, now: datetime
) -> Job:
    """The job, without its patches where installing them first could cost the VM its maintenance."""
    if job.maintenance is None or job.patches is None or vm is None or policy is None:
        return job
    done = now + pace.installation_at_most
    in_time = (
        policy.hours.next_start(done, policy.estimate, job.closes) if done < job.closes else None
    )
    can = in_time and now < job.patches.until and not _cannot_be_patched(vm)
    return job if can and policy.patching is Patching.INSTALL else replace(job, patches=None)


def _in_the_way(job: Job, vm: Vm, policy: Policy, pace: Pace, now: datetime) -> Iterator[Wait]:
    if job.maintenance:
        yield from _of_maintenance(job.maintenance, pace, now)
    if job.patches:
        yield from _of_patches(vm, policy, pace, now)
    if closed := policy.hours.why_closed(now, policy.estimate):
        yield Wait(closed, policy.hours.next_start(now, policy.estimate, job.closes))
    if vm.provisioning_state.lower() == "updating":
        yield Wait("another operation runs on the VM", next_tick(now, pace.check_interval))
    if is_installing(vm):
        reason = "an installation of patches runs on the VM"
        yield Wait(reason, next_tick(now, pace.check_interval))


def _of_maintenance(status: MaintenanceStatus, pace: Pace, now: datetime) -> Iterator[Wait]:
    opens = status.pre_maintenance_window_start_time
    if now < opens:
        yield Wait("its self-service window opens later", opens)
    elif not status.is_open(now):
        reason = "Azure does not allow it now (isCustomerInitiatedMaintenanceAllowed is false)"
        yield Wait(reason, next_tick(now, pace.retry_delay))


def _of_patches(vm: Vm, policy: Policy, pace: Pace, now: datetime) -> Iterator[Wait]:
    if policy.patching is not Patching.INSTALL:
        yield Wait(f"its policy no longer installs patches (patching is {policy.patching})")
    if cannot := _cannot_be_patched(vm):
        yield Wait(cannot, next_tick(now, pace.retry_delay))


def _cannot_be_patched(vm: Vm) -> str:
    """Why Azure could install nothing on the VM now; `""` if it could."""
    power = vm.view.power_state if vm.view else None
    if power != "running":
        return f"it does not run (PowerState/{power or 'unknown'}), and only a running VM can be patched; start it"
    if vm.view and not vm.view.agent_ready:
        return "its VM agent is not ready, and without it nothing can be installed; mend the agent"
    return ""
