"""A policy row, column by column: from what people wrote to a Policy, or to every problem it has."""

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.domain.durations import parse_duration
from shared.domain.errors import InvalidInput, Problem
from shared.domain.go_ahead import GoAhead
from shared.domain.hours import parse_hours
from shared.domain.ledger import PolicyKey
from shared.domain.lifecycle import COUNTS_FOR
from shared.domain.patching.columns import Patching, read_classifications, read_kbs
from shared.domain.patching.model import RebootSetting
from shared.domain.patching.results import AUTOMATIC
from shared.domain.policy import Policy, Standing
from shared.domain.selector import Selector, numbered_tag, parse_selector, split_selectors

_ADDRESS = re.compile(
    r"[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]+@[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]+", re.ASCII
)
_STAGES_MAX = 100
# A mail goes to so many at once: Azure's mail service takes no more.
_ADDRESSES_MAX = 50
# The jobs' table keeps the last good row as JSON in one cell of 32,768.
_ROW_MAX = 32_000


def standing(
    key: PolicyKey, columns: Mapping[str, object] | None, good: Mapping[str, object] | None
) -> Standing:
    """How a row counts.

    Args:
        key: (team, name).
        columns: The row's own columns; None if the row is gone.
        good: Its columns when they were last right; None if they never were.
    """
    if columns is None:
        return Standing(key=key, policy=None)
    try:
        return Standing(key=key, policy=parse_policy(key, columns))
    except InvalidInput as wrong:
        problems = wrong.problems
    return Standing(
        key=key, policy=_last_good(key, good), problems=problems, claim=_claim(key, columns)
    )


def _last_good(key: PolicyKey, good: Mapping[str, object] | None) -> Policy | None:
    """None too where an older Baton found right what this one cannot read."""
    try:
        return None if good is None else parse_policy(key, good)
    except InvalidInput:
        return None


def held(key: PolicyKey, columns: Mapping[str, object]) -> Standing:
    """A policy whose jobs cannot be read: it starts nothing, and keeps its VMs from other policies."""
    expected = "a readable head; delete the row, and the next discovery writes it anew"
    problem = Problem(f"row {key[0]}|{key[1]}| of the jobs table", "", expected)
    return Standing(key=key, policy=None, problems=(problem,), claim=_claim(key, columns))


def parse_policy(key: PolicyKey, columns: Mapping[str, object]) -> Policy:
    """Reads a row.

    Args:
        key: (team, name).
        columns: Column → value, as a table has them; an empty cell is the default.

    Raises:
        InvalidInput: With every problem of the row, each naming its column.
    """
    team, name = key
    size = len(
        json.dumps(dict(columns), default=str, ensure_ascii=False).encode("utf-16-le", "replace")
    )
    if size > 2 * _ROW_MAX:
        problem = Problem(
            "(the row)", f"{size // 2} characters", f"at most {_ROW_MAX} in all columns"
        )
        raise InvalidInput(f"policy {team}/{name}", (problem,))
    problems: list[Problem] = []
    for field, value in (("PartitionKey", team), ("RowKey", name)):
        if not value or len(value) > 200 or "|" in value or value.startswith("!"):
            expected = "a name of 1 to 200 characters without '|' and not starting with '!'"
            problems.append(Problem(field, value, expected))
    problems += [_unknown(column, columns[column]) for column in columns if column not in _COLUMNS]
    values: dict[str, Any] = {}
    for name_, column in _COLUMNS.items():
        try:
            values[name_] = column.value(name_, columns.get(name_))
        except InvalidInput as wrong:
            problems += wrong.problems
    try:
        hours = parse_hours(
            windows=values["windows"], time_zone=values["timeZone"], freezes=values["freezes"]
        )
    except InvalidInput as wrong:
        problems += wrong.problems
    both = set(values.get("kbInclude", ())) & set(values.get("kbExclude", ()))
    for kb in sorted(both):
        problems.append(Problem("kbExclude", kb, "a KB that kbInclude does not name too"))
    if values.get("goAhead") and values.get("goAheadDefault", "") is None:
        expected = "start or skip: what happens to a VM when nobody answers in time"
        problems.append(Problem("goAheadDefault", "", expected))
    if problems:
        raise InvalidInput(f"policy {team}/{name}", tuple(problems))
    stages, stage_tag = values["sequence"]
    return Policy(
        team=team,
        name=name,
        enabled=values["enabled"],
        priority=values["priority"],
        match=values["match"],
        exclude=values["exclude"],
        stages=stages,
        stage_tag=stage_tag,
        gap=values["gap"],
        stage_gap=values["gap"] if values["stageGap"] is None else values["stageGap"],
        concurrency=values["concurrency"],
        estimate=values["estimate"],
        halts=values["onFailure"] == "halt",
        retries=values["retries"],
        retries_aborted=values["retryAborted"],
        hours=hours,
        lead=values["lead"],
        needs_approval=values["approval"] == "required",
        go_ahead=_go_ahead(values["goAhead"], values["goAheadDefault"]),
        owners=values["owners"],
        patching=Patching(values["patching"]),
        patch_classifications=values["patchClassifications"],
        kb_include=values["kbInclude"],
        kb_exclude=values["kbExclude"],
        reboot_setting=RebootSetting(values["rebootSetting"]),
    )


