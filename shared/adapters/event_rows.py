"""Lifecycle events and their lease ⇄ rows among the jobs, so that one transaction holds a job and its event."""

from collections.abc import Mapping, Sequence
from datetime import UTC

from shared.adapters.cells import (
    INT,
    MAP,
    TEXT,
    TIME,
    Cell,
    Column,
    Entity,
    Shape,
    cut,
    key,
    read_map,
    word_of,
)
from shared.adapters.writes import Write, check_version, fitted, removal, versioned, write_of
from shared.domain.errors import InvalidInput
from shared.domain.lifecycle import Event, EventKind, Lease

JOBS = "jobs"
"""The one partition of the jobs' table."""
LEASE = "!events"
# Behind it the instant, the kind's rank, and the id, so that they are read in the order in which they
# happened. No policy's name begins so.
_PREFIX = "!event|"
EVENTS = (_PREFIX, _PREFIX[:-1] + chr(ord("|") + 1))
"""The first RowKey of an event, and the first one behind the last."""
_RANKED = tuple(EventKind)
# Even with each character escaped all of an event's texts fit one cell then.
_SHORT = 200


def _write_data(column: str, data: Mapping[str, object]) -> object:
    """An event never keeps its job from being written: where its texts are too long they are cut."""
    try:
        return MAP.write(column, data)
    except InvalidInput:
        short = {n: cut(v, _SHORT) if isinstance(v, str) else v for n, v in data.items()}
        return MAP.write(column, short)


_EVENT = Shape(
    Event,
    (
        Column("eventId", "id", TEXT),
        Column("kind", "kind", word_of(EventKind)),
        Column("at", "at", TIME),
        Column("vmId", "vm_id", TEXT),
        Column("team", "team", TEXT),
        Column("policy", "policy", TEXT),
        Column("data", "data", Cell(_write_data, read_map)),
    ),
)
_LEASE = Shape(Lease, (Column("until", "until", TIME), Column("tries", "tries", INT)))


def event_key(event: Event) -> str:
    """RowKey of an event."""
    at = event.at.astimezone(UTC)
    rank = _RANKED.index(event.kind)
    return key("RowKey", f"{_PREFIX}{at:%Y%m%dT%H%M%S.%fZ}|{rank}|{event.id}")


def event_row(event: Event) -> Entity:
    """An event as an entity."""
    return versioned(JOBS, event_key(event)) | _EVENT.write(event)


def event_of(entity: Mapping[str, object], etag: str) -> Event:
    """An event from its entity.

    Raises:
        InvalidInput: It was made by a later version, or a column is missing or holds something else.
    """
    check_version(entity)
    return Event(**_EVENT.read(entity), etag=etag)


def lease_row(lease: Lease) -> Entity:
    """The lease as an entity."""
    return versioned(JOBS, LEASE) | _LEASE.write(lease)


def lease_of(entity: Mapping[str, object], etag: str) -> Lease:
    """The lease from its entity.

    Raises:
        InvalidInput: As `event_of`.
    """
    check_version(entity)
    return Lease(**_LEASE.read(entity), etag=etag)


def outbox_writes(lease: Lease, done: Sequence[Event]) -> list[Write]:
    """The rows of one transaction.

    Raises:
        ValueError: More than 99 events, or one twice.
    """
    delivered = [removal(JOBS, event_key(event), event.etag) for event in done]
    return fitted([write_of(lease_row(lease), lease.etag), *delivered])
