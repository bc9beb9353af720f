"""A table account: what the table SDK's client would say, so that Baton's own table code runs on it.

It keeps what the service keeps: ETags, transactions that are whole or nothing, pages that are read one by
one while others write, and the rules for keys and values.
"""

import operator
import re
from bisect import bisect, insort
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from cli.simulation.faults import Fault
from cli.simulation.process import Errors, Wire

Cells = Mapping[str, Any]
Key = tuple[str, str]
Query = tuple[str, tuple[tuple[str, Any], ...]]
"""A condition, and its parameters by name."""
Seen = Callable[[str, str, Cells | None], None]
"""Called with table, verb and the row after each write; None where the row is gone."""

_FORBIDDEN = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_OPERATIONS_MAX = 100
_INT32 = 2**31
_VALUES = (str, int, float, bool, datetime, type(None))


class Entity(dict[str, Any]):
    """A row as the SDK hands it out; nobody changes it."""

    def __init__(self, cells: Cells, etag: str) -> None:
        super().__init__(cells)
        self.metadata = {"etag": etag}


class Answer:
    """As much of an HTTP answer as errors are read from."""

    reason = ""
    content_type = "application/json"

    def __init__(self, status: int, code: str, headers: Mapping[str, str]) -> None:
        self.status_code = status
        self.headers = headers
        self._code = code

    def text(self, encoding: str | None = None) -> str:  # noqa: ARG002 - as the SDK calls it
        """The service's body."""
        return f'{{"odata.error": {{"code": "{self._code}"}}}}'


def failed(status: int, code: str, retry_after: int = 0) -> HttpResponseError:
    """The SDK's error for an answer."""
    kinds: dict[int, type[HttpResponseError]] = {
        404: ResourceNotFoundError,
        409: ResourceExistsError,
        412: ResourceModifiedError,
    }
    answer: Any = Answer(status, code, {"Retry-After": str(retry_after)} if retry_after else {})
    error = kinds.get(status, HttpResponseError)(message=code, response=answer)
    error.error_code = code  # type: ignore[attr-defined] # the table SDK sets it
    return error


ERRORS: Errors = {
    Fault.BUSY: lambda: failed(503, "ServerBusy", retry_after=1),
    Fault.LOST_BEFORE: lambda: ServiceRequestError("connection lost"),
    Fault.LOST_AFTER: lambda: ServiceResponseError("timed out"),
}


