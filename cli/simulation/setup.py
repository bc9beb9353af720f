"""What one simulation is about: a fleet, its policies, the settings, what people do, and what goes wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cli.simulation.faults import Level, Outage
from simulator.scenario_model import Scenario
from simulator.scenario_table import Moment

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWrite:
    """A policy's row as people write it at some time: whole, or gone.

    Attributes:
        columns: None deletes the row.
        is_wrong: Whether it is one that must not be applied.
    """

    at: timedelta
    team: str
    name: str
    columns: Columns | None
    is_wrong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGiven:
    """Somebody approves the rollout of a policy that is open then.

    Attributes:
        counts_for: The approval ends after that long; None: with the rollout.
    """

    at: timedelta
    team: str
    name: str
    counts_for: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """Somebody asks for something at a terminal.

    Attributes:
        verb: `pause`, `resume`, `skip` or `retry`.
        what: Team and policy, either `""`; or a VM's name and `""`.
    """

    at: timedelta
    verb: str
    what: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChange:
    """A deployment with another BATON_MODE: every process is replaced."""

    at: timedelta
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """Somebody sends a message that nobody can read."""

    at: timedelta
    queue: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Illegible:
    """A VM whose answers nobody can use, for a while."""

    at: timedelta
    until: timedelta
    vm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything that is decided before anything runs.

    Attributes:
        scenario: Fleet, windows, and what Azure and the VMs' owners do; offsets count from `t0`.
        settings: BATON_... settings.
        discovery, sweep: How often the timers fire.
        faults_until: From then on everything works.
        refuses: Mail addresses that no relay takes mail for.
        is_roomy: Whether a legal plan exists with so much room that no window may be missed.
        looks_at_patches: How often the app looks at patches; None where nothing is about them.
    """

    seed: int
    t0: datetime
    scenario: Scenario
    policies: tuple[PolicyWrite, ...]
    settings: Mapping[str, str]
    discovery: timedelta
    sweep: timedelta
    level: Level
    faults_until: timedelta
    outages: tuple[Outage, ...] = ()
    processes: int = 2
    table_page: int = 1000
    batch_max: int = 100
    refuses: frozenset[str] = frozenset()
    approvals: tuple[ApprovalGiven, ...] = ()
    asks: tuple[Asks, ...] = ()
    modes: tuple[ModeChange, ...] = ()
    garbage: tuple[Garbage, ...] = ()
    illegible: tuple[Illegible, ...] = ()
    is_roomy: bool = False
    looks_at_patches: timedelta | None = None

    @property
    def tells_events(self) -> bool:
        """Whether lifecycle events go somewhere."""
        return "BATON_EVENTS_URL" in self.settings

    def acts(self) -> Iterator[timedelta]:
        """When somebody does something; the last of these ends all edits."""
        yield from (write.at for write in self.policies)
        yield from (given.at for given in self.approvals)
        yield from (asks.at for asks in self.asks)
        yield from (mode.at for mode in self.modes)
        yield from (item.at for item in self.garbage)
        yield from (bad.until for bad in self.illegible)
        yield from (offset(edit.at) for edit in self.scenario.edits)

    def closes(self) -> timedelta:
        """When the last self-service window ends that there is or will be."""
        ends = [offset(vm.maintenance.pre_end) for vm in self.scenario.vms if vm.maintenance]
        ends += [
            offset(edit.vm.windows["pre_end"])
            for edit in self.scenario.edits
            if edit.vm and "pre_end" in edit.vm.windows
        ]
        # Azure's thirty days end at midnight.
        ends += [offset(release.at) + timedelta(days=30) for release in self.scenario.releases]
        return max(ends, default=timedelta(0))


def offset(moment: Moment) -> timedelta:
    """A moment of a simulation, which counts from its beginning.

    Raises:
        TypeError: It is an instant.
    """
    if not isinstance(moment, timedelta):
        raise TypeError(f"{moment}: a simulation has offsets only")
    return moment
