"""One SDK receiver, one owner.

The SDK's receivers must not be used by several tasks at once. So a single task receives, and whoever
holds a message leaves an order (complete, abandon, renew) that this task carries out in between; an
order interrupts the wait for the next message. Orders outlive a lost connection: the next receiver
carries them out, by the lock token.

Messages are asked for one at a time and only while a handler is free, as the real host's processor does.
Idle credit would draw messages that nobody can handle yet.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusReceiver
from azure.servicebus.exceptions import (
    MessageAlreadySettled,
    MessageLockLostError,
    MessageNotFoundError,
)

_WAIT_SECONDS: Final = 60.0
"""For a message, before asking again. Any length does: orders interrupt it."""
_HOPELESS: Final = (MessageLockLostError, MessageAlreadySettled, MessageNotFoundError)
"""What no other connection will mend: the lock is gone, and so is the right to settle."""

Act = Callable[[ServiceBusReceiver, ServiceBusReceivedMessage], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class _Order:
    act: Act
    message: ServiceBusReceivedMessage
    done: asyncio.Future[None] = field(default_factory=asyncio.Future)

    async def carry_out(self, receiver: ServiceBusReceiver) -> None:
        """Tells whoever waits of success and of what is hopeless; raises what another try may mend."""
        if self.done.done():
            return
        try:
            await self.act(receiver, self.message)
        except _HOPELESS as error:
            if not self.done.done():
                self.done.set_exception(error)
        else:
            if not self.done.done():
                self.done.set_result(None)


class Orders:
    """What is to be done with the receiver on behalf of messages that are being handled."""

    def __init__(self) -> None:
        self._waiting: deque[_Order] = deque()
        self._changed = asyncio.Event()

    async def leave(self, act: Act, message: ServiceBusReceivedMessage) -> None:
        """Has the owner do it, and waits until it is done.

        Raises:
            MessageLockLostError: The lock ran out before it was done.
        """
        order = _Order(act, message)
        self._waiting.append(order)
        self.interrupt()
        await order.done

    def interrupt(self) -> None:
        """Makes the owner look again: at the orders, and at whether a handler is free."""
        self._changed.set()

    async def carry_out(self, receiver: ServiceBusReceiver) -> None:
        """Everything that waits. What fails for the connection's sake stays for the next receiver.

        Raises:
            Exception: The connection is not usable any more.
        """
        self._changed.clear()
        while self._waiting:
            await self._waiting[0].carry_out(receiver)
            self._waiting.popleft()

    async def changed(self, within: float | None = None) -> None:
        """Waits for the next interruption, or so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._changed.wait()

    def acknowledge(self) -> None:
        """Without a receiver nothing can be carried out; the orders stay."""
        self._changed.clear()

    async def next_message(self, receiver: ServiceBusReceiver) -> ServiceBusReceivedMessage | None:
        """The next message; None when interrupted before one came.

        Raises:
            Exception: The connection is not usable any more.
        """
        receiving = asyncio.create_task(
            receiver.receive_messages(max_message_count=1, max_wait_time=_WAIT_SECONDS)
        )
        interrupted = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({receiving, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            interrupted.cancel()
            await _end(receiving)
        if receiving.cancelled():
            return None
        return next(iter(receiving.result()), None)


async def _end(task: asyncio.Task[Any]) -> None:
    """Cancels until it obeys: asyncio.wait_for, inside the SDK, can swallow a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.05)
