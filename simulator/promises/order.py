"""P3 and P4: stage after stage, slot after slot."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from simulator.promises.model import EDIT_GRACE, Evidence, Machine, Row, Start, Verdict, clock
from simulator.promises.policies import History, Policy
from simulator.promises.starts import window_at

_JOIN = timedelta(seconds=10)
"""A VM announced this late into a stage may not have been discovered before the stage ended."""


def stages(evidence: Evidence) -> Verdict:
    """P3: no start before every VM of the earlier stages has its outcome, none after a halt."""
    history = History(evidence)
    violations = []
    pairs = 0
    for start in evidence.accepted:
        owners = history.owners(start.vm, start.at)
        for policy in owners[-1:]:
            earlier = _earlier(evidence, history, policy, start)
            pairs += len(earlier)
            violations += [
                f"{evidence.name(start.vm)} started at {clock(start.at)}, before {machine.name} "
                f"of an earlier stage of {policy} had its outcome"
                for machine in earlier
                if not _has_outcome(evidence, machine, start.at)
                and _keeps_waiting(evidence, history, policy, machine, start)
            ]
        halting = [_halt(evidence, policy, start) for policy in owners]
        if halting and all(halting):
            row = halting[-1]
            violations.append(
                f"{evidence.name(start.vm)} started at {clock(start.at)} though {row and row.name} "
                f"had ended {row and row.outcome} and {owners[-1]} halts"
            )
    facts = f"{len(evidence.accepted)} starts against {pairs} VMs of earlier stages"
    return Verdict("P3", "stage after stage, none after a halt", facts, tuple(violations))


def slots(evidence: Evidence) -> Verdict:
    """P4: at most `concurrency` away, a slot rests for `gap`, a stage for `stageGap`."""
    history = History(evidence)
    violations, rests, most = [], [], 0
    for start in evidence.departures:
        owners = history.owners(start.vm, start.at)
        if not owners:
            continue  # P2 tells of it
        beside = _beside(evidence, history, owners[-1], start)
        most = max(most, 1 + sum(not end or end > start.at for end in beside))
        room = max(policy.concurrency for policy in owners)
        gap = min(policy.gap for policy in owners)
        busy = sum(not end or end + gap > start.at for end in beside)
        if busy >= room:
            violations.append(
                f"{evidence.name(start.vm)} at {clock(start.at)}: {busy} of {room} slots of "
                f"{owners[-1]} were taken or within the gap of {_seconds(gap)}"
            )
        if (rest := _rest(beside, room, start.at)) is not None:
            rests.append(rest - gap)
        if start.work == "redeploy":
            violations += _too_soon(evidence, history, owners, start)
    spare = (
        f"tightest gap {_seconds(min(rests))} above the least" if rests else "no slot used twice"
    )
    facts = f"{len(evidence.departures)} starts; at most {most} of a policy away; {spare}"
    return Verdict("P4", "concurrency, gaps and stage gaps", facts, tuple(violations))


# --- stages -----------------------------------------------------------------------------------------


def _earlier(evidence: Evidence, history: History, policy: Policy, start: Start) -> list[Machine]:
    """The VMs that had to have their outcome before this start."""
    stage = policy.stage(evidence.machines[start.vm])
    before = [one for one in evidence.machines.values() if policy.stage(one) < stage]
    return [
        machine
        for machine in _members(evidence, history, policy, before, start.at)
        if _joined(evidence, history, policy, machine)
    ]


def _members(
    evidence: Evidence,
    history: History,
    policy: Policy,
    machines: Iterable[Machine],
    moment: datetime,
) -> Iterator[Machine]:
    """The VMs among these that the policy has, and that were offered by then."""
    for machine in machines:
        offered = any(w.since <= moment for w in evidence.of(machine.key).windows)
        if offered and any(
            (own.team, own.name) == (policy.team, policy.name)
            for own in history.owners(machine.key, moment)
        ):
            yield machine


def _joined(evidence: Evidence, history: History, policy: Policy, machine: Machine) -> bool:
    """Whether the VM was announced in time to be of the rollout: before its stage had ended."""
    announced = min(w.since for w in evidence.of(machine.key).windows)
    first = min(w.since for w in evidence.windows)
    if announced <= first:
        # Announced from the start. One that vanished before anybody looked has no row at all.
        return bool(evidence.of(machine.key).rows) or not _vanished(evidence, machine)
    stage = policy.stage(machine)
    return any(
        row.vm != machine.key
        and row.terminal
        and row.ended > announced + _JOIN
        and row.vm in evidence.machines
        and policy.stage(evidence.machines[row.vm]) == stage
        and any(own.name == policy.name for own in history.owners(row.vm, row.ended))
        for row in evidence.rows
    )


def _vanished(evidence: Evidence, machine: Machine) -> bool:
    return any(e.name in ("deleted", "withdrawn") for e in evidence.of(machine.key).events)


def _has_outcome(evidence: Evidence, machine: Machine, moment: datetime) -> bool:
    return any(row.terminal and row.ended <= moment for row in evidence.of(machine.key).rows)


def _keeps_waiting(
    evidence: Evidence, history: History, policy: Policy, machine: Machine, start: Start
) -> bool:
    """Whether a later start had to wait for the VM.

    One that no start is left to is given up and keeps nobody waiting; so is one that could start only so
    late that a VM of a later stage would lose its window over it.
    """
    if any(other.at <= start.at for other in evidence.of(machine.key).accepted):
        return True
    window = window_at(evidence, machine.key, start.at)
    first = window and policy.first_fit(max(start.at, window.start), window.end)
    if not first:
        return False
    waited = first + policy.estimate + policy.stage_gap
    return not any(
        policy.stage(later) > policy.stage(machine)
        and (open_ := window_at(evidence, later.key, start.at))
        and start.at < open_.end
        and policy.first_fit(max(waited, open_.start), open_.end) is None
        for later in _members(evidence, history, policy, evidence.machines.values(), start.at)
    )


def _halt(evidence: Evidence, policy: Policy, start: Start) -> Row | None:
    """The outcome after which the policy's rollout should have stood still.

    A start that was claimed before the failure was known may still be on its way.
    """
    if policy.continues:
        return None
    mine = evidence.row_of(start)
    for row in evidence.rows:
        if row.halts and (row.team, row.policy) == (policy.team, policy.name):
            claimed_after = bool(mine and mine.started and mine.started > row.ended)
            if claimed_after or start.at > row.ended + EDIT_GRACE:
                return row
    return None


# --- slots ------------------------------------------------------------------------------------------


def _beside(
    evidence: Evidence, history: History, policy: Policy, start: Start
) -> list[datetime | None]:
    """When each VM of the same stage that was started before was released; None: not yet."""
    stage = policy.stage(evidence.machines[start.vm])
    return [
        evidence.released(other)
        for other in evidence.departures
        if other.at < start.at
        and other.vm in evidence.machines
        and any(
            (own.team, own.name) == (policy.team, policy.name)
            and policy.stage(evidence.machines[other.vm]) == stage
            for own in history.owners(other.vm, other.at)
        )
    ]


def _rest(beside: list[datetime | None], room: int, at: datetime) -> timedelta | None:
    """How long the slot that this start took had been free; None where it was never used."""
    if len(beside) < room:
        return None
    ends = sorted(end for end in beside if end and end <= at)
    turn = len(beside) - room
    return at - ends[turn] if turn < len(ends) else None


def _too_soon(
    evidence: Evidence, history: History, owners: list[Policy], start: Start
) -> Iterator[str]:
    """The VMs of earlier stages after which the stage gap had not passed."""
    policy, rest = owners[-1], min(owner.stage_gap for owner in owners)
    for machine in _earlier(evidence, history, policy, start):
        end = _finished(evidence, machine, start.at)
        if end and start.at < end + rest:
            yield (
                f"{evidence.name(start.vm)} at {clock(start.at)}: {_seconds(start.at - end)} after "
                f"{machine.name} of the stage before, where {policy} asks for {_seconds(rest)}"
            )


def _finished(evidence: Evidence, machine: Machine, moment: datetime) -> datetime | None:
    """When the VM was back for good, or given up."""
    rows = [row for row in evidence.of(machine.key).rows if row.terminal and row.ended <= moment]
    if not rows:
        return None  # P3 tells of it
    starts = evidence.of(machine.key).accepted
    last = [start for start in starts if start.at <= rows[-1].ended]
    return evidence.released(last[-1]) if last else rows[-1].ended


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.2f} s"
