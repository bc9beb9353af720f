"""What all that is kept in memory shares: scripted failures, and rows with ETags."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from shared.adapters.cells import Entity
from shared.adapters.writes import Write
from shared.domain.errors import Stale


class Scripted:
    """Records every call, lets other tasks run at each, and fails where a test says so.

    Attributes:
        calls: (method, arguments) in their order.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._failures: dict[tuple[str, bool], deque[Exception]] = defaultdict(deque)

    def fail_next(self, method: str, *errors: Exception, done: bool = False) -> None:
        """Has the next calls of a method raise these errors, one each.

        Args:
            method: Its name.
            errors: What to raise.
            done: Raise only after the work is done: an answer that is lost.
        """
        self._failures[method, done].extend(errors)

    def called(self, method: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of a method."""
        return [arguments for name, arguments in self.calls if name == method]

    @asynccontextmanager
    async def call(self, method: str, *arguments: object) -> AsyncIterator[None]:
        """What surrounds a method's work."""
        self.calls.append((method, arguments))
        await asyncio.sleep(0)
        self._raise(method, done=False)
        yield
        self._raise(method, done=True)

    def _raise(self, method: str, *, done: bool) -> None:
        if failures := self._failures[method, done]:
            raise failures.popleft()


@dataclass(slots=True)
class _Row:
    entity: Entity
    value: Any


class Partition:
    """Rows of one partition, their ETags, and transactions."""

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}
        self._written = 0

    def apply(self, writes: Sequence[Write], read: Callable[[Entity, str], Any]) -> dict[str, str]:
        """Writes all or nothing; returns RowKey → ETag."""
        for write in writes:
            row = self.rows.get(write.row_key)
            etag = row.value.etag if row else ""
            if (write.verb == "create") is bool(row) or write.etag != etag:
                raise Stale(f"{write.row_key} is not as it was read")
        etags: dict[str, str] = {}
        for write in writes:
            self._written += 1
            etags[write.row_key] = etag = f'W/"{self._written}"'
            if write.verb == "delete":
                del self.rows[write.row_key]
            else:
                self.rows[write.row_key] = _Row(write.entity, read(write.entity, etag))
        return etags

    def values(self, kind: type[Any]) -> Iterable[Any]:
        """The values of one kind by RowKey."""
        for _, row in sorted(self.rows.items()):
            if isinstance(row.value, kind):
                yield row.value
