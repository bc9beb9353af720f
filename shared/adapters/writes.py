"""What the rows of every table have in common: keys, a version, and how they are written in a transaction."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from shared.adapters.cells import Entity, cut, plain, wrong
from shared.adapters.columns import SENTENCES

_VERSION = 1
ROWS_MAX = 100  # of an entity-group transaction
# A transaction's request is refused above 4 MiB; the rest is left for its headers.
_BYTES_MAX = 3_500_000
_SHORTER = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One row of a transaction.

    Attributes:
        entity: With its keys; for a deletion nothing else.
        etag: What a replaced or deleted row must still have.
    """

    verb: Literal["create", "replace", "delete"]
    entity: Entity
    etag: str = ""

    @property
    def row_key(self) -> str:
        """The row's key in its partition."""
        return str(self.entity["RowKey"])


def write_of(entity: Entity, etag: str) -> Write:
    """The write of a whole row: it replaces the one of that ETag, or creates one where that is `""`."""
    return Write(verb="replace" if etag else "create", entity=entity, etag=etag)


def removal(partition: str, row_key: str, etag: str) -> Write:
    """The write that deletes the row of that ETag."""
    keys = {"PartitionKey": partition, "RowKey": row_key}
    return Write(verb="delete", entity=keys, etag=etag)


def versioned(partition: str, row_key: str) -> Entity:
    """The keys of a row that Baton alone writes, and the version of its columns."""
    return {"PartitionKey": partition, "RowKey": row_key, "v": _VERSION}


def check_version(entity: Mapping[str, object]) -> None:
    """Refuses a row that a later version wrote.

    Raises:
        InvalidInput: It did.
    """
    if plain(entity.get("v")) != _VERSION:
        raise wrong("v", entity.get("v"), f"{_VERSION}, the version that this Baton reads")


def check_key(entity: Mapping[str, object], expected: str) -> None:
    """Refuses a row that somebody copied under another key.

    Raises:
        InvalidInput: Its RowKey is not the expected one.
    """
    if entity.get("RowKey") != expected:
        raise wrong("RowKey", entity.get("RowKey"), f"{expected!r}, as its columns say")


def fitted(writes: list[Write]) -> list[Write]:
    """The writes if they fit one transaction, with long texts cut shorter where that is needed.

    Raises:
        ValueError: More than 100 rows, or one row twice.
    """
    if len(writes) > ROWS_MAX:
        raise ValueError(f"a transaction takes at most {ROWS_MAX} rows, not {len(writes)}")
    if len({write.row_key for write in writes}) < len(writes):
        raise ValueError(f"one row twice in a transaction: {[w.row_key for w in writes]}")
    if _size(writes) <= _BYTES_MAX:
        return writes
    return [
        Write(verb=write.verb, etag=write.etag, entity=_shortened(write.entity)) for write in writes
    ]


def _size(writes: Iterable[Write]) -> int:
    """About how many bytes the SDK will send; it escapes every character that is not ASCII."""
    texts = [cell for write in writes for cell in write.entity.values() if isinstance(cell, str)]
    most = sum(map(len, texts)) * 6
    return most if most <= _BYTES_MAX else sum(len(json.dumps(text)) for text in texts)


def _shortened(entity: Entity) -> Entity:
    return {
        name: cut(cell, _SHORTER) if name in SENTENCES else cell for name, cell in entity.items()
    }
