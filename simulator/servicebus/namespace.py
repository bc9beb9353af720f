"""The namespace: its queues by name, and what an address on the wire means."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from simulator.servicebus.entity import Clock, Entity
from simulator.servicebus.errors import ENTITY_NOT_FOUND, BrokerError
from simulator.servicebus.messages import State
from simulator.servicebus.options import QueueOptions
from simulator.servicebus.queue import Queue

CBS: Final = "$cbs"
_MANAGEMENT: Final = "/$management"
_DEAD_LETTERS: Final = "/$deadletterqueue"


class Role(Enum):
    """What a node does with what is sent to it."""

    QUEUE = "queue"
    MANAGEMENT = "management"
    CBS = "cbs"


@dataclass(frozen=True, slots=True)
class Node:
    """Where an address leads; only `$cbs` has no entity behind it."""

    role: Role
    entity: Entity | None = None


class Namespace:
    """The queues there are; names do not differ by case alone."""

    def __init__(self, queues: Iterable[QueueOptions], clock: Clock) -> None:
        self._entities: dict[str, Entity] = {}
        for options in queues:
            dead_letters = Entity(Queue(options.of_dead_letters()), clock)
            queue = Queue(options, dead_letters.queue)
            self._entities[options.name.lower()] = Entity(queue, clock, dead_letters)

    def node(self, address: object) -> Node:
        """Where an address leads: a full URI or a path, as text or as bytes.

        Raises:
            BrokerError: nowhere.
        """
        text = address.decode(errors="replace") if isinstance(address, bytes) else str(address)
        path = text.split("://", 1)[1].partition("/")[2] if "://" in text else text
        path = path.strip("/").lower()
        if path == CBS:
            return Node(Role.CBS)
        role = Role.MANAGEMENT if path.endswith(_MANAGEMENT) else Role.QUEUE
        path = path.removesuffix(_MANAGEMENT)
        entity = self._entities.get(path.removesuffix(_DEAD_LETTERS))
        if entity and path.endswith(_DEAD_LETTERS):
            entity = entity.dead_letters
        if entity is None:
            raise BrokerError(
                ENTITY_NOT_FOUND,
                f"The messaging entity '{text}' could not be found. Its queue has to be in the "
                f"configuration; there are: {', '.join(sorted(self._entities))}.",
            )
        return Node(role, entity)

    def options(self, name: str) -> QueueOptions | None:
        """A queue's properties; None if there is no such queue."""
        entity = self._entities.get(name.lower())
        return entity.queue.options if entity else None

    def counts(self) -> dict[str, dict[str, int]]:
        """Each queue's messages now, and what ever happened in it."""
        return {entity.queue.options.name: _counts(entity) for entity in self._entities.values()}

    def close(self) -> None:
        """Stop every timer."""
        for entity in self._entities.values():
            entity.close()


def _counts(entity: Entity) -> dict[str, int]:
    entity.serve()
    queue, totals = entity.queue, entity.queue.totals
    dead_letters = entity.dead_letters
    return {
        "active": queue.count(State.ACTIVE),
        "scheduled": queue.count(State.SCHEDULED),
        "deferred": queue.count(State.DEFERRED),
        "deadLetter": sum(dead_letters.queue.count(state) for state in State)
        if dead_letters
        else 0,
        "sent": totals.sent,
        "completed": totals.completed,
        "abandoned": totals.abandoned,
        "duplicatesDropped": totals.duplicates_dropped,
        "deadLettered": totals.dead_lettered,
        "expired": totals.expired,
        "locksExpired": totals.locks_expired,
        "cancelled": totals.cancelled,
    }
