"""Reads one table of a scenario file strictly, so that a slip of the pen is named and not ignored."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

Moment = datetime | timedelta
"""A fixed instant, or an offset from the scenario's start."""

_UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SHORT: Final = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+", re.ASCII)
_SHORT_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([dhms])", re.ASCII)
_ISO: Final = re.compile(
    r"P(?=.)(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?=.)(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
_MISSING: Final = object()
T = TypeVar("T")


class ScenarioError(ValueError):
    """A scenario that cannot be used. Its text names file, table, key, value and the fix."""


def parse_duration(text: str) -> timedelta:
    """Read a length of time: ``90s``, ``15m``, ``1h30m``, ``2.5s`` or ISO 8601 (``PT1H30M``).

    Raises:
        ValueError: the text is none of these.
    """
    if _SHORT.fullmatch(text):
        return timedelta(
            seconds=sum(float(n) * _UNITS[unit] for n, unit in _SHORT_PART.findall(text))
        )
    if iso := _ISO.fullmatch(text):
        return timedelta(seconds=sum(float(iso[unit] or 0) * size for unit, size in _UNITS.items()))
    raise ValueError("a duration is written 90s, 15m, 1h30m or as ISO 8601 (PT15M)")


def parse_moment(text: str) -> Moment:
    """Read an offset from the scenario's start (``+10m``, ``-1m``) or a fixed ISO 8601 instant.

    Raises:
        ValueError: neither of them, or an instant without an offset from UTC.
    """
    if text[:1] in {"+", "-"}:
        length = parse_duration(text[1:])
        return -length if text[0] == "-" else length
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            "a moment is an offset from the start (+10m, -1m) or an ISO 8601 time with its offset"
        ) from None
    if instant.tzinfo is None:
        raise ValueError("the time has no offset from UTC; append Z or +01:00")
    return instant


def resolve(moment: Moment, t0: datetime) -> datetime:
    """The instant that a moment means in a scenario started at ``t0``."""
    return moment if isinstance(moment, datetime) else t0 + moment


@dataclass
class Table:
    """One TOML (or JSON) table. Every key asked for becomes a known key; ``close`` refuses the rest.

    Attributes:
        file: what to call the file in an error.
        where: what to call the table in an error, for example ``[[vm]] web-01``.
        data: the table as decoded.
    """

    file: str
    where: str
    data: Mapping[str, Any]
    _asked: set[str] = field(default_factory=set)

    def has(self, key: str) -> bool:
        """Whether the table holds the key."""
        self._asked.add(key)
        return key in self.data

    def text(
        self, key: str, default: object = _MISSING, *, among: Collection[str] | None = None
    ) -> str:
        """A string; ``among`` lists the values it may have."""
        value = self._typed(key, default, str, 'a string, for example "west"')
        if among is not None and value not in among:
            raise self.error(key, value, f"use one of {_listed(among)}")
        return str(value)

    def integer(self, key: str, default: object = _MISSING, *, least: int = 0) -> int:
        """A whole number not below ``least``."""
        value = self._typed(key, default, int, "a whole number")
        if value < least:
            raise self.error(key, value, f"use {least} or more")
        return int(value)

    def number(self, key: str, default: object = _MISSING) -> float:
        """A number, whole or not, not below zero."""
        value = self._typed(key, default, (int, float), "a number")
        if value < 0:
            raise self.error(key, value, "use 0 or more")
        return float(value)

    def flag(self, key: str, default: object = _MISSING) -> bool:
        """A Boolean."""
        return bool(self._typed(key, default, bool, "true or false"))

    def duration(self, key: str, default: str) -> timedelta:
        """A length of time, see ``parse_duration``."""
        return self._parsed(key, self.text(key, default), parse_duration)

    def moment(self, key: str) -> Moment:
        """An instant or an offset from the start, see ``parse_moment``. Required."""
        return self._parsed(key, self.text(key), parse_moment)

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of strings."""
        value = self._typed(key, list(default), list, "a list of strings")
        if not all(isinstance(item, str) for item in value):
            raise self.error(key, value, "use a list of strings")
        return tuple(value)

    def text_map(self, key: str) -> dict[str, str]:
        """A table of strings; empty when absent."""
        value = self._typed(key, {}, dict, "a table of strings")
        for name, item in value.items():
            if not isinstance(item, str):
                raise self.error(f"{key}.{name}", item, "put the value in quotes")
        return dict(value)

    def table(self, key: str) -> "Table":
        """A table inside this one. Required; ask ``has`` first where it is not."""
        value = self._typed(key, _MISSING, dict, "a table")
        return Table(self.file, f"{self.where} {key}", value)

    def raw(self, key: str) -> dict[str, Any]:
        """A table passed on as it is, for another process to judge; empty when absent."""
        return dict(self._typed(key, {}, dict, "a table"))

    def tables(self, key: str) -> "list[Table]":
        """An array of tables (``[[key]]``); empty when absent. Each is called by its name, if any."""
        value = self._typed(key, [], list, f"an array of tables, [[{key}]]")
        for item in value:
            if not isinstance(item, dict):
                raise self.error(key, item, f"write [[{key}]] and its keys below")
        return [Table(self.file, _title(key, at, item), item) for at, item in enumerate(value, 1)]

    def close(self) -> None:
        """Refuse every key that nobody asked for.

        Raises:
            ScenarioError: naming the key, the nearest known one, and all known ones.
        """
        for key in self.data:
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise ScenarioError(
                    f"{self.file}: {self.where}: unknown key {key!r}; "
                    f"{hint}known keys: {_listed(self._asked)}"
                )

    def error(self, key: str, value: object, fix: str) -> ScenarioError:
        """The error for a value that cannot be: names everything needed to mend it."""
        return ScenarioError(f"{self.file}: {self.where}: {key} = {value!r}: {fix}")

    def _typed(self, key: str, default: object, kind: type | tuple[type, ...], wanted: str) -> Any:
        self._asked.add(key)
        value = self.data.get(key, default)
        if value is _MISSING:
            raise ScenarioError(f"{self.file}: {self.where}: {key} is missing; add {wanted}")
        # TOML's true is Python's int 1; a number must not be one by accident.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(key, value, f"use {wanted}")
        return value

    def _parsed(self, key: str, text: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise self.error(key, text, str(error)) from error


def _title(key: str, at: int, item: Mapping[str, Any]) -> str:
    name = item.get("name") or item.get("id") or item.get("RowKey") or f"number {at}"
    return f"[[{key}]] {name}"


def _listed(names: Collection[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))
