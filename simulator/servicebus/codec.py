"""AMQP 1.0 types to bytes and back.

Decoding keeps what Python's own types would lose: a symbol is not a string and an `int` is not a
`long`, so that what was read can be written again as it was. Plain `int` is written as `long`.
What must survive to the byte (a message's body, say) is not decoded at all: see `skip`.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

ELEMENTS_MAX: Final = 65_536
"""Of an array whose elements take no bytes; any other compound is bounded by its own length."""


class DecodeError(ValueError):
    """The bytes are not AMQP 1.0."""


class Symbol(str):
    """ASCII text from a constrained domain."""

    __slots__ = ()


class UByte(int):
    """8 bits, unsigned."""


class UShort(int):
    """16 bits, unsigned."""


class UInt(int):
    """32 bits, unsigned."""


class ULong(int):
    """64 bits, unsigned."""


class Int(int):
    """32 bits, signed."""


class Long(int):
    """64 bits, signed."""


class Timestamp(int):
    """Milliseconds since 1970 in UTC."""


@dataclass(frozen=True, slots=True)
class Described:
    """A value with the descriptor that says what it means."""

    descriptor: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Array:
    """Values of one type; `kind` is Symbol, UUID, Long or Timestamp when it is to be written."""

    kind: type
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """A value that is already encoded, or of a type that needs no reading here."""

    encoded: bytes


def encode(value: Any) -> bytes:
    """The bytes of a value.

    Raises:
        TypeError: no AMQP type is known for it.
    """
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise TypeError(f"{type(value).__name__} has no AMQP type here")
    return writer(value)


def decode(buffer: bytes, position: int = 0) -> tuple[Any, int]:
    """The value at a position and the position after it.

    Raises:
        DecodeError: truncated, too deeply nested, or of an unknown type.
    """
    try:
        return _read(buffer, position)
    except (IndexError, struct.error, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"no AMQP value at byte {position}: {error}") from error


def skip(buffer: bytes, position: int) -> int:
    """The position after the value at a position; nothing inside a compound is looked at.

    Raises:
        DecodeError: truncated or of an unknown type.
    """
    try:
        constructor = buffer[position]
        if constructor == 0:
            return skip(buffer, skip(buffer, position + 1))
        width = _FIXED_WIDTHS[constructor >> 4]
        position += 1
        if width is None:
            size = 1 if constructor >> 4 in _ONE_BYTE_SIZES else 4
            width = size + int.from_bytes(buffer[position : position + size], "big")
    except (IndexError, KeyError, RecursionError) as error:
        raise DecodeError(f"no AMQP value at byte {position}") from error
    if position + width > len(buffer):
        raise DecodeError(f"the value at byte {position} ends beyond the data")
    return position + width


def map_entries(buffer: bytes, position: int = 0) -> list[tuple[Any, bytes]]:
    """The keys of a map, decoded, each with its value's bytes as they are.

    Raises:
        DecodeError: not a map.
    """
    constructor = buffer[position] if position < len(buffer) else None
    if constructor not in {0xC1, 0xD1}:
        raise DecodeError(f"no AMQP map at byte {position}")
    end = skip(buffer, position)
    position += 3 if constructor == 0xC1 else 9
    entries = []
    while position < end:
        key, value_at = decode(buffer, position)
        position = skip(buffer, value_at)
        entries.append((key, buffer[value_at:position]))
    return entries


def _read(buffer: bytes, position: int) -> tuple[Any, int]:
    constructor = buffer[position]
    if constructor == 0:
        descriptor, position = _read(buffer, position + 1)
        value, position = _read(buffer, position)
        return Described(descriptor, value), position
    reader = _READERS.get(constructor)
    if reader is None:
        end = skip(buffer, position)
        return Raw(buffer[position:end]), end
    return reader(buffer, position + 1)


_Reader = Callable[[bytes, int], tuple[Any, int]]


def _constant(value: Any) -> _Reader:
    return lambda _buffer, position: (value, position)


def _number(form: str, kind: Callable[[Any], Any]) -> _Reader:
    layout = struct.Struct(">" + form)
    unpack, width = layout.unpack_from, layout.size
    return lambda buffer, position: (kind(unpack(buffer, position)[0]), position + width)


def _sized(size: int, kind: Callable[[bytes], Any]) -> _Reader:
    def read(buffer: bytes, position: int) -> tuple[Any, int]:
        start = position + size
        end = start + int.from_bytes(buffer[position:start], "big")
        if end > len(buffer):
            raise IndexError(f"{end - len(buffer)} bytes are missing")
        return kind(buffer[start:end]), end

    return read


def _list(size: int) -> _Reader:
    def read(buffer: bytes, position: int) -> tuple[list[Any], int]:
        start = position + 2 * size
        count = int.from_bytes(buffer[position + size : start], "big")
        values, position = [], start
        for _ in range(count):
            value, position = _read(buffer, position)
            values.append(value)
        return values, position

    return read


def _map(size: int) -> _Reader:
    read_list = _list(size)

    def read(buffer: bytes, position: int) -> tuple[dict[Any, Any], int]:
        flat, position = read_list(buffer, position)
        if len(flat) % 2:
            raise DecodeError("a map with a key that has no value")
        try:
            return dict(zip(flat[::2], flat[1::2], strict=True)), position
        except TypeError as error:
            raise DecodeError("a map with a compound for a key") from error

    return read


def _array(size: int) -> _Reader:
    def read(buffer: bytes, position: int) -> tuple[Array, int]:
        start = position + 2 * size
        count = int.from_bytes(buffer[position + size : start], "big")
        reader = _READERS.get(buffer[start])
        if reader is None or count > max(ELEMENTS_MAX, len(buffer)):
            raise DecodeError("an array of a type or length that is not read here")
        values, position = [], start + 1
        for _ in range(count):
            value, position = reader(buffer, position)
            values.append(value)
        return Array(type(values[0]) if values else object, tuple(values)), position

    return read


def _uuid(buffer: bytes, position: int) -> tuple[UUID, int]:
    return UUID(bytes=buffer[position : position + 16]), position + 16


def _boolean(buffer: bytes, position: int) -> tuple[bool, int]:
    return buffer[position] != 0, position + 1


def _text(data: bytes) -> str:
    return data.decode()


def _symbol(data: bytes) -> Symbol:
    return Symbol(data.decode("ascii"))


_READERS: Final[dict[int, _Reader]] = {
    0x40: _constant(None),
    0x41: _constant(True),
    0x42: _constant(False),
    0x43: _constant(UInt(0)),
    0x44: _constant(ULong(0)),
    0x45: lambda _buffer, position: ([], position),
    0x50: _number("B", UByte),
    0x52: _number("B", UInt),
    0x53: _number("B", ULong),
    0x54: _number("b", Int),
    0x55: _number("b", Long),
    0x56: _boolean,
    0x60: _number("H", UShort),
    0x70: _number("I", UInt),
    0x71: _number("i", Int),
    0x72: _number("f", float),
    0x80: _number("Q", ULong),
    0x81: _number("q", Long),
    0x82: _number("d", float),
    0x83: _number("q", Timestamp),
    0x98: _uuid,
    0xA0: _sized(1, bytes),
    0xA1: _sized(1, _text),
    0xA3: _sized(1, _symbol),
    0xB0: _sized(4, bytes),
    0xB1: _sized(4, _text),
    0xB3: _sized(4, _symbol),
    0xC0: _list(1),
    0xC1: _map(1),
    0xD0: _list(4),
    0xD1: _map(4),
    0xE0: _array(1),
    0xF0: _array(4),
}
"""By format code. A type that is missing (decimals, `char`, `byte`, `short`) is read as `Raw`."""

_FIXED_WIDTHS: Final[dict[int, int | None]] = {
    **dict(zip(range(0x4, 0xA), (0, 1, 2, 4, 8, 16), strict=True)),
    **dict.fromkeys(range(0xA, 0x10), None),
}
"""By the high half of the format code; None where the value says its own length."""

_ONE_BYTE_SIZES: Final = {0xA, 0xC, 0xE}


def _write_number(code: int, form: str) -> Callable[[Any], bytes]:
    pack = struct.Struct(">B" + form).pack
    return lambda value: pack(code, value)


def _write_small(zero: int | None, small: int, code: int, form: str) -> Callable[[Any], bytes]:
    pack = struct.Struct(">B" + form).pack

    def write(value: int) -> bytes:
        if value == 0 and zero is not None:
            return bytes((zero,))
        return bytes((small, value)) if value < 256 else pack(code, value)

    return write


def _write_sized(code: int, data: bytes) -> bytes:
    if len(data) < 256:
        return bytes((code, len(data))) + data
    return bytes((code + 0x10,)) + len(data).to_bytes(4, "big") + data


def _write_compound(code: int, parts: Iterable[bytes]) -> bytes:
    """A list or map; `code` is the one-byte form's, the four-byte form's is 0x10 more."""
    elements = list(parts)
    body = b"".join(elements)
    if len(body) < 255 and len(elements) < 256:
        return bytes((code, len(body) + 1, len(elements))) + body
    sizes = (len(body) + 4).to_bytes(4, "big") + len(elements).to_bytes(4, "big")
    return bytes((code + 0x10,)) + sizes + body


def _write_array(array: Array) -> bytes:
    code, write = _ELEMENTS[array.kind]
    body = b"".join(write(value) for value in array.values)
    count = len(array.values).to_bytes(4, "big")
    return b"\xf0" + (len(body) + 5).to_bytes(4, "big") + count + bytes((code,)) + body


def _write_symbol_element(value: Symbol) -> bytes:
    data = value.encode("ascii")
    return len(data).to_bytes(4, "big") + data


def map_of(entries: Iterable[tuple[Any, bytes]]) -> bytes:
    """A map of keys to values that are encoded already."""
    return _write_compound(0xC1, [part for key, raw in entries for part in (encode(key), raw)])


_ELEMENTS: Final[dict[type, tuple[int, Callable[[Any], bytes]]]] = {
    Symbol: (0xB3, _write_symbol_element),
    UUID: (0x98, lambda value: value.bytes),
    Long: (0x81, lambda value: value.to_bytes(8, "big", signed=True)),
    Timestamp: (0x83, lambda value: value.to_bytes(8, "big", signed=True)),
}

_WRITERS: Final[dict[type, Callable[[Any], bytes]]] = {
    type(None): lambda _: b"\x40",
    bool: lambda value: b"\x41" if value else b"\x42",
    UByte: _write_number(0x50, "B"),
    UShort: _write_number(0x60, "H"),
    UInt: _write_small(0x43, 0x52, 0x70, "I"),
    ULong: _write_small(0x44, 0x53, 0x80, "Q"),
    Int: _write_number(0x71, "i"),
    int: _write_number(0x81, "q"),
    Long: _write_number(0x81, "q"),
    float: _write_number(0x82, "d"),
    Timestamp: _write_number(0x83, "q"),
    UUID: lambda value: b"\x98" + value.bytes,
    bytes: lambda value: _write_sized(0xA0, value),
    str: lambda value: _write_sized(0xA1, value.encode()),
    Symbol: lambda value: _write_sized(0xA3, value.encode("ascii")),
    list: lambda value: _write_compound(0xC0, map(encode, value)) if value else b"\x45",
    dict: lambda value: map_of((key, encode(item)) for key, item in value.items()),
    Described: lambda value: b"\x00" + encode(value.descriptor) + encode(value.value),
    Array: _write_array,
    Raw: lambda value: value.encoded,
}
