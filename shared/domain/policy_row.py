"""A policy row, column by column: from what people wrote to a Policy, or to every problem it has."""

import difflib
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from shared.domain.errors import InvalidInput, Problem
from shared.domain.go_ahead import GoAhead
from shared.domain.hours import parse_hours
from shared.domain.ledger import PolicyKey
from shared.domain.patching.columns import Patching
from shared.domain.patching.model import RebootSetting
from shared.domain.policy import Policy, Standing
from shared.domain.policy_columns import COLUMNS
from shared.domain.selector import Selector

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
    _check_size(key, columns)
    problems = [
        *_names(key),
        *(_unknown(column, columns[column]) for column in columns if column not in COLUMNS),
    ]
    values: dict[str, Any] = {}
    for column, cell in COLUMNS.items():
        try:
            values[column] = cell.value(column, columns.get(column))
        except InvalidInput as wrong:
            problems += wrong.problems
    try:
        hours = parse_hours(
            windows=values["windows"], time_zone=values["timeZone"], freezes=values["freezes"]
        )
    except InvalidInput as wrong:
        problems += wrong.problems
    problems += _contradictions(values)
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


def _unknown(column: str, value: object) -> Problem:
    near = difflib.get_close_matches(column, COLUMNS, n=1)
    hint = f"did you mean {near[0]}?" if near else "the columns are " + ", ".join(COLUMNS)
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


def _check_size(key: PolicyKey, columns: Mapping[str, object]) -> None:
    text = json.dumps(dict(columns), default=str, ensure_ascii=False)
    size = len(text.encode("utf-16-le", "replace")) // 2
    if size > _ROW_MAX:
        expected = f"at most {_ROW_MAX} in all columns"
        problem = Problem("(the row)", f"{size} characters", expected)
        raise InvalidInput(f"policy {key[0]}/{key[1]}", (problem,))


def _names(key: PolicyKey) -> Iterator[Problem]:
    """What is wrong with the row's keys."""
    for field, value in zip(("PartitionKey", "RowKey"), key, strict=True):
        if not value or len(value) > 200 or "|" in value or value.startswith("!"):
            expected = "a name of 1 to 200 characters without '|' and not starting with '!'"
            yield Problem(field, value, expected)


def _contradictions(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with columns that can each be read."""
    for kb in sorted(set(values.get("kbInclude", ())) & set(values.get("kbExclude", ()))):
        yield Problem("kbExclude", kb, "a KB that kbInclude does not name too")
    if values.get("goAhead") and values.get("goAheadDefault", "") is None:
        expected = "start or skip: what happens to a VM when nobody answers in time"
        yield Problem("goAheadDefault", "", expected)


def _go_ahead(wait: timedelta | None, default: str | None) -> GoAhead | None:
    return None if wait is None else GoAhead(wait=wait, starts=default == "start")
