"""`./baton plan` without files: what the next discovery would decide on the tables and Azure as they are."""

from collections.abc import Iterator
from datetime import datetime

from cli.desk import at_the_desk
from cli.shown_plan import ShownError, ShownJob, ShownPlan, ShownVm
from shared.domain.job import Job
from shared.domain.mode import Mode
from shared.domain.policy import Policy
from shared.use_cases.preview import Foresight
from shared.use_cases.wording import patches_of

_MODES = {
    Mode.DRY_RUN: "Baton is in dry run (BATON_MODE): it plans and records, and redeploys nothing.",
    Mode.PAUSED: "Baton is paused (BATON_MODE): it starts nothing.",
}


async def from_azure(now: datetime | None) -> ShownPlan:
    """The plan, and what is on its way.

    Raises:
        BatonError: The settings are bad, or the tables cannot be read.
    """
    async with at_the_desk() as desk:
        return shown(await desk.preview(now=now), desk.mode)


def shown(foresight: Foresight, mode: Mode) -> ShownPlan:
    """A discovery's decision as a plan to be shown."""
    sight, plan = foresight.sight, foresight.plan
    known = {key: stands.policy for key, stands in foresight.standings.items() if stands.policy}
    return ShownPlan(
        now=foresight.now,
        jobs=tuple(
            _job(job, known.get((job.team, job.policy)), foresight) for job in foresight.jobs()
        ),
        unmatched=tuple(
            ShownVm(vm_id=sight.fleet.vms[key].id, reason=why)
            for key, why in sorted(plan.unmatched.items())
        ),
        errors=tuple(_errors(foresight)),
        policies=known,
        unreadable=tuple(
            ShownVm(vm_id=one.vm_id, reason=str(one.problem)) for one in sight.unreadable
        ),
        notes=tuple(_notes(foresight, mode)),
    )


def _job(job: Job, policy: Policy | None, foresight: Foresight) -> ShownJob:
    fleet, vm = foresight.sight.fleet, foresight.sight.fleet.vms.get(job.vm_key)
    began = job.started_at or job.claimed_at
    start = began if job.state.is_begun and began else job.planned_start
    end = start + policy.estimate if start and policy else start
    if end and job.state.is_begun:
        end = max(end, foresight.now)
    return ShownJob(
        vm_id=job.vm_id,
        vm=job.vm_name,
        team=job.team,
        policy=job.policy,
        stage=job.stage,
        start=start,
        end=end,
        work=patches_of(job),
        reason=_on_its_way(job) if job.state.is_begun else job.reason,
        closes=job.closes,
        # One that is away is stopped and updating, as it should be.
        findings=fleet.findings(vm, gap=policy.gap)
        if vm and policy and job.maintenance and not job.state.is_begun
        else (),
        rollout=job.rollout,
        state=str(job.state),
    )


def _on_its_way(job: Job) -> str:
    return f"{job.state}: {'it is away' if job.takes_slot else 'its patches are installed'}"


def _notes(foresight: Foresight, mode: Mode) -> Iterator[str]:
    if mode in _MODES:
        yield _MODES[mode]
    for pause in foresight.pauses:
        if pause.holds:
            yield f"{pause}; ./baton resume {pause.scope}".rstrip()
    for key, why in sorted(foresight.sight.failed.items()):
        what = f"Subscription {key}" if key else "The list of subscriptions"
        yield f"{what} could not be read whole: {why}"
    failed = {key.lower() for key in foresight.sight.failed}
    for key, behind in sorted(foresight.sight.behind.items()):
        if key not in failed:
            yield f"Subscription {key}: {behind.reason}"
    if not foresight.sight.fleet.places.known:
        yield "No locations are known, so no region pair is."
    for (team, policy), need in sorted(foresight.plan.unapproved.items()):
        name = f"{team}/{policy}"
        yield f"Rollout {need.rollout} of {name} waits for approval: ./baton approve {name}"


def _errors(foresight: Foresight) -> list[ShownError]:
    errors = [
        ShownError(team=key[0], policy=key[1], column=problem.field, message=str(problem))
        for key, stands in sorted(foresight.standings.items())
        for problem in stands.problems
    ]
    errors += [
        ShownError(team=key[0], policy=key[1], column="priority", message=why)
        for key, why in sorted(foresight.plan.tied.items())
    ]
    return errors + [
        ShownError(
            team=row.team,
            policy=row.policy,
            column="",
            message=f"row {row} of the jobs table cannot be read; mend it or delete it",
        )
        for row in foresight.plan.unread
    ]
