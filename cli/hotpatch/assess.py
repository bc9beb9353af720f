"""`./baton hotpatch assess VM`: an assessment now, followed to its end, and what the VM lacks."""

import asyncio
from datetime import timedelta
from typing import Any

from rich.table import Table

from cli import say
from cli.desk import Desk, at_the_desk
from cli.hotpatch.find import find_vm
from shared.domain.durations import format_duration, parse_duration
from shared.domain.errors import Terminal
from shared.domain.patching.observe import observed
from shared.domain.patching.record import PatchRecord
from shared.domain.patching.results import AvailablePatch
from shared.use_cases.assess_vm import AssessVm

_PATIENCE = timedelta(minutes=15)


def run(name: str, every: str, *, as_json: bool) -> int:
    """Assesses a VM."""
    pause = parse_duration(every, field="--every")
    record = asyncio.run(_assessed(name, pause))
    if as_json:
        say.answer([_as_json(patch) for patch in record.patches])
    else:
        _tell(record)
    return say.OK


async def _assessed(name: str, pause: timedelta) -> PatchRecord:
    async with at_the_desk() as desk:
        vm = await find_vm(desk, name)
        before = await desk.patch_store.record(vm.id)
        key = (before.team, before.policy) if before else ("", "")
        began = desk.clock.now()
        assess = AssessVm(clock=desk.clock, patches=desk.patches)
        record = await assess.start(observed(vm, before, key=key, now=began))
        while record.assessing_url and desk.clock.now() - began < _PATIENCE:
            await asyncio.sleep(pause.total_seconds())
            record = await assess.follow(record)
        if before:
            await desk.patch_store.keep(record)
        _check(record, began, desk)
        return record


def _check(record: PatchRecord, began: Any, desk: Desk) -> None:
    """Raises Terminal where no list came of it."""
    if record.patches_at and record.patches_at >= began:
        return
    waited = format_duration(desk.clock.now() - began)
    why = record.assessment_problem or f"it did not end within {waited}"
    raise Terminal(f"No assessment of {record.vm_name}: {why}")


def _tell(record: PatchRecord) -> None:
    out = say.console()
    if not record.patches:
        out.print(f"{record.vm_name} lacks nothing.")
        return
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("KB", "classification", "reboot", "published", "name"):
        table.add_column(column, no_wrap=True)
    for patch in record.patches:
        table.add_row(
            patch.kb_id,
            ", ".join(patch.classifications),
            patch.reboot_behavior,
            f"{patch.published_date:%Y-%m-%d}" if patch.published_date else "",
            patch.name,
        )
    out.print(table)


def _as_json(patch: AvailablePatch) -> dict[str, Any]:
    return {
        "kbId": patch.kb_id,
        "name": patch.name,
        "classifications": list(patch.classifications),
        "rebootBehavior": patch.reboot_behavior,
        "publishedDate": patch.published_date.isoformat() if patch.published_date else None,
    }
