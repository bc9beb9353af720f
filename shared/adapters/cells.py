"""One table cell: how a value is written into a column, and read back or refused by name.

Azure's limits that emulators do not keep are kept here: forbidden key characters, 32-bit integers, the
length of a text, datetimes without a zone.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from shared.domain.errors import InvalidInput, Problem

Entity = dict[str, Any]
"""A table entity: column → str, int, float, bool, or aware datetime."""

# A string property holds 64 KiB of UTF-16, and a key 1 KiB (the table service's data model).
_TEXT_MAX = 32_768
_KEY_MAX = 512
# Texts that Azure wrote are cut here, and lose nothing that a person would still read.
CUT_AT = 32_000
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_FORBIDDEN = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Cell:
    """How one kind of value is stored.

    Attributes:
        write: (column, value) → what the table keeps. Raises InvalidInput.
        read: (column, what the table keeps) → value. Raises InvalidInput.
        kept_as: The class of what `read` gives back as it is, which then need not be called.
    """

    write: Callable[[str, Any], object]
    read: Callable[[str, object], Any]
    kept_as: type[object] | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column and the dataclass field that it keeps.

    Attributes:
        added: Later than the table: a row of the version before lacks it, and means the field's default.
    """

    name: str
    field: str
    cell: Cell
    added: bool = False


class Shape:
    """A dataclass as columns. Fields whose default is None may be absent; every other must be there.

    A missing column is never guessed: `accepted` that reads as its default could redeploy a VM twice.
    """

    def __init__(self, of: type[Any], columns: Iterable[Column]) -> None:
        self.columns = tuple(columns)
        defaults = {field.name: field.default for field in fields(of)}
        # Whether it must be there; worked out once, for a large table is read column by column.
        self._reads = tuple(
            (
                *(c.name, c.field, c.cell.kept_as, c.cell.read),
                not c.added and defaults.get(c.field) is not None,
            )
            for c in self.columns
        )
        unknown = {column.field for column in self.columns} - defaults.keys()
        if unknown:
            raise TypeError(f"{of.__name__} has no {sorted(unknown)}")

    def write(self, value: object) -> Entity:
        """The columns of a value; an absent one is left out, since a table has no null.

        Raises:
            InvalidInput: A value does not fit its column; names it.
        """
        cells = ((column, getattr(value, column.field)) for column in self.columns)
        return {c.name: c.cell.write(c.name, cell) for c, cell in cells if cell is not None}

    def read(self, entity: Mapping[str, object]) -> dict[str, Any]:
        """Field → value.

        Raises:
            InvalidInput: A column is missing or holds something else; names it.
        """
        found: dict[str, Any] = {}
        for name, field, kept_as, read, is_needed in self._reads:
            cell = entity.get(name)
            if type(cell) is kept_as:
                found[field] = cell
            elif cell is not None:
                found[field] = read(name, plain(cell))
            elif is_needed:
                raise wrong(name, "", "the column, which is missing")
        return found


def wrong(column: str, value: object, expected: str) -> InvalidInput:
    """The error that names a column."""
    return InvalidInput(column, (Problem(column, str(value), expected),))


def plain(value: object) -> object:
    """A cell without the wrapper that the SDK puts around 64-bit integers."""
    return getattr(value, "value", value) if isinstance(value, tuple) else value


def as_written(value: object) -> object:
    """A cell of a table that people write: text, number or Boolean as it is, anything else as text."""
    value = plain(value)
    if isinstance(value, datetime):
        return utc("", value).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return value if isinstance(value, str | bool | int | float) else str(value)


def key(column: str, value: str) -> str:
    """A legal PartitionKey or RowKey, unchanged.

    Raises:
        InvalidInput: It is empty, too long, or has a character that no key may have.
    """
    if not value or len(value) > _KEY_MAX or _FORBIDDEN.search(value):
        expected = f"1 to {_KEY_MAX} characters without / \\ # ? and control characters"
        raise wrong(column, value, expected)
    return value


def cut(text: str, at: int = CUT_AT) -> str:
    """The text, or its beginning and an ellipsis; `at` counts UTF-16 units, as Azure does."""
    text = _whole(text)
    if _units(text) <= at:
        return text
    kept = text.encode("utf-16-le")[: (at - 1) * 2].decode("utf-16-le", "ignore")
    return kept + "…"


def utc(column: str, value: object) -> datetime:
    """An aware datetime in UTC, of the plain class.

    Raises:
        InvalidInput: It is no datetime, has no zone, or lies before 1601, where Azure's calendar begins.
    """
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise wrong(column, value, "a date and time with its zone")
    moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    if moment.year < 1601:
        raise wrong(column, value, "a date and time since 1601")
    if type(moment) is datetime:
        return moment
    # The SDK's own subclass would carry Azure's text along and write that again instead of the value.
    return datetime.combine(moment.date(), moment.timetz())


def _whole(text: str) -> str:
    """The text with half of a surrogate pair replaced; it could not be sent."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _write_text(column: str, value: str) -> str:
    text = _whole(value)
    if _units(text) > _TEXT_MAX:
        raise wrong(column, text[:80], f"at most {_TEXT_MAX} characters, not {_units(text)}")
    return text


def _read_text(column: str, value: object) -> str:
    if not isinstance(value, str):
        raise wrong(column, value, "text")
    return value


def _write_int(column: str, value: int) -> int:
    if not -(2**31) <= value < 2**31:
        raise wrong(column, value, "a whole number of 32 bits")
    return value


def _read_int(column: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(column, value, "a whole number")
    return value


def _read_flag(column: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise wrong(column, value, "true or false")
    return value


def write_json(column: str, value: object) -> str:
    """A value as JSON, in as few characters as it needs."""
    return _write_text(column, _JSON.encode(value))


def _read_json(column: str, value: object) -> Any:
    try:
        return json.loads(_read_text(column, value))
    except (ValueError, RecursionError) as error:
        raise wrong(column, value, "JSON") from error


def read_map(column: str, value: object) -> dict[str, Any]:
    """A JSON object."""
    found = _read_json(column, value)
    if not isinstance(found, dict):
        raise wrong(column, value, "a JSON object")
    return found


def read_list(column: str, value: object) -> list[Any]:
    """A JSON array."""
    found = _read_json(column, value)
    if not isinstance(found, list):
        raise wrong(column, value, "a JSON array")
    return found


def _read_texts(column: str, value: object) -> tuple[str, ...]:
    if value == "[]":
        return ()  # as nearly always, and a tenth of what reading JSON costs
    found = read_list(column, value)
    if not all(isinstance(text, str) for text in found):
        raise wrong(column, value, "a JSON array of texts")
    return tuple(found)


def word_of(words: type[StrEnum]) -> Cell:
    """One word of a closed set."""

    def read(column: str, value: object) -> StrEnum:
        try:
            return words(_read_text(column, value))
        except ValueError as error:
            raise wrong(column, value, "one of " + ", ".join(words)) from error

    return Cell(lambda _, value: str(value), read)


TEXT = Cell(_write_text, _read_text, str)
"""Kept whole; one that is too long is refused."""
SENTENCE = Cell(lambda _, value: cut(value), _read_text, str)
"""For people to read; one that is too long is cut."""
INT = Cell(_write_int, _read_int, int)
FLAG = Cell(lambda _, value: value, _read_flag, bool)
TIME = Cell(utc, utc)
TEXTS = Cell(write_json, _read_texts)
MAP = Cell(lambda column, value: write_json(column, dict(value)), read_map)
