"""From a seed to everything that one simulation is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.simulation import hotpatch, people, requests, scale_sets
from cli.simulation.checks.room import has_room
from cli.simulation.dice import Dice
from cli.simulation.faults import LEVELS, Level, Outage
from cli.simulation.fleet import FleetOf, a_fleet
from cli.simulation.setup import PolicyWrite, Setup, offset
from simulator.arm.records import vm_id
from simulator.promises.policies import Policy
from simulator.promises.reading import read_evidence
from simulator.scenario_model import ArmSettings, Edit, Location, Scenario, Vm

_HOUR = timedelta(hours=1)
_BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
_CLOCK_CHANGES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
)
_KINDS = {"none": 1, "mild": 4, "wild": 5}
_SERVICES = ("arm", "tables", "bus", "mail")
_OPS = "ops@example.com"
SETTINGS = {
    "BATON_MODE": "live",
    "BATON_TABLES": "AccountName=simulated;AccountKey=none;",
    "BATON_BUS": "Endpoint=sb://simulated;SharedAccessKey=none",
    "BATON_EMAIL_URL": "smtp://127.0.0.1:25",
    "BATON_EMAIL_FROM": "baton@example.com",
    "BATON_EMAIL_TO": _OPS,
}

EVENTS = {"BATON_EVENTS_URL": "https://receiver.example.com/hook"}
"""With them lifecycle events go somewhere."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Makes the setup of each seed.

    Attributes:
        level: How much goes wrong; None: that is by chance too.
        patches: In how many of them patches are due.
        sets: In how many of them there are scale sets.
    """

    level: str | None = None
    patches: float = hotpatch.SHARE
    sets: float = scale_sets.SHARE

    def __call__(self, seed: int) -> Setup:
        """The setup of a seed."""
        return choose(seed, self.level, patches=self.patches, sets=self.sets)


def choose(
    seed: int,
    level_name: str | None = None,
    *,
    patches: float = hotpatch.SHARE,
    sets: float = scale_sets.SHARE,
) -> Setup:
    """A setup of the simulation's own making: fleet, policies, people and faults, all by the seed."""
    dice = Dice(seed, "setup")
    by_chance = dice.one_of(_KINDS)
    level = LEVELS[level_name or by_chance]
    if dice.happens(0.4):
        level = replace(level, skew_seconds=0.0)
    is_roomy = level.name != "wild" and dice.happens(0.5)
    fleet = a_fleet(Dice(seed, "fleet"), level.name, is_roomy=is_roomy)
    t0 = _begins(dice)
    rows = people.some_policies(Dice(seed, "policies"), t0)
    among = Dice(seed, "scale sets")
    if among.happens(sets):
        fleet = scale_sets.with_scale_sets(among, fleet)
        rows = scale_sets.with_shares(among, rows)
    last = _last(fleet.vms)
    asking = Dice(seed, "asking")
    due = None
    chance = Dice(seed, "patches")
    if chance.happens(patches):
        due = hotpatch.with_patches(chance, fleet, t0, level.name, is_roomy=is_roomy)
        fleet, last = due.fleet, max(last, due.until)
        rows = hotpatch.with_columns(chance, rows)
    mode = "live" if is_roomy else dice.one_of({"live": 10, "dryRun": 1, "paused": 1})
    edits, policy_edits = _edits(dice, fleet, rows, last, level, t0, is_roomy=is_roomy)
    if due:
        policy_edits = hotpatch.with_columns(chance, policy_edits)
    first = [
        people.broken(dice, row) if dice.happens(0.05) and not is_roomy else row for row in rows
    ]
    telling = Dice(seed, "events")
    events = EVENTS if telling.happens(0.5) else {}
    if telling.happens(0.4) and not is_roomy:
        first = people.with_go_ahead(telling, first)
        policy_edits = people.with_go_ahead(telling, policy_edits)
    if due and not is_roomy:
        policy_edits += hotpatch.none_any_more([*first, *policy_edits], last + _HOUR)
    return Setup(
        seed=seed,
        t0=t0,
        scenario=replace(_scenario(dice, fleet, edits), releases=due.releases if due else ()),
        policies=(*first, *policy_edits),
        looks_at_patches=due.looks if due else None,
        settings={**SETTINGS, **_pace(dice), "BATON_MODE": mode, **events},
        # The longer it lasts the slower the timers: what is between their ticks is what matters.
        discovery=max(timedelta(minutes=dice.choice((5, 10, 20, 30))), last / 40),
        sweep=max(timedelta(minutes=dice.choice((1, 2, 5, 10))), last / 80),
        level=level,
        is_roomy=is_roomy and _fits(t0, fleet, rows),
        faults_until=_faults_until(fleet.vms, is_roomy=is_roomy),
        outages=(*outages(dice, level, last), *outages(telling, level, last, ("events",))),
        processes=dice.randint(1, 3),
        table_page=dice.choice((3, 1000, 1000)),
        batch_max=dice.choice((1, 3, 100)),
        refuses=frozenset({"gone@example.com"}),
        approvals=tuple(requests.approvals(dice, rows, last)),
        asks=tuple(requests.asks(asking, rows, fleet.vms, last))
        if asking.happens(0.4) and not is_roomy
        else (),
        modes=() if is_roomy else tuple(people.mode_changes(dice, mode, last)),
        garbage=tuple(people.garbage(dice, dice.randint(0, 2) if level.requests else 0, last)),
        illegible=()
        if is_roomy or level.name != "wild"
        else tuple(people.illegible(dice, fleet.vms, dice.randint(0, 2), last)),
    )


