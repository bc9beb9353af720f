"""The table account: one client for all tables, and its few kinds of request.

Importing this module costs a third of a second for the SDK, so the composition root does it on first use.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.data.tables import TransactionOperation, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.adapters.cells import Entity
from shared.adapters.table_errors import did_nothing, is_busy, misses_table, our_error
from shared.adapters.table_pages import Found, found_of, read_pages
from shared.adapters.writes import Write
from shared.domain.errors import InvalidInput, Retryable

log = logging.getLogger("baton.tables")

T = TypeVar("T")

# Enough for a storage node that moves; whoever is throttled for longer is better off with a later message.
_WAITS = (timedelta(milliseconds=100), timedelta(milliseconds=500))
_WAIT_MAX = timedelta(seconds=2)
_CONNECT_SECONDS = 5
_READ_SECONDS = 20  # the service itself gives up a query after 5, any other request after 30
# The SDK's own retries are off: they would wait as long as the service asks, up to minutes, inside a
# handler, and repeat a write whose answer was lost.
_NO_RETRIES = {"retry_total": 0, "retry_connect": 0, "retry_read": 0, "retry_status": 0}


class TableService:
    """Opens the account on first use, in the event loop that uses it, and keeps one client."""

    def __init__(
        self, open_client: Callable[[], TableServiceClient], *, endpoint: str, prefix: str
    ) -> None:
        self._open_client = open_client
        self._client: TableServiceClient | None = None
        self.endpoint = endpoint
        self.prefix = prefix

    def table(self, name: str) -> "Table":
        """One table; it is created when a request first misses it."""
        return Table(self, self.prefix + name)

    def client(self) -> TableServiceClient:
        """The SDK's client."""
        if self._client is None:
            self._client = self._open_client()
        return self._client

    async def close(self) -> None:
        """Closes the connections; the next use opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def connect_tables(
    connection_string: str | None,
    endpoint: str | None,
    credential: AsyncTokenCredential | None,
    prefix: str,
) -> TableService:
    """The table account of the settings; nothing is opened yet.

    Args:
        connection_string: With a key or a SAS; preferred if given.
        endpoint: The account's table endpoint, for the identity.
        credential: The identity; it stays the caller's to close.
        prefix: Of every table's name.
    """
    timeouts = {"connection_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS}
    options: dict[str, Any] = {**timeouts, **_NO_RETRIES}
    if connection_string:
        text = _by_number(connection_string)
        named = re.search(r"TableEndpoint=([^;]+)", text) or re.search(r"AccountName=([^;]+)", text)
        return TableService(
            lambda: TableServiceClient.from_connection_string(text, **options),
            endpoint=named[1] if named else "the connection string's account",
            prefix=prefix,
        )
    if not endpoint or credential is None:
        raise ValueError("tables need a connection string, or an endpoint and an identity")
    address = _by_number(endpoint)
    return TableService(
        lambda: TableServiceClient(address, credential=credential, **options),
        endpoint=address,
        prefix=prefix,
    )


def _by_number(text: str) -> str:
    """The SDK takes any `localhost` but port 10002 for Cosmos DB, and speaks another dialect to it."""
    return text.replace("//localhost:", "//127.0.0.1:").replace("//localhost/", "//127.0.0.1/")


class Table:
    """One table. Every method raises Retryable, Terminal, and where it says so Stale."""

    def __init__(self, service: TableService, name: str) -> None:
        self.name = name
        self._service = service

    async def get(self, partition: str, row_key: str) -> Found | None:
        """One entity, or None."""

        async def work(client: TableClient) -> Found | None:
            try:
                return found_of(await client.get_entity(partition, row_key))
            except ResourceNotFoundError as error:
                if misses_table(error):
                    raise
                return None

        return await self._do(work, repeat=True)

    async def query(self, condition: str, **parameters: str | datetime) -> list[Found]:
        """Every entity that fits, page after page, in the order of their keys.

        Args:
            condition: OData, its words and `@names` parted by single spaces and without parentheses: the
                SDK replaces a parameter only where a space is on both sides.
            parameters: Name → value, of any text; an instant is compared to the second.
        """
        return [row for page in await self.pages(list, condition, **parameters) for row in page]

    async def pages(
        self, read: Callable[[list[Found]], T], condition: str, **parameters: str | datetime
    ) -> list[T]:
        """As `query`, a thousand rows at a time: each page is read, in another thread, while the next one comes."""

        async def work(client: TableClient) -> list[T]:
            return await read_pages(
                lambda take: client.query_entities(
                    condition, parameters=parameters, raw_response_hook=take
                ),
                read,
            )

        return await self._do(work, repeat=True)

    async def first(self, most: int, condition: str, **parameters: str | datetime) -> list[Found]:
        """The first entities that fit, at most so many, by their keys; as `query` otherwise."""

        async def work(client: TableClient) -> list[Found]:
            found: list[Found] = []
            async for entity in client.query_entities(condition, parameters=parameters):
                found.append(found_of(entity))
                if len(found) == most:
                    break
            return found

        return await self._do(work, repeat=True)

    async def all(self) -> list[Found]:
        """Every entity of every partition."""

        async def work(client: TableClient) -> list[Found]:
            pages = await read_pages(
                lambda take: client.list_entities(raw_response_hook=take), list
            )
            return [row for page in pages for row in page]

        return await self._do(work, repeat=True)

    async def create(self, entity: Entity) -> bool:
        """Writes a new row; False if there is one of that key."""

        async def work(client: TableClient) -> bool:
            try:
                await client.create_entity(entity)
            except ResourceExistsError as error:
                if error.status_code == 409 and not is_busy(error):
                    return False
                raise
            return True

        return await self._do(work)

    async def put(self, entity: Entity) -> None:
        """Writes a row, whatever was there."""

        async def work(client: TableClient) -> None:
            await client.upsert_entity(entity, mode=UpdateMode.REPLACE)

        await self._do(work, repeat=True)

    async def drop(self, partition: str, row_key: str) -> None:
        """Deletes a row, whatever it is; one that is not there is no error."""

        async def work(client: TableClient) -> None:
            await client.delete_entity(partition, row_key)

        await self._do(work, repeat=True)

    async def merge(self, entity: Entity, etag: str) -> None:
        """Writes the given columns of a row.

        Raises:
            Stale: The row changed, or is gone.
        """

        async def work(client: TableClient) -> None:
            await client.update_entity(
                entity,
                mode=UpdateMode.MERGE,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
            )

        await self._do(work)

    async def transact(self, writes: Sequence[Write]) -> dict[str, str]:
        """Writes all rows of one partition, or none; returns RowKey → new ETag.

        Raises:
            Stale: A row was not as its write expected.
        """
        if not writes:
            return {}
        operations = [_operation(write) for write in writes]

        async def work(client: TableClient) -> dict[str, str]:
            answers = await client.submit_transaction(operations)
            pairs = zip(writes, answers, strict=True)
            return {write.row_key: str(answer.get("etag") or "") for write, answer in pairs}

        return await self._do(work)

    async def _do(self, work: Callable[[TableClient], Awaitable[T]], *, repeat: bool = False) -> T:
        """Does it, with two short retries, and creates the table where it is missing.

        Args:
            work: The request.
            repeat: Whether doing it twice is the same as once. A write is sent again only where the first
                one surely did nothing: else its own row would look like somebody else's.
        """
        client = self._service.client().get_table_client(self.name)
        waits = iter(_WAITS)
        created = False
        while True:
            try:
                return await work(client)
            except (AzureError, AttributeError, KeyError, ValueError) as error:
                if misses_table(error) and not created:
                    created = True
                    await self._do(lambda _: self._create(), repeat=True)
                    continue
                ours = our_error(error, self.name, self._service.endpoint)
                wait = next(waits, None)
                if not isinstance(ours, Retryable) or not (repeat or did_nothing(error)):
                    raise ours from error
                if wait is None or (ours.retry_after or wait) > _WAIT_MAX:
                    raise ours from error
            await asyncio.sleep(max(wait, ours.retry_after or wait).total_seconds())

    async def _create(self) -> None:
        await self._service.client().create_table_if_not_exists(self.name)
        log.info("Created table %s", self.name, extra={"action": "table_created"})


def readable(
    table: Table, found: Iterable[Found], read: Callable[[Mapping[str, object], str], T], kind: str
) -> tuple[list[T], list[str]]:
    """The rows that can be read, and the RowKeys of the others, each of which is named in the log.

    Args:
        table: Where they stand.
        found: The rows.
        read: (entity, ETag) → value.
        kind: `job`, `alert`: the log's action is `KIND_row_unreadable`.
    """
    good: list[T] = []
    bad: list[str] = []
    for row in found:
        try:
            good.append(read(row.entity, row.etag))
        except InvalidInput as wrong:
            problem = wrong.problems[0]
            bad.append(str(row.entity["RowKey"]))
            log.error(  # noqa: TRY400 - the row is at fault, and a stack tells nothing about it
                "A row of %s cannot be read and is left out: %s",
                table.name,
                wrong,
                extra={
                    "action": f"{kind}_row_unreadable",
                    "table": table.name,
                    "row": row.entity.get("RowKey"),
                    "column": problem.field,
                    "value": problem.value[:200],
                },
            )
    return good, bad


def _operation(write: Write) -> Any:
    """A write as the SDK's triple."""
    if write.verb == "create":
        return TransactionOperation.CREATE, write.entity
    options: dict[str, Any] = {"etag": write.etag, "match_condition": MatchConditions.IfNotModified}
    if write.verb == "delete":
        return TransactionOperation.DELETE, write.entity, options
    return TransactionOperation.UPDATE, write.entity, {"mode": UpdateMode.REPLACE, **options}
