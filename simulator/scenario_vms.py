"""Reads the VMs of a scenario file, and what happens to them while it runs."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from simulator.scenario_model import AutoShutdown, Step, Subscription, Vm, VmEdit, Windows, Word
from simulator.scenario_patches import parse_image, parse_patching
from simulator.scenario_table import Table, parse_duration

_WINDOW_KEYS: Final = ("pre_start", "pre_end", "start", "end")


def parse_vms(table: Table, subscriptions: Sequence[Subscription]) -> tuple[Vm, ...]:
    """The VMs of one ``[[vm]]``, several with ``count``, or with ``*`` as their subscription.

    They differ by the number after their name, and by the subscription, alone.

    Raises:
        ScenarioError: naming the key at fault.
    """
    count = table.integer("count", 1, least=1)
    vm = parse_vm(table)
    if vm.subscription == "*":
        if table.has("count"):
            raise table.error("count", count, "each subscription has one of them already")
        places = [subscription.id for subscription in subscriptions]
    elif table.has("count"):
        places = [vm.subscription] * count
    else:
        return (vm,)
    return tuple(
        replace(vm, name=f"{vm.name}-{number:02}", subscription=place)
        for number, place in enumerate(places, 1)
    )


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
        host_group=table.text("host_group", ""),
        host=table.text("host", ""),
    )
    table.close()
    if vm.host and not vm.host_group:
        raise table.error("host", vm.host, "say which host_group the host is in")
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
    wait = parse_delay(table, "script", text, delay) if colon else timedelta(seconds=1)
    return Step(Word(word), wait)


def parse_delay(table: Table, key: str, text: str, delay: str) -> timedelta:
    """Read the length of time at the end of a word such as ``slow:5s``.

    Raises:
        ScenarioError: it is none.
    """
    try:
        return parse_duration(delay)
    except ValueError as error:
        raise table.error(key, text, str(error)) from error
