"""PolicyStore over table `BatonPolicies`, which people write."""

from collections.abc import Sequence

from shared.adapters import policy_rows
from shared.adapters.tables import TableService
from shared.adapters.writes import removal
from shared.ports import PolicyRow


class TablePolicies:
    """PolicyStore."""

    def __init__(self, service: TableService) -> None:
        self._table = service.table("Policies")

    async def rows(self) -> Sequence[PolicyRow]:
        """See the port."""
        found = [policy_rows.policy_of(row.entity, row.etag) for row in await self._table.all()]
        return sorted(found, key=lambda row: (row.team, row.policy))

    async def row(self, team: str, policy: str) -> PolicyRow | None:
        """See the port."""
        found = await self._table.get(team, policy)
        return policy_rows.policy_of(found.entity, found.etag) if found else None

    async def write(self, row: PolicyRow) -> None:
        """See the port."""
        await self._table.transact([policy_rows.policy_write(row)])

    async def delete(self, row: PolicyRow) -> None:
        """See the port."""
        await self._table.transact([removal(row.team, row.policy, row.etag)])

    async def write_status(self, row: PolicyRow, *, status: str, message: str) -> None:
        """See the port."""
        await self._table.merge(
            policy_rows.status_row(row, status=status, message=message), row.etag
        )
