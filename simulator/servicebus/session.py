"""A session of a connection: attaches links, moves messages over them, settles deliveries."""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from simulator.servicebus import codec
from simulator.servicebus.codec import Described, Long, Raw, Symbol, ULong
from simulator.servicebus.entity import Entity
from simulator.servicebus.errors import TIMEOUT, UNAUTHORIZED, BrokerError
from simulator.servicebus.gate import Gate
from simulator.servicebus.links import WINDOW, DeliveryLink, Link, ReplyLink, SendingLink
from simulator.servicebus.messages import Disposition as Wanted
from simulator.servicebus.messages import Message
from simulator.servicebus.namespace import Namespace, Node, Role
from simulator.servicebus.nodes import cbs_node, management_node, queue_node
from simulator.servicebus.options import MESSAGE_SIZE_MAX
from simulator.servicebus.performatives import (
    ACCEPTED,
    MODIFIED,
    REJECTED,
    RELEASED,
    Attach,
    Detach,
    Disposition,
    Flow,
    Performative,
    Transfer,
    error,
    frame,
    outcome,
)
from simulator.servicebus.sessions import Session

_SESSION_FILTER: Final = "com.microsoft:session-filter"
_SESSION_WAIT_SECONDS: Final = 60.0
_SOURCE: Final = 0x28
_FILTER: Final = 7  # the filter's place among a source's fields
_FRAME_OVERHEAD: Final = 128
# .NET counts ticks of 100 ns since the year 1.
_TICKS_AT_1970: Final = 621_355_968_000_000_000


class Peer:
    """What a session needs of its connection.

    Attributes:
        namespace: The queues.
        gate: The door to them.
        authorized: Whether `$cbs` took a token on this connection.
        frame_size: The largest frame that the client reads, in bytes.
        write: Writes bytes.
    """

    def __init__(self, namespace: Namespace, gate: Gate, write: Callable[[bytes], None]) -> None:
        self.namespace = namespace
        self.gate = gate
        self.write = write
        self.authorized = False
        self.frame_size = 512

    def authorize(self) -> None:
        """A token was taken."""
        self.authorized = True


