"""The frames of AMQP 1.0: framing, and the performatives a broker meets.

Each performative is a tuple in the order of the standard, so that decoding is padding and encoding
is dropping the trailing nulls; its fields' AMQP types stand beside it.
"""

from typing import Any, Final, NamedTuple

from simulator.servicebus import codec
from simulator.servicebus.codec import DecodeError, Raw, Symbol, UByte, UInt, ULong, UShort

AMQP_HEADER: Final = b"AMQP\x00\x01\x00\x00"
SASL_HEADER: Final = b"AMQP\x03\x01\x00\x00"

ACCEPTED, REJECTED, RELEASED, MODIFIED = 0x24, 0x25, 0x26, 0x27
SASL_MECHANISMS, SASL_OUTCOME = 0x40, 0x44
_ERROR = 0x1D


class Open(NamedTuple):
    """Begins a connection."""

    container_id: str
    hostname: str | None = None
    max_frame_size: int = 0xFFFFFFFF
    channel_max: int = 0xFFFF
    idle_time_out: int | None = None


class Begin(NamedTuple):
    """Begins a session on a channel."""

    remote_channel: int | None
    next_outgoing_id: int
    incoming_window: int
    outgoing_window: int
    handle_max: int = 0xFFFFFFFF


class Attach(NamedTuple):
    """Attaches a link to a session. `role` is True where the sender of this frame receives."""

    name: str
    handle: int
    role: bool
    snd_settle_mode: int = 2
    rcv_settle_mode: int = 0
    source: Any = None
    target: Any = None
    unsettled: Any = None
    incomplete_unsettled: bool = False
    initial_delivery_count: int | None = None
    max_message_size: int | None = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: Any = None


class Flow(NamedTuple):
    """Updates the windows of a session and, with a handle, the credit of a link."""

    next_incoming_id: int | None
    incoming_window: int
    next_outgoing_id: int
    outgoing_window: int
    handle: int | None = None
    delivery_count: int | None = None
    link_credit: int | None = None
    available: int | None = None
    drain: bool = False
    echo: bool = False


class Transfer(NamedTuple):
    """Carries a message or, where `more` is set, a part of one."""

    handle: int
    delivery_id: int | None = None
    delivery_tag: bytes | None = None
    message_format: int | None = None
    settled: bool | None = None
    more: bool = False
    rcv_settle_mode: int | None = None
    state: Any = None
    resume: bool = False
    aborted: bool = False


class Disposition(NamedTuple):
    """Tells what became of deliveries."""

    role: bool
    first: int
    last: int | None = None
    settled: bool = False
    state: Any = None


class Detach(NamedTuple):
    """Takes a link from its session, for good where `closed`."""

    handle: int
    closed: bool = False
    error: Any = None


class End(NamedTuple):
    """Ends a session."""

    error: Any = None


class Close(NamedTuple):
    """Ends a connection."""

    error: Any = None


Performative = Open | Begin | Attach | Flow | Transfer | Disposition | Detach | End | Close

_LAYOUTS: Final[dict[type[Performative], tuple[int, tuple[Any, ...]]]] = {
    Open: (0x10, (str, str, UInt, UShort, UInt)),
    Begin: (0x11, (UShort, UInt, UInt, UInt, UInt)),
    Attach: (
        0x12,
        (
            *(str, UInt, bool, UByte, UByte, None, None, None, bool, UInt, ULong),
            *(None, None, None),
        ),
    ),
    Flow: (0x13, (UInt,) * 8 + (bool, bool)),
    Transfer: (0x14, (UInt, UInt, bytes, UInt, bool, bool, UByte, None, bool, bool)),
    Disposition: (0x15, (bool, UInt, UInt, bool, None)),
    Detach: (0x16, (UInt, bool, None)),
    End: (0x17, (None,)),
    Close: (0x18, (None,)),
}
"""Each performative's descriptor and its fields' AMQP types; None where any will do."""

