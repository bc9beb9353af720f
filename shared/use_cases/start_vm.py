"""Starting a planned job: every rule read again, the intent written, the start sent once."""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain import lifecycle
from shared.domain.due import Work
from shared.domain.durations import format_duration
from shared.domain.errors import Refused, Stale, StartUnknown, VmNotFound
from shared.domain.go_ahead import Question, deadline, question
from shared.domain.installation import request_for
from shared.domain.job import Job, JobState
from shared.domain.ledger import Change, Ledger
from shared.domain.maintenance import Vm
from shared.domain.mode import Mode
from shared.domain.pause import pause_of
from shared.domain.placement import set_conflict, with_away
from shared.domain.policy import Policy
from shared.domain.policy_row import standing
from shared.domain.readiness import end_without_start, vm_in_the_way, with_time_for_both
from shared.domain.rules import Wait, backoff, why_not_now
from shared.domain.steering import BY_A_PERSON
from shared.ports import Accepted, PauseStore, PolicyStore
from shared.use_cases.steps import Steps, Written
from shared.use_cases.wording import done_to

log = logging.getLogger("baton.redeploy")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job whose intent to start is written: the start is now sent, once."""

    job: Job
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class StartVm:
    """Starts a PLANNED job, if nothing is in the way.

    Attributes:
        jitter: 0 to 1, for back-off.
    """

    steps: Steps
    policies: PolicyStore
    pauses: PauseStore
    mode: Mode
    jitter: Callable[[], float]

    async def __call__(self, job: Job, *, remembered: bool = False) -> None:
        """Starts the job, or leaves a message for when to try, or ends it where it never will.

        Args:
            job: As it was read.
            remembered: It was not read, but known from before.

        Raises:
            Stale: Something changed meanwhile, or might have; nothing was started.
        """
        async with self.steps.turn(job) as ledger:
            found = ledger.job(job.id) if ledger else None
            if ledger is None or found is None or found.state is not JobState.PLANNED:
                raise Stale(f"job {job.id} is no longer planned")
            decided = await self._decide(found, ledger)
        match decided:
            case Wait():
                if remembered:
                    await self._check(found)
                await self.steps.wait(found, decided)
            case Written():
                await self.steps.follow_up(decided)
            case Claimed():
                await self._send(decided.job, decided.policy)
                await self.steps.settle.herald()

    async def _check(self, job: Job) -> None:
        """A write would have failed if the job were another than it is remembered as; a wait must look."""
        now = await self.steps.jobs.job(job.team, job.policy, job.id)
        if now is None or now.etag != job.etag:
            raise Stale(f"job {job.id} is another than it was")

    async def _decide(self, job: Job, ledger: Ledger) -> Wait | Written | Claimed:
        """Writes the intent to start, or the end of a job that never will, or says why it waits."""
        # Read after the head: a pause writes its row first and the heads then, so that whoever decided
        # without it cannot commit its claim.
        row, pauses = await asyncio.gather(
            self.policies.row(job.team, job.policy), self.pauses.all()
        )
        stands = standing(ledger.head.key, row.columns if row else None, ledger.head.columns)
        pause = pause_of(pauses, job.team, job.policy)
        now = self.steps.clock.now()
        wait = why_not_now(job, ledger, stands.policy, self.mode, now, pause=pause)
        if wait and now < job.closes:
            return wait
        # The VM's own view decides from here on: its window may have moved, or be gone.
        vm = await self.steps.vm(job)
        now = self.steps.clock.now()
        if job.maintenance and vm and vm.maintenance:
            job = replace(job, maintenance=vm.maintenance)
        alone = with_time_for_both(job, vm, stands.policy, self.steps.pace, now)
        if alone != job:
            # Without its patches it takes a slot.
            job, ledger = alone, ledger.with_job(alone)
            wait = wait or why_not_now(job, ledger, stands.policy, self.mode, now, pause=pause)
        ended = end_without_start(job, vm, wait, now)
        if ended:
            return await self.steps.write(ended, ledger)
        wait = wait or vm_in_the_way(job, vm, stands.policy, self.steps.pace, now)
        if wait or vm is None or stands.policy is None:
            return wait or Wait("the VM was not read")
        if self.mode is Mode.DRY_RUN:
            reason = f"dry run: Baton would have {done_to(job)} now"
            ended = job.ended(JobState.SKIPPED, now=now, reason=reason, skipped_because="dryRun")
            return await self.steps.write(ended, ledger)
        asked = await self._asks(job, stands.policy, ledger)
        return asked or await self._claim(job, vm, stands.policy, ledger)

    async def _asks(self, job: Job, policy: Policy, ledger: Ledger) -> Wait | Written | None:
        """Asks for the go-ahead that the policy wants, or ends the job that got none; None: it may start."""
        go_ahead, now = policy.go_ahead, self.steps.clock.now()
        if go_ahead is None or (asks := question(job, go_ahead, now)) is Question.START:
            return None
        until = now + go_ahead.wait
        if asks is Question.SKIP:
            said = f"nobody gave a go-ahead within {format_duration(go_ahead.wait)}"
            reason = f"{said}, and goAheadDefault is skip"
            ended = job.ended(JobState.SKIPPED, now=now, reason=reason, skipped_because=BY_A_PERSON)
            return await self.steps.write(ended, ledger)
        if asks is Question.ASK:
            asked = replace(job, asked_at=now, allowed_by=None, allowed_at=None)
            events = lifecycle.asking(asked, until=until, default=go_ahead.default)
            change = Change(heads=(ledger.head,), jobs=(asked,), events=events, at=now)
            await self.steps.commit(change, ledger)
            await self.steps.settle.herald()
        said = f"it asked for a go-ahead; {go_ahead.default} without an answer"
        return Wait(said, deadline(job, go_ahead) or until)

    async def _claim(self, job: Job, vm: Vm, policy: Policy, ledger: Ledger) -> Wait | Claimed:
        """Writes the intent."""
        needs_place = job.domain_set and job.takes_slot
        away = await self.steps.jobs.away(job.domain_set) if needs_place else None
        conflict = set_conflict(job, away) if away else ""
        now = self.steps.clock.now()
        if conflict:
            return Wait(conflict, self.steps.poll(self.steps.pace.check_interval))
        claimed = job.moved(
            JobState.STARTING,
            claimed_at=now,
            asked_at=None,
            expected_at=now + ledger.shortest if ledger.shortest else None,
            reason=f"go-ahead by {job.allowed_by}" if job.allowed_by else "",
            code_before=vm.maintenance.last_operation_result_code if vm.maintenance else "",
            was_running=bool(vm.view and vm.view.is_running),
            was_ready=bool(vm.view and vm.view.agent_ready),
            request_id=_request_id(job),
            operation_url="",
            correlation_id="",
        )
        change = Change(
            heads=(ledger.head,),
            jobs=(claimed,),
            away=(with_away(away, claimed),) if away else (),
            events=lifecycle.starting(claimed),
            at=now,
        )
        after = await self.steps.commit(change, ledger)
        claimed = after.job(job.id) or claimed
        log.info(
            "Starting %s",
            job.vm_name,
            extra={"action": "redeploy_claimed", **claimed.log_context()},
        )
        return Claimed(claimed, policy)

    async def _send(self, job: Job, policy: Policy) -> None:
        """Sends the start of a claimed job, once, and writes Azure's answer."""
        now = self.steps.clock.now()
        within = (job.claimed_at or now) + self.steps.pace.start_deadline - now
        if within <= timedelta(0):
            # This process was held up after its claim; whoever looks next finds nothing started.
            await self.steps.look_later(job)
            return
        try:
            accepted = await self._ask(job, policy, within)
        except Refused as refused:
            await self._refused(job, refused)
            return
        except VmNotFound:
            gone = job.ended(JobState.GONE, now=self.steps.clock.now(), reason="the VM was deleted")
            await self.steps.conclude(gone, before=job)
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
        started = job.accepted_at(
            job.claimed_at or now,
            operation_url=accepted.operation_url,
            correlation_id=accepted.correlation_id,
        )
        await self.steps.take(started)
        await self.steps.look_later(started, least=accepted.retry_after)

    async def _ask(self, job: Job, policy: Policy, within: timedelta) -> Accepted:
        if job.work is Work.REDEPLOY:
            return await self.steps.vms.start_maintenance(
                job.vm_id, request_id=job.request_id, within=within
            )
        request = request_for(job, policy, at_most=self.steps.pace.installation_at_most)
        return await self.steps.patches.start_installation(
            job.vm_id, request=request, request_id=job.request_id, within=within
        )

    async def _refused(self, job: Job, refused: Refused) -> None:
        """Azure did not take it: wait and try again, or end it."""
        now = self.steps.clock.now()
        vm = await self.steps.vm(job)
        said = f"Azure refused it ({refused.code}: {refused.message})"
        job = replace(job, correlation_id=refused.correlation_id or job.correlation_id)
        log.warning(
            "%s: %s",
            job.vm_name,
            said,
            extra={"action": "redeploy_refused", **job.log_context()},
        )
        status = vm.maintenance if vm and job.maintenance else None
        if vm is None:
            await self.steps.conclude(
                job.ended(JobState.GONE, now=now, reason="the VM was deleted"), before=job
            )
        elif job.maintenance and status is None:
            reason = f"{said}, and no longer announces the maintenance"
            withdrawn = job.ended(JobState.WITHDRAWN, now=now, reason=reason)
            await self.steps.conclude(withdrawn, before=job)
        elif refused.may_pass:
            count = job.refusals + 1
            wait = max(
                backoff(self.steps.pace.retry_delay, count, jitter=self.jitter()),
                refused.retry_after or timedelta(0),
            )
            job = replace(job, maintenance=status)
            await self.steps.conclude(
                job.moved(
                    JobState.PLANNED,
                    refusals=count,
                    not_before=self.steps.within_window(job, now + wait),
                    reason=f"{said}; tried again",
                    claimed_at=None,
                ),
                before=job,
            )
        elif job.patches:
            failed = job.after_installation(JobState.FAILED, now=now, reason=said)
            await self.steps.conclude(failed, before=job)
        else:
            job = replace(job, maintenance=status)
            refused_job = job.ended(JobState.FAILED, now=now, reason=said, claimed_at=None)
            await self.steps.conclude(refused_job, before=job)


def _request_id(job: Job) -> str:
    """The same for the same claim, so that the activity log tells whether it reached Azure."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"baton:{job.id}/{job.attempt}/{job.etag}"))
