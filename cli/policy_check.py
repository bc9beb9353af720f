"""`./baton policy validate`: every problem of every row, and what a fleet shows about them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cli import files, say
from cli.fleet_files import read_fleet
from cli.policy_files import FileRow, read_policies
from shared.domain.assignment import Assigner
from shared.domain.errors import InvalidInput, Problem
from shared.domain.ledger import PolicyKey
from shared.domain.maintenance import Vm
from shared.domain.policy import Standing
from shared.domain.policy_notes import notes
from shared.domain.policy_row import parse_policy, standing


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and the row that has it."""

    row: FileRow
    problem: Problem

    @property
    def line(self) -> int:
        """The value's line, or else the row's."""
        return self.row.lines.get(self.problem.field, self.row.line)

    def __str__(self) -> str:
        name = "/".join(filter(None, self.row.key))
        return f"{name or 'a row without a name'}: {self.problem}"

    def as_json(self) -> dict[str, Any]:
        """Its keys are part of the outer contract."""
        return {
            "team": self.row.team,
            "policy": self.row.policy,
            "line": self.line,
            "column": self.problem.field,
            "value": self.problem.value,
            "expected": self.problem.expected,
        }


def validate(path: Path, fleet: Path | None, *, as_json: bool, now: datetime) -> int:
    """Says what is wrong with a file; the exit code: 1 if anything is."""
    rows = read_policies(path)
    findings = problems_of(rows)
    warnings = notes_of(rows, now)
    if fleet:
        seen = read_fleet(fleet)
        findings += ties_of(rows, seen.vms)
        warnings += [*seen.notes, *(f"{vm.vm_id}: {vm.problem}" for vm in seen.unreadable)]
        warnings += matches_of(rows, seen.vms)
    if as_json:
        found = [finding.as_json() for finding in findings]
        say.answer({"rows": len(rows), "problems": found, "warnings": warnings})
    else:
        _tell(path, rows, findings, warnings)
    return say.PROBLEMS if findings else say.OK


def refuse(path: Path, findings: Iterable[Finding]) -> None:
    """Complains, one line each, in the form that editors jump to."""
    for finding in findings:
        say.complain(f"{files.shown(path)}:{finding.line}: {finding}")


def problems_of(rows: Iterable[FileRow]) -> list[Finding]:
    """Every problem of every row: first those of its form, then those of its values."""
    findings: list[Finding] = []
    for row in rows:
        findings += [Finding(row, problem) for problem in row.problems]
        try:
            if row.is_row:
                parse_policy(row.key, row.columns)
        except InvalidInput as wrong:
            known = {problem.field for problem in row.problems}
            findings += [Finding(row, p) for p in wrong.problems if p.field not in known]
    return sorted(findings, key=lambda finding: finding.line)


def ties_of(rows: Sequence[FileRow], vms: Iterable[Vm]) -> list[Finding]:
    """Rows that match some VM with the same priority, which is then left alone; told once for each row."""
    assign = Assigner(_standings(rows).values())
    first: dict[PolicyKey, tuple[Vm, str]] = {}
    count: Counter[PolicyKey] = Counter()
    for vm in vms:
        assignment = assign(vm)
        for key in assignment.tied:
            first.setdefault(key, (vm, assignment.reason))
            count[key] += 1
    findings = []
    for row in rows:
        if row.key in first:
            vm, reason = first[row.key]
            more = f" (and {count[row.key] - 1} more VMs)" if count[row.key] > 1 else ""
            priority = str(row.columns.get("priority", ""))
            expected = f"a number of its own for {vm.name}{more}: {reason}"
            findings.append(Finding(row, Problem("priority", priority, expected)))
    return findings


def matches_of(rows: Sequence[FileRow], vms: Iterable[Vm]) -> list[str]:
    """Rows that match nothing, and rows that others take VMs from."""
    standings = _standings(rows)
    assign = Assigner(standings.values())
    idle = {key for key, stands in standings.items() if stands.policy and stands.policy.enabled}
    lost: Counter[tuple[PolicyKey, PolicyKey]] = Counter()
    for vm in vms:
        wanting = {stands.key for stands in assign.wanting(vm)}
        idle -= wanting
        if len(wanting) > 1 and (winner := assign(vm).policy):
            lost.update((loser, winner.key) for loser in wanting - {winner.key})
    warnings = [f"{'/'.join(key)} matches no VM of the fleet" for key in sorted(idle)]
    return warnings + [
        f"{'/'.join(loser)} and {'/'.join(winner)} both match {_vms(count)}; "
        f"{'/'.join(winner)} takes them, by its lower priority number"
        for (loser, winner), count in sorted(lost.items())
    ]


def notes_of(rows: Sequence[FileRow], now: datetime) -> list[str]:
    """What is legal and yet looks like a slip."""
    return [
        f"{'/'.join(key)}: {note}"
        for key, stands in _standings(rows).items()
        if stands.policy
        for note in notes(stands.policy, now)
    ]


def _standings(rows: Sequence[FileRow]) -> dict[PolicyKey, Standing]:
    """How the rows count; of several with one name the first."""
    found: dict[PolicyKey, Standing] = {}
    for row in rows:
        if row.is_row and row.key not in found:
            found[row.key] = standing(row.key, row.columns, None)
    return found


def _tell(
    path: Path, rows: Sequence[FileRow], findings: Sequence[Finding], warnings: Iterable[str]
) -> None:
    refuse(path, findings)
    for warning in warnings:
        say.complain(f"warning: {warning}")
    wrong = len({finding.row.line for finding in findings})
    verdict = f"{wrong} of them wrong" if wrong else "all right"
    print(f"{files.shown(path)}: {len(rows)} {'row' if len(rows) == 1 else 'rows'}, {verdict}")


def _vms(count: int) -> str:
    return "1 VM" if count == 1 else f"{count} VMs"
