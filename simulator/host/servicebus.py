"""Service Bus queue triggers, with the real SDK: what the Functions host's extension does."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from typing import Final

from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusReceiver
from azure.servicebus.exceptions import ServiceBusError

from simulator.host.connection import source_of
from simulator.host.dispatch import Dispatcher
from simulator.host.host_json import BusOptions
from simulator.host.index import Function
from simulator.host.message import trigger_message
from simulator.host.receiver import Orders

log = logging.getLogger("host.servicebus")

_CLOSE_SECONDS_MAX: Final = 1.0
"""The SDK takes half a second to close a link that works, and much longer for one that does not."""
_ABANDON_SECONDS_MAX: Final = 0.5
"""To give messages back when the host stops; their locks run out if that fails."""


class QueueTrigger:
    """One queue trigger: one receiver, and as many handlers at once as host.json allows."""

    def __init__(
        self,
        function: Function,
        dispatcher: Dispatcher,
        options: BusOptions,
        environment: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        """Resolve the connection.

        Raises:
            HostError: An app setting is missing, or the trigger wants what is not served here.
        """
        self.function = function
        self.attached = asyncio.Event()
        self._source = source_of(function, environment)
        self._dispatcher = dispatcher
        self._options = options
        self._now = now
        self._orders = Orders()
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._trouble = ""  # why the bus is away, as last logged

    async def run(self) -> None:
        """Receives until `stop`; connects again, for ever, whenever the bus was away."""
        failures = 0
        while not self._is_over():
            try:
                await self._serve()
            except Exception as error:  # noqa: BLE001 - whatever the SDK raises, the trigger goes on
                failures = 1 if self.attached.is_set() else failures + 1
                self._say_away(error)
                self.attached.clear()
                if self._stopping:
                    break
                await self._pause(self._options.retry.wait(failures).total_seconds())

    async def stop(self, within: float) -> None:
        """Receives nothing more; running handlers get so many seconds, then their messages go back."""
        self._stopping = True
        self._orders.interrupt()
        if self._running:
            await asyncio.wait(self._running, timeout=within)
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=_ABANDON_SECONDS_MAX)
        self._running.clear()
        self._orders.interrupt()

    def _is_over(self) -> bool:
        return self._stopping and not self._running

    async def _serve(self) -> None:
        """With one connection, as long as it lasts."""
        stack = AsyncExitStack()
        try:
            receiver = await self._source.open(stack, self._options)
            self._say_back()
            await self._own(receiver)
        finally:
            with suppress(Exception):  # it is gone either way
                async with asyncio.timeout(_CLOSE_SECONDS_MAX):
                    await stack.aclose()

    async def _own(self, receiver: ServiceBusReceiver) -> None:
        while True:
            await self._orders.carry_out(receiver)
            if self._is_over():
                return
            if self._stopping or len(self._running) >= self._options.calls_max:
                await self._orders.changed()
            elif message := await self._orders.next_message(receiver):
                self._start(message)

    def _start(self, message: ServiceBusReceivedMessage) -> None:
        task = asyncio.create_task(self._handle(message))
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._orders.interrupt()
        if not task.cancelled() and (error := task.exception()):
            log.error("%s: %r", self._source.queue, error)

    async def _handle(self, message: ServiceBusReceivedMessage) -> None:
        """Runs the function; success completes the message, whatever else gives it back at once."""
        locked = asyncio.create_task(self._keep_locked(message))
        try:
            succeeded = await self._succeeds(message)
        finally:
            locked.cancel()
        if succeeded and not self._options.auto_complete:
            return
        settle = (
            ServiceBusReceiver.complete_message if succeeded else ServiceBusReceiver.abandon_message
        )
        try:
            await self._orders.leave(settle, message)
        except ServiceBusError as error:
            log.warning(
                "Message %s of %s will come again, its lock is lost: %s",
                *(message.message_id, self._source.queue, error),
            )

    async def _succeeds(self, message: ServiceBusReceivedMessage) -> bool:
        try:
            argument = trigger_message(message)
        except ValueError as error:
            log.warning("%s goes back to %s", error, self._source.queue)
            return False
        try:
            await self._dispatcher.invoke(self.function, argument)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the dispatcher logged it
            log.debug("Message %s goes back: %r", message.message_id, error)
            return False
        return True

    async def _keep_locked(self, message: ServiceBusReceivedMessage) -> None:
        """Renews the lock at half its time, as long as host.json allows."""
        until = self._now() + self._options.renewal_max
        while (locked_until := message.locked_until_utc) is not None:
            await asyncio.sleep(max((locked_until - self._now()).total_seconds() / 2, 0.1))
            if self._now() >= until:
                return
            try:
                await self._orders.leave(ServiceBusReceiver.renew_message_lock, message)
            except ServiceBusError as error:
                log.warning("The lock of message %s is lost: %s", message.message_id, error)
                return

    async def _pause(self, seconds: float) -> None:
        """Until the next try; a host that stops does not wait for it."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        while not self._stopping and (wait := due - loop.time()) > 0:
            await self._orders.changed(wait)
            self._orders.acknowledge()

    def _say_away(self, error: Exception) -> None:
        """Once for each kind of trouble, not for each try."""
        if self._trouble != (trouble := type(error).__name__):
            log.warning("No connection to %s: %s: %s", self._source.queue, trouble, error)
        self._trouble = trouble

    def _say_back(self) -> None:
        self.attached.set()
        if self._trouble:
            log.warning("Connected to %s again", self._source.queue)
        self._trouble = ""