@dataclass(frozen=True, slots=True)
class _Column:
    read: Callable[[str, object], object]
    default: object

    def value(self, name: str, cell: object) -> object:
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


def _go_ahead(wait: timedelta | None, default: str | None) -> GoAhead | None:
    return None if wait is None else GoAhead(wait=wait, starts=default == "start")


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


_COLUMNS: Mapping[str, _Column] = {
    "enabled": _Column(_flag, default=True),
    "priority": _Column(_int(0, 2**31 - 1), default=100),
    "match": _Column(_selector, default=parse_selector("*", field="match")),
    "exclude": _Column(_selector, default=None),
    "sequence": _Column(_sequence, default=((), "")),
    "gap": _Column(_duration(timedelta(0)), default=timedelta(minutes=15)),
    "stageGap": _Column(_duration(timedelta(0)), default=None),
    "concurrency": _Column(_int(1, 1000), default=1),
    "windows": _Column(_text, default=""),
    "timeZone": _Column(_text, default=""),
    "freezes": _Column(_text, default=""),
    "estimate": _Column(_duration(timedelta(microseconds=1)), default=timedelta(minutes=25)),
    "lead": _Column(_duration(timedelta(0)), default=timedelta(0)),
    "onFailure": _Column(_either("halt", "continue"), default="halt"),
    "retries": _Column(_int(0, 100), default=3),
    "retryAborted": _Column(_flag, default=False),
    "approval": _Column(_either("none", "required"), default="none"),
    "goAhead": _Column(_wait, default=None),
    "goAheadDefault": _Column(_either("start", "skip"), default=None),
    "owners": _Column(_owners, default=()),
    "patching": _Column(_either(*Patching), default=Patching.NONE),
    "patchClassifications": _Column(read_classifications, default=AUTOMATIC),
    "kbInclude": _Column(read_kbs, default=()),
    "kbExclude": _Column(read_kbs, default=()),
    "rebootSetting": _Column(
        _either(RebootSetting.IF_REQUIRED, RebootSetting.NEVER), default=RebootSetting.IF_REQUIRED
    ),
}


def _unknown(column: str, value: object) -> Problem:
    near = difflib.get_close_matches(column, _COLUMNS, n=1)
    hint = f"did you mean {near[0]}?" if near else "the columns are " + ", ".join(_COLUMNS)
    return Problem(column, str(value), f"no column of this name ({hint})")


def _claim(
    key: PolicyKey, columns: Mapping[str, object]
) -> tuple[int, Selector, Selector | None] | None:
    kept = {c: v for c, v in columns.items() if c in ("priority", "match", "exclude", "enabled")}
    try:
        policy = parse_policy(key, kept)
    except InvalidInput:
        return None
    return (policy.priority, policy.match, policy.exclude) if policy.enabled else None
