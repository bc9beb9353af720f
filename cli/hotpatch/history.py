"""`./baton hotpatch history VM`: its installations of the last 30 days, as Azure's Resource Graph has them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from cli import say
from cli.desk import at_the_desk
from cli.hotpatch.find import find_vm
from shared.domain.patching.results import PastInstallation


def run(name: str, *, as_json: bool) -> int:
    """Lists them."""
    vm, found = asyncio.run(_history(name))
    if as_json:
        say.answer([_as_json(one) for one in found])
    else:
        _tell(vm, found)
    return say.OK


async def _history(name: str) -> tuple[str, Sequence[PastInstallation]]:
    async with at_the_desk() as desk:
        vm = await find_vm(desk, name)
        return vm.name, await desk.enrolment.history(vm.id)


def _tell(name: str, found: Sequence[PastInstallation]) -> None:
    out = say.console()
    if not found:
        out.print(f"Nothing was installed on {name} within 30 days, says Resource Graph.")
        return
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in (
        "ended (UTC)",
        "status",
        "installed",
        "failed",
        "pending",
        "reboot",
        "by",
        "error",
    ):
        table.add_column(column, no_wrap=column != "error")
    for one in found:
        ended = one.last_modified_date_time
        counts = (one.installed_patch_count, one.failed_patch_count, one.pending_patch_count)
        table.add_row(
            f"{ended:%Y-%m-%d %H:%M}" if ended else "",
            one.status,
            *("" if count is None else str(count) for count in counts),
            one.reboot_status,
            one.started_by,
            str(one.error or ""),
        )
    out.print(table)


def _as_json(one: PastInstallation) -> dict[str, Any]:
    started, ended = one.start_date_time, one.last_modified_date_time
    return {
        "installationActivityId": one.installation_activity_id,
        "status": one.status,
        "rebootStatus": one.reboot_status,
        "startedBy": one.started_by,
        "startDateTime": started.isoformat() if started else None,
        "lastModifiedDateTime": ended.isoformat() if ended else None,
        "installedPatchCount": one.installed_patch_count,
        "failedPatchCount": one.failed_patch_count,
        "pendingPatchCount": one.pending_patch_count,
        "error": str(one.error) if one.error else None,
    }
