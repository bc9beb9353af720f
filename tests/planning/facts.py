"""What a plan is judged by: the rows, the fleet and the regions, read without the app.

Selectors, hours and placement are those of `simulator.promises`, which was written from the
description of the rules alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from simulator.promises.hours import Span
from simulator.promises.model import Machine
from simulator.promises.placement import clash
from simulator.promises.policies import Policy, keepers
from simulator.promises.selectors import LAST, named_stages, numbering

Json = Mapping[str, Any]
_KEYS = ("PartitionKey", "RowKey", "team", "policy", "columns", "Timestamp", "etag")


@dataclass(frozen=True)
class Facts:
    """Everything that is known before a plan is made.

    Attributes:
        machines: every VM, by its lower-cased id.
        windows: the self-service windows of those that are offered.
        pairs: region name to the regions that it lists as its pair.
    """

    now: datetime
    policies: Sequence[Policy]
    machines: Mapping[str, Machine]
    windows: Mapping[str, Span]
    pairs: Mapping[str, frozenset[str]]

    @cached_property
    def keepers(self) -> dict[str, list[Policy]]:
        """For each VM the policies that keep it: none, one, or more in a tie."""
        return {vm: keepers(self.policies, machine) for vm, machine in self.machines.items()}

    @cached_property
    def rollouts(self) -> list[tuple[Policy, list[str]]]:
        """The offered VMs of each policy that may act on them, in the order of their ids."""
        found: dict[str, list[str]] = defaultdict(list)
        for vm in sorted(self.windows):
            if policy := self.owner(vm):
                found[str(policy)].append(vm)
        return [(each, found[str(each)]) for each in self.policies if str(each) in found]

    @cached_property
    def stages(self) -> dict[str, int]:
        """The stage of each VM of a rollout, counted from 1."""
        return {
            vm: number
            for policy, vms in self.rollouts
            for vm, number in _numbered(policy, [self.machines[vm] for vm in vms]).items()
        }

    def owner(self, vm: str) -> Policy | None:
        """The policy that may start the VM."""
        keeping = self.keepers[vm]
        return keeping[0] if len(keeping) == 1 and not keeping[0].wrong else None

    def opens(self, vm: str, policy: Policy) -> datetime:
        """Before this instant nothing but the policy's own hours can stand in the way any longer."""
        return max(self.now + policy.lead, self.windows[vm].start)

    def first_start(self, vm: str) -> datetime | None:
        """The first instant at which the VM could start, were it alone; None: there is none."""
        policy = self.owner(vm)
        return policy and policy.first_fit(self.opens(vm, policy), self.windows[vm].end)

    def may_not_meet(self, one: str, other: str) -> str:
        """Why the two may not be away together; empty: they may."""
        both = self.owner(one), self.owner(other)
        return clash(
            self.machines[one],
            self.machines[other],
            self.pairs,
            of_one_policy=both[0] is not None and both[0] is both[1],
        )


def read_facts(
    *, rows: Iterable[Json], fleet: Iterable[Json], locations: Iterable[Json], now: datetime
) -> Facts:
    """Everything known of an instance.

    Args:
        rows: policy rows: PartitionKey, RowKey and columns; or team, policy and columns.
        fleet: VMs as Resource Manager returns them, with their instance views.
        locations: regions as Resource Manager returns them, of every subscription; or none.
        now: the instant that is planned at.
    """
    vms, regions = list(fleet), list(locations)
    zones = _physical_zones(regions)
    machines = {machine.key: machine for machine in (_machine(vm, zones) for vm in vms)}
    windows = {vm["id"].lower(): _window(vm) for vm in vms if _is_offered(vm, now)}
    policies = [_policy(row) for row in rows]
    return Facts(now, policies, machines, windows, _pairs(regions))


def instant(text: str) -> datetime:
    """An instant with its offset."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _policy(row: Json) -> Policy:
    flat = {name: value for name, value in row.items() if name not in _KEYS}
    team, name = row.get("PartitionKey") or row["team"], row.get("RowKey") or row["policy"]
    return Policy(team, name, {**row.get("columns", {}), **flat})


def _machine(vm: Json, zones: Mapping[tuple[str, str, str], str]) -> Machine:
    _, _, subscription, _, group, *_, name = vm["id"].split("/")
    properties = vm["properties"]
    location, zone = _region(vm["location"]), (vm.get("zones") or [""])[0]
    return Machine(
        key=vm["id"].lower(),
        name=name,
        resource_group=group,
        subscription=subscription.lower(),
        location=location,
        zone=zone,
        physical_zone=zones.get((subscription.lower(), location, zone), ""),
        availability_set=properties.get("availabilitySet", {}).get("id", "").lower(),
        update_domain=properties["instanceView"].get("platformUpdateDomain"),
        tags=vm.get("tags", {}),
    )


def _is_offered(vm: Json, now: datetime) -> bool:
    status = vm["properties"]["instanceView"].get("maintenanceRedeployStatus")
    if not status:
        return False
    window = _window(vm)
    allowed = status["isCustomerInitiatedMaintenanceAllowed"]
    return window.end > now and (allowed or window.start > now)


def _window(vm: Json) -> Span:
    status = vm["properties"]["instanceView"]["maintenanceRedeployStatus"]
    ends = (status[f"preMaintenanceWindow{which}Time"] for which in ("Start", "End"))
    return Span(*map(instant, ends))


def _region(name: str) -> str:
    return name.replace(" ", "").lower()


def _pairs(locations: Iterable[Json]) -> dict[str, frozenset[str]]:
    pairs: dict[str, frozenset[str]] = {}
    for location in locations:
        name = _region(location["name"])
        paired = location["metadata"].get("pairedRegion", ())
        pairs[name] = pairs.get(name, frozenset()) | {_region(each["name"]) for each in paired}
    return pairs


def _physical_zones(locations: Iterable[Json]) -> dict[tuple[str, str, str], str]:
    """By subscription, region and number."""
    return {
        (
            location["id"].split("/")[2].lower(),
            _region(location["name"]),
            each["logicalZone"],
        ): each["physicalZone"]
        for location in locations
        for each in location.get("availabilityZoneMappings", ())
    }


def _numbered(policy: Policy, machines: Iterable[Machine]) -> dict[str, int]:
    """Each VM's stage: the number of its selector, or the rank of its tag's number."""
    stages = {machine.key: policy.stage(machine) for machine in machines}
    if numbering(policy.sequence):
        ranks = sorted(set(stages.values()))  # those without a number come last by themselves
        return {vm: ranks.index(stage) + 1 for vm, stage in stages.items()}
    last = len(named_stages(policy.sequence)) + 1 if policy.sequence else 1
    return {vm: last if stage == LAST else int(stage) for vm, stage in stages.items()}