class AmqpSession:
    """One session. See `links.Wire` for what links ask of it."""

    def __init__(self, peer: Peer, channel: int) -> None:
        self._peer = peer
        self._channel = channel
        self._links: dict[int, Link] = {}
        self._replies: dict[str, ReplyLink] = {}
        self._next_delivery = 0
        self._unsettled: dict[int, tuple[DeliveryLink, UUID]] = {}
        self._waits: dict[int, asyncio.TimerHandle] = {}

    # --- what links ask ---------------------------------------------------------------------------

    def send(self, performative: Performative) -> None:
        """Write a frame."""
        self._peer.write(frame(self._channel, performative))

    def transfer(self, handle: int, tag: bytes, payload: bytes, *, settled: bool) -> int:
        """Write a message; only its first frame carries the delivery's id and tag."""
        delivery_id, self._next_delivery = (
            self._next_delivery,
            (self._next_delivery + 1) & 0xFFFFFFFF,
        )
        size = self._peer.frame_size - _FRAME_OVERHEAD
        parts = [payload[start : start + size] for start in range(0, len(payload), size)] or [b""]
        for index, part in enumerate(parts):
            first, more = index == 0, index < len(parts) - 1
            head = Transfer(
                handle,
                delivery_id if first else None,
                tag if first else None,
                0 if first else None,
                settled,
                more,
            )
            self._peer.write(frame(self._channel, head, part))
        return delivery_id

    def flow(self, handle: int, delivery_count: int, credit: int, *, drain: bool = False) -> None:
        """Write a flow for a link."""
        self.send(
            Flow(
                0, WINDOW, self._next_delivery, WINDOW, handle, delivery_count, credit, drain=drain
            )
        )

    def expect_outcome(self, delivery_id: int, link: DeliveryLink, message: Message) -> None:
        """Remember a delivery until the client tells its outcome."""
        if message.lock:
            self._unsettled[delivery_id] = (link, message.lock.token)

    # --- what the client sends --------------------------------------------------------------------

    async def handle(self, performative: Performative, payload: bytes) -> None:
        """A frame on this session's channel; one for a handle that is gone is ignored."""
        match performative:
            case Attach():
                self._attach(performative)
            case Flow():
                if performative.handle is not None and performative.handle in self._links:
                    self._links[performative.handle].on_flow(performative)
            case Transfer():
                if performative.handle in self._links:
                    await self._links[performative.handle].on_transfer(performative, payload)
            case Disposition():
                await self._settle(performative)
            case Detach():
                self._detach(performative)
            case _:
                pass

    def close(self) -> None:
        """The session or its connection is over: links go, locks on messages stay."""
        for wait in self._waits.values():
            wait.cancel()
        for link in self._links.values():
            link.close()
        self._links.clear()

    # --- links ------------------------------------------------------------------------------------

    def _attach(self, asked: Attach) -> None:
        """Answers an attach. The client's terminus is echoed byte for byte."""
        address = _address(asked.source if asked.role else asked.target)
        try:
            node = self._peer.namespace.node(address)
            if node.role is not Role.CBS and not self._peer.authorized:
                raise BrokerError(  # noqa: TRY301 - one place answers every refusal
                    UNAUTHORIZED, "No token was put for this connection."
                )
            if asked.role and node.role is Role.QUEUE and node.entity:
                self._attach_receiver(asked, node.entity)
                return
            link = (
                self._replying(asked, address)
                if asked.role
                else self._sending(asked, node, address)
            )
        except BrokerError as refusal:
            self._refuse(asked, refusal)
            return
        self._accept(asked, link)

    def _replying(self, asked: Attach, address: str) -> Link:
        link = self._replies[address] = ReplyLink(self, asked.handle)
        return link

    def _sending(self, asked: Attach, node: Node, address: str) -> Link:
        def answer(payload: bytes) -> None:
            if address in self._replies:
                self._replies[address].reply(payload)

        if node.entity is None:
            handler = cbs_node(self._peer.authorize, answer)
        elif node.role is Role.MANAGEMENT:
            handler = management_node(self._peer.gate, node.entity, answer)
        else:
            handler = queue_node(self._peer.gate, node.entity)
        return SendingLink(self, asked.handle, handler)

    def _attach_receiver(self, asked: Attach, entity: Entity) -> None:
        settles = asked.snd_settle_mode != 1
        wanted, has_filter = _session_wanted(asked.source)

        def on_session(session: Session) -> None:
            wait = self._waits.pop(asked.handle, None)
            if wait:
                wait.cancel()
            ticks = Long(_TICKS_AT_1970 + session.locked_until * 10_000)
            self._accept(
                asked._replace(source=_with_session(asked.source, session.id)),
                link,
                {Symbol("com.microsoft:locked-until-utc"): ticks},
            )

        link = DeliveryLink(self, asked.handle, entity, settles=settles, on_session=on_session)
        if not has_filter:
            self._accept(asked, link)
        elif wanted is not None:
            session = entity.queue.accept_session(wanted, link, entity.clock())
            if session:
                link.take_session(session)
        else:
            seconds = _timeout(asked.properties)
            loop = asyncio.get_running_loop()
            self._waits[asked.handle] = loop.call_later(seconds, self._give_up, asked, link)
            entity.await_session(link)

    def _give_up(self, asked: Attach, link: DeliveryLink) -> None:
        del self._waits[asked.handle]
        link.entity.remove(link)
        self._refuse(asked, BrokerError(TIMEOUT, "No session became available in time."))

    def _accept(self, asked: Attach, link: Link, properties: dict[Any, Any] | None = None) -> None:
        self._links[asked.handle] = link
        self.send(
            asked._replace(
                role=not asked.role,
                unsettled=None,
                initial_delivery_count=0 if asked.role else None,
                max_message_size=MESSAGE_SIZE_MAX,
                offered_capabilities=None,
                desired_capabilities=None,
                properties=properties,
            )
        )
        link.open()

    def _refuse(self, asked: Attach, refusal: BrokerError) -> None:
        """An attach with our own terminus null, then a detach that says why."""
        self.send(
            asked._replace(
                source=None if asked.role else asked.source,
                target=asked.target if asked.role else None,
                role=not asked.role,
                unsettled=None,
                initial_delivery_count=0 if asked.role else None,
                properties=None,
            )
        )
        self.send(Detach(asked.handle, True, error(refusal.condition, refusal.description)))

    def _detach(self, asked: Detach) -> None:
        wait = self._waits.pop(asked.handle, None)
        if wait:
            wait.cancel()
        link = self._links.pop(asked.handle, None)
        if link is None:
            return
        link.close()
        self.send(Detach(asked.handle, asked.closed))

    # --- settlement -------------------------------------------------------------------------------

    async def _settle(self, told: Disposition) -> None:
        """Applies an outcome and, where the client waits for it, echoes it."""
        if not told.role:
            return
        for delivery_id in range(
            told.first, (told.last if told.last is not None else told.first) + 1
        ):
            known = self._unsettled.pop(delivery_id, None)
            if known is None:
                continue
            link, token = known
            state = told.state if isinstance(told.state, Described) else outcome(ACCEPTED)
            wanted, properties, echo = _wanted(state)
            try:
                await self._peer.gate.settle(link.entity, token, wanted, properties)
            except BrokerError as refusal:
                echo = outcome(REJECTED, error(refusal.condition, refusal.description))
            if not told.settled:
                self.send(Disposition(False, delivery_id, delivery_id, True, echo))