class Account:
    """The service's side: rows, and who is told of writes."""

    def __init__(self, page_size: int, seen: Seen) -> None:
        self.page_size = page_size
        self._tables: dict[str, dict[Key, Entity]] = {}
        # The keys of each table in their order.
        self._keys: dict[str, list[Key]] = defaultdict(list)
        # Pages as they were answered; they are the same until the table is written.
        self._pages: dict[str, dict[tuple[Query, Key | None], list[Entity]]] = defaultdict(dict)
        self._seen = seen
        self._written = 0

    def create_table(self, name: str) -> None:
        """Makes a table; one that is there stays."""
        self._tables.setdefault(name, {})

    def get(self, table: str, key: Key) -> Entity:
        """One row, or 404."""
        row = self._rows(table).get(key)
        if row is None:
            raise failed(404, "ResourceNotFound")
        return row

    def page(self, table: str, query: Query, after: Key | None) -> list[Entity]:
        """The next rows that fit, in the order of their keys."""
        rows, pages = self._rows(table), self._pages[table]
        page = pages.get((query, after))
        if page is None:
            page = pages[query, after] = self._found(table, rows, _test(*query), after)
        return page

    def _found(
        self,
        table: str,
        rows: Mapping[Key, Entity],
        test: Callable[[Cells], bool],
        after: Key | None,
    ) -> list[Entity]:
        keys = self._keys[table]
        later = keys[bisect(keys, after) :] if after else keys
        return list(islice((row for key in later if test(row := rows[key])), self.page_size))

    def transact(self, table: str, operations: Sequence[tuple[str, Cells, str]]) -> list[str]:
        """Does all of (verb, cells, etag) or nothing; returns the new ETags."""
        rows = self._rows(table)
        keys = [_key(cells) for _, cells, _ in operations]
        if len(operations) > _OPERATIONS_MAX or len(set(keys)) < len(keys):
            raise failed(400, "InvalidInput")
        if len({partition for partition, _ in keys}) > 1:
            raise failed(400, "CommandsInBatchActOnDifferentPartitions")
        for key, (verb, _, etag) in zip(keys, operations, strict=True):
            row = rows.get(key)
            if verb == "create" and row is not None:
                raise failed(409, "EntityAlreadyExists")
            if verb not in ("create", "upsert") and row is None:
                raise failed(404, "ResourceNotFound")
            if row is not None and etag and etag != row.metadata["etag"]:
                raise failed(412, "UpdateConditionNotSatisfied")
        written = [
            self._write(table, key, verb, cells)
            for key, (verb, cells, _) in zip(keys, operations, strict=True)
        ]
        for key, (verb, _, _) in zip(keys, operations, strict=True):
            after = rows.get(key)
            self._seen(table, verb, after)
        return written

    def all(self, table: str) -> Iterator[Cells]:
        """Every row, for whoever stands outside."""
        for key in self._keys[table]:
            yield self._tables[table][key]

    def _write(self, table: str, key: Key, verb: str, cells: Cells) -> str:
        rows, keys = self._tables[table], self._keys[table]
        self._pages[table].clear()
        if verb == "delete":
            del rows[key]
            keys.remove(key)
            return ""
        if key not in rows:
            insort(keys, key)
        self._written += 1
        etag = f"W/\"datetime'{self._written:06}'\""
        kept = {
            name: _stored(name, value) if isinstance(value, datetime) else value
            for name, value in cells.items()
            if value is not None
        }
        rows[key] = Entity({**rows[key], **kept} if verb == "merge" else kept, etag)
        return etag

    def _rows(self, table: str) -> dict[Key, Entity]:
        if table not in self._tables:
            raise failed(404, "TableNotFound")
        return self._tables[table]


class Client:
    """The SDK's TableServiceClient, as far as Baton uses it, in one process."""

    def __init__(self, account: Account, wire: Wire) -> None:
        self._account = account
        self._wire = wire

    def get_table_client(self, name: str) -> "TableClient":
        """One table."""
        return TableClient(self._account, self._wire, name)

    async def create_table_if_not_exists(self, name: str) -> None:
        """Makes it."""
        await self._wire.ask(
            "tables", f"create {name}", lambda: self._account.create_table(name), ERRORS
        )

    async def close(self) -> None:
        """Nothing is open."""


