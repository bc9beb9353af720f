"""Reads a scenario file: the fleet, the maintenance announced for it, and what happens meanwhile.

Every simulator process reads the same file and takes the part that concerns it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from simulator.scenario_model import (
    ArmSettings,
    AvailabilitySet,
    Edit,
    Fault,
    Location,
    ScaleSet,
    Scenario,
    Subscription,
    Vm,
)
from simulator.scenario_patches import parse_release
from simulator.scenario_scale_sets import parse_scale_set
from simulator.scenario_table import ScenarioError, Table
from simulator.scenario_vms import parse_delay, parse_vm_edit, parse_vms

BUILT_IN: Final = Path(__file__).parent / "scenarios"
OTHER_PROCESSES: Final = ("bus", "host", "mail", "demo")
"""Top-level tables kept for processes that read them themselves, unjudged here."""

FAULTY: Final = ("arm", "bus", "mail", "tables")
"""The services that take faults."""

FAILURES: Final = ("forbidden", "disabled", "page2", "unavailable")
LASTING: Final = ("slow", "throttled")
"""What may be wrong with a subscription; the latter with a length of time."""

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
    sets = [parse_scale_set(table) for table in top.tables("scale_set")]
    subscriptions = tuple(it for table in top.tables("subscription") for it in _alike(table))
    scenario = Scenario(
        name=file.removesuffix(".toml"),
        title=top.text("title", file),
        settings=top.text_map("settings"),
        arm=_arm(Table(file, "[arm]", top.raw("arm"))),
        locations=tuple(_location(table) for table in top.tables("location")),
        subscriptions=subscriptions,
        availability_sets=tuple(
            _availability_set(table) for table in top.tables("availability_set")
        ),
        scale_sets=tuple(scale_set for scale_set, _ in sets),
        vms=(
            *(vm for table in top.tables("vm") for vm in parse_vms(table, subscriptions)),
            *(vm for _, instances in sets for vm in instances),
        ),
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


def parse_fault(table: Table) -> Fault:
    """Read ``fail`` of a subscription: empty, a word of ``FAILURES``, or one of ``LASTING``.

    Raises:
        ScenarioError: another word, or a wrong duration.
    """
    text = table.text("fail", "")
    kind, colon, delay = text.partition(":")
    if kind in LASTING and colon:
        return Fault(kind, parse_delay(table, "fail", text, delay))
    if colon or kind not in {"", *FAILURES}:
        words = (*FAILURES, *(f"{word}:5s" for word in LASTING))
        named = ", ".join(f'"{word}"' for word in words)
        raise table.error("fail", text, f'use "" or one of {named}')
    return Fault(kind)


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


def _alike(table: Table) -> Iterator[Subscription]:
    """The subscriptions of one table: with `count` several, whose ids and names count up."""
    count = table.integer("count", 1, least=1)
    subscription = _subscription(table)
    if not table.has("count"):
        yield subscription
        return
    start, first = subscription.id[:-12], int(subscription.id[-12:], 16)
    for number in range(count):
        name = f"{subscription.name} {number + 1:02}"
        yield replace(subscription, id=f"{start}{first + number:012x}", name=name)


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
        tenant=table.text("tenant", ""),
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
    for where, it in _placed(scenario, file):
        if it.subscription not in subscriptions:
            raise ScenarioError(
                f"{where}: subscription = {it.subscription!r}: no [[subscription]] has this id"
            )
        if isinstance(it, Vm):
            _check_vm(it, where, sets, names)
    _check_edits(scenario.edits, scenario.vms, file)


def _placed(scenario: Scenario, file: str) -> Iterator[tuple[str, Vm | AvailabilitySet | ScaleSet]]:
    """Everything that is in a subscription, with what an error calls it."""
    for availability_set in scenario.availability_sets:
        yield f"{file}: [[availability_set]] {availability_set.name}", availability_set
    for scale_set in scenario.scale_sets:
        yield f"{file}: [[scale_set]] {scale_set.name}", scale_set
    for vm in scenario.vms:
        yield f"{file}: [[{'scale_set' if vm.scale_set else 'vm'}]] {vm.name}", vm


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
