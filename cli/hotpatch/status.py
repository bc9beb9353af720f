"""`./baton hotpatch status`: how VMs stand, from `BatonPatches` or from Azure now; or a subscription."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from cli import say
from cli.desk import Desk, at_the_desk
from cli.hotpatch.find import find_vm
from cli.hotpatch.onboard import progress
from shared.adapters.patch_rows import patch_row
from shared.domain.patching.observe import observed
from shared.domain.patching.record import WORST_FIRST, PatchRecord


def run(name: str | None, subscription: str | None, *, as_json: bool) -> int:
    """Shows it."""
    return asyncio.run(_status(name, subscription, as_json=as_json))


async def _status(name: str | None, subscription: str | None, *, as_json: bool) -> int:
    async with at_the_desk() as desk:
        if subscription:
            return await _of_subscription(desk, subscription, as_json=as_json)
        if name:
            records: Sequence[PatchRecord] = [await _now(desk, name)]
        else:
            records = await desk.patch_store.records()
    records = sorted(records, key=lambda one: (WORST_FIRST.index(one.state), one.vm_name))
    if as_json:
        say.answer([_as_json(record) for record in records])
    else:
        _tell(records)
    return say.OK


async def _now(desk: Desk, name: str) -> PatchRecord:
    """The VM as Azure has it now; what was known before counts, and nothing is written."""
    vm = await find_vm(desk, name)
    before = await desk.patch_store.record(vm.id)
    key = (before.team, before.policy) if before else ("", "")
    return observed(vm, before, key=key, now=desk.clock.now())


async def _of_subscription(desk: Desk, subscription: str, *, as_json: bool) -> int:
    here = await progress(desk, subscription)
    if as_json:
        say.answer({"features": here.features, "Microsoft.Compute": here.provider})
        return say.OK
    for name, state in here.features.items():
        print(f"{name:26} {state or 'not known to Azure (any more)'}")
    print(f"{'Microsoft.Compute':26} {here.provider}")
    return say.OK


def _tell(records: Sequence[PatchRecord]) -> None:
    out = say.console()
    if not records:
        out.print(
            "No VM is watched: no policy has `patching` `observe` or `install`, or none has run yet."
        )
        return
    table = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("VM", "policy", "state", "due", "days left", "assessed", "why"):
        table.add_column(column, no_wrap=column != "why")
    for record in records:
        row = patch_row(record)
        assessed = record.assessment.at if record.assessment else None
        table.add_row(
            record.vm_name,
            f"{record.team}/{record.policy}" if record.policy else "",
            str(record.state),
            str(record.due_count or ""),
            str(row.get("daysLeft", "")),
            f"{assessed:%Y-%m-%d %H:%M}" if assessed else "never",
            record.reason,
        )
    out.print(table)
    counts = Counter(record.state for record in records)
    out.print(", ".join(f"{counts[state]} {state}" for state in WORST_FIRST if counts[state]))


def _as_json(record: PatchRecord) -> dict[str, Any]:
    hidden = ("PartitionKey", "RowKey", "availablePatches")
    row = {name: cell for name, cell in patch_row(record).items() if name not in hidden}
    return {
        name: cell.isoformat() if hasattr(cell, "isoformat") else cell for name, cell in row.items()
    }
