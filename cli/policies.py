"""`./baton policy apply`, `list`, `export`: the rows of `BatonPolicies` from a terminal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli import say
from cli.desk import at_the_desk
from cli.policy_check import problems_of, refuse
from cli.policy_files import FileRow, read_policies, written
from shared.domain.errors import BatonError, InvalidInput
from shared.ports import PolicyRow, PolicyStore


@dataclass(frozen=True, slots=True)
class Edit:
    """What becomes of one row.

    Attributes:
        verb: `created`, `changed`, `unchanged` or `deleted`.
        columns: Of a changed row, those that differ.
    """

    verb: str
    row: PolicyRow
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """TEAM/POLICY."""
        return f"{self.row.team}/{self.row.policy}"

    def __str__(self) -> str:
        return f"{self.verb} {self.name}" + (f": {', '.join(self.columns)}" if self.columns else "")


def apply(path: Path, *, prune: bool, yes: bool, as_json: bool) -> int:
    """Makes the table's rows as the file has them. Nothing is written where a row is wrong."""
    rows = read_policies(path)
    findings = problems_of(rows)
    if findings:
        refuse(path, findings)
        say.complain(f"{path}: nothing was written")
        return say.PROBLEMS
    return asyncio.run(_apply(rows, prune=prune, yes=yes, as_json=as_json))


def show(*, as_json: bool) -> int:
    """Lists the rows."""
    rows = asyncio.run(_rows())
    if as_json:
        say.answer([_as_json(row) for row in rows])
    else:
        tell_rows(say.console(), rows)
    return say.OK


def export(*, as_json: bool) -> int:
    """Prints the rows as a file that `apply` takes."""
    rows = asyncio.run(_rows())
    print(written(((row.team, row.policy, row.columns) for row in rows), as_json=as_json), end="")
    return say.OK


def edits(wanted: Sequence[FileRow], stored: Sequence[PolicyRow], *, prune: bool) -> list[Edit]:
    """What makes the stored rows those that are wanted; Baton's own columns stay as they are.

    Args:
        wanted: The rows of the file.
        stored: The rows of the table.
        prune: Whether rows that the file does not have are deleted.
    """
    there = {(row.team, row.policy): row for row in stored}
    found: list[Edit] = []
    for row in wanted:
        old = there.pop(row.key, None)
        if old is None:
            new = PolicyRow(team=row.team, policy=row.policy, columns=row.columns)
            found.append(Edit("created", new))
            continue
        columns = {**old.columns, **row.columns}
        differ = tuple(name for name in columns if not _same(name, old, row))
        verb = "changed" if differ else "unchanged"
        found.append(Edit(verb, replace(old, columns=row.columns), differ))
    return found + [Edit("deleted", row) for row in there.values() if prune]


def tell_rows(console: Console, rows: Sequence[PolicyRow]) -> None:
    """The rows as a table for people."""
    table = Table(box=None, header_style="bold")
    for column in ("team", "policy", "enabled", "priority", "match", "status"):
        table.add_column(column, overflow="fold")
    for row in rows:
        style = {"ok": "green", "error": "bold red"}.get(row.status, "dim")
        status = f"{row.status or 'not seen yet'}: {row.status_message}".rstrip(": ")
        cells = [str(row.columns.get(*cell)) for cell in _SHOWN]
        table.add_row(
            Text(row.team), Text(row.policy), *map(Text, cells), Text(status, style=style)
        )
    console.print(table if rows else "No policies.")


_SHOWN = (("enabled", True), ("priority", 100), ("match", "*"))


def _same(name: str, old: PolicyRow, new: FileRow) -> bool:
    """Whether a cell is the same to the table: 1, "1" and true are not."""
    before, after = old.columns.get(name), new.columns.get(name)
    return type(before) is type(after) and before == after


async def _rows() -> Sequence[PolicyRow]:
    async with at_the_desk() as desk:
        return await desk.policies.rows()


async def _apply(rows: Sequence[FileRow], *, prune: bool, yes: bool, as_json: bool) -> int:
    async with at_the_desk() as desk:
        wanted = edits(rows, await desk.policies.rows(), prune=prune)
        doomed = [edit for edit in wanted if edit.verb == "deleted"]
        if doomed and not yes:
            for edit in doomed:
                say.complain(f"{edit.name} is not in the file and would be deleted")
            say.complain("nothing was written; say --yes to delete them")
            return say.PROBLEMS
        failed = [await _do(desk.policies, edit) for edit in wanted]
    for edit, failure in zip(wanted, failed, strict=True):
        if failure:
            say.complain(f"{edit.name}: {failure}")
        elif not as_json:
            print(edit)
    if as_json:
        done = zip(wanted, failed, strict=True)
        say.answer([_edit_json(edit, failure) for edit, failure in done])
    return say.PROBLEMS if any(failed) else say.OK


async def _do(store: PolicyStore, edit: Edit) -> str:
    """Does it; what went wrong, so that one row never stops the others."""
    try:
        if edit.verb == "deleted":
            await store.delete(edit.row)
        elif edit.verb != "unchanged":
            await store.write(edit.row)
    except InvalidInput as wrong:
        return str(wrong)
    except BatonError as error:
        return f"not written, apply again: {error}"
    return ""


def _edit_json(edit: Edit, failure: str) -> dict[str, Any]:
    """The keys are part of the outer contract."""
    name = {"team": edit.row.team, "policy": edit.row.policy}
    return name | {"result": "failed" if failure else edit.verb, "reason": failure}


def _as_json(row: PolicyRow) -> dict[str, Any]:
    name = {"team": row.team, "policy": row.policy}
    return name | {
        "columns": dict(row.columns),
        "status": row.status,
        "statusMessage": row.status_message,
    }