class TableClient:
    """The SDK's TableClient, as far as Baton uses it."""

    def __init__(self, account: Account, wire: Wire, name: str) -> None:
        self._account = account
        self._wire = wire
        self._name = name

    async def get_entity(self, partition_key: str, row_key: str) -> Entity:
        """One row."""
        key = (partition_key, row_key)
        what = f"get {self._name} {row_key}"
        return await self._wire.ask(
            "tables", what, lambda: self._account.get(self._name, key), ERRORS
        )

    async def create_entity(self, entity: Cells) -> None:
        """A new row."""
        await self._transact([("create", entity, "")])

    async def upsert_entity(self, entity: Cells, *, mode: object) -> None:
        """A row, whatever was there."""
        if str(mode).lower() not in ("replace", "updatemode.replace"):
            raise ValueError(f"Baton upserts by replacing, not by {mode}")
        await self._transact([("upsert", entity, "")])

    async def delete_entity(self, partition_key: str, row_key: str) -> None:
        """Deletes a row; as in the SDK it is no error that there is none."""
        keys = {"PartitionKey": partition_key, "RowKey": row_key}
        with suppress(ResourceNotFoundError):
            await self._transact([("delete", keys, "")])

    async def update_entity(
        self, entity: Cells, *, mode: object, etag: str, match_condition: object
    ) -> None:
        """Merges: it is all that Baton does outside a transaction."""
        if str(mode).lower() not in ("merge", "updatemode.merge") or match_condition is None:
            raise ValueError(f"Baton merges under an ETag, not {mode} {match_condition}")
        await self._transact([("merge", entity, etag)])

    async def submit_transaction(self, operations: Sequence[Any]) -> list[dict[str, str]]:
        """Writes all or nothing."""
        etags = await self._transact([_operation(*operation) for operation in operations])
        return [{"etag": etag} for etag in etags]

    def query_entities(
        self, query_filter: str, *, parameters: Mapping[str, Any], raw_response_hook: object = None
    ) -> AsyncIterator[Entity]:
        """The rows that fit. There is no raw answer, so nothing is hooked."""
        del raw_response_hook
        return self._pages((query_filter, tuple(parameters.items())))

    def list_entities(self, *, raw_response_hook: object) -> AsyncIterator[Entity]:
        """Every row."""
        del raw_response_hook
        return self._pages(("", ()))

    async def _pages(self, query: Query) -> AsyncIterator[Entity]:
        what, after = f"query {self._name}", None
        while True:
            ask = partial(self._account.page, self._name, query, after)
            page = await self._wire.ask("tables", what, ask, ERRORS)
            for entity in page:
                yield entity
            if len(page) < self._account.page_size:
                return
            after = _key(page[-1])

    async def _transact(self, operations: Sequence[tuple[str, Cells, str]]) -> list[str]:
        for _, cells, _ in operations:
            _check(cells)
        what = f"write {self._name} " + ", ".join(
            f"{verb} {cells['RowKey']}" for verb, cells, _ in operations
        )
        return await self._wire.ask(
            "tables", what, lambda: self._account.transact(self._name, operations), ERRORS
        )


def _key(cells: Cells) -> Key:
    return str(cells["PartitionKey"]), str(cells["RowKey"])


def _operation(
    verb: Any, entity: Cells, options: Mapping[str, Any] | None = None
) -> tuple[str, Cells, str]:
    name = str(getattr(verb, "value", verb)).lower()
    verbs = {"create": "create", "update": "replace", "delete": "delete"}
    return verbs[name], entity, str((options or {}).get("etag", ""))


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
}


def _test(condition: str, parameters: Iterable[tuple[str, Any]]) -> Callable[[Cells], bool]:
    """The few comparisons that Baton's queries are made of; all must hold."""
    clauses = [clause.split(" ") for clause in condition.split(" and ")] if condition else []
    values = dict(parameters)
    tests = [
        (name, _COMPARE[word], values[value.removeprefix("@")]) for name, word, value in clauses
    ]

    def test(cells: Cells) -> bool:
        for name, compare, value in tests:
            cell = cells.get(name)
            # As the service does: a row without the property, or with another type in it, does not fit.
            if type(cell) is not type(value) or not compare(cell, value):
                return False
        return True

    return test


def _check(cells: Cells) -> None:
    """What the SDK and the service refuse."""
    for key in _key(cells):
        if _FORBIDDEN.search(key) or len(key) > 512:
            raise failed(400, "PropertyValueInvalid")
    for name, value in cells.items():
        if type(value) is str:
            continue
        if type(value) is int and not -_INT32 <= value < _INT32:
            raise TypeError(f"{name}: {value} is no 32-bit integer")
        if not isinstance(value, _VALUES):
            raise TypeError(f"{name}: {type(value).__name__} is no value of a table")


def _stored(name: str, value: datetime) -> datetime:
    if value.tzinfo is None:
        raise TypeError(f"{name}: a time without a zone")
    return value.astimezone(UTC)
