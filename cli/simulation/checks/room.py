"""Whether a legal plan exists with so much room that no fault of the stated level may cost a window."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from simulator.promises.model import Machine
from simulator.promises.policies import Policy, owner

# For what goes wrong with one VM: a refusal or two with their back-off, a lost answer, a dead process.
PER_VM = timedelta(minutes=90)


def has_room(
    machines: Mapping[str, Machine],
    away: Mapping[str, timedelta],
    closes: Mapping[str, datetime],
    policies: Iterable[Policy],
    begin: datetime,
) -> bool:
    """Whether all VMs fit one after the other, whatever policy they follow, each with its room.

    Args:
        machines: The fleet.
        away: VM → how long its redeploy takes.
        closes: VM → the end of its self-service window, which is open at `begin`.
        policies: Their rows, which nobody edits.
        begin: When the first could start.
    """
    rules = list(policies)
    moment = begin
    for policy in rules:
        if policy.needs_approval:
            return False
        mine = [vm for vm in closes if owner(rules, machines[vm]) is policy]
        moment += policy.lead
        for vm in sorted(mine, key=lambda vm: (policy.stage(machines[vm]), vm)):
            start = policy.first_fit(moment, closes[vm])
            if start is None:
                return False
            rest = max(policy.gap, policy.stage_gap)
            moment = start + max(policy.estimate, away[vm]) + rest + PER_VM
            if moment > closes[vm]:
                return False
    return True
