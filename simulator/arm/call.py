"""One request to the emulator and its answer, free of any web framework."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.arm.operations import Request


@dataclass(frozen=True, slots=True)
class Call:
    """A request to Resource Manager.

    Attributes:
        params: the named parts of the path.
        query: the query, names lower-cased: Azure's are case-insensitive.
        base_url: what the client reached the emulator by, for the links in answers.
        body: the JSON object that came with it; empty for none.
        note: what the journal is to know beyond method, path and status; handlers write here.
    """

    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    now: datetime
    base_url: str
    request: Request
    body: Mapping[str, Any] = field(default_factory=dict)
    note: dict[str, Any] = field(default_factory=dict)


def vm_key(params: Mapping[str, str]) -> str:
    """The lower-cased id of the VM that a path is about, by its named parts; empty for none."""
    if "vm" in params:
        return compute_key(params, "virtualMachines", params["vm"])
    if "instance" in params:
        return f"{scale_set_key(params)}/virtualmachines/{params['instance']}".lower()
    return ""


def scale_set_key(params: Mapping[str, str]) -> str:
    """The lower-cased id of the scale set that a path is about; empty for none."""
    found = params.get("scaleset", "")
    return compute_key(params, "virtualMachineScaleSets", found) if found else ""


def compute_key(params: Mapping[str, str], kind: str, name: str) -> str:
    """The lower-cased id of a resource in the path's group; ``kind`` is virtualMachines or the like."""
    return (
        f"/subscriptions/{params['subscription']}/resourcegroups/{params['group']}"
        f"/providers/microsoft.compute/{kind}/{name}"
    ).lower()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. ``status`` None drops the connection without one."""

    status: int | None
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def is_api_version(text: str) -> bool:
    """Whether it is a date, with or without ``-preview``: the emulator serves every version."""
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}(-preview)?", text, re.ASCII) is not None
