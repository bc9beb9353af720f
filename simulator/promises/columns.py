"""The columns of a policy row as the checker reads them, from their description alone."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from simulator.promises.clocks import zone_named
from simulator.promises.hours import Rule, Span, read_freezes, read_windows
from simulator.promises.model import Machine
from simulator.promises.selectors import selects, stage_of
from simulator.scenario_table import parse_duration

Columns = Mapping[str, Any]

_NOBODY = Machine(key="", name="", resource_group="", subscription="", location="")
_GIVEN_BACK = ("status", "statusMessage")
"""Columns that the app writes for people, and never reads."""


def read(columns: Columns, name: str) -> Any:
    """What a column means; an empty cell is its default.

    Raises:
        ValueError: it holds what it cannot.
    """
    return _READERS[name](columns)


def wrong(columns: Columns) -> tuple[str, ...]:
    """The columns that are unknown, or hold what they cannot."""
    return tuple(name for name in columns if name not in _GIVEN_BACK and _is_wrong(columns, name))


def _is_wrong(columns: Columns, name: str) -> bool:
    try:
        _READERS[name](columns)
    except (KeyError, ValueError, OverflowError):
        return True
    return False


def _cell(columns: Columns, name: str, default: Any, kind: type) -> Any:
    value = columns.get(name)
    if value is None or value == "":
        return default
    # Python's True is an int; a number must not be one by accident.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} = {value!r} is no {kind.__name__}")
    return value


def _text(columns: Columns, name: str, default: str = "") -> str:
    return str(_cell(columns, name, "", str)).strip() or default


def _whole(columns: Columns, name: str, default: int, least: int) -> int:
    value = int(_cell(columns, name, default, int))
    if not least <= value < 2**31:
        raise ValueError(f"{name} = {value} is not {least} or more")
    return value


def _word(columns: Columns, name: str, *words: str) -> str:
    value = _text(columns, name, words[0])
    if value not in words:
        raise ValueError(f"{name} = {value!r} is none of {words}")
    return value


def _duration(columns: Columns, name: str, default: str, least: timedelta) -> timedelta:
    length = parse_duration(_text(columns, name, default))
    if length < least:
        raise ValueError(f"{name} is shorter than {least}")
    return length


def _selector(columns: Columns, name: str, default: str) -> str:
    text = _text(columns, name, default)
    if text:
        selects(text, _NOBODY)
    return text


def _sequence(columns: Columns) -> str:
    text = _text(columns, "sequence")
    if text:
        stage_of(text, _NOBODY)
    return text


def _windows(columns: Columns) -> tuple[Rule, ...]:
    text = _text(columns, "windows")
    return read_windows(text) if text else ()


def _freezes(columns: Columns) -> tuple[Span, ...]:
    text = _text(columns, "freezes")
    return read_freezes(text, read(columns, "timeZone")) if text else ()


def _kbs(columns: Columns, name: str) -> tuple[str, ...]:
    found = re.split(r"[,;\s]+", _text(columns, name))
    kbs = tuple(kb.upper().removeprefix("KB") for kb in found if kb)
    if not all(kb.isdigit() for kb in kbs):
        raise ValueError(f"{name} has what is no KB number: {found}")
    return kbs


def _go_ahead(columns: Columns) -> timedelta | None:
    text = _text(columns, "goAhead", "none")
    if text == "none":
        return None
    if not _text(columns, "goAheadDefault"):
        raise ValueError("goAhead without goAheadDefault")
    wait = _duration(columns, "goAhead", "", _SOME)
    if wait > timedelta(days=1):
        raise ValueError(f"goAhead waits {wait}")
    return wait


_NONE, _SOME = timedelta(), timedelta(microseconds=1)
_READERS: Mapping[str, Callable[[Columns], Any]] = {
    "enabled": lambda row: _cell(row, "enabled", default=True, kind=bool),
    "priority": lambda row: _whole(row, "priority", 100, least=-(2**31)),
    "match": lambda row: _selector(row, "match", "*"),
    "exclude": lambda row: _selector(row, "exclude", ""),
    "sequence": _sequence,
    "gap": lambda row: _duration(row, "gap", "PT15M", _NONE),
    "stageGap": lambda row: _duration(row, "stageGap", _text(row, "gap", "PT15M"), _NONE),
    "concurrency": lambda row: _whole(row, "concurrency", 1, least=1),
    "windows": _windows,
    "timeZone": lambda row: zone_named(_text(row, "timeZone", "UTC")),
    "freezes": _freezes,
    "estimate": lambda row: _duration(row, "estimate", "PT25M", _SOME),
    "lead": lambda row: _duration(row, "lead", "PT0S", _NONE),
    "onFailure": lambda row: _word(row, "onFailure", "halt", "continue"),
    "retries": lambda row: _whole(row, "retries", 3, least=0),
    "retryAborted": lambda row: _cell(row, "retryAborted", default=False, kind=bool),
    "approval": lambda row: _word(row, "approval", "none", "required"),
    "goAhead": _go_ahead,
    "goAheadDefault": lambda row: _word(row, "goAheadDefault", "", "start", "skip"),
    "owners": lambda row: _text(row, "owners"),
    "patching": lambda row: _word(row, "patching", "none", "observe", "install"),
    "patchClassifications": lambda row: _text(row, "patchClassifications", "Critical,Security"),
    "kbInclude": lambda row: _kbs(row, "kbInclude"),
    "kbExclude": lambda row: _kbs(row, "kbExclude"),
    "rebootSetting": lambda row: _word(row, "rebootSetting", "IfRequired", "Never"),
}
