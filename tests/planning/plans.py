"""Plans as JSON, made of starts; a serial planner whose plans are legal and slow; how good a plan is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.planning.facts import Facts, Json, instant


@dataclass(frozen=True, order=True)
class Score:
    """How good a plan is; the lower is the better.

    Attributes:
        unplaced: VMs of rollouts without a start.
        length: the sum over rollouts of the time from the earliest possible start to the last end.
    """

    unplaced: int
    length: timedelta


def plan_of(facts: Facts, starts: Mapping[str, datetime]) -> dict[str, Any]:
    """The plan in which the VMs start so, and the others of the rollouts are given up."""
    jobs = []
    for policy, vms in facts.rollouts:
        for vm in vms:
            start = starts.get(vm)
            jobs.append(
                {
                    "vmId": vm,
                    "team": policy.team,
                    "policy": policy.name,
                    "stage": facts.stages[vm],
                    "start": start and start.isoformat(),
                    "end": start and (start + policy.estimate).isoformat(),
                    "reason": "" if start else "no start is legal",
                }
            )
    left = sorted(set(facts.windows) - set(facts.stages))
    return {
        "now": facts.now.isoformat(),
        "jobs": jobs,
        "unmatched": [{"vmId": vm, "reason": "no policy may start it"} for vm in left],
        "policyErrors": _errors(facts),
    }


def serial_plan(facts: Facts) -> dict[str, Any]:
    """One VM after another in the whole fleet, each as soon as it may: legal, whatever the rules say."""
    starts: dict[str, datetime] = {}
    free = facts.now
    for policy, vms in facts.rollouts:
        for vm in sorted(vms, key=lambda vm: (facts.stages[vm], vm)):
            window = facts.windows[vm]
            start = policy.first_fit(max(free, facts.opens(vm, policy)), window.end)
            if start:
                starts[vm] = start
                free = start + policy.estimate + max(policy.gap, policy.stage_gap)
    return plan_of(facts, starts)


def score(facts: Facts, plan: Json) -> Score:
    """How good the plan is."""
    ends = {job["vmId"].lower(): instant(job["end"]) for job in plan["jobs"] if job["end"]}
    length = timedelta()
    for _, vms in facts.rollouts:
        last = max((ends[vm] for vm in vms if vm in ends), default=None)
        first = earliest(facts, vms)
        if last and first:
            length += last - first
    return Score(sum(vm not in ends for vm in facts.stages), length)


def earliest(facts: Facts, vms: list[str]) -> datetime | None:
    """The earliest instant at which any of the VMs could start, were it alone."""
    return min((first for vm in vms if (first := facts.first_start(vm))), default=None)


def _errors(facts: Facts) -> list[dict[str, str]]:
    wrong = [(policy, column) for policy in facts.policies for column in policy.wrong]
    tied = {
        str(policy): (policy, "priority")
        for vm in facts.windows
        if len(facts.keepers[vm]) > 1
        for policy in facts.keepers[vm]
    }
    return [
        {"team": policy.team, "policy": policy.name, "column": column, "message": "it is wrong"}
        for policy, column in (*wrong, *tied.values())
    ]
