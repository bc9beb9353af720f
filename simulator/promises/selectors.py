"""Selectors and stages as the checker understands them.

Written from their description, not from the app: what the app reads wrongly would otherwise be right
in both places.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from simulator.promises.model import Machine

LAST = float("inf")
"""The stage of the VMs that a sequence does not name."""


def selects(selector: str, machine: Machine) -> bool:
    """Whether every term of the selector holds for the VM.

    Raises:
        ValueError: it has no term, or a term is none.
    """
    # Every term is read, so that a wrong one is noticed behind one that does not hold.
    held = [_holds(term, machine) for term in _filled(_split(selector, " \t\r\n"))]
    return all(held)


def numbering(sequence: str) -> str:
    """The tag whose numbers are the stages; empty where the sequence is something else."""
    found = re.fullmatch(r'tag:("[^"]+"|[^=;,"\s]+)', sequence.strip(), re.IGNORECASE)
    return found[1].strip('"') if found else ""


def stage_of(sequence: str, machine: Machine) -> float:
    """Where the VM stands: a number to compare by; `LAST` for those that go last.

    Raises:
        ValueError: the sequence is none.
    """
    if tag := numbering(sequence):
        value = (_tag(machine, tag) or "").strip()
        return int(value) if re.fullmatch(r"[+-]?\d+", value, re.ASCII) else LAST
    chosen = [selects(selector, machine) for selector in named_stages(sequence)]
    return chosen.index(True) + 1 if any(chosen) else LAST


def named_stages(sequence: str) -> list[str]:
    """The selectors of a sequence, that of stage 1 first.

    Raises:
        ValueError: it has none.
    """
    return _filled(_split(sequence, ";"))


def _holds(term: str, machine: Machine) -> bool:
    if term.startswith("!"):
        return not _holds(term[1:], machine)
    if term == "*":
        return True
    key, _, wanted = term.partition(":")
    key = key.lower()
    if key == "tag":
        return _has_tag(wanted, machine)
    actual = {
        "name": machine.name,
        "rg": machine.resource_group,
        "sub": machine.subscription,
        "location": machine.location,
        "zone": machine.zone,
        "vmss": machine.scale_set.rpartition("/")[2],
    }
    if key not in actual:
        raise ValueError(f"{term!r} is no term of a selector")
    if key == "location":
        wanted, actual[key] = wanted.replace(" ", ""), actual[key].replace(" ", "")
    return _fits(wanted, actual[key]) and actual[key] != ""


def _has_tag(wanted: str, machine: Machine) -> bool:
    name, *values = _split(wanted, "=")
    if not values:
        names = _filled(_split(wanted, ","))
        return any(_tag(machine, each.strip('"')) is not None for each in names)
    value = _tag(machine, name.strip('"'))
    return _fits("=".join(values), value or "") and value is not None


def _tag(machine: Machine, name: str) -> str | None:
    found = (value for tag, value in machine.tags.items() if tag.lower() == name.lower())
    return next(found, None)


def _fits(patterns: str, actual: str) -> bool:
    return any(_pattern(each).fullmatch(actual) for each in _filled(_split(patterns, ",")))


@lru_cache
def _pattern(text: str) -> re.Pattern[str]:
    if text.startswith('"'):
        return re.compile(re.escape(text.strip('"')), re.IGNORECASE)
    glob = re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(glob, re.IGNORECASE | re.DOTALL)


@lru_cache
def _split(text: str, separators: str) -> tuple[str, ...]:
    """The parts between separators that stand outside double quotes."""
    parts, quoted = [""], False
    for character in text:
        quoted ^= character == '"'
        if character in separators and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    if quoted:
        raise ValueError(f"a quote of {text!r} is not closed")
    return tuple(parts)


def _filled(parts: Iterable[str]) -> list[str]:
    filled = [part for part in parts if part.strip()]
    if not filled:
        raise ValueError("nothing is named")
    return filled
