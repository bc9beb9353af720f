"""What a picture of a plan, or of a rollout on its way, shows; it knows nothing of how a plan was made."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from cli.axis import day
from shared.domain.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A VM that goes away, or went.

    Attributes:
        closes: The end of its self-service window.
        state: A job's state: `planned`, `redeploying`, `completed`, ...
        note: Why it stands where it does.
    """

    vm: str
    vm_id: str
    stage: int
    start: datetime
    end: datetime
    closes: datetime | None = None
    state: str = "planned"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A policy.

    Attributes:
        facts: What a reader should know of it: its gap, its windows.
        zone: IANA name of its time zone.
        windows: When it lets VMs be away; None: always.
        freezes: When it does not.
    """

    name: str
    bars: tuple[Bar, ...]
    facts: tuple[str, ...] = ()
    zone: str = "UTC"
    windows: tuple[Interval, ...] | None = None
    freezes: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A VM without a bar, and why. `policy` is `""` where it has none."""

    vm: str
    vm_id: str
    reason: str
    policy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the page shows.

    Attributes:
        findings: What to know of a VM before it starts.
        errors: What is wrong with policies.
        notes: What else a reader should know.
    """

    title: str
    now: datetime
    lanes: tuple[Lane, ...]
    unplaced: tuple[Left, ...] = ()
    unmatched: tuple[Left, ...] = ()
    findings: tuple[Left, ...] = ()
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def moment(at: datetime, zone: tzinfo) -> str:
    """`Tue 1 Dec 22:00`."""
    return f"{day(at, zone)} {at.astimezone(zone):%H:%M}"


def by_reason(left: Iterable[Left]) -> list[dict[str, Any]]:
    """VMs that share a policy and a reason, together; the most first."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in left:
        groups[one.policy, one.reason].append(one.vm)
    return [
        {"policy": policy, "reason": reason, "vms": vms}
        for (policy, reason), vms in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]
