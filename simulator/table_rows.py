"""Reads and writes table rows as people do with Storage Explorer, sharing nothing with the app."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient, UpdateMode


def merge_rows(connection_string: str, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Merge each row (with its PartitionKey and RowKey) into the table, which is made if missing.

    Columns that a row does not name keep their value.
    """
    with TableServiceClient.from_connection_string(connection_string) as service:
        client = service.create_table_if_not_exists(table)
        for row in rows:
            client.upsert_entity(dict(row), mode=UpdateMode.MERGE)


def read_rows(connection_string: str, table: str) -> list[dict[str, Any]]:
    """Every row of the table; none where there is no such table yet."""
    with TableServiceClient.from_connection_string(connection_string) as service:
        client = service.get_table_client(table)
        with contextlib.suppress(ResourceNotFoundError):
            return [dict(entity) for entity in client.list_entities()]
    return []


def delete_row(connection_string: str, table: str, row: Mapping[str, Any]) -> None:
    """Delete the row of these keys; nothing happens where there is none."""
    with TableServiceClient.from_connection_string(connection_string) as service:
        service.get_table_client(table).delete_entity(row["PartitionKey"], row["RowKey"])
