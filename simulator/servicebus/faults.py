"""A gate through which things go wrong, by plan, on either side of what a client asks."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from simulator.faults import FaultPlan, Kinds
from simulator.servicebus.codec import Array
from simulator.servicebus.content import Content
from simulator.servicebus.entity import Entity
from simulator.servicebus.errors import SERVER_BUSY, BrokerError
from simulator.servicebus.gate import Gate
from simulator.servicebus.messages import Disposition

KINDS: Final[Kinds] = {
    "busy": None,
    "delay": timedelta(seconds=2),
    "drop-after": None,
    "drop-before": None,
    "duplicate": None,
    "hang": timedelta(seconds=30),
    "lock-loss": None,
    "slow": timedelta(seconds=1),
}
_BEFORE: Final = ("busy", "drop-before", "hang", "slow")


class FaultyGate(Gate):
    """Subjects are `send QUEUE`, `settle QUEUE`, and `manage QUEUE OPERATION` without its prefix.

    A send meets `delay` and `duplicate` once for each of its messages.
    """

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan

    async def send(self, entity: Entity, contents: Sequence[Content]) -> None:
        """Some messages come later than they should, or once more than they were sent."""
        subject = f"send {entity.queue.options.name}"
        await self._before(subject)
        now = entity.clock()
        await super().send(entity, [self._delayed(content, subject, now) for content in contents])
        again = [content for content in contents if self._plan.strike(subject, "duplicate")]
        entity.queue.send(again, now, checked=False)
        entity.serve()
        self._after(subject)

    async def settle(
        self,
        entity: Entity,
        token: UUID,
        disposition: Disposition,
        properties: Mapping[str, str],
    ) -> None:
        """Some locks are lost just before."""
        subject = f"settle {entity.queue.options.name}"
        await self._before(subject)
        self._lose(subject, entity, [token])
        await super().settle(entity, token, disposition, properties)
        self._after(subject)

    async def manage(
        self, entity: Entity, operation: str, body: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """As for what goes down a link."""
        subject = f"manage {entity.queue.options.name} {operation.rpartition(':')[2]}"
        await self._before(subject)
        tokens = body.get("lock-tokens")
        self._lose(subject, entity, list(tokens.values) if isinstance(tokens, Array) else [])
        answer = await super().manage(entity, operation, body)
        self._after(subject)
        return answer

    async def _before(self, subject: str) -> None:
        """Nothing is applied yet, and with most of these nothing ever is."""
        fault = self._plan.strike(subject, *_BEFORE)
        if fault is None:
            return
        await asyncio.sleep(fault.seconds)
        if fault.kind == "busy":
            text = "The server is busy. Please wait 10 seconds and try again."
            raise BrokerError(SERVER_BUSY, text)
        if fault.kind != "slow":
            raise ConnectionResetError(f"{fault.kind}: {subject}")

    def _after(self, subject: str) -> None:
        """It is applied; whether the client learns of it is another matter."""
        if self._plan.strike(subject, "drop-after"):
            raise ConnectionResetError(f"drop-after: {subject}")

    def _delayed(self, content: Content, subject: str, now: int) -> Content:
        fault = self._plan.strike(subject, "delay")
        if fault is None:
            return content
        due = max(now, content.scheduled_for or now) + fault.length // timedelta(milliseconds=1)
        return replace(content, scheduled_for=due)

    def _lose(self, subject: str, entity: Entity, tokens: Sequence[UUID]) -> None:
        if tokens and self._plan.strike(subject, "lock-loss"):
            entity.queue.lose_locks(tokens, entity.clock())
