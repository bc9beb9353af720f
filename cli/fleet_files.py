"""Fleet files: VMs as Resource Manager lists them, `[...]` or `{"value": [...]}`, each with its instance view."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import files
from shared.adapters.arm_decode import vm_of
from shared.adapters.arm_fields import identity_of
from shared.domain.errors import InvalidInput, Problem
from shared.domain.maintenance import Unreadable, Vm


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
    unreadable: list[Unreadable] = []
    for item in items_of(path, document):
        try:
            vm = vm_of(item)
        except InvalidInput as wrong:
            unreadable.append(Unreadable(identity_of(item), wrong.problems[0]))
            continue
        if vms.setdefault(vm.key, vm) is not vm:
            unreadable.append(Unreadable(vm.id, Problem("id", vm.id, "each VM once")))
    return FleetFile(
        vms=tuple(vms.values()),
        unreadable=tuple(unreadable),
        notes=tuple(_notes(path, document, vms)),
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


def _notes(path: Path, document: Any, vms: Mapping[str, Vm]) -> list[str]:
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
    return notes
