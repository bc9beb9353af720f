"""From what the emulators and the tables give to the facts that promises are judged by."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from simulator.arm.locations import BUILT_IN, location_body
from simulator.arm.records import compute_id, scale_set_id, vm_id
from simulator.promises.model import (
    Event,
    Evidence,
    Machine,
    PolicyEdit,
    Row,
    SeenMail,
    Start,
    Window,
)
from simulator.scenario_model import Scenario, Vm
from simulator.scenario_table import resolve

Json = Mapping[str, Any]

_ISOLATED = ("Standard_E104i_v5", "Standard_E80ids_v4", "Standard_HX176rs", "Standard_M832is_16_v3")
"""Of the public list of isolated sizes (virtual-machines/isolation, April 2026), those that scenarios may use."""


def read_evidence(
    *,
    scenario: Scenario,
    t0: datetime,
    log: Iterable[Json],
    vms: Iterable[Json],
    rows: Iterable[Json],
    edits: Sequence[PolicyEdit],
    mails: Iterable[Json],
) -> Evidence:
    """Everything known of a run.

    Args:
        scenario: the fleet and its windows.
        t0: the instant that the scenario's offsets count from.
        log: records of the ARM emulator, `GET /_emulator/log`.
        vms: its VMs at the end, `GET /_emulator/vms`.
        rows: entities of the outcome table.
        edits: every policy row written, and when; the first ones with all their columns.
        mails: of the mail sink, `GET /mails`.
    """
    records = sorted(log, key=lambda record: (record["time"], record["seq"]))
    events = [record for record in records if record["kind"] == "event"]
    zones = _physical_zones(scenario)
    flexible = {
        compute_id(it, "virtualMachineScaleSets").lower(): it.fault_domains
        for it in scenario.scale_sets
        if it.mode == "flexible"
    }
    machines = [_machine(vm, zones, flexible) for vm in scenario.vms]
    return Evidence(
        machines={machine.key: machine for machine in machines},
        windows=tuple(_windows(scenario, t0, events)),
        starts=tuple(start for record in records for start in _starts(record)),
        installs=tuple(
            Start(
                vm=record["vmId"],
                at=_time(record["time"]),
                accepted=record["accepted"],
                maintenance="",
                reason=record["reason"],
                work="patch",
                reboots=record["asked"].get("rebootSetting") != "Never",
            )
            for record in records
            if _is_of(record, "installPatches") and "asked" in record
        ),
        releases=tuple(_releases(scenario, t0, events)),
        events=tuple(
            Event(
                vm=record["vmId"],
                at=_time(record["time"]),
                name=record["event"],
                maintenance=record["maintenanceId"],
            )
            for record in events
            if "vmId" in record
        ),
        rows=tuple(sorted(map(_row, rows), key=lambda row: row.ended)),
        edits=tuple(sorted(edits, key=lambda edit: edit.at)),
        mails=tuple(_mail(mail) for mail in mails),
        results={vm["id"]: (vm["code"], vm["message"] or "") for vm in vms if vm["code"] != "None"},
        pairs=_pairs(scenario),
    )


def _starts(record: Json) -> Iterator[Start]:
    """The redeploys that a request asked for: of a VM, or of instances of a scale set."""
    if not _is_of(record, "performMaintenance"):
        return
    if record.get("asked") == []:
        yield _start(record, {**record, "maintenanceId": "", "accepted": False}, of_all=True)
    for each in record.get("instances", [record]):
        if "maintenanceId" in each:
            yield _start(record, each)


def _start(record: Json, about: Json, *, of_all: bool = False) -> Start:
    return Start(
        vm=about["vmId"],
        at=_time(record["time"]),
        accepted=about["accepted"],
        maintenance=about["maintenanceId"],
        reason=about["reason"],
        of_all=of_all,
    )


def _machine(
    vm: Vm, zones: Mapping[tuple[str, str, str], str], flexible: Mapping[str, int]
) -> Machine:
    # A set is named within the VM's own subscription and group.
    group = f"{vm.subscription}/{vm.resource_group}/".lower()
    scale_set = scale_set_id(vm).lower() if vm.scale_set else ""
    return Machine(
        key=vm_id(vm).lower(),
        name=vm.name,
        resource_group=vm.resource_group,
        subscription=vm.subscription.lower(),
        location=vm.location,
        zone=vm.zone,
        physical_zone=zones.get((vm.subscription, vm.location, vm.zone), ""),
        availability_set=group + vm.availability_set.lower() if vm.availability_set else "",
        update_domain=vm.update_domain,
        scale_set=scale_set,
        fault_domain=vm.fault_domain,
        fault_domains=flexible.get(scale_set),
        has_own_mechanism=bool(vm.host_group) or vm.size in _ISOLATED,
        tags=vm.tags,
    )


def _windows(scenario: Scenario, t0: datetime, events: Iterable[Json]) -> list[Window]:
    found = []
    for vm in scenario.vms:
        if vm.maintenance is not None:
            start, end, _, _ = vm.maintenance.at(t0)
            key = vm_id(vm).lower()
            found.append(Window(vm=key, since=t0, start=start, end=end, is_new=True))
    found += [
        Window(
            vm=event["vmId"],
            since=_time(event["time"]),
            start=_time(event["pre_start"]),
            end=_time(event["pre_end"]),
            is_new=event["event"] == "announced",
        )
        for event in events
        if event["event"] in ("announced", "windowMoved")
    ]
    return sorted(found, key=lambda window: window.since)


def _row(entity: Json) -> Row:
    return Row(
        job=entity["jobId"],
        vm=entity["vmId"].lower(),
        name=entity["vmName"],
        team=entity["team"],
        policy=entity["policy"],
        attempt=int(entity["attempt"]),
        outcome=entity["outcome"],
        terminal=bool(entity["terminal"]),
        ended=_time(entity["endedAt"]),
        started=_time(entity["startedAt"]) if entity.get("startedAt") else None,
        code=entity.get("lastOperationResultCode") or "",
        message=entity.get("lastOperationMessage") or "",
        work=entity.get("work") or "redeploy",
    )


def _is_of(record: Json, action: str) -> bool:
    """Whether the record is a request for the action that was answered by Azure's rules."""
    mine = str(record.get("path", action)).endswith(action)
    return record["kind"] == "request" and "accepted" in record and mine


