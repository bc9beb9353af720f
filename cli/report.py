"""What `./baton demo` says at the end: outcomes, mails, verdicts, and whether all was as expected."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simulator.promises import Verdict

Json = Mapping[str, Any]

_STYLES = {"completed": "green", "retryLater": "yellow"}
_BAD = ("failed", "aborted", "timedOut", "missed")
# The subject of a mail that announces: `... planned (shop)`, `... done (shop, erp), by ...`.
_NEWS = re.compile(r"(planned|done) \([^()]*\)(, by .*)?$")


def tell_outcomes(console: Console, rows: Iterable[Json]) -> None:
    """The outcome table, in the order of time."""
    table = Table(title="Outcomes", title_justify="left", title_style="bold", box=None)
    shown = sorted(rows, key=lambda row: str(row["endedAt"]))
    patched = any(row.get("work") == "patch" for row in shown)
    columns = ("ended", "VM", "policy", "stage", "try", "work", "outcome", "Azure's code", "reason")
    for column in columns:
        if patched or column != "work":
            table.add_column(column, no_wrap=column != "reason")
    for row in shown:
        outcome = str(row["outcome"])
        style = "bold red" if outcome in _BAD else _STYLES.get(outcome, "cyan")
        table.add_row(
            f"{row['endedAt']:%H:%M:%S}",
            row["vmName"],
            f"{row['team']}/{row['policy']}",
            str(row["stage"]),
            str(row["attempt"]),
            *([row.get("work", "redeploy")] if patched else []),
            Text(outcome, style=style),
            row.get("lastOperationResultCode", ""),
            Text(row.get("reason", ""), overflow="fold"),
        )
    console.print(table, Text())


def tell_states(console: Console, rows: Sequence[Json]) -> None:
    """How each VM stands in patching, if any is watched."""
    if not rows:
        return
    table = Table(title="Patches", title_justify="left", title_style="bold", box=None)
    for column in ("VM", "policy", "state", "reason"):
        table.add_column(column, no_wrap=column != "reason")
    for row in sorted(rows, key=lambda row: str(row["vmName"])):
        style = "green" if row["state"] == "compliant" else "yellow"
        table.add_row(
            row["vmName"],
            f"{row['team']}/{row['policy']}",
            Text(row["state"], style=style),
            Text(row.get("reason", ""), overflow="fold"),
        )
    console.print(table, Text())


def tell_mails(console: Console, mails: Sequence[Json]) -> None:
    """Each mail as a person would read it."""
    for mail in mails:
        console.print(
            Text("Mail", style="bold"),
            Text.assemble(("  To: ", "dim"), str(mail["to"])),
            Text.assemble(("  Subject: ", "dim"), str(mail["subject"])),
            "",
            Text(textwrap.indent(str(mail["text"]).strip(), "    ")),
            "",
            sep="\n",
        )
    if not mails:
        console.print("[bold]No mail.[/bold]\n")


def tell_verdicts(console: Console, verdicts: Iterable[Verdict]) -> None:
    """A line for each promise, and one for each way in which it was broken."""
    table = Table(title="Verdict", title_justify="left", title_style="bold", box=None)
    for column in ("", "", "promise", "evidence"):
        table.add_column(column)
    for verdict in verdicts:
        held = Text("held", "green") if verdict.held else Text("BROKEN", "bold red")
        table.add_row(verdict.promise, held, verdict.says, Text(verdict.evidence))
        for violation in verdict.violations:
            table.add_row("", "", "", Text(violation, "red"))
    console.print(table, Text())


def unmet(
    expected: Json, rows: Iterable[Json], mails: Iterable[Json], patches: Iterable[Json] = ()
) -> list[str]:
    """What a scenario's `[expect]` says and was not so, one sentence each.

    An outcome or a state of patching that is not named may be any number. Mails are those that ask for somebody: what is announced
    to the owners of a policy is not counted, since the last of it may come after the end. `mailed` lists
    what must stand in one of them.
    """
    counts: Counter[str] = Counter(str(row["outcome"]) for row in rows)
    counts.update(str(row["state"]) for row in patches)
    asking = [mail for mail in mails if not _NEWS.search(str(mail["subject"]))]
    counts["mails"] = len({mail["messageId"] for mail in asking})
    told = [
        f"expected a mail about {text}, there is none"
        for text in expected.get("mailed", ())
        if not any(text in mail["text"] for mail in asking)
    ]
    return told + [
        f"expected {wanted} {what}, there {'is' if counts[what] == 1 else 'are'} {counts[what]}"
        for what, wanted in expected.items()
        if what != "mailed" and counts[what] != wanted
    ]
