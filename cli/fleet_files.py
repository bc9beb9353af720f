"""Fleet files: VMs as Resource Manager lists them, `[...]` or `{"value": [...]}`, each with its instance view.

Instances of uniform scale sets are VMs too, and the scale sets themselves may stand among them: what they say
of domains and tags then counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import files
from shared.adapters.arm_decode import is_scale_set, scale_set_of, vm_of
from shared.adapters.arm_fields import identity_of
from shared.domain.errors import InvalidInput, Problem
from shared.domain.maintenance import Unreadable, Vm
from shared.domain.scale_sets import ScaleSet, with_set


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFile:
    """The VMs of a file.

    Attributes:
        unreadable: What cannot be used, and why; the others go on.
        notes: What makes the file look incomplete.
    """

    vms: tuple[Vm, ...]
    unreadable: tuple[Unreadable, ...] = ()
    notes: tuple[str, ...] = ()


def read_fleet(path: Path) -> FleetFile:
    """Reads a fleet.

    Raises:
        InvalidInput: The file cannot be read, or is no list of resources.
    """
    document = files.read_json(path)
    vms: dict[str, Vm] = {}
    sets: dict[str, ScaleSet] = {}
    unreadable: list[Unreadable] = []
    for item in items_of(path, document):
        try:
            found = scale_set_of(item) if is_scale_set(item) else vm_of(item)
        except InvalidInput as wrong:
            unreadable.append(Unreadable(identity_of(item), wrong.problems[0]))
            continue
        if isinstance(found, ScaleSet):
            sets[found.key] = found
        elif vms.setdefault(found.key, found) is not found:
            unreadable.append(Unreadable(found.id, Problem("id", found.id, "each VM once")))
    return FleetFile(
        vms=tuple(with_set(vm, sets) for vm in vms.values()),
        unreadable=tuple(unreadable),
        notes=tuple(_notes(path, document, vms, sets)),
    )


def items_of(path: Path, document: Any) -> list[Any]:
    """The items of a list that Resource Manager answered, or of a bare array.

    Raises:
        InvalidInput: It is neither.
    """
    found = document.get("value") if isinstance(document, Mapping) else document
    if not isinstance(found, list):
        expected = '[...] or {"value": [...]}, as Resource Manager lists resources'
        raise files.unusable(path, "the document", type(document).__name__, expected)
    return found


def _notes(
    path: Path, document: Any, vms: Mapping[str, Vm], sets: Mapping[str, ScaleSet]
) -> list[str]:
    notes = []
    if isinstance(document, Mapping) and document.get("nextLink"):
        notes.append(f"{files.shown(path)} is one page of several: it has a nextLink")
    bare = sum(vm.view is None for vm in vms.values())
    if bare:
        count = f"{bare} of {len(vms)} VMs have"
        notes.append(
            f"{files.shown(path)}: {count} no properties.instanceView, and so no maintenance; "
            "get each VM with $expand=instanceView"
        )
    lone = sum(
        bool(vm.scale_set) and not vm.is_uniform and vm.scale_set not in sets for vm in vms.values()
    )
    if lone:
        notes.append(
            f"{files.shown(path)}: {lone} of {len(vms)} VMs are of flexible scale sets that are not in it,"
            " and go one at a time in their set; add what `az vmss list` gives"
        )
    return notes
