"""The columns of a policy row: how each is read, and what an empty cell means."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.durations import parse_duration
from shared.domain.errors import InvalidInput, Problem
from shared.domain.lifecycle import COUNTS_FOR
from shared.domain.patching.columns import Patching, read_classifications, read_kbs
from shared.domain.patching.model import RebootSetting
from shared.domain.patching.results import AUTOMATIC
from shared.domain.selector import Selector, numbered_tag, parse_selector, split_selectors

_ADDRESS = re.compile(
    r"[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]+@[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]+", re.ASCII
)
_STAGES_MAX = 100
# A mail goes to so many at once: Azure's mail service takes no more.
_ADDRESSES_MAX = 50


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        read: (column, cell) → value. Raises InvalidInput.
        default: The value of an empty cell.
    """

    read: Callable[[str, object], object]
    default: object

    def value(self, name: str, cell: object) -> object:
        """The value of a cell.

        Raises:
            InvalidInput: It cannot be read; names the column.
        """
        empty = cell is None or (isinstance(cell, str) and not cell.strip())
        return self.default if empty else self.read(name, cell)


def _flag(column: str, value: object) -> bool:
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise InvalidInput(column, (Problem(column, str(value), "true or false"),))
    return text == "true"


def _int(low: int, high: int) -> Callable[[str, object], int]:
    def read(column: str, value: object) -> int:
        text = str(value).strip()
        if (
            isinstance(value, bool)
            or not re.fullmatch(r"-?[0-9]{1,10}", text)
            or not low <= int(text) <= high
        ):
            expected = f"a whole number from {low} to {high}"
            raise InvalidInput(column, (Problem(column, str(value), expected),))
        return int(text)

    return read


def _duration(least: timedelta) -> Callable[[str, object], timedelta]:
    def read(column: str, value: object) -> timedelta:
        duration = parse_duration(str(value), field=column)
        if duration < least:
            raise InvalidInput(column, (Problem(column, str(value), "a duration above zero"),))
        return duration

    return read


def _wait(column: str, value: object) -> timedelta | None:
    """`none`, or how long to wait for an answer; no longer than an event counts."""
    if str(value).strip() == "none":
        return None
    wait = parse_duration(str(value), field=column)
    if not timedelta(0) < wait <= COUNTS_FOR:
        expected = "none, or a duration above zero and of a day at most, such as 10m"
        raise InvalidInput(column, (Problem(column, str(value), expected),))
    return wait


def _selector(column: str, value: object) -> Selector:
    return parse_selector(str(value), field=column)


def _sequence(column: str, value: object) -> tuple[tuple[Selector, ...], str]:
    text = str(value)
    if tag := numbered_tag(text):
        return (), tag
    parts = split_selectors(text, field=column)
    if not parts or len(parts) > _STAGES_MAX:
        expected = f"1 to {_STAGES_MAX} selectors separated by ';', or tag:NAME"
        raise InvalidInput(column, (Problem(column, text, expected),))
    return tuple(parse_selector(part, field=column) for part in parts), ""


def _either(*words: str) -> Callable[[str, object], str]:
    def read(column: str, value: object) -> str:
        if value not in words:
            raise InvalidInput(column, (Problem(column, str(value), " or ".join(words)),))
        return str(value)

    return read


def _text(_: str, value: object) -> str:
    return str(value)


def _owners(column: str, value: object) -> tuple[str, ...]:
    return parse_addresses(str(value), field=column)


def parse_addresses(text: str, *, field: str) -> tuple[str, ...]:
    """Mail addresses separated by commas or semicolons, lower-cased and sorted.

    Raises:
        InvalidInput: One of them is no address, or there are more than 50.
    """
    parts = [part.strip() for part in re.split(r"[,;]", text) if part.strip()]
    if len(parts) > _ADDRESSES_MAX:
        expected = f"at most {_ADDRESSES_MAX} mail addresses; a group's address reaches more people"
        raise InvalidInput(field, (Problem(field, f"{len(parts)} addresses", expected),))
    wrong = [part for part in parts if len(part) > 254 or not _ADDRESS.fullmatch(part)]
    if wrong:
        expected = "mail addresses separated by commas, such as ops@example.com"
        raise InvalidInput(field, tuple(Problem(field, part, expected) for part in wrong))
    return tuple(sorted({part.lower() for part in parts}))


COLUMNS: Mapping[str, Column] = {
    "enabled": Column(_flag, default=True),
    "priority": Column(_int(0, 2**31 - 1), default=100),
    "match": Column(_selector, default=parse_selector("*", field="match")),
    "exclude": Column(_selector, default=None),
    "sequence": Column(_sequence, default=((), "")),
    "gap": Column(_duration(timedelta(0)), default=timedelta(minutes=15)),
    "stageGap": Column(_duration(timedelta(0)), default=None),
    "concurrency": Column(_int(1, 1000), default=1),
    "windows": Column(_text, default=""),
    "timeZone": Column(_text, default=""),
    "freezes": Column(_text, default=""),
    "estimate": Column(_duration(timedelta(microseconds=1)), default=timedelta(minutes=25)),
    "lead": Column(_duration(timedelta(0)), default=timedelta(0)),
    "onFailure": Column(_either("halt", "continue"), default="halt"),
    "retries": Column(_int(0, 100), default=3),
    "retryAborted": Column(_flag, default=False),
    "approval": Column(_either("none", "required"), default="none"),
    "goAhead": Column(_wait, default=None),
    "goAheadDefault": Column(_either("start", "skip"), default=None),
    "owners": Column(_owners, default=()),
    "patching": Column(_either(*Patching), default=Patching.NONE),
    "patchClassifications": Column(read_classifications, default=AUTOMATIC),
    "kbInclude": Column(read_kbs, default=()),
    "kbExclude": Column(read_kbs, default=()),
    "rebootSetting": Column(
        _either(RebootSetting.IF_REQUIRED, RebootSetting.NEVER), default=RebootSetting.IF_REQUIRED
    ),
}
