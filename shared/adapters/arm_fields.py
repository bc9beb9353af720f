"""Reads one JSON object of ARM by name; every complaint names the object, the path, the value and the fix."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from shared.domain.errors import InvalidInput, Problem

_T = TypeVar("_T")

# Longer than any id, name or code of ARM's, and far shorter than a table's cell: one absurd value must not
# keep the rows of all other VMs from being written.
_TEXT_MAX = 4_096
# No table keeps a year before 1601, and nothing can be added to the last instant of 9999.
_YEARS = range(1970, 3000)
TIME = "a time with its offset, such as 2026-05-14T12:30:00+00:00"
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


def identity_of(item: object) -> str:
    """The id of an item, as far as it has one."""
    found = item.get("id") if isinstance(item, Mapping) else None
    return found if isinstance(found, str) and found else "(a VM without an id)"


def word(item: object, name: str) -> str:
    """The text by a name; `""` where it, or the item, is something else."""
    found = item.get(name) if isinstance(item, Mapping) else None
    return found if isinstance(found, str) else ""


def unless_odd(unknown: _T, read: Callable[[], _T]) -> _T:
    """What is read, or `unknown` where that is unusable and not worth losing the whole for."""
    try:
        return read()
    except InvalidInput:
        return unknown


class Fields:
    """A JSON object of a VM's answer, read by name; every complaint carries the path."""

    def __init__(self, where: str, path: str, value: Mapping[str, Any] | None) -> None:
        """`value`: None where the object is absent, and then nothing in it is there either."""
        self._where = where
        self._path = path
        self._value: Mapping[str, Any] = {} if value is None else value
        self.present = value is not None

    @classmethod
    def of_vm(cls, item: object) -> "Fields":
        """The object of a VM; complaints name it by its id."""
        where = identity_of(item)
        if not isinstance(item, Mapping):
            raise InvalidInput(where, (Problem("(the item)", str(item), "a JSON object"),))
        return cls(where, "", item)

    def wrong(self, name: str, value: object, expected: str) -> InvalidInput:
        """The complaint about a value."""
        shown = "" if value is None else str(value)
        return InvalidInput(self._where, (Problem(self._path + name, shown, expected),))

    def object(self, name: str, *, required: bool = True) -> "Fields":
        """The object by this name; an empty one, not `present`, where it may be absent and is."""
        value = self._value.get(name)
        if value is None and not required:
            return Fields(self._where, f"{self._path}{name}.", None)
        if not isinstance(value, Mapping):
            raise self.wrong(name, value, "a JSON object")
        return Fields(self._where, f"{self._path}{name}.", value)

    def text(self, name: str, *, required: bool = True, at_most: int = _TEXT_MAX) -> str:
        """Text; `""` where it may be absent and is, or is null."""
        value = self._value.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or (required and not value):
            raise self.wrong(name, value, "text")
        if len(value) > at_most:
            raise self.wrong(name, value[:200], f"text of at most {at_most} characters")
        return value

    def texts(self, name: str) -> dict[str, str]:
        """An object whose values are all text; empty where it is absent."""
        held = self.object(name, required=False)
        return {key: held.text(key, required=False) for key in self._value.get(name) or ()}

    def values(self, name: str) -> Sequence[Any]:
        """An array; empty where it is absent."""
        value = self._value.get(name)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            raise self.wrong(name, value, "a JSON array")
        return value

    def number(self, name: str) -> int | None:
        """A whole number of 32 bits; None where it is absent."""
        value = self._value.get(name)
        if value is not None and (type(value) is not int or not -(2**31) <= value < 2**31):
            raise self.wrong(name, value, "a whole number of 32 bits")
        return value

    def choice(self, name: str) -> bool | None:
        """A boolean; None where it is absent."""
        value = self._value.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, value, "true or false")
        return value

    def flag(self, name: str) -> bool:
        """A boolean; False where it is absent."""
        return bool(self.choice(name))

    def time(self, name: str) -> datetime | None:
        """A time with its offset, in UTC to the microsecond; None where it is absent."""
        value = self._value.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise self.wrong(name, value, TIME)
        try:
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.wrong(name, value, TIME) from None
        if moment.year not in _YEARS:
            raise self.wrong(name, value, f"{TIME}, from 1970 to 2999")
        return moment
