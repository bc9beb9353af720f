"""Reads a scenario file: the fleet, the maintenance announced for it, and what happens meanwhile.

Every simulator process reads the same file and takes the part that concerns it.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from simulator.scenario_model import (
    ArmSettings,
    AutoShutdown,
    AvailabilitySet,
    Edit,
    Fault,
    Location,
    Scenario,
    Step,
    Subscription,
    Vm,
    VmEdit,
    Windows,
    Word,
)
from simulator.scenario_patches import parse_image, parse_patching, parse_release
from simulator.scenario_table import ScenarioError, Table, parse_duration

BUILT_IN: Final = Path(__file__).parent / "scenarios"
OTHER_PROCESSES: Final = ("bus", "host", "mail", "demo")
"""Top-level tables kept for processes that read them themselves, unjudged here."""

FAULTY: Final = ("arm", "bus", "mail", "tables")
"""The services that take faults."""

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a scenario by the name of a built-in one (``default``) or by path.

    Raises:
        ScenarioError: no such file, not TOML, or a table that cannot be used.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml" and path.parent == Path():
        path = BUILT_IN / f"{name_or_path}.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(found.stem for found in BUILT_IN.glob("*.toml")))
        raise ScenarioError(
            f"{path}: no such scenario; give a path to a .toml file or one of: {known}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path.name}: not TOML: {error}") from error
    return parse_scenario(document, path.name)


def parse_scenario(document: Mapping[str, Any], file: str) -> Scenario:
    """Check a decoded scenario. ``file`` is what errors call it.

    Raises:
        ScenarioError: naming file, table, key, value and the fix.
    """
    top = Table(file, "top level", document)
    scenario = Scenario(
        name=file.removesuffix(".toml"),
        title=top.text("title", file),
        settings=top.text_map("settings"),
        arm=_arm(Table(file, "[arm]", top.raw("arm"))),
        locations=tuple(_location(table) for table in top.tables("location")),
        subscriptions=tuple(_subscription(table) for table in top.tables("subscription")),
        availability_sets=tuple(
            _availability_set(table) for table in top.tables("availability_set")
        ),
        vms=tuple(vm for table in top.tables("vm") for vm in _alike(table)),
        releases=tuple(parse_release(table) for table in top.tables("release")),
        policies=tuple(_policy(table) for table in top.tables("policy")),
        edits=tuple(_edit(table) for table in top.tables("edit")),
        faults=MappingProxyType(_faults(Table(file, "[faults]", top.raw("faults")))),
        expect=MappingProxyType(top.raw("expect")),
        other=MappingProxyType({name: document[name] for name in OTHER_PROCESSES if top.has(name)}),
    )
    top.close()
    _check_references(scenario, file)
    return scenario


def parse_vm(table: Table) -> Vm:
    """Read one ``[[vm]]`` table.

    Raises:
        ScenarioError: naming the key at fault.
    """
    redeploy_seconds = table.number("redeploy_seconds", 3.0)
    if redeploy_seconds == 0:
        raise table.error("redeploy_seconds", redeploy_seconds, "use more than 0")
    vm = Vm(
        name=table.text("name"),
        resource_group=table.text("resource_group"),
        subscription=table.text("subscription"),
        location=table.text("location"),
        zone=table.text("zone", "", among=("", "1", "2", "3")),
        tags=table.text_map("tags"),
        availability_set=table.text("availability_set", ""),
        update_domain=table.integer("update_domain", 0),
        power=_power(table, "running"),
        agent=_agent(table, "ready"),
        size=table.text("size", "Standard_D2s_v5"),
        ephemeral_os_disk=table.flag("ephemeral_os_disk", default=False),
        public_address=table.text("public_address", "", among=("", "static", "dynamic")),
        auto_shutdown=_auto_shutdown(table),
        scheduled_events=table.text("scheduled_events", "", among=("", "approve", "wait")),
        maintenance=_windows(table.table("maintenance")) if table.has("maintenance") else None,
        script=_script(table) or (Step(Word.MAINTENANCE_COMPLETED),),
        redeploy_seconds=redeploy_seconds,
        os=table.text("os", "Windows", among=("Windows", "Linux")),
        image=parse_image(table),
        patching=parse_patching(table),
    )
    table.close()
    if vm.zone and vm.availability_set:
        raise table.error("zone", vm.zone, "a VM is in a zone or in an availability set, not both")
    return vm


def parse_vm_edit(table: Table) -> VmEdit:
    """Read the ``vm`` of an ``[[edit]]``.

    Raises:
        ScenarioError: naming the key at fault, or an edit that changes nothing.
    """
    moved = table.table("maintenance") if table.has("maintenance") else None
    edit = VmEdit(
        name=table.text("name"),
        resource_group=table.text("resource_group", ""),
        delete=table.flag("delete", default=False),
        withdraw=table.flag("withdraw", default=False),
        windows={key: moved.moment(key) for key in _WINDOW_KEYS if moved.has(key)} if moved else {},
        tags=table.text_map("tags") if table.has("tags") else None,
        power=_power(table, ""),
        agent=_agent(table, ""),
        script=_script(table),
    )
    for read in (moved, table):
        if read is not None:
            read.close()
    if edit == VmEdit(name=edit.name, resource_group=edit.resource_group):
        raise table.error("vm", dict(table.data), "say what changes, for example delete = true")
    return edit


def parse_fault(table: Table) -> Fault:
    """Read ``fail`` of a subscription: empty, ``forbidden``, ``page2``, ``unavailable``, ``slow:5s``.

    Raises:
        ScenarioError: another word, or a wrong duration.
    """
    text = table.text("fail", "")
    kind, colon, delay = text.partition(":")
    if kind == "slow" and colon:
        return Fault(kind, _delay(table, "fail", text, delay))
    if colon or kind not in {"", "forbidden", "page2", "unavailable"}:
        raise table.error("fail", text, 'use "", "forbidden", "page2", "unavailable" or "slow:5s"')
    return Fault(kind)


def _alike(table: Table) -> tuple[Vm, ...]:
    """The VMs of one table: with `count` several that differ by the number after their name alone."""
    count = table.integer("count", 1, least=1)
    vm = parse_vm(table)
    if not table.has("count"):
        return (vm,)
    return tuple(replace(vm, name=f"{vm.name}-{number:02}") for number in range(1, count + 1))


_WINDOW_KEYS: Final = ("pre_start", "pre_end", "start", "end")


def _arm(table: Table) -> ArmSettings:
    settings = ArmSettings(
        page_size=table.integer("page_size", 200, least=1),
        status_list_carries_maintenance=table.flag("status_list_carries_maintenance", default=True),
        operation_header=table.text(
            "operation_header", "both", among=("azure-asyncoperation", "location", "both")
        ),
        drop_status_when_done=table.flag("drop_status_when_done", default=False),
        offer_after_abort=table.flag("offer_after_abort", default=False),
        retry_after=table.integer("retry_after", 1),
        id_case=table.text("id_case", "mixed", among=("same", "mixed")),
        throttle_scale=table.number("throttle_scale", 1.0),
        activity_log_delay=table.duration("activity_log_delay", "0s"),
        status_list_carries_patches=table.flag("status_list_carries_patches", default=True),
    )
    table.close()
    return settings


def _faults(table: Table) -> dict[str, str]:
    """Unread but for the names: each emulator knows its own kinds."""
    faults = {name: table.text(name) for name in FAULTY if table.has(name)}
    table.close()
    return faults


def _location(table: Table) -> Location:
    name = table.text("name")
    location = Location(
        name=name,
        display_name=table.text("display_name", name),
        geography=table.text("geography", "Elsewhere"),
        pair=table.text("pair", ""),
        zones=table.integer("zones", 3),
    )
    table.close()
    return location


def _subscription(table: Table) -> Subscription:
    identity = table.text("id")
    if not _GUID.fullmatch(identity):
        raise table.error("id", identity, "use a GUID, as Azure does")
    subscription = Subscription(
        identity,
        table.text("name", identity),
        parse_fault(table),
        denied=frozenset(right.lower() for right in table.texts("denied", ())),
        zone_rotation=table.integer("zone_rotation") if table.has("zone_rotation") else None,
        features=table.text("features", "gone", among=("gone", "open", "stuck", "registered")),
        feature_seconds=table.number("feature_seconds", 1.0),
    )
    table.close()
    return subscription


def _availability_set(table: Table) -> AvailabilitySet:
    availability_set = AvailabilitySet(
        name=table.text("name"),
        resource_group=table.text("resource_group"),
        subscription=table.text("subscription"),
        location=table.text("location"),
        update_domains=table.integer("update_domains", 5, least=1),
    )
    table.close()
    return availability_set


def _auto_shutdown(table: Table) -> AutoShutdown | None:
    if not table.has("auto_shutdown"):
        return None
    schedule = table.table("auto_shutdown")
    time = schedule.text("time")
    if not re.fullmatch(r"([01]\d|2[0-3])[0-5]\d", time, re.ASCII):
        raise schedule.error("time", time, "use hours and minutes as Azure does, for example 1900")
    found = AutoShutdown(time, schedule.text("time_zone", "UTC"))
    schedule.close()
    return found


def _windows(table: Table) -> Windows:
    windows = Windows(*(table.moment(key) for key in _WINDOW_KEYS))
    table.close()
    for earlier, later in (("pre_start", "pre_end"), ("pre_end", "start"), ("start", "end")):
        first, second = getattr(windows, earlier), getattr(windows, later)
        # An offset and an instant can be compared only once the start is known.
        if type(first) is type(second) and first > second:
            raise table.error(later, table.data[later], f"it must not be before {earlier}")
    return windows


def _power(table: Table, default: str) -> str:
    return table.text("power", default, among={default, "running", "stopped", "deallocated"})


def _agent(table: Table, default: str) -> str:
    return table.text("agent", default, among={default, "ready", "notReady"})


def _script(table: Table) -> tuple[Step, ...]:
    return tuple(_step(table, text) for text in table.texts("script", ()))


def _step(table: Table, text: str) -> Step:
    word, colon, delay = text.partition(":")
    if word not in set(Word) or (colon and word != Word.THROTTLE_429):
        raise table.error("script", text, f"use one of {', '.join(Word)}; or Throttle429:5s")
    return Step(Word(word), _delay(table, "script", text, delay) if colon else timedelta(seconds=1))


def _delay(table: Table, key: str, text: str, delay: str) -> timedelta:
    try:
        return parse_duration(delay)
    except ValueError as error:
        raise table.error(key, text, str(error)) from error


def _policy(table: Table) -> Mapping[str, Any]:
    # Every other column is the app's to judge: a wrong row is something a scenario may want.
    table.text("PartitionKey")
    table.text("RowKey")
    return MappingProxyType(dict(table.data))


def _edit(table: Table) -> Edit:
    subscription = table.table("subscription") if table.has("subscription") else None
    edit = Edit(
        at=table.moment("at"),
        policy=_policy(table.table("policy")) if table.has("policy") else None,
        vm=parse_vm_edit(table.table("vm")) if table.has("vm") else None,
        subscription=(subscription.text("id"), parse_fault(subscription)) if subscription else None,
    )
    for read in (subscription, table):
        if read is not None:
            read.close()
    if edit.policy is None and edit.vm is None and edit.subscription is None:
        raise table.error(
            "at", table.data["at"], "say what happens: add policy, vm or subscription"
        )
    return edit


def _check_references(scenario: Scenario, file: str) -> None:
    subscriptions = {subscription.id for subscription in scenario.subscriptions}
    sets = {(it.subscription, it.resource_group, it.name): it for it in scenario.availability_sets}
    names: set[tuple[str, str, str]] = set()
    placed: list[Vm | AvailabilitySet] = [*scenario.availability_sets, *scenario.vms]
    for it in placed:
        where = f"{file}: [[{'vm' if isinstance(it, Vm) else 'availability_set'}]] {it.name}"
        if it.subscription not in subscriptions:
            raise ScenarioError(
                f"{where}: subscription = {it.subscription!r}: no [[subscription]] has this id"
            )
        if isinstance(it, Vm):
            _check_vm(it, where, sets, names)
    _check_edits(scenario.edits, scenario.vms, file)


def _check_vm(
    vm: Vm,
    where: str,
    sets: Mapping[tuple[str, str, str], AvailabilitySet],
    names: set[tuple[str, str, str]],
) -> None:
    key = (vm.subscription, vm.resource_group.lower(), vm.name.lower())
    if key in names:
        raise ScenarioError(
            f"{where}: name = {vm.name!r}: twice in {vm.resource_group}; rename one"
        )
    names.add(key)
    if not vm.availability_set:
        return
    found = sets.get((vm.subscription, vm.resource_group, vm.availability_set))
    if found is None:
        raise ScenarioError(
            f"{where}: availability_set = {vm.availability_set!r}: "
            f"no [[availability_set]] of this name in {vm.resource_group}"
        )
    if vm.update_domain >= found.update_domains:
        raise ScenarioError(
            f"{where}: update_domain = {vm.update_domain}: "
            f"{found.name} has {found.update_domains}, numbered from 0"
        )


def _check_edits(edits: Sequence[Edit], vms: Sequence[Vm], file: str) -> None:
    for edit in edits:
        if edit.vm is None:
            continue
        hits = [vm for vm in vms if vm.name.lower() == edit.vm.name.lower()]
        if edit.vm.resource_group:
            hits = [vm for vm in hits if vm.resource_group == edit.vm.resource_group]
        if len(hits) != 1:
            raise ScenarioError(
                f"{file}: [[edit]] vm: name = {edit.vm.name!r}: {len(hits)} VMs have this name; "
                "name one, with its resource_group where two share the name"
            )
