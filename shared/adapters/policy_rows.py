"""The rows of `BatonPolicies`, which people write."""

from collections.abc import Mapping

from shared.adapters.cells import TEXT, Entity, as_written, cut, key
from shared.adapters.writes import Write, write_of
from shared.ports import PolicyRow

_OF_BATON = ("status", "statusMessage")


def policy_of(entity: Mapping[str, object], etag: str) -> PolicyRow:
    """A policy's row as people wrote it; whatever they wrote, it can be read."""
    cells = {name: as_written(value) for name, value in entity.items() if value is not None}
    team, policy = str(cells.pop("PartitionKey")), str(cells.pop("RowKey"))
    cells.pop("Timestamp", None)
    status, message = (str(cells.pop(name, "")) for name in _OF_BATON)
    return PolicyRow(
        team=team, policy=policy, columns=cells, status=status, status_message=message, etag=etag
    )


def policy_write(row: PolicyRow) -> Write:
    """A policy's whole row: what people wrote, and Baton's two columns as they were.

    Raises:
        InvalidInput: A key or a value that no table takes.
    """
    entity: Entity = {"PartitionKey": key("PartitionKey", row.team)}
    entity |= {"RowKey": key("RowKey", row.policy)}
    for name, value in row.columns.items():
        entity[name] = TEXT.write(name, value) if isinstance(value, str) else value
    if row.status:
        entity |= status_row(row, status=row.status, message=row.status_message)
    return write_of(entity, row.etag)


def status_row(row: PolicyRow, *, status: str, message: str) -> Entity:
    """What is merged into a policy's row."""
    keys = {"PartitionKey": row.team, "RowKey": row.policy}
    return keys | {"status": cut(status), "statusMessage": cut(message)}
