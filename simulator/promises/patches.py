"""Patches: never beside a redeploy, never twice for one release, and no reboot but where the policy lets one be."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from simulator.promises.model import EDIT_GRACE, Evidence, Start, Verdict, clock
from simulator.promises.policies import History, Policy


def patches(evidence: Evidence) -> Verdict:
    """P1 and P2 of installations. Slots, gaps and placement of those that reboot are P4 and P5."""
    history = History(evidence)
    taken = [install for install in evidence.installs if install.accepted]
    violations = [
        *_at_once(evidence, taken),
        *_twice(evidence, taken),
        *_not_allowed(evidence, history),
        *_unasked_reboots(evidence, taken),
    ]
    reboots = sum(event.name == "rebooting" for event in evidence.events)
    facts = f"{len(taken)} installations on {len({one.vm for one in taken})} VMs, {reboots} reboots"
    return Verdict("patches", "once a release, in hours, apart", facts, tuple(violations))


def _at_once(evidence: Evidence, taken: list[Start]) -> Iterator[str]:
    for install in taken:
        for start in evidence.of(install.vm).accepted:
            first, second = sorted((install, start), key=lambda each: each.at)
            end = evidence.released(first)
            if end is None or second.at < end:
                yield f"{evidence.name(install.vm)} was patched and redeployed at {clock(second.at)}"


def _twice(evidence: Evidence, taken: list[Start]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for install in taken:
        counts[install.vm] += 1
        releases = {at.date() for at in evidence.releases if at <= install.at}
        if counts[install.vm] > len(releases):
            yield (
                f"{evidence.name(install.vm)}: installation {counts[install.vm]} at "
                f"{clock(install.at)}, of {len(releases)} releases"
            )


def _not_allowed(evidence: Evidence, history: History) -> Iterator[str]:
    for install in evidence.installs:
        owners = history.owners(install.vm, install.at)
        refusals = [_refusal(policy, install) for policy in owners] or ["no policy takes the VM"]
        if all(refusals):
            yield f"patches of {evidence.name(install.vm)} at {clock(install.at)}: {refusals[-1]}"


def _refusal(policy: Policy, install: Start) -> str:
    if not policy.installs:
        return f"{policy} installs none"
    if install.reboots and not policy.reboots:
        return f"{policy} never reboots"
    return policy.why_not(install.at, max(policy.estimate - EDIT_GRACE, timedelta()))


def _unasked_reboots(evidence: Evidence, taken: list[Start]) -> Iterator[str]:
    """A reboot belongs to an installation that was let reboot, and so held a slot."""
    for event in evidence.events:
        if event.name != "rebooting":
            continue
        mine = [one for one in taken if one.vm == event.vm and one.at <= event.at]
        if not mine or not mine[-1].reboots:
            yield f"{evidence.name(event.vm)} rebooted at {clock(event.at)} with no slot"