_KINDS: Final = {code: kind for kind, (code, _) in _LAYOUTS.items()}
_KEPT_RAW: Final[dict[type[Performative], frozenset[int]]] = {Attach: frozenset({5, 6})}
"""Source and target are echoed byte for byte, so they are not decoded on the way in."""


def frame(channel: int, performative: Performative, payload: bytes = b"") -> bytes:
    """One frame on the wire."""
    code, kinds = _LAYOUTS[type(performative)]
    fields = [
        value if value is None or kind is None else kind(value)
        for kind, value in zip(kinds, performative, strict=True)
    ]
    while fields and fields[-1] is None:
        fields.pop()
    body = bytes((0x00, 0x53, code)) + codec.encode(fields) + payload
    return (len(body) + 8).to_bytes(4, "big") + b"\x02\x00" + channel.to_bytes(2, "big") + body


def sasl_frame(code: int, fields: list[Any]) -> bytes:
    """One frame of the SASL layer."""
    body = bytes((0x00, 0x53, code)) + codec.encode(fields)
    return (len(body) + 8).to_bytes(4, "big") + b"\x02\x01\x00\x00" + body


def parse(body: bytes) -> tuple[Performative, bytes]:
    """The performative in a frame's body and the payload after it.

    Raises:
        DecodeError: unknown, or its fields are not what the standard says.
    """
    descriptor, position = codec.decode(body, 1) if body[:1] == b"\x00" else (None, 0)
    kind = _KINDS.get(descriptor) if isinstance(descriptor, int) else None
    if kind is None:
        raise DecodeError(f"no performative has the descriptor {descriptor!r}")
    end = codec.skip(body, position)
    raw = _KEPT_RAW.get(kind)
    if raw is None:
        values, _ = codec.decode(body, position)
    else:
        values = [
            Raw(element) if index in raw and element != _NULL else codec.decode(element)[0]
            for index, element in enumerate(_elements(body, position))
        ]
    if not isinstance(values, list):
        raise DecodeError(f"the fields of {kind.__name__} are no list")
    return _padded(kind, values), body[end:]


def _padded(kind: type[Performative], values: list[Any]) -> Performative:
    """Nulls and missing fields take their defaults; later fields than are known here are dropped."""
    fields: list[Any] = []
    for index, (name, wanted) in enumerate(zip(kind._fields, _LAYOUTS[kind][1], strict=True)):
        value = values[index] if index < len(values) else None
        if value is None and name not in _MAY_BE_NULL:
            if name not in kind._field_defaults:
                raise DecodeError(f"{kind.__name__} without {name}")
            value = kind._field_defaults[name]
        if value is not None and wanted and not isinstance(value, _READ_AS.get(wanted, wanted)):
            raise DecodeError(f"{name} of {kind.__name__} is {value!r}")
        fields.append(value)
    return kind(*fields)


_NULL: Final = b"\x40"
_MAY_BE_NULL: Final = {"remote_channel", "next_incoming_id"}
_READ_AS: Final[dict[Any, Any]] = {UInt: int, UShort: int, UByte: int, ULong: int}


def _elements(body: bytes, position: int) -> list[bytes]:
    """The fields of a list, each still encoded."""
    constructor = body[position] if position < len(body) else None
    if constructor == 0x45:
        return []
    if constructor not in {0xC0, 0xD0}:
        raise DecodeError("the fields of a performative are no list")
    end = codec.skip(body, position)
    position += 3 if constructor == 0xC0 else 9
    elements = []
    while position < end:
        after = codec.skip(body, position)
        elements.append(body[position:after])
        position = after
    return elements


def outcome(code: int, *fields: Any) -> codec.Described:
    """A delivery state: ACCEPTED, REJECTED, RELEASED or MODIFIED."""
    return codec.Described(ULong(code), list(fields))


def error(condition: str, description: str) -> codec.Described:
    """An AMQP error with all three fields: the SDK stumbles over shorter ones."""
    return codec.Described(ULong(_ERROR), [Symbol(condition), description, None])
