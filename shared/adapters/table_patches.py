"""PatchStore over table `BatonPatches`, which people read."""

from collections.abc import Sequence

from shared.adapters.patch_rows import patch_keys, patch_of, patch_row
from shared.adapters.tables import TableService, readable
from shared.domain.patching.record import PatchRecord


class TablePatches:
    """PatchStore."""

    def __init__(self, service: TableService) -> None:
        self._table = service.table("Patches")

    async def records(self) -> Sequence[PatchRecord]:
        """See the port."""
        records, _ = readable(self._table, await self._table.all(), patch_of, "patch")
        return records

    async def record(self, vm_id: str) -> PatchRecord | None:
        """See the port."""
        found = await self._table.get(*patch_keys(vm_id))
        records, _ = readable(self._table, [found] if found else [], patch_of, "patch")
        return records[0] if records else None

    async def keep(self, record: PatchRecord) -> None:
        """See the port."""
        await self._table.put(patch_row(record))

    async def forget(self, vm_id: str) -> None:
        """See the port."""
        await self._table.drop(*patch_keys(vm_id))
