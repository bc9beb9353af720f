"""Starting a planned job: every rule read again, the intent written, the start sent once."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.errors import Refused, StartUnknown, VmNotFound
from shared.domain.job import Job, JobState
from shared.domain.ledger import Change, Ledger
from shared.domain.maintenance import Vm
from shared.domain.mode import Mode
from shared.domain.pace import Pace, next_tick
from shared.domain.placement import set_conflict, with_away
from shared.domain.policy import Policy
from shared.domain.policy_row import standing
from shared.domain.rules import Wait, backoff, why_not_now
from shared.ports import PolicyStore
from shared.use_cases.steps import Steps

log = logging.getLogger("baton.redeploy")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartVm:
    """Starts a PLANNED job, if nothing is in the way.

    Attributes:
        jitter: 0 to 1, for back-off.
    """

    steps: Steps
    policies: PolicyStore
    mode: Mode
    jitter: Callable[[], float]

    async def __call__(self, job: Job) -> None:
        """Starts the job, or leaves a message for when to try, or ends it where it never will.

        Raises:
            Stale: Something changed meanwhile; nothing was started.
        """
        ledger = await self.steps.jobs.ledger(job.team, job.policy)
        found = ledger.job(job.id) if ledger else None
        if ledger is None or found is None or found.state is not JobState.PLANNED:
            return
        job = found
        row = await self.policies.row(job.team, job.policy)
        stands = standing(ledger.head.key, row.columns if row else None, ledger.head.columns)
        wait = why_not_now(job, ledger, stands.policy, self.mode, self.steps.clock.now())
        if wait and self.steps.clock.now() < job.maintenance.pre_maintenance_window_end_time:
            await self.steps.wait(job, wait)
            return
        # The VM's own view decides from here on: its window may have moved, or be gone.
        vm = await self.steps.vm(job)
        now = self.steps.clock.now()
        if vm and vm.maintenance:
            job = replace(job, maintenance=vm.maintenance)
        ended = end_without_start(job, vm, wait, now)
        if ended:
            await self.steps.conclude(ended, ledger)
            return
        wait = wait or vm_in_the_way(vm, stands.policy, self.steps.pace, now)
        if wait or vm is None:
            await self.steps.wait(job, wait or Wait("the VM was not read"))
        elif self.mode is Mode.DRY_RUN:
            reason = "dry run: Baton would have redeployed it now"
            ended = job.ended(JobState.SKIPPED, now=now, reason=reason, skipped_because="dryRun")
            await self.steps.conclude(ended, ledger)
        else:
            await self._start(job, vm, ledger)

    async def _start(self, job: Job, vm: Vm, ledger: Ledger) -> None:
        """Writes the intent, sends the start once, writes the answer."""
        away = await self.steps.jobs.away(job.availability_set) if job.availability_set else None
        conflict = set_conflict(job, away) if away else ""
        now = self.steps.clock.now()
        if conflict:
            await self.steps.wait(
                job, Wait(conflict, self.steps.poll(self.steps.pace.check_interval))
            )
            return
        claimed = job.moved(
            JobState.STARTING,
            claimed_at=now,
            reason="",
            code_before=vm.maintenance.last_operation_result_code if vm.maintenance else "",
            was_running=bool(vm.view and vm.view.is_running),
            was_ready=bool(vm.view and vm.view.agent_ready),
            request_id=_request_id(job),
            operation_url="",
            correlation_id="",
        )
        committed = await self.steps.jobs.commit(
            Change(
                heads=(ledger.head,),
                jobs=(claimed,),
                away=(with_away(away, claimed),) if away else (),
                at=now,
            )
        )
        claimed = replace(claimed, etag=committed.jobs[job.id])
        log.info(
            "Starting %s",
            job.vm_name,
            extra={"action": "redeploy_claimed", **claimed.log_context()},
        )
        await self._send(claimed)

    async def _send(self, job: Job) -> None:
        """Sends the start of a claimed job, once, and writes Azure's answer."""
        now = self.steps.clock.now()
        within = (job.claimed_at or now) + self.steps.pace.start_deadline - now
        if within <= timedelta(0):
            # This process was held up after its claim; whoever looks next finds nothing started.
            await self.steps.look_later(job)
            return
        try:
            accepted = await self.steps.vms.start_maintenance(
                job.vm_id, request_id=job.request_id, within=within
            )
        except Refused as refused:
            await self._refused(job, refused)
            return
        except VmNotFound:
            gone = job.ended(JobState.GONE, now=self.steps.clock.now(), reason="the VM was deleted")
            await self.steps.conclude(gone)
            return
        except StartUnknown as unknown:
            log.warning(
                "The start of %s has no answer: %s",
                job.vm_name,
                unknown,
                extra={"action": "redeploy_unanswered", **job.log_context()},
            )
            await self.steps.look_later(job)
            return
        started = job.moved(
            JobState.REDEPLOYING,
            started_at=job.claimed_at,
            accepted=True,
            operation_url=accepted.operation_url,
            correlation_id=accepted.correlation_id,
        )
        await self.steps.jobs.commit(Change(jobs=(started,), at=self.steps.clock.now()))
        self.steps.accepted(started)
        await self.steps.look_later(started, least=accepted.retry_after)

    async def _refused(self, job: Job, refused: Refused) -> None:
        """Azure did not take it: wait and try again, or end it."""
        now = self.steps.clock.now()
        vm = await self.steps.vm(job)
        said = f"Azure refused it ({refused.code}: {refused.message})"
        job = replace(job, correlation_id=refused.correlation_id or job.correlation_id)
        log.warning(
            "%s: %s", job.vm_name, said, extra={"action": "redeploy_refused", **job.log_context()}
        )
        if vm is None:
            await self.steps.conclude(
                job.ended(JobState.GONE, now=now, reason="the VM was deleted")
            )
        elif vm.maintenance is None:
            reason = f"{said}, and no longer announces the maintenance"
            await self.steps.conclude(job.ended(JobState.WITHDRAWN, now=now, reason=reason))
        elif not refused.may_pass:
            job = replace(job, maintenance=vm.maintenance)
            await self.steps.conclude(job.ended(JobState.FAILED, now=now, reason=said))
        else:
            count = job.refusals + 1
            wait = max(
                backoff(self.steps.pace.retry_delay, count, jitter=self.jitter()),
                refused.retry_after or timedelta(0),
            )
            await self.steps.conclude(
                job.moved(
                    JobState.PLANNED,
                    maintenance=vm.maintenance,
                    refusals=count,
                    not_before=self.steps.within_window(vm.maintenance, now + wait),
                    reason=f"{said}; tried again",
                    claimed_at=None,
                )
            )


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
    if vm.maintenance is None:
        reason = "Azure no longer announces the maintenance"
        return job.ended(JobState.WITHDRAWN, now=now, reason=reason)
    if now >= vm.maintenance.pre_maintenance_window_end_time:
        why = wait.reason if wait else "its turn came too late"
        reason = f"the self-service window closed first: {why}"
        return job.ended(JobState.MISSED, now=now, reason=reason)
    return None


def vm_in_the_way(vm: Vm | None, policy: Policy | None, pace: Pace, now: datetime) -> Wait | None:
    """What at the VM itself, read now, is in the way of a start now."""
    if vm is None or vm.maintenance is None:
        return Wait("the VM was not read")
    if policy is None or not policy.takes(vm):
        return Wait("its policy no longer matches it")
    opens = vm.maintenance.pre_maintenance_window_start_time
    if now < opens:
        return Wait("its self-service window opens later", opens)
    if not vm.maintenance.is_open(now):
        reason = "Azure does not allow it now (isCustomerInitiatedMaintenanceAllowed is false)"
        return Wait(reason, next_tick(now, pace.retry_delay))
    if closed := policy.hours.why_closed(now, policy.estimate):
        closes = vm.maintenance.pre_maintenance_window_end_time
        return Wait(closed, policy.hours.next_start(now, policy.estimate, closes))
    if vm.provisioning_state.lower() == "updating":
        return Wait("another operation runs on the VM", next_tick(now, pace.check_interval))
    return None


def _request_id(job: Job) -> str:
    """The same for the same claim, so that the activity log tells whether it reached Azure."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"baton:{job.id}/{job.attempt}/{job.etag}"))