def _wanted(state: Described) -> tuple[Wanted, dict[str, str], Described]:
    """What the client asks, the reasons it gives, and the echo that confirms it."""
    fields = list(state.value or [])
    match state.descriptor:
        case code if code == RELEASED:
            return Wanted.RELEASE, {}, outcome(RELEASED)
        case code if code == MODIFIED:
            undeliverable = len(fields) > 1 and bool(fields[1])
            wanted = Wanted.DEFER if undeliverable else Wanted.ABANDON
            return wanted, {}, outcome(MODIFIED, *fields)
        case code if code == REJECTED:
            # The echo is empty: a rejected with an error always means that the settlement failed.
            return Wanted.DEAD_LETTER, _reasons(fields), outcome(REJECTED)
        case _:
            return Wanted.COMPLETE, {}, outcome(ACCEPTED)


def _reasons(fields: list[Any]) -> dict[str, str]:
    told = fields[0].value if fields and isinstance(fields[0], Described) else []
    info = told[2] if len(told) > 2 and isinstance(told[2], dict) else {}
    return {str(name): str(value) for name, value in info.items() if value is not None}


def _terminus(raw: Any) -> list[Any]:
    """The fields of a source or target."""
    if not isinstance(raw, Raw):
        return []
    value, _ = codec.decode(raw.encoded)
    return list(value.value) if isinstance(value, Described) else []


def _address(raw: Any) -> str:
    fields = _terminus(raw)
    address = fields[0] if fields else ""
    return address.decode(errors="replace") if isinstance(address, bytes) else str(address or "")


def _session_wanted(source: Any) -> tuple[str | None, bool]:
    """The session asked for (None: any), and whether one is asked for at all."""
    fields = _terminus(source)
    filters = fields[_FILTER] if len(fields) > _FILTER else None
    if not isinstance(filters, dict) or _SESSION_FILTER not in filters:
        return None, False
    wanted = filters[Symbol(_SESSION_FILTER)]
    wanted = wanted.value if isinstance(wanted, Described) else wanted
    return (wanted.decode() if isinstance(wanted, bytes) else wanted), True


def _with_session(source: Any, session_id: str) -> Described:
    address = _terminus(source)[0]
    fields = [address, *[None] * (_FILTER - 1), {Symbol(_SESSION_FILTER): session_id}]
    return Described(ULong(_SOURCE), fields)


def _timeout(properties: Any) -> float:
    """How long the client waits for a free session, in seconds."""
    given = (
        properties.get(Symbol("com.microsoft:timeout")) if isinstance(properties, dict) else None
    )
    return int(given) / 1000 if given is not None else _SESSION_WAIT_SECONDS
