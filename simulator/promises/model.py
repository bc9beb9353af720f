"""What an independent checker knows of a rollout: facts from the outside.

None of them is the app's word, but the outcome rows that it is judged by.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

EDIT_GRACE = timedelta(seconds=2)
"""An edit and a request that is just being sent are not one instant: either side of it is legal."""


_BACK = {
    "redeploy": ("back", "deleted"),
    "patch": ("installed", "installFailed", "deleted"),
}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A VM, or an instance of a uniform scale set, as the scenario made it.

    Attributes:
        key: its lower-cased id, as are `availability_set` and `scale_set`.
        physical_zone: what its `zone` means in its subscription; empty: not known.
        update_domain: in its availability set or uniform scale set; None: not known.
        fault_domain: in its flexible scale set; None: not known.
        fault_domains: how many its flexible scale set has; None: it is in none. One has all spread.
        has_own_mechanism: whether it is on a dedicated host, or isolated, and so nobody's to redeploy.
    """

    key: str
    name: str
    resource_group: str
    subscription: str
    location: str
    zone: str = ""
    physical_zone: str = ""
    availability_set: str = ""
    update_domain: int | None = None
    scale_set: str = ""
    fault_domain: int | None = None
    fault_domains: int | None = None
    has_own_mechanism: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def spread(self) -> tuple[str, int | None]:
        """The set whose domains are kept apart, and the VM's domain in it; no set: nothing binds it."""
        if self.availability_set or self.fault_domains is None:
            return self.availability_set or self.scale_set, self.update_domain
        return self.scale_set if self.fault_domains > 1 else "", self.fault_domain


@dataclass(frozen=True, kw_only=True)
class Window:
    """A self-service window that Azure announced or moved at `since`; it ends before `end`."""

    vm: str
    since: datetime
    start: datetime
    end: datetime
    is_new: bool
    """Whether it belongs to a new maintenance, and did not merely move."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """A POST of performMaintenance, or of installPatches, that reached Resource Manager.

    Attributes:
        maintenance: empty of an installation.
        reason: why it was refused.
        work: `redeploy` or `patch`.
        reboots: whether it takes the VM away: not an installation with rebootSetting Never.
        of_all: whether it named no instance, so that `vm` is a scale set and each of its VMs was meant.
    """

    vm: str
    at: datetime
    accepted: bool
    maintenance: str
    reason: str = ""
    work: str = "redeploy"
    reboots: bool = True
    of_all: bool = False


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a VM: away, back, completed, aborted, retryLater, deleted, ..."""

    vm: str
    at: datetime
    name: str
    maintenance: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the outcome table."""

    job: str
    vm: str
    name: str
    team: str
    policy: str
    attempt: int
    outcome: str
    terminal: bool
    ended: datetime
    started: datetime | None = None
    code: str = ""
    message: str = ""
    work: str = "redeploy"

    @property
    def is_bad(self) -> bool:
        """Whether a person must be told: of an installation even where a redeploy follows."""
        is_last = self.terminal or self.work == "patch"
        return is_last and self.outcome in ("failed", "aborted", "timedOut", "missed")

    @property
    def halts(self) -> bool:
        """Whether it stops a rollout whose policy does not say `continue`."""
        return self.terminal and self.outcome in ("failed", "aborted", "timedOut")

    @property
    def never_started(self) -> bool:
        """Whether nothing was done to the VM, so that another job may follow for the maintenance."""
        return self.outcome in ("missed", "withdrawn", "gone", "skipped")


@dataclass(frozen=True, kw_only=True)
class PolicyEdit:
    """A policy row written, or merged into, at `at`."""

    at: datetime
    team: str
    name: str
    columns: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Somebody approved the policy's rollout at `at`."""

    at: datetime
    team: str
    name: str


@dataclass(frozen=True, kw_only=True)
class SeenMail:
    """A mail as the sink got it; `copies` of one Message-ID are one mail delivered more than once."""

    message_id: str
    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything the promises are judged by. Times are aware; lists are in the order of time.

    Attributes:
        machines: by key.
        results: what Resource Manager shows of a VM at the end: (lastOperationResultCode, message).
        installs: the requests to install patches, beside `starts`.
        releases: when each patch came out that the fleet did not have at first.
        pairs: region name to the regions that either side lists as its pair.
        approvals: None: nobody noted them, and then nothing is judged by them.
    """

    machines: Mapping[str, Machine]
    windows: tuple[Window, ...] = ()
    starts: tuple[Start, ...] = ()
    events: tuple[Event, ...] = ()
    rows: tuple[Row, ...] = ()
    edits: tuple[PolicyEdit, ...] = ()
    mails: tuple[SeenMail, ...] = ()
    results: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    pairs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    approvals: tuple[Approval, ...] | None = None
    installs: tuple[Start, ...] = ()
    releases: tuple[datetime, ...] = ()

    @cached_property
    def departures(self) -> tuple[Start, ...]:
        """The starts of either kind that Azure took and that take the VM away."""
        reboots = (one for one in self.installs if one.accepted and one.reboots)
        return tuple(sorted((*self.accepted, *reboots), key=lambda start: start.at))

    @cached_property
    def accepted(self) -> tuple[Start, ...]:
        """The starts that Azure took."""
        return tuple(start for start in self.starts if start.accepted)

    def name(self, vm: str) -> str:
        """What people call the VM."""
        machine = self.machines.get(vm)
        return machine.name if machine else vm.rpartition("/")[2]

    @cached_property
    def _of(self) -> Mapping[str, "Evidence"]:
        windows, starts, events = _by_vm(self.windows), _by_vm(self.starts), _by_vm(self.events)
        rows, installs = _by_vm(self.rows), _by_vm(self.installs)
        return {
            vm: Evidence(
                machines=self.machines,
                windows=windows[vm],
                starts=starts[vm],
                events=events[vm],
                rows=rows[vm],
                installs=installs[vm],
            )
            for vm in {*windows, *starts, *events, *rows, *installs}
        }

    def of(self, vm: str) -> "Evidence":
        """What happened to one VM: in a fleet, everything about all of them is too much to go through for each."""
        return self._of.get(vm) or Evidence(machines=self.machines)

    def row_of(self, start: Start) -> Row | None:
        """The attempt that an accepted start belongs to, by the outcome table."""
        rows = (
            row
            for row in self.of(start.vm).rows
            if row.work == start.work and row.started and row.started <= start.at <= row.ended
        )
        return next(rows, None)

    def released(self, start: Start) -> datetime | None:
        """When a started VM was back: by Azure's log, else when the app gave it up; None: never."""
        own = self.of(start.vm)
        like = own.accepted if start.work == "redeploy" else own.installs
        again = min((other.at for other in like if other.at > start.at), default=None)
        for event in own.events:
            is_back = event.at >= start.at and event.name in _BACK[start.work]
            if is_back and not (again and event.at > again):
                return event.at
        row = self.row_of(start)
        return row.ended if row else None


@dataclass(frozen=True)
class Verdict:
    """The judgement on one promise. `violations` name who, what and when; empty: it was kept."""

    promise: str
    says: str
    evidence: str
    violations: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Whether the promise was kept."""
        return not self.violations


_T = TypeVar("_T", Window, Start, Event, Row)


def _by_vm(facts: Iterable[_T]) -> Mapping[str, tuple[_T, ...]]:
    found: defaultdict[str, tuple[_T, ...]] = defaultdict(tuple)
    for fact in facts:
        found[fact.vm] += (fact,)
    return found


def clock(at: datetime) -> str:
    """A time as verdicts show it."""
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"
