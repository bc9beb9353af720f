"""`./baton plan`: when each offered VM goes, and why one does not; nothing is written."""

import asyncio
from datetime import datetime
from pathlib import Path

from cli import files, say
from cli.given import Given, GivenFiles
from cli.plan_text import tell_plan
from cli.shown_plan import ShownError, ShownJob, ShownPlan, ShownVm
from shared.domain.maintenance import Vm
from shared.domain.planning.fleet import PlannedVm, plan_fleet
from shared.domain.policy import Policy
from shared.domain.policy_row import standing
from shared.domain.preflight import Finding, FindingKind, Surroundings, findings


def run(given: Given, clock: datetime, *, as_json: bool, html: Path | None) -> int:
    """Makes a plan, prints it, and draws it where that is asked for."""
    now, found = given.instant(), given.files()
    plan = from_files(found, now=now or clock) if found else _live(now)
    count = len(plan.jobs)
    picture = plan.picture(f"Plan of {count} {'VM' if count == 1 else 'VMs'}")
    if html:
        from cli.page import page  # noqa: PLC0415 - only a drawing needs the templates

        files.write_text(html, page(picture))
    if as_json:
        say.answer(plan.as_json())
        return say.OK
    tell_plan(say.console(), picture)
    if html:
        print(f"Drawn in {html}")
    return say.OK


def from_files(given: GivenFiles, *, now: datetime) -> ShownPlan:
    """The plan of a fleet on which nothing runs yet."""
    plan = plan_fleet(given.fleet.vms, given.columns, places=given.places, now=now)
    known = {key: standing(key, columns, None).policy for key, columns in given.columns.items()}
    policies = {key: policy for key, policy in known.items() if policy}
    errors = [
        ShownError(team=row.team, policy=row.policy, column=problem.field, message=str(problem))
        for row in given.rows
        for problem in row.problems
    ]
    errors += [
        ShownError(team=one.team, policy=one.policy, column=one.column, message=one.message)
        for one in plan.policy_errors
    ]
    return ShownPlan(
        now=plan.now,
        jobs=tuple(_job(job, policies[job.team, job.policy]) for job in plan.jobs),
        unmatched=tuple(ShownVm(vm_id=one.vm.id, reason=one.reason) for one in plan.unmatched),
        errors=tuple(errors),
        policies=policies,
        unreadable=tuple(
            ShownVm(vm_id=one.vm_id, reason=str(one.problem)) for one in given.fleet.unreadable
        ),
        notes=(*plan.notes, *given.fleet.notes),
    )


def _live(now: datetime | None) -> ShownPlan:
    from cli.live_plan import from_azure  # noqa: PLC0415 - a plan from files needs no SDK

    return asyncio.run(from_azure(now))


def _job(job: PlannedVm, policy: Policy) -> ShownJob:
    status = job.vm.maintenance
    return ShownJob(
        vm_id=job.vm.id,
        vm=job.vm.name,
        team=job.team,
        policy=job.policy,
        stage=job.stage,
        start=job.start,
        end=job.end,
        reason=job.reason,
        closes=status.pre_maintenance_window_end_time if status else None,
        findings=_findings(job.vm, policy),
    )


def _findings(vm: Vm, policy: Policy) -> tuple[Finding, ...]:
    """What a fleet's file tells by itself; what it cannot tell is no news."""
    found = findings(vm, Surroundings(), gap=policy.gap)
    return tuple(each for each in found if each.kind is not FindingKind.NOT_CHECKED)
