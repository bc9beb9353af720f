"""`./baton hotpatch calendar`: a year's patch Tuesdays, as a table and as a picture."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from rich.table import Table

from cli import say
from shared.domain.patching.calendar import Release, ReleaseKind, last_release, releases

_TEMPLATES = Path(__file__).parent.parent / "templates"
_SAYS = {
    ReleaseKind.BASELINE: "baseline: reboots",
    ReleaseKind.HOTPATCH: "hotpatch: no reboot",
}


def run(year: int | None, now: datetime, *, svg: Path | None, as_json: bool) -> int:
    """Shows a year, this one by default."""
    shown = year or now.year
    found = releases(shown)
    if svg:
        svg.write_text(picture(shown, found), encoding="utf-8")
    if as_json:
        say.answer([_as_json(release) for release in found])
    else:
        _tell(shown, found, now)
    return say.OK


def picture(year: int, found: Sequence[Release]) -> str:
    """The year as one SVG: a row for each quarter, its baseline first."""
    template = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    ).get_template("calendar.svg.j2")
    months = [
        {
            "name": f"{release.day:%B}",
            "day": f"{release.day:%a} {release.day.day}",
            "is_baseline": release.kind is ReleaseKind.BASELINE,
            "says": _SAYS[release.kind],
            "column": index % 3,
            "row": index // 3,
        }
        for index, release in enumerate(found)
    ]
    return template.render(year=year, months=months) + "\n"


def _tell(year: int, found: Sequence[Release], now: datetime) -> None:
    out = say.console()
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("", str(year), "released (UTC)", "of VMs with Hotpatch", "Azure installs until"):
        table.add_column(column, no_wrap=True)
    newest = last_release(now)
    for release in found:
        table.add_row(
            "▶" if release == newest else "",
            f"{release.day:%B}",
            f"{release.at:%a %d %b %H:%M}",
            _SAYS[release.kind],
            f"{release.azure_installs_by:%d %b %Y}",
        )
    out.print(table)
    out.print(
        "As planned: Microsoft may release a baseline in a hotpatch month, and Baton mails when it sees one."
    )


def _as_json(release: Release) -> dict[str, Any]:
    return {
        "month": release.month,
        "day": release.day.isoformat(),
        "at": release.at.isoformat(),
        "kind": str(release.kind),
        "azureInstallsBy": release.azure_installs_by.isoformat(),
    }
