"""What `./baton plan` prints for people."""

from datetime import UTC
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.picture import Lane, Left, Picture, by_reason, moment

_NAMES_MAX = 4


def tell_plan(console: Console, picture: Picture) -> None:
    """What needs a person first, then a table per policy, then a line that sums it up."""
    _tell_left(console, "Without a start", picture.unplaced)
    _tell_left(console, "Without a policy", picture.unmatched)
    for error in picture.errors:
        console.print(Text.assemble(("Wrong policy  ", "bold red"), error))
    for note in picture.notes:
        console.print(Text.assemble(("To know  ", "bold"), note))
    for group in by_reason(picture.findings):
        names, more = group["vms"][:_NAMES_MAX], len(group["vms"]) - _NAMES_MAX
        who = ", ".join(names) + (f" and {more} more" if more > 0 else "")
        console.print(Text.assemble(("To know  ", "bold"), f"{who}: {group['reason']}"))
    if picture.errors or picture.notes or picture.findings:
        console.print()
    for lane in picture.lanes:
        console.print(_table(lane), Text())
    console.print(Text(_sum(picture)))


def _table(lane: Lane) -> Table:
    zone = ZoneInfo(lane.zone)
    title = Text.assemble((lane.name, "bold"), ("  " + " · ".join(lane.facts), "dim"))
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    shown = lane.zone != "UTC"
    columns = (
        "stage",
        "VM",
        f"start ({lane.zone})" if shown else "start",
        "back",
        "start (UTC)",
        "",
    )
    for column in columns:
        if shown or column != "start (UTC)":
            table.add_column(
                column, no_wrap=bool(column), justify="right" if column == "stage" else "left"
            )
    for bar in sorted(lane.bars, key=lambda bar: (bar.stage, bar.start, bar.vm)):
        same_day = bar.start.astimezone(zone).date() == bar.end.astimezone(zone).date()
        cells: list[str | Text] = [
            str(bar.stage),
            Text(bar.vm),
            moment(bar.start, zone),
            f"{bar.end.astimezone(zone):%H:%M}" if same_day else moment(bar.end, zone),
            *([f"{bar.start.astimezone(UTC):%Y-%m-%d %H:%M}"] if shown else []),
            Text(" ".join(filter(None, (bar.state if bar.state != "planned" else "", bar.note)))),
        ]
        table.add_row(*cells)
    return table


def _tell_left(console: Console, title: str, left: tuple[Left, ...]) -> None:
    if not left:
        return
    table = Table(
        title=title, title_justify="left", title_style="bold red", box=None, show_header=False
    )
    for one in left:
        table.add_row(Text(one.vm), Text(one.policy, "dim"), Text(one.reason))
    console.print(table, Text())


def _sum(picture: Picture) -> str:
    bars = [bar for lane in picture.lanes for bar in lane.bars]
    parts = [f"{len(bars)} VMs have a start" if len(bars) != 1 else "1 VM has a start"]
    for left, what in ((picture.unplaced, "without one"), (picture.unmatched, "without a policy")):
        if left:
            parts.append(f"{len(left)} {what}")
    if bars:
        first, last = min(bar.start for bar in bars), max(bar.end for bar in bars)
        parts.append(f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")
    return ", ".join(parts) + "."
