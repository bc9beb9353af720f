"""The policies that people write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """A row of `BatonPolicies` as people wrote it.

    Attributes:
        columns: Every column but the keys, `status` and `statusMessage`; values as the table has them.
        status, status_message: As Baton last wrote them.
    """

    team: str
    policy: str
    columns: Mapping[str, object]
    status: str = ""
    status_message: str = ""
    etag: str = ""


class PolicyStore(Protocol):
    """Table `BatonPolicies`: written by people, by hand or with `./baton policy`, and read by Baton."""

    async def rows(self) -> Sequence[PolicyRow]:
        """Every row, sorted by team and policy."""
        ...

    async def row(self, team: str, policy: str) -> PolicyRow | None:
        """One row, read now; None if there is none."""
        ...

    async def write(self, row: PolicyRow) -> None:
        """Writes a row for a person, as a whole: a column that is not in it is gone.

        A row with an ETag replaces the one that was read; one without is new.

        Raises:
            Stale: The row changed or vanished meanwhile, or there is one already.
            InvalidInput: A key or a value that no table takes; names the column.
        """
        ...

    async def delete(self, row: PolicyRow) -> None:
        """Deletes a row for a person.

        Raises:
            Stale: The row changed or vanished meanwhile.
        """
        ...

    async def write_status(self, row: PolicyRow, *, status: str, message: str) -> None:
        """Merges the two status columns into the row and touches nothing else.

        Raises:
            Stale: The row changed or vanished meanwhile.
        """
        ...
