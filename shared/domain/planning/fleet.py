"""The plan of a fleet: a pure function of (fleet, policies, now), as `./baton plan` shows it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.assignment import Assigner
from shared.domain.ledger import PolicyKey
from shared.domain.maintenance import MaintenanceStatus, Vm
from shared.domain.own_mechanism import own_mechanism
from shared.domain.places import Places
from shared.domain.planning.groups import grouped, lane_of, place_of
from shared.domain.planning.model import Place, Stage, Task, instant, micros, span
from shared.domain.planning.reasons import reasons
from shared.domain.planning.search import plan_group
from shared.domain.policy import Policy, Standing
from shared.domain.policy_row import standing


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedVm:
    """An offered VM of a policy.

    Attributes:
        start, end: When it is planned to be away; None where no start fits.
        reason: Why none fits; `""` where one does.
    """

    vm: Vm
    team: str
    policy: str
    stage: int
    start: datetime | None
    end: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class UnmatchedVm:
    """An offered VM that no policy has, and why."""

    vm: Vm
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyError:
    """What is wrong with a policy row."""

    team: str
    policy: str
    column: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """Every offered VM exactly once, in `jobs` or in `unmatched`, each in the order of VM ids.

    Attributes:
        notes: What the reader should know of the whole.
    """

    now: datetime
    jobs: tuple[PlannedVm, ...]
    unmatched: tuple[UnmatchedVm, ...]
    policy_errors: tuple[PolicyError, ...]
    notes: tuple[str, ...] = ()


def plan_fleet(
    vms: Iterable[Vm],
    rows: Mapping[PolicyKey, Mapping[str, object]],
    *,
    places: Places,
    now: datetime,
) -> FleetPlan:
    """Plans a fleet on which nothing runs yet: one rollout per policy, `approval` as if given.

    Args:
        vms: With their instance views.
        rows: Each policy's columns, as a table has them.
        places: What is known of locations; without it no region pair is.
        now: Aware; `lead` counts from here.
    """
    standings = [standing(key, columns, None) for key, columns in sorted(rows.items())]
    assign = Assigner(standings)
    members: dict[PolicyKey, list[tuple[Vm, MaintenanceStatus]]] = defaultdict(list)
    policies: dict[PolicyKey, Policy] = {}
    unmatched: list[UnmatchedVm] = []
    errors = [error for each in standings for error in _errors(each)]
    ties: dict[PolicyKey, str] = {}
    for vm in sorted(vms, key=lambda vm: vm.key):
        status = vm.maintenance
        if status is None or not status.is_offered(now):
            continue
        if reason := own_mechanism(vm):
            unmatched.append(UnmatchedVm(vm, reason))
            continue
        assignment = assign(vm)
        for key in assignment.tied:
            ties.setdefault(key, f"{vm.name}: {assignment.reason}")
        if assignment.policy is None:
            unmatched.append(UnmatchedVm(vm, assignment.reason))
            continue
        policies[assignment.policy.key] = assignment.policy
        members[assignment.policy.key].append((vm, status))
    errors += [PolicyError(*key, "priority", why) for key, why in sorted(ties.items())]
    jobs = _planned(policies, members, places, now)
    return FleetPlan(
        now=now,
        jobs=tuple(sorted(jobs, key=lambda job: job.vm.key)),
        unmatched=tuple(unmatched),
        policy_errors=tuple(errors),
        notes=() if places.known else ("No locations are known, so no region pair is.",),
    )


def _planned(
    policies: Mapping[PolicyKey, Policy],
    members: Mapping[PolicyKey, list[tuple[Vm, MaintenanceStatus]]],
    places: Places,
    now: datetime,
) -> list[PlannedVm]:
    stages = {key: policies[key].staged([vm for vm, _ in vms]) for key, vms in members.items()}
    at = micros(now)
    same: dict[Place, Place] = {}  # equal places as one object, which is compared faster
    lanes = []
    for key, vms in members.items():
        policy = policies[key]
        tasks: dict[int, list[Task]] = defaultdict(list)
        soonest = at + span(policy.lead)
        for vm, status in vms:
            place = place_of(vm, places)
            task = Task(
                key=vm.key,
                opens=max(soonest, micros(status.pre_maintenance_window_start_time)),
                closes=micros(status.pre_maintenance_window_end_time),
                place=same.setdefault(place, place),
            )
            tasks[stages[key][vm.key]].append(task)
        rest = span(policy.stage_gap)
        staged = [Stage(tasks=tuple(tasks[number]), rest=rest) for number in sorted(tasks)]
        lanes.append(lane_of(policy, staged, now))
    starts: dict[str, int] = {}
    why: dict[str, str] = {}
    for group in grouped(lanes):
        plan = plan_group(group)
        for lane in plan.lanes.values():
            starts.update(lane.starts)
        if plan.score[0]:
            why |= reasons(group, plan, policies)
    return [
        _job(vm, policies[key], stages[key][vm.key], starts.get(vm.key), why.get(vm.key, ""))
        for key, vms in members.items()
        for vm, _ in vms
    ]


def _job(vm: Vm, policy: Policy, stage: int, start: int | None, reason: str) -> PlannedVm:
    at = None if start is None else instant(start)
    return PlannedVm(
        vm=vm,
        team=policy.team,
        policy=policy.name,
        stage=stage,
        start=at,
        end=at + policy.estimate if at else None,
        reason=reason,
    )


def _errors(stands: Standing) -> list[PolicyError]:
    return [PolicyError(*stands.key, problem.field, str(problem)) for problem in stands.problems]
