"""A connection: the SASL layer, then frames, each handed to its session in the order in which it came."""

import asyncio
import contextlib
import logging
from typing import Final

from simulator.servicebus import administration
from simulator.servicebus.codec import Array, DecodeError, Symbol, UByte
from simulator.servicebus.errors import FRAMING
from simulator.servicebus.gate import Gate
from simulator.servicebus.links import WINDOW
from simulator.servicebus.namespace import Namespace
from simulator.servicebus.performatives import (
    AMQP_HEADER,
    SASL_HEADER,
    SASL_MECHANISMS,
    SASL_OUTCOME,
    Begin,
    Close,
    End,
    Open,
    Performative,
    error,
    frame,
    parse,
    sasl_frame,
)
from simulator.servicebus.session import AmqpSession, Peer

log = logging.getLogger("servicebus")

_FRAME_MAX: Final = 1024 * 1024
_HEADER: Final = 8


class Connection:
    """One client. Answers are written strictly in the order of what they answer."""

    def __init__(
        self,
        namespace: Namespace,
        gate: Gate,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._namespace = namespace
        self._peer = Peer(namespace, gate, self._write)
        self._sessions: dict[int, AmqpSession] = {}

    async def run(self) -> None:
        """Serves the client until it closes, breaks off, or speaks no AMQP."""
        try:
            if await self._protocol():
                await self._frames()
        except DecodeError as failure:
            log.warning("A client sent no AMQP: %s", failure)
            self._write(frame(0, Close(error(FRAMING, str(failure)))))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the SDK closes its socket without waiting for an answer
        finally:
            for session in self._sessions.values():
                session.close()
            self._writer.close()
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._writer.wait_closed()

    def _write(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    async def _protocol(self) -> bool:
        """The SASL exchange, if the client begins with one, and the AMQP header."""
        header = await self._reader.readexactly(_HEADER)
        if header.startswith(b"GET /"):
            await administration.serve(self._namespace, header, self._reader, self._write)
            return False
        if header == SASL_HEADER:
            mechanisms = Array(Symbol, (Symbol("ANONYMOUS"), Symbol("EXTERNAL"), Symbol("MSSBCBS")))
            self._write(SASL_HEADER + sasl_frame(SASL_MECHANISMS, [mechanisms]))
            await self._frame()  # sasl-init: any mechanism will do
            self._write(sasl_frame(SASL_OUTCOME, [UByte(0)]))
            header = await self._reader.readexactly(_HEADER)
        self._write(AMQP_HEADER)
        return header == AMQP_HEADER

    async def _frames(self) -> None:
        while True:
            channel, body = await self._frame()
            if not body:
                continue  # a sign of life
            performative, payload = parse(body)
            if isinstance(performative, Close):
                self._write(frame(0, Close()))
                return
            await self._handle(channel, performative, payload)
            await self._writer.drain()

    async def _frame(self) -> tuple[int, bytes]:
        """The next frame's channel and body."""
        head = await self._reader.readexactly(_HEADER)
        size, offset = int.from_bytes(head[:4], "big"), head[4] * 4
        if not _HEADER <= offset <= size <= _FRAME_MAX:
            raise DecodeError(f"a frame of {size} bytes with its body at {offset}")
        body = await self._reader.readexactly(size - _HEADER)
        return int.from_bytes(head[6:8], "big"), body[offset - _HEADER :]

    async def _handle(self, channel: int, performative: Performative, payload: bytes) -> None:
        match performative:
            case Open():
                self._peer.frame_size = max(512, min(performative.max_frame_size, _FRAME_MAX))
                self._write(frame(0, Open("baton-servicebus", max_frame_size=_FRAME_MAX)))
            case Begin():
                self._sessions[channel] = AmqpSession(self._peer, channel)
                answer = Begin(channel, 0, WINDOW, WINDOW, performative.handle_max)
                self._write(frame(channel, answer))
            case End():
                session = self._sessions.pop(channel, None)
                if session:
                    session.close()
                    self._write(frame(channel, End()))
            case _:
                # The SDK detaches what is left after it ended the session: nobody is there any more.
                if channel in self._sessions:
                    await self._sessions[channel].handle(performative, payload)
