"""Reads `[[scale_set]]`: the set, and each of its instances as a VM."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from simulator.scenario_model import ScaleSet, Vm
from simulator.scenario_table import Table
from simulator.scenario_vms import parse_vm

INSTANCES_MAX: Final = 1_000
"""Of one scale set, as Azure has it."""

_LAYOUT: Final = frozenset(
    ("mode", "instances", "update_domains", "fault_domains", "zones", "instance")
)
_ONE_FOR_ALL: Final = frozenset(
    ("name", "resource_group", "subscription", "location", "size", "host_group")
)
_INSTEAD: Final = {
    "count": "instances",
    "zone": "zones",
    "update_domain": "update_domains",
    "fault_domain": "fault_domains",
    "availability_set": "update_domains; no VM is in both kinds of set",
}


def parse_scale_set(table: Table) -> tuple[ScaleSet, tuple[Vm, ...]]:
    """Read one ``[[scale_set]]`` with its instances.

    Instances are spread over the domains and zones in turn; what the table says of VMs holds for
    each of them, and ``[[scale_set.instance]]`` for the one with that ``id``.

    Raises:
        ScenarioError: naming the key at fault.
    """
    for key in _INSTEAD.keys() & table.data.keys():
        raise table.error(key, table.data[key], f"a scale set has {_INSTEAD[key]}")
    mode = table.text("mode", among=("uniform", "flexible"))
    scale_set = ScaleSet(
        name=table.text("name"),
        resource_group=table.text("resource_group"),
        subscription=table.text("subscription"),
        location=table.text("location"),
        mode=mode,
        update_domains=table.integer("update_domains", 5, least=1),
        fault_domains=table.integer("fault_domains", 5 if mode == "uniform" else 1, least=1),
        zones=table.texts("zones", ()),
        size=table.text("size", "Standard_D2s_v5"),
        host_group=table.text("host_group", ""),
        tags=table.text_map("tags"),
    )
    return scale_set, tuple(_instances(table, scale_set))


def _instances(table: Table, scale_set: ScaleSet) -> Iterator[Vm]:
    own: dict[int, Table] = {}
    for each in table.tables("instance"):
        number = each.integer("id")
        if number in own:
            raise each.error("id", number, "twice in one set; change one")
        own[number] = each
    count = table.integer("instances", len(own))
    numbers = list(range(count)) if table.has("instances") else sorted(own)
    if not 1 <= len(numbers) <= INSTANCES_MAX:
        raise table.error("instances", count, f"use 1 to {INSTANCES_MAX}")
    for number, each in own.items():
        if number not in numbers:
            raise each.error("id", number, f"with instances = {count} it is 0 to {count - 1}")
        for key in (_LAYOUT | _ONE_FOR_ALL) & each.data.keys():
            raise each.error(key, each.data[key], "it is the set's; write it above its instances")
    for place, number in enumerate(numbers):
        yield _instance(table, scale_set, own[number].data if number in own else {}, number, place)


def _instance(
    table: Table, scale_set: ScaleSet, own: Mapping[str, Any], number: int, place: int
) -> Vm:
    """The instance of that number, which is the `place`-th."""
    zones, is_uniform = scale_set.zones or ("",), scale_set.mode == "uniform"
    data = {
        "zone": zones[place % len(zones)],
        "update_domain": place % scale_set.update_domains,
        "fault_domain": place % scale_set.fault_domains,
        **{key: value for key, value in table.data.items() if key not in _LAYOUT},
        **own,
        # As Azure names them; it makes up the digits of a flexible one's.
        "name": f"{scale_set.name}_{number}" if is_uniform else f"{scale_set.name}_{number:08x}",
    }
    merged = Table(table.file, f"{table.where} instance {number}", data)
    for key in (*_LAYOUT, "id"):
        merged.has(key)  # read already
    fault_domain = merged.integer("fault_domain")
    vm = parse_vm(merged)
    for key, given, domains in (
        ("update_domain", vm.update_domain, scale_set.update_domains),
        ("fault_domain", fault_domain, scale_set.fault_domains),
    ):
        if given >= domains:
            raise merged.error(key, given, f"the set has {domains}, numbered from 0")
    return replace(
        vm,
        scale_set=scale_set.name,
        instance_id=str(number) if is_uniform else "",
        fault_domain=fault_domain,
    )
