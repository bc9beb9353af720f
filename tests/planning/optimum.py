"""The best plan of a small instance, proven by OR-tools: fewest VMs given up, then shortest rollouts.

Starts are looked for on a grid. It is exact where every time and length of the instance lies on it:
then whatever can start earlier starts at a sum of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, permutations
from typing import Any

from ortools.sat.python import cp_model

from simulator.promises.policies import Policy
from tests.planning.facts import Facts
from tests.planning.plans import Score, earliest, plan_of, score

STEP = timedelta(minutes=5)
_SECONDS_MAX = 20.0


class NotProvenError(Exception):
    """The solver could not prove its plan to be the best in time."""


@dataclass(frozen=True)
class _Job:
    """A VM in the model, in steps from now. `placed`: a literal; without it the rest says nothing."""

    vm: str
    policy: Policy
    stage: int
    size: int
    start: cp_model.IntVar
    placed: cp_model.IntVar


def optimum(facts: Facts) -> tuple[Score, dict[str, Any]]:
    """The score of the best plan, and a plan that has it.

    Raises:
        ValueError: a time or length is not on the grid.
        NotProvenError: it took too long.
    """
    model = cp_model.CpModel()
    jobs = list(_jobs(facts, model))
    _add_stages(model, jobs)
    _add_slots(model, jobs)
    _add_placement(facts, model, jobs)
    _add_objective(facts, model, jobs)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = _SECONDS_MAX
    solver.parameters.num_workers = 2
    solver.parameters.random_seed = 1
    if solver.solve(model) != cp_model.OPTIMAL:
        raise NotProvenError(f"{len(jobs)} VMs took more than {_SECONDS_MAX} s")
    starts = {
        job.vm: facts.now + solver.value(job.start) * STEP
        for job in jobs
        if solver.boolean_value(job.placed)
    }
    plan = plan_of(facts, starts)
    return score(facts, plan), plan


def legal_starts(facts: Facts, vm: str, policy: Policy) -> list[datetime]:
    """Every instant of the grid at which the VM could start, were it alone."""
    window, length = facts.windows[vm], policy.estimate
    opened = policy.opened(facts.now, window.end + length)
    found = []
    moment = facts.now
    while moment < window.end:
        end = moment + length
        if (
            moment >= facts.opens(vm, policy)
            and any(span.holds(moment, end) for span in opened)
            and not any(freeze.meets(moment, end) for freeze in policy.freezes)
        ):
            found.append(moment)
        moment += STEP
    return found


def _jobs(facts: Facts, model: cp_model.CpModel) -> Iterator[_Job]:
    """The VMs that could start at all."""
    for policy, vms in facts.rollouts:
        for vm in vms:
            starts = [_steps(start - facts.now) for start in legal_starts(facts, vm, policy)]
            if starts:
                domain = cp_model.Domain.from_values(starts)
                yield _Job(
                    vm,
                    policy,
                    facts.stages[vm],
                    _steps(policy.estimate),
                    model.new_int_var_from_domain(domain, f"start of {vm}"),
                    model.new_bool_var(f"{vm} starts"),
                )


def _add_stages(model: cp_model.CpModel, jobs: list[_Job]) -> None:
    for earlier, later in permutations(jobs, 2):
        if earlier.policy is later.policy and earlier.stage < later.stage:
            rest = earlier.size + _steps(later.policy.stage_gap)
            model.add(later.start >= earlier.start + rest).only_enforce_if(
                earlier.placed, later.placed
            )


def _add_slots(model: cp_model.CpModel, jobs: list[_Job]) -> None:
    """A slot is taken until its gap is over."""
    for policy, stage in sorted({(str(job.policy), job.stage) for job in jobs}):
        mine = [job for job in jobs if (str(job.policy), job.stage) == (policy, stage)]
        taken = [_interval(model, job, rest=_steps(job.policy.gap)) for job in mine]
        model.add_cumulative(taken, [1] * len(taken), mine[0].policy.concurrency)


def _add_placement(facts: Facts, model: cp_model.CpModel, jobs: list[_Job]) -> None:
    for one, other in combinations(jobs, 2):
        if facts.may_not_meet(one.vm, other.vm):
            model.add_no_overlap([_interval(model, one), _interval(model, other)])


def _add_objective(facts: Facts, model: cp_model.CpModel, jobs: list[_Job]) -> None:
    longest = _steps(max((span.end - facts.now for span in facts.windows.values()), default=STEP))
    longest += max((job.size for job in jobs), default=0)
    lengths = []
    for policy, vms in facts.rollouts:
        first = earliest(facts, vms)
        length = model.new_int_var(0, longest, f"length of {policy}")
        lengths.append(length)
        for job in jobs:
            if job.policy is policy and first:
                end = job.start + job.size - _steps(first - facts.now)
                model.add(length >= end).only_enforce_if(job.placed)
    given_up = sum(1 - job.placed for job in jobs)
    model.minimize(given_up * (longest * len(lengths) + 1) + sum(lengths))


def _interval(model: cp_model.CpModel, job: _Job, rest: int = 0) -> cp_model.IntervalVar:
    size = job.size + rest
    return model.new_optional_fixed_size_interval_var(
        job.start, size, job.placed, f"{job.vm}+{rest}"
    )


def _steps(length: timedelta) -> int:
    steps, left = divmod(length, STEP)
    if left:
        raise ValueError(f"{length} is not on the grid of {STEP}")
    return steps
