"""A message as bytes: its sections, what the broker must know of them, and how it is written again.

The bare message (properties, application properties, body) is passed on byte for byte. Only the
header and the annotations are the broker's to rebuild, and the application properties where a
dead-letter reason is added.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from simulator.servicebus import codec
from simulator.servicebus.codec import DecodeError, Symbol, Timestamp, UByte, UInt, ULong

SCHEDULED_ENQUEUE_TIME: Final = "x-opt-scheduled-enqueue-time"

_HEADER, _ANNOTATIONS, _PROPERTIES, _APPLICATION, _DATA, _FOOTER = (
    0x70,
    0x72,
    0x73,
    0x74,
    0x75,
    0x78,
)
_BODIES: Final = {_DATA, 0x76, 0x77}
_TTL_FIELD = 2
_MESSAGE_ID_FIELD, _GROUP_ID_FIELD = 0, 10
_PRIORITY_DEFAULT = 4


@dataclass(frozen=True, slots=True)
class Content:
    """One message as its sender wrote it.

    Attributes:
        header: `durable`, `priority`, `ttl` and so on as far as given.
        annotations: of the message; the values are left encoded.
        properties: that section as bytes; empty if there is none.
        application_properties: likewise.
        body: the body and the footer as bytes.
        message_id: str, UUID, int or bytes; None if there is none.
        session_id: the group-id; None if there is none.
        ttl: milliseconds, as the header says; None if it does not.
        scheduled_for: the instant of `x-opt-scheduled-enqueue-time` in milliseconds, if given.
    """

    header: tuple[Any, ...]
    annotations: tuple[tuple[Any, bytes], ...]
    properties: bytes
    application_properties: bytes
    body: bytes
    message_id: Any = None
    session_id: str | None = None
    ttl: int | None = None
    scheduled_for: int | None = None

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Take a message apart.

        Raises:
            DecodeError: not a message.
        """
        parts: dict[int, tuple[int, int, int]] = {}
        body_at = len(encoded)
        for code, start, value_at, end in _sections(encoded):
            parts.setdefault(code, (start, value_at, end))
            if code in _BODIES or code == _FOOTER:
                body_at = min(body_at, start)
        header = _fields(encoded, parts.get(_HEADER))
        properties = _fields(encoded, parts.get(_PROPERTIES))
        annotations = (
            codec.map_entries(encoded, parts[_ANNOTATIONS][1]) if _ANNOTATIONS in parts else []
        )
        session_id = _at(properties, _GROUP_ID_FIELD)
        return cls(
            header=tuple(header),
            annotations=tuple(annotations),
            properties=_bytes_of(encoded, parts.get(_PROPERTIES)),
            application_properties=_bytes_of(encoded, parts.get(_APPLICATION)),
            body=encoded[body_at:],
            message_id=_at(properties, _MESSAGE_ID_FIELD),
            session_id=None if session_id is None else str(session_id),
            ttl=_at(header, _TTL_FIELD),
            scheduled_for=_scheduled_for(annotations),
        )

    def with_application_properties(self, added: Mapping[str, str]) -> Self:
        """The same message with text properties added, in place of any of the same name."""
        section = self.application_properties
        kept: list[tuple[Any, bytes]] = []
        if section:
            value_at = codec.skip(section, 1)
            kept = [
                entry for entry in codec.map_entries(section, value_at) if entry[0] not in added
            ]
        entries = [*kept, *((name, codec.encode(text)) for name, text in added.items())]
        return replace(self, application_properties=_section(_APPLICATION, codec.map_of(entries)))

    def render(self, delivery_count: int, annotations: Mapping[str, Any]) -> bytes:
        """The message for a receiver, with the broker's annotations in place of the sender's."""
        durable, priority, ttl = (*self.header[:3], None, None, None)[:3]
        header = [
            bool(durable),
            UByte(_PRIORITY_DEFAULT if priority is None else priority),
            None if ttl is None else UInt(ttl),
            delivery_count == 0,
            UInt(delivery_count),
        ]
        kept = [entry for entry in self.annotations if entry[0] not in annotations]
        ours = ((Symbol(name), codec.encode(value)) for name, value in annotations.items())
        return b"".join(
            (
                _section(_HEADER, codec.encode(header)),
                _section(_ANNOTATIONS, codec.map_of([*kept, *ours])),
                self.properties,
                self.application_properties,
                self.body,
            )
        )


def batched(encoded: bytes) -> list[bytes]:
    """The messages in a batch: each data section of the envelope is one, complete.

    Raises:
        DecodeError: not a batch.
    """
    messages = []
    for code, _start, value_at, _end in _sections(encoded):
        if code == _DATA:
            data, _ = codec.decode(encoded, value_at)
            if not isinstance(data, bytes):
                raise DecodeError("a data section that is not binary")
            messages.append(data)
    return messages


def amqp_value(encoded: bytes) -> tuple[list[Any], dict[Any, Any], Any]:
    """A request to a node of the broker's own: properties, application properties, the value.

    Raises:
        DecodeError: not a message.
    """
    values = {code: codec.decode(encoded, at)[0] for code, _, at, _ in _sections(encoded)}
    return values.get(_PROPERTIES) or [], values.get(_APPLICATION) or {}, values.get(0x77)


def reply(correlation_id: Any, application: Mapping[str, Any], value: Any) -> bytes:
    """A response of a node of the broker's own, with an AMQP value for a body."""
    properties = [None] * 5 + [correlation_id]
    parts = ((_PROPERTIES, properties), (_APPLICATION, dict(application)), (0x77, value))
    return b"".join(_section(code, codec.encode(part)) for code, part in parts)


def _sections(encoded: bytes) -> Iterable[tuple[int, int, int, int]]:
    """Each section's code, start, start of its value, and end."""
    position = 0
    while position < len(encoded):
        if encoded[position] != 0:
            raise DecodeError(f"no section at byte {position}")
        descriptor, value_at = codec.decode(encoded, position + 1)
        if not isinstance(descriptor, ULong):
            raise DecodeError(f"the section at byte {position} has no numeric descriptor")
        end = codec.skip(encoded, value_at)
        yield int(descriptor), position, value_at, end
        position = end


def _section(code: int, value: bytes) -> bytes:
    return bytes((0x00, 0x53, code)) + value


def _bytes_of(encoded: bytes, part: tuple[int, int, int] | None) -> bytes:
    return encoded[part[0] : part[2]] if part else b""


def _fields(encoded: bytes, part: tuple[int, int, int] | None) -> list[Any]:
    if part is None:
        return []
    fields, _ = codec.decode(encoded, part[1])
    if not isinstance(fields, list):
        raise DecodeError(f"the section at byte {part[0]} is no list")
    return fields


def _at(fields: list[Any], index: int) -> Any:
    return fields[index] if index < len(fields) else None


def _scheduled_for(annotations: Iterable[tuple[Any, bytes]]) -> int | None:
    for key, raw in annotations:
        if key == SCHEDULED_ENQUEUE_TIME:
            value, _ = codec.decode(raw)
            if not isinstance(value, Timestamp):
                raise DecodeError(f"{SCHEDULED_ENQUEUE_TIME} is {value!r}, not a timestamp")
            return int(value)
    return None