def scenario_of(
    fleet: FleetOf, edits: Iterable[Edit], arm: ArmSettings, locations: tuple[Location, ...] = ()
) -> Scenario:
    """A fleet and what happens to it, as the emulator's cloud takes it."""
    return Scenario(
        name="simulation",
        title="",
        settings={},
        arm=arm,
        locations=locations,
        subscriptions=fleet.subscriptions,
        availability_sets=fleet.sets,
        scale_sets=fleet.scale_sets,
        vms=fleet.vms,
        policies=(),
        edits=tuple(sorted(edits, key=lambda edit: offset(edit.at))),
        faults={},
        expect={},
        other={},
    )


def _scenario(dice: Dice, fleet: FleetOf, edits: Iterable[Edit]) -> Scenario:
    arm = ArmSettings(
        page_size=dice.choice((3, 200, 200)),
        status_list_carries_maintenance=dice.happens(0.5),
        drop_status_when_done=dice.happens(0.3),
        offer_after_abort=dice.happens(0.3),
        retry_after=dice.choice((1, 10, 60)),
        throttle_scale=0,
        activity_log_delay=timedelta(seconds=dice.choice((0, 5, 300))),
    )
    return scenario_of(fleet, edits, arm)


def _edits(
    dice: Dice,
    fleet: FleetOf,
    rows: list[PolicyWrite],
    last: timedelta,
    level: Level,
    t0: datetime,
    *,
    is_roomy: bool,
) -> tuple[list[Edit], list[PolicyWrite]]:
    """What people and Azure do meanwhile. Where no window may be missed they do nothing."""
    if is_roomy or level.name == "none":
        return [], []
    busy = {"mild": 0.4, "wild": 0.8}[level.name]
    count = dice.randint(1, 4) if dice.happens(busy) else 0
    edits = list(people.vm_edits(dice, fleet.vms, count, last, level.name))
    if dice.happens(busy / 2):
        edits += people.subscription_edits(dice, fleet.subscriptions, dice.randint(1, 2), last)
    count = dice.randint(1, 5) if dice.happens(busy) else 0
    return edits, list(people.policy_edits(dice, rows, count, last, t0))


def _fits(t0: datetime, fleet: FleetOf, rows: Iterable[PolicyWrite]) -> bool:
    """Whether a legal plan exists with room for faults: then no window may be missed."""
    offered = {vm_id(vm).lower(): vm for vm in fleet.vms if vm.maintenance}
    scenario = scenario_of(fleet, (), ArmSettings())
    nothing: dict[str, Any] = {"log": (), "vms": (), "rows": (), "edits": (), "mails": ()}
    return has_room(
        read_evidence(scenario=scenario, t0=t0, **nothing).machines,
        {key: timedelta(seconds=vm.redeploy_seconds) for key, vm in offered.items()},
        {key: t0 + offset(vm.maintenance.pre_end) for key, vm in offered.items() if vm.maintenance},
        [Policy(row.team, row.name, row.columns or {}) for row in rows],
        t0 + 2 * _HOUR,
    )


def _begins(dice: Dice) -> datetime:
    """Some time in two years; often a night in which clocks change somewhere."""
    if dice.happens(0.3):
        return dice.choice(_CLOCK_CHANGES) - dice.duration(timedelta(0), 12 * _HOUR)
    return _BEGINS + dice.duration(timedelta(0), timedelta(days=730))


def _pace(dice: Dice) -> dict[str, str]:
    return {
        "BATON_CHECK_INTERVAL": dice.choice(("30s", "1m", "2m", "5m")),
        "BATON_REDEPLOY_TIMEOUT": dice.choice(("40m", "1h", "2h")),
        "BATON_RETRY_DELAY": dice.choice(("1m", "5m", "15m")),
        "BATON_ALERT_DIGEST": dice.choice(("30s", "2m", "10m")),
    }


def outages(
    dice: Dice, level: Level, last: timedelta, services: Sequence[str] = _SERVICES
) -> Iterable[Outage]:
    """When a service answers nobody."""
    for _ in range(dice.randint(0, level.outages)):
        start = dice.random() * last.total_seconds()
        longest = 300 if level.name == "mild" else 1200
        yield Outage(dice.choice(services), start, start + dice.random() * longest)


def _last(vms: Iterable[Vm]) -> timedelta:
    """Until when people and Azure do things: the end of the last self-service window."""
    return max([_HOUR, *(offset(vm.maintenance.pre_end) for vm in vms if vm.maintenance)])


def _faults_until(vms: Iterable[Vm], *, is_roomy: bool) -> timedelta:
    last = _last(vms)
    return last if is_roomy else last + _HOUR
