"""Everything that is wrong with a plan, by the rules' description and without the app.

The plan is the JSON of `./baton plan --json`:
{"now", "jobs": [{"vmId", "team", "policy", "stage", "start", "end", "reason"}],
 "unmatched": [{"vmId", "reason"}], "policyErrors": [{"team", "policy", "column", "message"}]}.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, permutations

from simulator.promises.policies import Policy
from tests.planning.facts import Facts, Json, instant, read_facts


@dataclass(frozen=True)
class Placed:
    """A job with a start."""

    vm: str
    name: str
    policy: Policy
    stage: int
    start: datetime
    end: datetime

    def meets(self, other: "Placed") -> bool:
        """Whether both are away at some instant."""
        return self.start < other.end and other.start < self.end


def violations(
    plan: Json, *, rows: Iterable[Json], fleet: Iterable[Json], locations: Iterable[Json] = ()
) -> list[str]:
    """What is wrong with the plan, one sentence each, by promise or "contract"; empty: nothing is.

    Args:
        plan: the decoded JSON.
        rows: the policy rows it was made of, see `read_facts`, as of the other two.
        fleet: VMs as Resource Manager returns them, with their instance views.
        locations: regions as Resource Manager returns them, of every subscription; or none.
    """
    facts = read_facts(rows=rows, fleet=fleet, locations=locations, now=instant(plan["now"]))
    placed = list(_placed(facts, plan))
    return [
        *_counted(facts, plan),
        *(wrong for job in plan["jobs"] for wrong in _job(facts, job)),
        *(wrong for entry in plan["unmatched"] for wrong in _unmatched(facts, entry)),
        *_errors(facts, plan),
        *(wrong for job in placed for wrong in _hours(facts, job)),
        *_stages(placed),
        *_slots(placed),
        *_placement(facts, placed),
    ]


# --- the contract -----------------------------------------------------------------------------------


def _counted(facts: Facts, plan: Json) -> Iterator[str]:
    told = Counter(each["vmId"].lower() for each in (*plan["jobs"], *plan["unmatched"]))
    for vm in sorted({*told, *facts.windows}):
        if vm not in facts.windows:
            yield f"contract: {_name(vm)} is in the plan and is not offered maintenance"
        elif told[vm] != 1:
            yield f"contract: {_name(vm)} is offered and is in the plan {told[vm]} times"


def _job(facts: Facts, job: Json) -> Iterator[str]:
    vm = job["vmId"].lower()
    if vm not in facts.windows:
        return  # told by _counted
    said = f"{job['team']}/{job['policy']}"
    keeping = facts.keepers[vm]
    if [str(policy) for policy in keeping] != [said]:
        kept = " and ".join(map(str, keeping)) or "no policy"
        yield f"contract: {_name(vm)} is a job of {said}, and {kept} has it"
        return
    (policy,) = keeping
    if not policy.wrong and job["stage"] != facts.stages[vm]:
        yield f"contract: {_name(vm)} is in stage {facts.stages[vm]}, not {job['stage']}"
    yield from _times(policy, job)


def _times(policy: Policy, job: Json) -> Iterator[str]:
    name, start, end = _name(job["vmId"]), job["start"], job["end"]
    if (start is None) != (end is None):
        yield f"contract: {name} has one of start and end"
    elif start is None:
        if not job["reason"]:
            yield f"contract: {name} has no start, and no reason is given"
    elif policy.wrong:
        yield f"P2: {name} starts under {policy}, whose {', '.join(policy.wrong)} cannot be right"
    else:
        if not all(
            datetime.fromisoformat(each).utcoffset() == timedelta() for each in (start, end)
        ):
            yield f"contract: {name} has times that are not in UTC"
        if instant(end) != instant(start) + policy.estimate:
            yield f"contract: {name} ends {end}, not {policy.estimate} after {start}"


def _unmatched(facts: Facts, entry: Json) -> Iterator[str]:
    vm = entry["vmId"].lower()
    policy = facts.owner(vm) if vm in facts.windows else None
    if policy:
        yield f"contract: {_name(vm)} is unmatched, and {policy} has it"
    if not entry["reason"]:
        yield f"contract: {_name(vm)} is unmatched, and no reason is given"


def _errors(facts: Facts, plan: Json) -> Iterator[str]:
    """A row is in error if a column of it is wrong, or if it ties; a tie over other VMs may be told."""
    told: dict[str, set[str]] = {}
    for error in plan["policyErrors"]:
        policy = f"{error['team']}/{error['policy']}"
        told.setdefault(policy, set()).add(error["column"])
        if not error["message"]:
            yield f"contract: an error of {policy} says nothing"
    wrong = {str(policy): set(policy.wrong) for policy in facts.policies if policy.wrong}
    ties = _ties(facts, facts.machines)
    rows = {str(policy) for policy in facts.policies}
    for policy in sorted({*told, *wrong, *ties}):
        if policy not in told and policy in {*wrong, *_ties(facts, facts.windows)}:
            yield f"contract: {policy} is in error, and the plan does not say so"
        elif policy not in rows:
            yield f"contract: the plan tells of {policy}, and there is no such row"
        elif policy not in {*wrong, *ties}:
            yield f"contract: the plan says that {policy} is in error, and it is not"
        elif policy in wrong and not wrong[policy] & told[policy]:
            yield f"contract: {policy} is wrong in {sorted(wrong[policy])}, not {told[policy]}"


def _ties(facts: Facts, vms: Iterable[str]) -> set[str]:
    """The policies that keep one of the VMs as another policy does."""
    tied = (facts.keepers[vm] for vm in vms if len(facts.keepers[vm]) > 1)
    return {str(policy) for keeping in tied for policy in keeping}


# --- the promises -----------------------------------------------------------------------------------


def _placed(facts: Facts, plan: Json) -> Iterator[Placed]:
    """The jobs with a start that are of a rollout; the others are told of above."""
    for job in plan["jobs"]:
        vm = job["vmId"].lower()
        if vm in facts.stages and job["start"] and job["end"]:
            policy = facts.owner(vm)
            if policy and str(policy) == f"{job['team']}/{job['policy']}":
                times = instant(job["start"]), instant(job["end"])
                yield Placed(vm, _name(vm), policy, facts.stages[vm], *times)


def _hours(facts: Facts, job: Placed) -> Iterator[str]:
    window, policy, at = facts.windows[job.vm], job.policy, shown(job.start)
    if job.start < facts.now + policy.lead:
        yield f"P2: {job.name} starts {at}, before {policy.lead} of notice have passed"
    if not window.start <= job.start < window.end:
        yield f"P2: {job.name} starts {at}, outside {shown(window.start)} to {shown(window.end)}"
    if closed := policy.why_not(job.start, job.end - job.start):
        yield f"P2: {job.name} starts {at}; {closed}"


def _stages(placed: Iterable[Placed]) -> Iterator[str]:
    for earlier, later in permutations(placed, 2):
        if str(earlier.policy) != str(later.policy) or earlier.stage >= later.stage:
            continue
        if later.start < earlier.end:
            yield f"P3: {later.name} starts before {earlier.name} of an earlier stage is back"
        elif later.start < earlier.end + later.policy.stage_gap:
            yield (
                f"P4: {later.name} starts {later.start - earlier.end} after {earlier.name} of an "
                f"earlier stage, and the stage gap is {later.policy.stage_gap}"
            )


def _slots(placed: list[Placed]) -> Iterator[str]:
    seen = set()
    for job in placed:
        policy, turn = job.policy, (str(job.policy), job.stage, job.start)
        if turn in seen:
            continue
        seen.add(turn)
        beside = [
            other
            for other in placed
            if (str(other.policy), other.stage) == (str(policy), job.stage)
            and other.start <= job.start < other.end + policy.gap
        ]
        if len(beside) > policy.concurrency:
            names = ", ".join(other.name for other in beside)
            yield (
                f"P4: at {shown(job.start)} {names} take {len(beside)} slots of {policy.concurrency}, "
                f"with a gap of {policy.gap}"
            )


def _placement(facts: Facts, placed: Iterable[Placed]) -> Iterator[str]:
    for one, other in combinations(placed, 2):
        if one.meets(other) and (why := facts.may_not_meet(one.vm, other.vm)):
            yield f"P5: {one.name} and {other.name} are away together: {why}"


def shown(at: datetime) -> str:
    """An instant as violations tell it; seconds only where there are any."""
    return f"{at:%Y-%m-%d %H:%M:%S.%f}".removesuffix(".000000").removesuffix(":00")


def _name(vm: str) -> str:
    return vm.rpartition("/")[2].lower()
