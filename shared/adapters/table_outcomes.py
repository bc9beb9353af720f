"""OutcomeStore over table `BatonOutcomes`, which people read."""

from collections.abc import Mapping, Sequence

from shared.adapters import outcome_rows
from shared.adapters.tables import TableService
from shared.domain.attempt import Attempt
from shared.domain.job import Job
from shared.domain.vm_ids import VmId


class TableOutcomes:
    """OutcomeStore."""

    def __init__(self, service: TableService) -> None:
        self._table = service.table("Outcomes")

    async def of(self, vm_id: str) -> Sequence[Mapping[str, object]]:
        """See the port."""
        vm = VmId.parse(vm_id)
        condition = "PartitionKey eq @subscription and vmName eq @name"
        found = await self._table.query(condition, subscription=vm.subscription_id, name=vm.name)
        return outcome_rows.outcomes_of(vm_id, (row.entity for row in found))

    async def add(self, job: Job, attempt: Attempt) -> None:
        """See the port."""
        await self._table.create(outcome_rows.outcome_row(job, attempt))
