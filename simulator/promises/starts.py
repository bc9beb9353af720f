"""P1 and P2: whether each performMaintenance was allowed at all."""

from collections import Counter
from datetime import datetime, timedelta

from simulator.promises.model import EDIT_GRACE, Evidence, Start, Verdict, Window, clock
from simulator.promises.policies import History, Policy

_FLAG_WAS_FALSE = ("noMaintenance", "alreadyAttempted", "outsideWindow", "operationInProgress")


def once(evidence: Evidence) -> Verdict:
    """P1: per VM and maintenance one accepted start, and one more for each that may be tried again."""
    history = History(evidence)
    violations = []
    accepted: Counter[tuple[str, str]] = Counter()
    for start in evidence.accepted:
        occurrence = start.vm, start.maintenance
        again = {"retryLater"}
        if any(policy.retries_aborted for policy in history.owners(start.vm, start.at)):
            again.add("aborted")  # and Azure, which took it, still offered it
        allowed = 1 + sum(
            event.name in again and event.maintenance == start.maintenance
            for event in evidence.of(start.vm).events
            if event.at <= start.at
        )
        accepted[occurrence] += 1
        if accepted[occurrence] > allowed:
            violations.append(
                f"{evidence.name(start.vm)}: start {accepted[occurrence]} at {clock(start.at)}, "
                f"where {allowed} {'was' if allowed == 1 else 'were'} allowed"
            )
    total = sum(accepted.values())
    facts = f"{total} starts of {len(accepted)} maintenances, {total - len(accepted)} tried again"
    return Verdict("P1", "never twice for one maintenance", facts, tuple(violations))


def allowed(evidence: Evidence) -> Verdict:
    """P2: every request, taken or not, came while it was allowed by Azure, window and policy."""
    history = History(evidence)
    violations = [
        f"{evidence.name(start.vm)} at {clock(start.at)}: {why}"
        for start in evidence.starts
        for why in (_not_allowed(evidence, history, start),)
        if why
    ]
    refused = Counter(start.reason for start in evidence.starts if not start.accepted)
    told = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
    facts = f"{len(evidence.starts)} requests; refused: {told or 'none'}"
    return Verdict("P2", "only while Azure, window and policy allow", facts, tuple(violations))


def _not_allowed(evidence: Evidence, history: History, start: Start) -> str:
    if start.of_all:
        return "asked for every instance of the scale set, naming none"
    owners = history.owners(start.vm, start.at)
    if not owners:
        machine = evidence.machines.get(start.vm)
        is_others = machine is not None and machine.has_own_mechanism
        return "left to its host's mechanism" if is_others else "no enabled policy takes the VM"
    refusals = [_refusal(evidence, policy, start) for policy in owners]
    if all(refusals):
        return refusals[-1]
    if _just_changed(evidence, start):
        return ""
    window = window_at(evidence, start.vm, start.at)
    if window is None:
        return "no maintenance was announced"
    if not window.start <= start.at < window.end:
        return f"outside the window {clock(window.start)} to {clock(window.end)}"
    if start.reason in _FLAG_WAS_FALSE:
        return f"Azure did not allow it ({start.reason})"
    return ""


def _refusal(evidence: Evidence, policy: Policy, start: Start) -> str:
    """What of the policy speaks against the start; empty: nothing."""
    # The app decides before the request arrives: what was decided in time may end that much later.
    length = max(policy.estimate - EDIT_GRACE, timedelta())
    if closed := policy.why_not(start.at, length):
        return closed
    announced = [w.since for w in evidence.of(start.vm).windows if w.is_new]
    known = [since for since in announced if since <= start.at]
    if known and start.at < known[-1] + policy.lead:
        return f"announced at {clock(known[-1])}, and {policy} gives {policy.lead} of notice"
    if policy.needs_approval and not _is_approved(evidence, policy, start):
        return f"nobody had approved {policy}"
    return ""


def _is_approved(evidence: Evidence, policy: Policy, start: Start) -> bool:
    if evidence.approvals is None:
        return True
    return any(
        (given.team, given.name) == (policy.team, policy.name) and given.at <= start.at
        for given in evidence.approvals
    )


def _just_changed(evidence: Evidence, start: Start) -> bool:
    """Whether Azure changed the maintenance so shortly before that the request was on its way."""
    return any(
        event.name in ("windowMoved", "announced", "withdrawn", "deleted")
        and start.at - EDIT_GRACE <= event.at <= start.at
        for event in evidence.of(start.vm).events
    )


def window_at(evidence: Evidence, vm: str, moment: datetime) -> Window | None:
    """The VM's self-service window as it was announced at that moment."""
    known = [each for each in evidence.of(vm).windows if each.since <= moment]
    return known[-1] if known else None
