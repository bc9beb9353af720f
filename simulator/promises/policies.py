"""Policies as the checker understands them: which VM belongs to which, in which stage, at what time.

Written from the description of the columns, not from the app: a selector that the app reads wrongly
would otherwise be right in both places.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from simulator.promises.model import EDIT_GRACE, Evidence, Machine
from simulator.scenario_table import parse_duration

_GAP = "PT15M"


@dataclass(frozen=True)
class Policy:
    """One version of a policy row."""

    team: str
    name: str
    columns: Mapping[str, Any]

    def __str__(self) -> str:
        """`team/name`, as people write it."""
        return f"{self.team}/{self.name}"

    @property
    def enabled(self) -> bool:
        """Whether it may start anything."""
        return bool(self._column("enabled", default=True))

    @property
    def priority(self) -> int:
        """The lowest wins."""
        return int(self._column("priority", 100))

    @property
    def concurrency(self) -> int:
        """How many VMs may be away at once."""
        return int(self._column("concurrency", 1))

    @property
    def continues(self) -> bool:
        """Whether it goes on after a failure."""
        return str(self._column("onFailure", "halt")) == "continue"

    @property
    def gap(self) -> timedelta:
        """Least pause of a slot."""
        return parse_duration(str(self._column("gap", _GAP)))

    @property
    def stage_gap(self) -> timedelta:
        """Least pause between stages."""
        return parse_duration(str(self._column("stageGap", self._column("gap", _GAP))))

    def takes(self, machine: Machine) -> bool:
        """Whether it means the VM."""
        excluded = str(self._column("exclude", ""))
        return selects(str(self._column("match", "*")), machine) and not (
            excluded and selects(excluded, machine)
        )

    def stage(self, machine: Machine) -> float:
        """Where the VM stands in its order, from 1; infinity for those that go last."""
        sequence = str(self._column("sequence", "")).strip()
        if not sequence:
            return 1
        numbered = re.fullmatch(r"tag:([^=;\s]+)", sequence)
        if numbered:
            value = _tag(machine, numbered[1]) or ""
            return int(value) if re.fullmatch(r"[+-]?\d+", value.strip()) else float("inf")
        for number, selector in enumerate(filter(str.strip, sequence.split(";")), start=1):
            if selects(selector, machine):
                return number
        return float("inf")

    def _column(self, name: str, default: Any) -> Any:
        value = self.columns.get(name)
        return default if value is None or value == "" else value


@dataclass(frozen=True)
class History:
    """The policy rows through time."""

    evidence: Evidence

    def at(self, moment: datetime) -> list[Policy]:
        """Every policy as its row stood at that moment."""
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for edit in self.evidence.edits:
            if edit.at <= moment:
                rows.setdefault((edit.team, edit.name), {}).update(edit.columns)
        return [Policy(team, name, columns) for (team, name), columns in rows.items()]

    def around(self, moment: datetime) -> list[list[Policy]]:
        """The rows as they stood now and at every moment of the grace that an edit has."""
        edited = [e.at for e in self.evidence.edits if moment - EDIT_GRACE <= e.at <= moment]
        before = [self.at(moment - EDIT_GRACE)] if edited else []
        return [*before, *(self.at(at) for at in edited[:-1]), self.at(moment)]

    def owners(self, vm: str, moment: datetime) -> list[Policy]:
        """The enabled policies that may act on the VM then: one, or more while an edit takes hold."""
        machine = self.evidence.machines.get(vm)
        found = [owner(rows, machine) for rows in self.around(moment)] if machine else []
        return [policy for policy in found if policy is not None]

    @cached_property
    def ever_matched(self) -> frozenset[str]:
        """The VMs that some enabled policy meant at some time."""
        versions = [self.at(edit.at) for edit in self.evidence.edits]
        return frozenset(
            key
            for key, machine in self.evidence.machines.items()
            if any(owner(rows, machine) for rows in versions)
        )


def owner(policies: list[Policy], machine: Machine) -> Policy | None:
    """The enabled policy of lowest priority that takes the VM; None where there is none, or a tie."""
    taking = [policy for policy in policies if policy.enabled and policy.takes(machine)]
    lowest = min((policy.priority for policy in taking), default=0)
    best = [policy for policy in taking if policy.priority == lowest]
    return best[0] if len(best) == 1 else None


def selects(selector: str, machine: Machine) -> bool:
    """Whether every term of the selector holds for the VM."""
    return all(_holds(term, machine) for term in re.findall(r'(?:"[^"]*"|\S)+', selector))


def _holds(term: str, machine: Machine) -> bool:
    if term.startswith("!"):
        return not _holds(term[1:], machine)
    if term == "*":
        return True
    kind, _, wanted = term.partition(":")
    if kind.lower() == "tag":
        name, equals, values = wanted.partition("=")
        if not equals:
            return any(_tag(machine, each) is not None for each in name.split(","))
        value = _tag(machine, name)
        return value is not None and _fits(values, value)
    actual = {
        "name": machine.name,
        "rg": machine.resource_group,
        "sub": machine.subscription,
        "location": machine.location,
        "zone": machine.zone,
    }[kind.lower()]
    return actual != "" and _fits(wanted, actual)


def _tag(machine: Machine, name: str) -> str | None:
    wanted = name.strip('"').lower()
    return next((value for tag, value in machine.tags.items() if tag.lower() == wanted), None)


def _fits(patterns: str, actual: str) -> bool:
    parts = re.findall(r'(?:"[^"]*"|[^,])+', patterns)
    return any(_pattern(each).fullmatch(actual) for each in parts)


def _pattern(text: str) -> re.Pattern[str]:
    if text.startswith('"'):
        return re.compile(re.escape(text.strip('"')), re.IGNORECASE)
    glob = re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(glob, re.IGNORECASE)