def _releases(scenario: Scenario, t0: datetime, events: Iterable[Json]) -> Iterator[datetime]:
    """When the patches came out that not every VM had from the start."""
    had = max((resolve(vm.patching.patched_to, t0) for vm in scenario.vms), default=t0)
    came = (resolve(release.at, t0) for release in scenario.releases)
    yield from (at for at in came if at > had)
    yield from (_time(event["time"]) for event in events if event["event"] == "released")


def _mail(mail: Json) -> SeenMail:
    return SeenMail(message_id=mail["messageId"], subject=mail["subject"], text=mail["text"])


def _physical_zones(scenario: Scenario) -> dict[tuple[str, str, str], str]:
    """By subscription, region and number, as Azure's list of locations has them."""
    known = {location.name: location for location in (*BUILT_IN, *scenario.locations)}
    bodies = (
        (subscription.id, location_body(location, subscription.id, rotation))
        for rotation, subscription in enumerate(scenario.subscriptions)
        for location in known.values()
    )
    return {
        (subscription, body["name"], mapping["logicalZone"]): mapping["physicalZone"]
        for subscription, body in bodies
        for mapping in body.get("availabilityZoneMappings", ())
    }


def _pairs(scenario: Scenario) -> dict[str, frozenset[str]]:
    """A pair holds if either side lists the other."""
    pairs: dict[str, set[str]] = defaultdict(set)
    known = {location.name: location for location in (*BUILT_IN, *scenario.locations)}
    for location in known.values():
        if location.pair:
            pairs[location.name].add(location.pair)
            pairs[location.pair].add(location.name)
    return {name: frozenset(others) for name, others in pairs.items()}


def _time(value: str | datetime) -> datetime:
    """An aware time; the table SDK gives datetimes, the emulators text."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.astimezone(UTC)
