"""OutcomeStore over table `BatonOutcomes`, which people read."""

from shared.adapters import rows
from shared.adapters.tables import TableService
from shared.domain.job import Attempt, Job


class TableOutcomes:
    """OutcomeStore."""

    def __init__(self, service: TableService) -> None:
        self._table = service.table("Outcomes")

    async def add(self, job: Job, attempt: Attempt) -> None:
        """See the port."""
        await self._table.create(rows.outcome_row(job, attempt))
