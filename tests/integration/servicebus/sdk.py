"""Both SDKs of Service Bus by the same words, and queues that nobody else has."""

import inspect
import itertools
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from azure.servicebus import ServiceBusReceivedMessage

PATIENCE = 60
"""Seconds that a busy machine may take for what is to come; nothing waits for so long where all is well."""
COUNT = 40
_numbers: dict[str, Iterator[int]] = defaultdict(itertools.count)


def fresh(kind="plain"):
    """A queue with the rules of that kind, that nobody else has."""
    number = next(_numbers[kind])
    assert number < COUNT
    return f"{kind}-{number}"


class Sdk:
    """Both SDKs by the same words: `await sdk(call)` takes a result or a coroutine."""

    def __init__(self, connection, kind):
        self.kind = kind
        self.client = kind.from_connection_string(connection, retry_total=0)
        self._open = []

    async def __call__(self, result):
        return await result if inspect.isawaitable(result) else result

    def sender(self, name):
        return self._kept(self.client.get_queue_sender(name))

    def receiver(self, name, **how):
        return self._kept(self.client.get_queue_receiver(name, **how))

    def _kept(self, link):
        self._open.append(link)
        return link

    async def send(self, name, *messages):
        await self(self.sender(name).send_messages(list(messages)))

    async def take(self, receiver, count):
        """So many messages: the SDK returns what came together, be it fewer."""
        got: list[ServiceBusReceivedMessage] = []
        while len(got) < count:
            more = await self(receiver.receive_messages(count - len(got), max_wait_time=PATIENCE))
            assert more, f"{len(got)} of {count} messages came"
            got += more
        return got

    async def one(self, receiver):
        (message,) = await self.take(receiver, 1)
        return message

    async def texts(self, receiver, start=1):
        """What a peek shows from that number on: whatever the queue still holds."""
        return [
            str(message)
            for message in await self(receiver.peek_messages(10, sequence_number=start))
        ]

    async def close(self):
        for link in self._open:
            await self(link.close())
        await self(self.client.close())


def now():
    return datetime.now(UTC)  # noqa: TID251 - the emulator's clock is the machine's
