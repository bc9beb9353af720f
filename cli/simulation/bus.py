"""Two queues: what the Service Bus SDK's client would say, and a broker that delivers more or less.

Messages come late, twice, to two handlers at once, in any order, or never; a handler that dies loses its lock,
one that raises gets the message again, ten times, and then the dead letters have it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from azure.servicebus.exceptions import OperationTimeoutError, ServiceBusServerBusyError

from cli.simulation.faults import Fault, Faults
from cli.simulation.loop import VirtualLoop
from cli.simulation.process import Errors, Wire
from cli.simulation.trace import Trace

# As infra deploys the queues.
_DELIVERIES_MAX = 10
_LOCK_SECONDS = 60.0
_DEAD_SECONDS = 120.0  # at once, in truth: it would only make the simulation slow
_DUPLICATES_SECONDS = 600.0

ERRORS: Errors = {
    Fault.BUSY: lambda: ServiceBusServerBusyError(message="server busy"),
    Fault.LOST_BEFORE: lambda: OperationTimeoutError(message="no answer"),
    Fault.LOST_AFTER: lambda: OperationTimeoutError(message="no answer"),
}


@dataclass(eq=False, slots=True)
class Letter:
    """A message in a queue, or in its dead-letter queue."""

    queue: str
    id: str
    body: bytes
    due: float
    deliveries: int = 0
    is_dead: bool = False
    is_done: bool = False

    @property
    def what(self) -> str:
        """As the trace calls its handling."""
        dead = "/dead" if self.is_dead else ""
        return f"{self.queue}{dead} {self.id} #{self.deliveries}"


Handle = Callable[[Letter, Callable[[str], None]], bool]
"""Has some process handle a letter and say how that went; False where no process can."""


class Broker:
    """The service's side.

    Attributes:
        letters: Every letter that is not done with, in the order of sending.
        dead: Every letter that ever died.
    """

    def __init__(self, loop: VirtualLoop, faults: Faults, trace: Trace, handle: Handle) -> None:
        self.letters: dict[int, Letter] = {}
        self.dead: list[Letter] = []
        self._loop = loop
        self._faults = faults
        self._trace = trace
        self._handle = handle
        self._seen: dict[tuple[str, str], float] = {}
        self._sent = 0

    def send(self, queue: str, identity: str, body: bytes, due: float) -> None:
        """Takes a message, unless it had one of the same id lately."""
        now = self._loop.time()
        last = self._seen.get((queue, identity))
        if last is not None and now - last < _DUPLICATES_SECONDS:
            return
        self._seen[queue, identity] = now
        self._trace.counts["messages"] += 1
        if self._faults.happens(self._faults.level.losses, now):
            self._fault(f"loses {identity}")
            return
        letter = Letter(queue, identity, body, max(now, due))
        self._sent += 1
        self.letters[self._sent] = letter
        self._schedule(self._sent, letter.due)
        if self._faults.happens(self._faults.level.repeats, now):
            self._fault(f"repeats {identity}")
            self._schedule(self._sent, letter.due)

    def has_due(self, now: float) -> bool:
        """Whether some letter should have been handled."""
        return any(letter.due <= now for letter in self.letters.values())

    def _schedule(self, number: int, due: float) -> None:
        at = max(due, self._loop.time()) + self._faults.lateness(due)
        self._loop.call_at(at, self._deliver, number)

    def _deliver(self, number: int) -> None:
        letter = self.letters.get(number)
        if letter is None:
            return
        letter.deliveries += 1
        if not self._handle(letter, lambda how: self._over(number, letter, how)):
            letter.deliveries -= 1
            self._loop.call_later(5.0, self._deliver, number)
        elif self._faults.happens(self._faults.level.repeats / 4, self._loop.time()):
            # The lock is lost while the handler runs: another gets the message too.
            self._fault(f"loses the lock of {letter.id}")
            self._loop.call_later(self._faults.travel(self._loop.time()), self._deliver, number)

    def _over(self, number: int, letter: Letter, how: str) -> None:
        if number not in self.letters:
            return  # a second delivery had ended before
        if how == "ended":
            del self.letters[number]
        elif how == "died":
            wait = self._faults.dice.random() * _LOCK_SECONDS
            self._loop.call_later(wait, self._deliver, number)
        else:
            self._abandoned(number, letter)

    def _abandoned(self, number: int, letter: Letter) -> None:
        if not letter.is_dead and letter.deliveries >= _DELIVERIES_MAX:
            letter.is_dead, letter.deliveries = True, 0
            self.dead.append(letter)
            self._trace.note(self._loop.time(), "bus", f"gives {letter.id} up")
        wait = _DEAD_SECONDS if letter.is_dead else 1.0
        self._loop.call_later(wait * self._faults.dice.random(), self._deliver, number)

    def _fault(self, what: str) -> None:
        self._faults.count(what.split(maxsplit=1)[0])
        self._trace.note(self._loop.time(), "bus", what, loud=False)


class Client:
    """The SDK's ServiceBusClient, as far as Baton uses it, in one process."""

    def __init__(self, broker: Broker, wire: Wire, batch_max: int) -> None:
        self._broker = broker
        self._wire = wire
        self._batch_max = batch_max

    def get_queue_sender(self, queue_name: str) -> "Sender":
        """A sender."""
        return Sender(self._broker, self._wire, queue_name, self._batch_max)

    async def close(self) -> None:
        """Nothing is open."""


class Message:
    """The SDK's ServiceBusMessage without the AMQP message, of whose parts the broker reads none."""

    def __init__(
        self,
        body: bytes,
        *,
        message_id: str,
        scheduled_enqueue_time_utc: datetime | None,
        **_: object,
    ) -> None:
        self.body = body
        self.message_id = message_id
        self.scheduled_enqueue_time_utc = scheduled_enqueue_time_utc


class Sender:
    """The SDK's ServiceBusSender."""

    def __init__(self, broker: Broker, wire: Wire, queue: str, batch_max: int) -> None:
        self._broker = broker
        self._wire = wire
        self._queue = queue
        self._batch_max = batch_max

    async def create_message_batch(self) -> "Batch":
        """An empty batch."""
        return Batch(self._batch_max)

    async def send_messages(self, batch: "Batch", *, timeout: float) -> None:  # noqa: ASYNC109 - the SDK's name
        """Sends a batch, whole."""
        what = f"send {self._queue} " + ", ".join(m.message_id for m in batch.messages)
        await self._wire.ask(
            "bus", what, lambda: self._take(batch.messages), ERRORS, deadline=timeout
        )

    async def close(self) -> None:
        """Nothing is open."""

    def _take(self, messages: Sequence[Message]) -> None:
        trace = self._wire.process.trace
        for message in messages:
            at = message.scheduled_enqueue_time_utc
            due = (at - trace.t0).total_seconds() if at else 0.0
            self._broker.send(self._queue, message.message_id, message.body, due)


class Batch:
    """The SDK's ServiceBusMessageBatch: full by number instead of by bytes."""

    def __init__(self, most: int) -> None:
        self.messages: list[Message] = []
        self._most = most

    def add_message(self, message: Message) -> None:
        """Adds one.

        Raises:
            ValueError: It is full.
        """
        if len(self.messages) >= self._most:
            raise ValueError("the batch is full")
        self.messages.append(message)

    def __len__(self) -> int:
        return len(self.messages)
