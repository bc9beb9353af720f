"""PauseStore over table `BatonPauses`."""

from collections.abc import Sequence

from shared.adapters.pause_rows import PAUSES, pause_of_row, pause_write
from shared.adapters.tables import Table, TableService
from shared.domain.pause import Pause


class TablePauses:
    """PauseStore."""

    def __init__(self, service: TableService) -> None:
        self._table: Table = service.table("Pauses")

    async def all(self) -> Sequence[Pause]:
        """See the port."""
        found = await self._table.query("PartitionKey eq @partition", partition=PAUSES)
        pauses = [pause_of_row(row.entity, row.etag) for row in found]
        return sorted(pauses, key=lambda pause: (pause.team, pause.policy))

    async def write(self, pause: Pause) -> None:
        """See the port."""
        await self._table.transact([pause_write(pause)])
