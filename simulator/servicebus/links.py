"""The links of a session: clients send on one kind and receive on the other."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol
from uuid import uuid4

from simulator.servicebus.codec import DecodeError
from simulator.servicebus.entity import Entity
from simulator.servicebus.errors import DECODE, SESSION_LOCK_LOST, TOO_LARGE, BrokerError
from simulator.servicebus.messages import Message
from simulator.servicebus.options import MESSAGE_SIZE_MAX
from simulator.servicebus.performatives import (
    ACCEPTED,
    REJECTED,
    Detach,
    Disposition,
    Flow,
    Performative,
    Transfer,
    error,
    outcome,
)
from simulator.servicebus.sessions import Session

CREDIT: Final = 1_000
"""Given to clients that send, and given again when half is used."""

WINDOW: Final = 0x7FFFFFFF
"""Session windows are not enforced; link credit bounds what is under way."""

Handler = Callable[[bytes, int], Awaitable[None]]
"""Takes a whole message and its format; raises BrokerError or DecodeError to refuse it."""


class Wire(Protocol):
    """What a link needs of the session it is attached to."""

    def send(self, performative: Performative) -> None:
        """Write a frame."""

    def transfer(self, handle: int, tag: bytes, payload: bytes, *, settled: bool) -> int:
        """Write a message, in as many frames as it takes; returns its delivery id."""

    def flow(self, handle: int, delivery_count: int, credit: int, *, drain: bool = False) -> None:
        """Write a flow for a link."""

    def expect_outcome(self, delivery_id: int, link: "DeliveryLink", message: Message) -> None:
        """Remember a delivery until the client tells its outcome."""


class SendingLink:
    """A link on which the client sends."""

    def __init__(self, wire: Wire, handle: int, handler: Handler) -> None:
        self._wire = wire
        self._handle = handle
        self._handler = handler
        self._delivery_count = 0
        self._credit = CREDIT
        self._first: Transfer | None = None
        self._parts: list[bytes] = []
        self._size = 0

    def open(self) -> None:
        """Let the client begin."""
        self._wire.flow(self._handle, self._delivery_count, self._credit)

    def close(self) -> None:
        """Nothing is left of it."""

    def on_flow(self, _flow: Flow) -> None:
        """A sender has nothing to grant; the SDK sends these all the same."""

    async def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """A message or a part of one."""
        first = self._first = self._first or transfer
        self._size += len(payload)
        if self._size <= MESSAGE_SIZE_MAX:
            self._parts.append(payload)
        if transfer.more and not transfer.aborted:
            return
        message, size = b"".join(self._parts), self._size
        self._first, self._parts, self._size = None, [], 0
        self._count()
        if transfer.aborted:
            return
        state = outcome(ACCEPTED)
        try:
            if size > MESSAGE_SIZE_MAX:
                text = f"The message has {size} bytes; at most {MESSAGE_SIZE_MAX} are allowed."
                raise BrokerError(TOO_LARGE, text)  # noqa: TRY301 - one place answers every refusal
            await self._handler(message, first.message_format or 0)
        except BrokerError as refusal:
            state = outcome(REJECTED, error(refusal.condition, refusal.description))
        except DecodeError as failure:
            state = outcome(REJECTED, error(DECODE, str(failure)))
        if not first.settled and first.delivery_id is not None:
            self._wire.send(Disposition(True, first.delivery_id, first.delivery_id, True, state))

    def _count(self) -> None:
        self._delivery_count = (self._delivery_count + 1) & 0xFFFFFFFF
        self._credit -= 1
        if self._credit <= CREDIT // 2:
            self._credit = CREDIT
            self._wire.flow(self._handle, self._delivery_count, self._credit)


class DeliveryLink:
    """A link on which the client receives from a queue. See `entity.Receiver`."""

    def __init__(
        self,
        wire: Wire,
        handle: int,
        entity: Entity,
        *,
        settles: bool,
        on_session: Callable[[Session], None],
    ) -> None:
        """`on_session` is called once if the link was to wait for a session."""
        self.entity = entity
        self.settles = settles
        self.credit = 0
        self.session: Session | None = None
        self._wire = wire
        self._handle = handle
        self._on_session = on_session
        self._delivery_count = 0

    def open(self) -> None:
        """Be served, once the client gives credit."""
        self.entity.add(self)

    def close(self) -> None:
        """Be served no more. Locks on messages outlive the link; the one on a session does not."""
        self.entity.remove(self)

    def on_flow(self, flow: Flow) -> None:
        """Credit, and with `drain` the wish to use it up at once."""
        limit = (flow.delivery_count or 0) + (flow.link_credit or 0)
        self.credit = max(0, limit - self._delivery_count)
        self.entity.serve()
        if flow.drain:
            self._delivery_count += self.credit
            self.credit = 0
            self._wire.flow(self._handle, self._delivery_count, 0, drain=True)

    async def on_transfer(self, _transfer: Transfer, _payload: bytes) -> None:
        """A client must not send here; ignored."""

    def deliver(self, message: Message) -> None:
        """Send a message; its lock's token is the delivery's tag."""
        token = message.lock.token if message.lock else uuid4()
        self._delivery_count += 1
        self.credit -= 1
        delivery_id = self._wire.transfer(
            self._handle, token.bytes_le, message.render(), settled=not self.settles
        )
        if self.settles:
            self._wire.expect_outcome(delivery_id, self, message)

    def take_session(self, session: Session) -> None:
        """The session this link waited for."""
        self.session = session
        self._on_session(session)

    def lose_session(self) -> None:
        """Tell the client that its session is no longer its own."""
        text = "The session lock has expired. Accept the session again."
        self._wire.send(Detach(self._handle, True, error(SESSION_LOCK_LOST, text)))


class ReplyLink:
    """A link on which the client receives the responses of `$cbs` or `$management`.

    Its credit is not asked for: the SDK gives 10,000 once and never again.
    """

    def __init__(self, wire: Wire, handle: int) -> None:
        self._wire = wire
        self._handle = handle

    def open(self) -> None:
        """Nothing to do before the first request."""

    def close(self) -> None:
        """Nothing is left of it."""

    def on_flow(self, _flow: Flow) -> None:
        """Credit; not asked for."""

    async def on_transfer(self, _transfer: Transfer, _payload: bytes) -> None:
        """A client must not send here; ignored."""

    def reply(self, payload: bytes) -> None:
        """Send a response, settled."""
        self._wire.transfer(self._handle, uuid4().bytes_le, payload, settled=True)


Link = SendingLink | DeliveryLink | ReplyLink
