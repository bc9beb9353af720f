"""A person's own policies and fleet, as the beginning of simulations in which anything may go wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cli.given import GivenFiles
from cli.simulation.choose import SETTINGS, outages, scenario_of
from cli.simulation.dice import Dice
from cli.simulation.faults import LEVELS
from cli.simulation.fleet import FleetOf, a_script
from cli.simulation.setup import ApprovalGiven, PolicyWrite, Setup, offset
from shared.domain.maintenance import MaintenanceStatus
from shared.domain.maintenance import Vm as SeenVm
from shared.domain.own_mechanism import own_mechanism
from shared.domain.vm_ids import VmId
from simulator.arm.locations import BUILT_IN
from simulator.promises.policies import Policy
from simulator.scenario_model import (
    ArmSettings,
    AvailabilitySet,
    Location,
    ScaleSet,
    Subscription,
    Vm,
    Windows,
)

_HOUR = timedelta(hours=1)
_START = timedelta(0)


@dataclass(frozen=True, slots=True)
class OwnFleet:
    """Makes the setup of each seed: the same VMs and rows, other luck.

    Attributes:
        level: How much goes wrong.
    """

    given: GivenFiles
    now: datetime
    level: str

    def __call__(self, seed: int) -> Setup:
        """The setup of a seed."""
        dice = Dice(seed, "own")
        # What has a mechanism of its own is nobody's to redeploy, and only stands by.
        given = [vm for vm in self.given.fleet.vms if not own_mechanism(vm)]
        vms = tuple(self._vm(dice, vm) for vm in given)
        fleet = FleetOf(_subscriptions(vms), _sets(given), vms, _scale_sets(given))
        last = max([_HOUR, *(offset(vm.maintenance.pre_end) for vm in vms if vm.maintenance)])
        level = LEVELS[self.level]
        rows = tuple(
            PolicyWrite(
                at=_START,
                team=team,
                name=name,
                columns=columns,
                is_wrong=bool(Policy(team, name, columns).wrong),
            )
            for (team, name), columns in self.given.columns.items()
        )
        return Setup(
            seed=seed,
            t0=self.now,
            scenario=scenario_of(fleet, (), ArmSettings(throttle_scale=0), _locations(vms)),
            policies=rows,
            settings=SETTINGS,
            # As deployed; over weeks a little slower, so that an answer comes in seconds.
            discovery=min(max(last / 500, timedelta(minutes=5)), _HOUR),
            sweep=min(max(last / 1000, timedelta(minutes=1)), _HOUR / 2),
            level=level,
            faults_until=last,
            outages=tuple(outages(dice, level, last)),
            approvals=tuple(_approvals(rows, last)),
        )

    def _vm(self, dice: Dice, vm: SeenVm) -> Vm:
        view = vm.view
        return Vm(
            name=vm.name,
            resource_group=vm.resource_group,
            subscription=vm.subscription_id,
            location=vm.location,
            zone=vm.zone,
            tags=vm.tags,
            availability_set=vm.availability_set.rpartition("/")[2],
            update_domain=(view.update_domain if view else None) or 0,
            scale_set=vm.scale_set_name,
            instance_id=VmId.parse(vm.id).instance_id,
            fault_domain=(view.fault_domain if view else None) or 0,
            power="running" if view is None or view.is_running else "deallocated",
            agent="ready" if view is None or view.agent_ready else "notReady",
            maintenance=self._windows(vm.maintenance) if vm.maintenance else None,
            script=a_script(dice, self.level),
            redeploy_seconds=float(dice.randint(180, 1500)),
        )

    def _windows(self, status: MaintenanceStatus) -> Windows:
        """As offsets from the beginning; what Azure does not say of its own window is guessed."""
        opens = status.pre_maintenance_window_start_time - self.now
        closes = status.pre_maintenance_window_end_time - self.now
        start = (status.maintenance_window_start_time or self.now + closes) - self.now
        end = (status.maintenance_window_end_time or self.now + start + 24 * _HOUR) - self.now
        return Windows(opens, closes, max(start, closes), max(end, start + _HOUR))


def _subscriptions(vms: Iterable[Vm]) -> tuple[Subscription, ...]:
    return tuple(Subscription(each, each) for each in sorted({vm.subscription for vm in vms}))


def _sets(vms: Iterable[SeenVm]) -> tuple[AvailabilitySet, ...]:
    found = {
        vm.availability_set: AvailabilitySet(
            vm.availability_set.rpartition("/")[2],
            vm.resource_group,
            vm.subscription_id,
            vm.location,
            update_domains=20,
        )
        for vm in vms
        if vm.availability_set
    }
    return tuple(found.values())


def _scale_sets(vms: Iterable[SeenVm]) -> tuple[ScaleSet, ...]:
    """A flexible one of which the file does not tell has as many domains as VMs can be in."""
    found = {
        vm.scale_set: ScaleSet(
            vm.scale_set_name,
            vm.resource_group,
            vm.subscription_id,
            vm.location,
            mode="uniform" if vm.is_uniform else "flexible",
            update_domains=20,
            fault_domains=vm.fault_domain_count or 20,
        )
        for vm in vms
        if vm.scale_set
    }
    return tuple(found.values())


def _locations(vms: Iterable[Vm]) -> tuple[Location, ...]:
    """The regions that the emulator does not know; of their pairs nothing is known."""
    known = {location.name for location in BUILT_IN}
    return tuple(Location(each, each, "") for each in sorted({vm.location for vm in vms} - known))


def _approvals(rows: Iterable[PolicyWrite], last: timedelta) -> Iterable[ApprovalGiven]:
    """Whatever waits for approval is approved within the hour, as a plan takes it."""
    for row in rows:
        if (row.columns or {}).get("approval") == "required":
            for hour in range(max(int(last / _HOUR), 1)):
                yield ApprovalGiven(at=hour * _HOUR + _HOUR / 6, team=row.team, name=row.name)
