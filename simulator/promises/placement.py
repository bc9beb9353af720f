"""P5: who may not be away at the same time."""

from collections.abc import Mapping

from simulator.promises.model import Evidence, Machine, Start, Verdict, clock
from simulator.promises.policies import History


def placement(evidence: Evidence) -> Verdict:
    """P5: one domain of a set; within a policy one zone, and one region of a pair."""
    history = History(evidence)
    violations, overlaps = [], 0
    for number, first in enumerate(evidence.departures):
        end = evidence.released(first)
        for second in evidence.departures[number + 1 :]:
            if end and end <= second.at:
                break  # they are in the order of time
            if first.vm == second.vm:
                continue
            overlaps += 1
            one, other = evidence.machines.get(first.vm), evidence.machines.get(second.vm)
            if not one or not other:
                continue
            together = _of_one_policy(history, first, second)
            if why := clash(one, other, evidence.pairs, of_one_policy=together):
                violations.append(f"{one.name} and {other.name} at {clock(second.at)}: {why}")
    facts = f"{overlaps} pairs of VMs away together"
    return Verdict("P5", "domains of a set, zones and pairs apart", facts, tuple(violations))


def clash(
    one: Machine,
    other: Machine,
    pairs: Mapping[str, frozenset[str]],
    *,
    of_one_policy: bool,
) -> str:
    """Why the two may not be away together; empty: they may.

    Args:
        one: a VM.
        other: another VM.
        pairs: region name to the regions that either side lists as its pair.
        of_one_policy: whether the rules that hold within a policy bind them too.
    """
    (mine, domain), (others, beside) = one.spread, other.spread
    if mine and mine == others and (domain is None or domain != beside):
        known = ["unknown" if each is None else str(each) for each in (domain, beside)]
        kind = "update" if one.fault_domains is None else "fault"
        return f"{kind} domains {known[0]} and {known[1]} of one set"
    if not of_one_policy:
        return ""
    if one.zone and other.zone and not _is_one_zone(one, other):
        return f"zones {one.zone} and {other.zone} of one policy"
    listed = pairs.get(one.location, frozenset()), pairs.get(other.location, frozenset())
    if other.location in listed[0] or one.location in listed[1]:
        return f"{one.location} and {other.location}, a pair, of one policy"
    return ""


def _is_one_zone(one: Machine, other: Machine) -> bool:
    """A number means a zone of its subscription's own: between two, only the physical zone counts."""
    if one.location != other.location:
        return False
    if one.subscription == other.subscription:
        return one.zone == other.zone
    return one.physical_zone != "" and one.physical_zone == other.physical_zone


def _of_one_policy(history: History, first: Start, second: Start) -> bool:
    mine = {str(policy) for policy in history.owners(first.vm, first.at)}
    theirs = {str(policy) for policy in history.owners(second.vm, second.at)}
    return bool(mine & theirs)
