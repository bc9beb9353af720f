"""Lanes from policies, and which of them have to be planned together.

Only a set (an availability set, a scale set) ties one policy to another: policies that share none are planned
apart, so that the cost grows with the group and not with the fleet, and a change in one cannot move another.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.domain.ledger import PolicyKey
from shared.domain.maintenance import Vm
from shared.domain.places import Places
from shared.domain.planning.model import Lane, Place, Stage, Starts, instant, micros, span
from shared.domain.policy import Policy


def lane_of(policy: Policy, stages: Sequence[Stage], opens: datetime) -> Lane:
    """A policy's lane: its hours count from `opens` to the last moment at which a VM of it may be away."""
    length = span(policy.estimate)
    closes = max((task.closes for stage in stages for task in stage.tasks), default=0)
    until = max(opens, instant(closes)) + policy.estimate
    return Lane(
        key=policy.key,
        slots=policy.concurrency,
        length=length,
        gap=span(policy.gap),
        starts=Starts(policy.hours.intervals(opens, until), length),
        stages=tuple(stages),
        opens=micros(opens),
    )


def place_of(vm: Vm, places: Places) -> Place:
    """Where a VM stands."""
    return Place(
        zone=places.zone_of(vm.subscription_id, vm.location, vm.zone),
        location=vm.location,
        pairs=places.pairs(vm.location),
        domain_set=vm.domain_set,
        domain=vm.domain,
    )


def grouped(lanes: Iterable[Lane]) -> list[list[Lane]]:
    """The lanes, those together that share a set, directly or through others."""
    left = {lane.key: lane for lane in lanes}
    members: dict[str, list[PolicyKey]] = defaultdict(list)
    for lane in left.values():
        for name in _sets(lane):
            members[name].append(lane.key)
    beside: dict[PolicyKey, set[PolicyKey]] = defaultdict(set)
    for first, *others in members.values():
        for key in others:
            beside[first].add(key)
            beside[key].add(first)
    return [
        [left.pop(each) for each in sorted(_reached(key, beside))]
        for key in sorted(left)
        if key in left
    ]


def _reached(key: PolicyKey, beside: Mapping[PolicyKey, set[PolicyKey]]) -> set[PolicyKey]:
    found, ahead = {key}, [key]
    while ahead:
        for each in beside.get(ahead.pop(), ()):
            if each not in found:
                found.add(each)
                ahead.append(each)
    return found


def _sets(lane: Lane) -> set[str]:
    places = {task.place for stage in lane.stages for task in stage.tasks}
    places |= {one.place for stage in lane.stages for one in stage.fixed}
    return {place.domain_set for place in places if place.domain_set}
