"""The one door between the wire and the rules of a queue.

Whatever a client asks of a queue passes through here, before it is applied and after. That makes it
the place for faults (`faults.FaultyGate`): a subclass may wait, refuse (`BrokerError`), do a thing
twice, or drop the client's connection (raise `ConnectionError`) on either side of what it overrides.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from simulator.servicebus.content import Content
from simulator.servicebus.entity import Entity
from simulator.servicebus.errors import NOT_IMPLEMENTED, BrokerError
from simulator.servicebus.management import OPERATIONS
from simulator.servicebus.messages import Disposition


class Gate:
    """Applies what clients ask, at once and once."""

    async def send(self, entity: Entity, contents: Sequence[Content]) -> None:
        """Messages sent down a link; all or none. Raises BrokerError."""
        entity.queue.tick(entity.clock())
        entity.queue.send(contents, entity.clock())
        entity.serve()

    async def settle(
        self,
        entity: Entity,
        token: UUID,
        disposition: Disposition,
        properties: Mapping[str, str],
    ) -> None:
        """An outcome sent down a link. Raises BrokerError."""
        entity.queue.settle(token, disposition, entity.clock(), properties)
        entity.serve()

    async def manage(
        self, entity: Entity, operation: str, body: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """A request to `$management`; None where there is nothing to return. Raises BrokerError."""
        perform = OPERATIONS.get(operation)
        if perform is None:
            raise BrokerError(NOT_IMPLEMENTED, f"The operation '{operation}' is not known here.")
        entity.queue.tick(entity.clock())
        answer = perform(entity.queue, body, entity.clock())
        entity.serve()
        return answer
