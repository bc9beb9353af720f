"""P3, P4 and P5: what a start means beside the others. Who edits while it happens gets the benefit of the doubt."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import product

from cli.simulation.checks.facts import HALTING, OPEN, Facts, JobSeen, StartSeen
from simulator.promises.placement import clash
from simulator.promises.policies import Policy

_DISCOVERY = timedelta(minutes=5)


def stages(facts: Facts, start: StartSeen) -> Iterator[str]:
    """P3: every VM of an earlier stage and rollout has its outcome, and none halted this one."""
    policies = facts.during(start.job.key, start.began, start.at)
    for other in facts.of_policy(start.job.key):
        if other.id == start.job.id or other.rollout > start.job.rollout:
            continue
        if other.state in OPEN and _goes_before(facts, start, other):
            yield (
                f"{facts.name(start.vm)} started before {facts.name(other.vm)} of an earlier stage "
                f"of {'/'.join(start.job.key)} had its outcome (it is {other.state})"
            )
        if _halts(start, other) and policies and not any(p.continues for p in policies):
            yield (
                f"{facts.name(start.vm)} started though {facts.name(other.vm)} had ended "
                f"{other.state} and {'/'.join(start.job.key)} halts"
            )


def left_out(facts: Facts, start: StartSeen) -> Iterator[str]:
    """P3: no VM of an earlier stage that could be seen was forgotten when the rollout was planned."""
    if start.work == "patch":
        return  # who has nothing due is not left out of it
    key, rollout = start.job.key, start.job.rollout
    planned, members = facts.members.get((key, rollout), (start.at, set()))
    # Whoever has a job of a later rollout was given up for this one, and not forgotten; nor was whoever
    # belongs to another policy meanwhile, whose row was mended.
    had = {job.vm for job in facts.jobs.values() if job.born <= planned + _DISCOVERY}
    # Whoever was started, under whatever policy, may have no second job for its maintenance.
    done = {other.vm for other in facts.starts}
    for vm in sorted(members - had - done):
        pairs = _stages(facts, start, vm)
        untouched = (
            len(facts.tags[vm]) == 1 and not facts.events[vm] and len(facts.versions[key]) == 1
        )
        if untouched and pairs and all(theirs < mine for mine, theirs in pairs):
            yield (
                f"{facts.name(start.vm)} started, and {facts.name(vm)} of an earlier stage was left "
                f"out of rollout {rollout} of {'/'.join(key)}"
            )


def slots(facts: Facts, start: StartSeen, slack: timedelta) -> Iterator[str]:
    """P4: at most `concurrency` away, a slot rests for `gap`, a stage for `stageGap`."""
    if not start.reboots:
        return
    policies = facts.during(start.job.key, start.began, start.at)
    if not policies:
        return  # P2 tells of it
    room = max(policy.concurrency for policy in policies)
    gap = min(policy.gap for policy in policies) - slack
    stage_gap = min(policy.stage_gap for policy in policies) - slack
    busy = []
    for other in _others(facts, start):
        back = other.released()
        if back is None:
            busy.append(other)
        elif _goes_before(facts, start, other.job):
            if start.at - back < stage_gap and other.job.rollout == start.job.rollout:
                yield (
                    f"{facts.name(start.vm)} started {start.at - back} after {facts.name(other.vm)} "
                    f"of the stage before; stageGap is {stage_gap + slack}"
                )
        elif start.at - back < gap and _same_stage(facts, start, other.job):
            busy.append(other)
    if len(busy) >= room:
        names = ", ".join(facts.name(other.vm) for other in busy)
        yield (
            f"{facts.name(start.vm)} started while {names} held {len(busy)} of {room} slots of "
            f"{'/'.join(start.job.key)} (gap {gap + slack})"
        )


def placement(facts: Facts, start: StartSeen) -> Iterator[str]:
    """P5: one update domain of a set; within a policy one zone, and one region of a pair."""
    one = facts.machines[start.vm]
    for start_of_other in facts.starts if start.reboots else ():
        other = facts.machines[start_of_other.vm]
        is_there = start_of_other.released() is not None or not start_of_other.reboots
        if start_of_other.vm == start.vm or is_there:
            continue
        same = start_of_other.job.key == start.job.key
        if why := clash(one, other, facts.pairs, of_one_policy=same):
            yield f"{one.name} started while {other.name} is away: {why}"


def _others(facts: Facts, start: StartSeen) -> Iterable[StartSeen]:
    """The last start that took each other VM of the same policy away."""
    last = {
        s.vm: s
        for s in facts.starts
        if s.job.key == start.job.key and s.vm != start.vm and s.reboots
    }
    return last.values()


def _goes_before(facts: Facts, start: StartSeen, other: JobSeen) -> bool:
    """Whether the other belongs to an earlier rollout or stage, by every version there ever was.

    Tags and sequences that were edited are seen by the app at its next discovery, whenever that is.
    """
    if other.rollout < start.job.rollout:
        return True
    pairs = _stages(facts, start, other.vm)
    return bool(pairs) and all(theirs < mine for mine, theirs in pairs)


def _same_stage(facts: Facts, start: StartSeen, other: JobSeen) -> bool:
    pairs = _stages(facts, start, other.vm)
    same_rollout = other.rollout == start.job.rollout
    return same_rollout and bool(pairs) and all(theirs == mine for mine, theirs in pairs)


def _stages(facts: Facts, start: StartSeen, other: str) -> list[tuple[float, float]]:
    """The stages of both, by every version of policy and tags until now."""
    policies: list[Policy] = [
        v.policy for v in facts.versions.get(start.job.key, []) if v.policy and not v.is_wrong
    ]
    mine = [machine for _, machine in facts.tags.get(start.vm, [])]
    theirs = [machine for _, machine in facts.tags.get(other, [])]
    return [
        (policy.stage(one), policy.stage(two))
        for policy, one, two in product(policies, mine, theirs)
    ]


def _halts(start: StartSeen, other: JobSeen) -> bool:
    """Whether the other's end was there when this one was claimed, in the same rollout."""
    claimed = start.job.claimed
    return bool(
        other.rollout == start.job.rollout
        and other.state in HALTING
        and not other.retried
        and other.ended
        and claimed
        and other.ended <= claimed
    )
