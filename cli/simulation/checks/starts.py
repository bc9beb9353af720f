"""P1 and P2: whether a start that Azure took was allowed at all. Azure itself keeps window and flag."""

from collections.abc import Iterator
from datetime import timedelta

from cli.simulation.checks.facts import Facts, StartSeen
from simulator.promises.policies import Policy


def once(facts: Facts, start: StartSeen) -> Iterator[str]:
    """P1: one start per VM and maintenance, and one more after each that may be tried again."""
    if start.work == "patch":
        yield from _once_a_release(facts, start)
        return
    before = [
        s
        for s in facts.starts
        if (s.vm, s.maintenance, s.work) == (start.vm, start.maintenance, start.work)
    ]
    postponed = [each for each in before if facts.ended_so(each, "retryLater")]
    aborted = [
        each
        for each in before
        if each not in postponed and facts.ended_so(each, "aborted") and _may_repeat(facts, each)
    ]
    allowed = 1 + len(postponed) + len(aborted)
    if len(before) + 1 > allowed:
        yield f"start {len(before) + 1} of {facts.name(start.vm)}, where {allowed} were allowed"


def apart(facts: Facts, vm: str, work: str, *, other_runs: bool) -> Iterator[str]:
    """No VM is patched and redeployed at once, not even by a request that Azure refuses for it."""
    if other_runs:
        what = "redeployed" if work == "patch" else "patched"
        yield f"Baton sent a {work} to {facts.name(vm)} while it was being {what}"


def _once_a_release(facts: Facts, start: StartSeen) -> Iterator[str]:
    before = [s for s in facts.starts if s.vm == start.vm and s.work == "patch"]
    released = {at.date() for at in facts.releases if at <= start.at}
    if len(before) + 1 > len(released):
        yield (
            f"installation {len(before) + 1} on {facts.name(start.vm)}, of {len(released)} releases"
        )


def allowed(facts: Facts, start: StartSeen, slack: timedelta) -> Iterator[str]:
    """P2: some version of the row that stood while the handler ran, and some moment of it, allow the start."""
    claimed = start.job.claimed or start.at
    if any(pause.holds(start.job.key, claimed) for pause in facts.pauses):
        yield f"{facts.name(start.vm)} was claimed while {'/'.join(start.job.key)} was paused"
    policies = facts.during(start.job.key, start.began, start.at)
    said = [_why_not(facts, policy, start, slack) for policy in policies]
    if not said:
        yield f"{facts.name(start.vm)} was started, and there is no policy {'/'.join(start.job.key)}"
    elif all(said):
        yield f"{facts.name(start.vm)} was started, and {said[-1]}"


def _why_not(facts: Facts, policy: Policy, start: StartSeen, slack: timedelta) -> str:
    machines = facts.machine_during(start.vm, start.began, start.at)
    if not policy.keeps or not any(policy.takes(machine) for machine in machines):
        return f"{policy} is disabled, or does not take it"
    if start.work == "patch" and not policy.installs:
        return f"{policy} installs no patches"
    first, last = start.began - slack, start.at + slack
    if policy.first_fit(first, last + timedelta.resolution) is None:
        return policy.why_not(start.at, policy.estimate)
    if start.at < start.job.discovered + policy.lead - slack:
        return f"{policy} gives {policy.lead} of notice"
    if policy.needs_approval and not _is_approved(facts, start, slack):
        return f"nobody had approved rollout {start.job.rollout} of {policy}"
    return _why_no_go(policy, start, slack) if start.reboots else ""


def _why_no_go(policy: Policy, start: StartSeen, slack: timedelta) -> str:
    """The policy wants a go-ahead: it was asked for, and given; or its wait is over, and silence means yes."""
    wait, starts = policy.go_ahead
    asked, allowed = start.job.answer
    if wait is None or allowed:
        return ""
    if asked is None:
        return f"{policy} wants a go-ahead, which nobody was asked for"
    if not starts:
        return f"{policy} starts nothing without a go-ahead"
    is_over = start.at >= asked + wait - slack
    return "" if is_over else f"{policy} gives {wait} for a go-ahead"


def _is_approved(facts: Facts, start: StartSeen, slack: timedelta) -> bool:
    return any(
        (key, rollout) == (start.job.key, start.job.rollout)
        and at <= start.at
        and (until is None or start.began < until + slack)
        for at, key, rollout, until in facts.approvals
    )


def _may_repeat(facts: Facts, aborted: StartSeen) -> bool:
    """Whether the policy has aborts repeated, or somebody asked for this one."""
    by_policy = any(policy.retries_aborted for policy in _ever(facts, aborted))
    return by_policy or aborted.job.retried


def _ever(facts: Facts, start: StartSeen) -> list[Policy]:
    """Every version of the row that may have counted when the last attempt ended."""
    versions = facts.versions.get(start.job.key, [])
    return [v.policy for v in versions if v.policy and not v.is_wrong]
