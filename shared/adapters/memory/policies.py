"""PolicyStore in memory."""

from collections.abc import Sequence
from dataclasses import replace

from shared.adapters import policy_rows
from shared.adapters.memory.scripted import Scripted
from shared.domain.errors import Stale
from shared.domain.ledger import PolicyKey
from shared.ports import PolicyRow


class MemoryPolicies(Scripted):
    """PolicyStore. People's part is played by `put` and `remove`."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[PolicyKey, PolicyRow] = {}
        self._written = 0

    def put(self, team: str, policy: str, **columns: object) -> PolicyRow:
        """Writes a row as a person would: Baton's two columns stay as they are."""
        old = self._rows.get((team, policy)) or PolicyRow(team=team, policy=policy, columns={})
        return self._keep(replace(old, columns=columns))

    def remove(self, team: str, policy: str) -> None:
        """Deletes a row."""
        del self._rows[team, policy]

    async def rows(self) -> Sequence[PolicyRow]:
        """See the port."""
        async with self.call("rows"):
            return [row for _, row in sorted(self._rows.items())]

    async def row(self, team: str, policy: str) -> PolicyRow | None:
        """See the port."""
        async with self.call("row", team, policy):
            return self._rows.get((team, policy))

    async def write(self, row: PolicyRow) -> None:
        """See the port."""
        async with self.call("write", row):
            entity = policy_rows.policy_write(row).entity
            self._check(row)
            self._keep(policy_rows.policy_of(entity, ""))

    async def delete(self, row: PolicyRow) -> None:
        """See the port."""
        async with self.call("delete", row):
            self._check(row)
            self.remove(row.team, row.policy)

    async def write_status(self, row: PolicyRow, *, status: str, message: str) -> None:
        """See the port."""
        async with self.call("write_status", row, status, message):
            old = self._check(row)
            cells = policy_rows.status_row(row, status=status, message=message)
            self._keep(replace(old, status=cells["status"], status_message=cells["statusMessage"]))

    def _check(self, row: PolicyRow) -> PolicyRow:
        """The row as it is kept, if it still has the ETag with which it was read, or is new."""
        old = self._rows.get((row.team, row.policy)) or replace(row, etag="")
        if old.etag != row.etag:
            raise Stale(f"policy {row.team}/{row.policy} is not as it was read")
        return old

    def _keep(self, row: PolicyRow) -> PolicyRow:
        self._written += 1
        kept = replace(row, etag=f'W/"{self._written}"')
        self._rows[row.team, row.policy] = kept
        return kept
