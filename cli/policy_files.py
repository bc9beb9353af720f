"""Policy files: rows of `BatonPolicies` as JSON or YAML, with the line of every value.

A list of rows, each with `PartitionKey` and `RowKey` (or `team` and `policy`) and its columns; or a mapping
team → policy → columns. Every scalar is the text that the person wrote: YAML's own ideas of `22:00`, `yes`
and `2026-12-24` never apply.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from cli import files
from shared.adapters import cells
from shared.domain.errors import InvalidInput, Problem
from shared.domain.ledger import PolicyKey

# How a table keeps the columns that are not text; docs/policies.md has them all.
FLAGS = frozenset({"enabled", "retryAborted"})
NUMBERS = frozenset({"priority", "concurrency", "retries"})
# Columns that a row has when it was copied from the table, and that nobody writes.
_NOT_OURS = frozenset({"Timestamp", "status", "statusMessage"})
_UNFOLDED = 100_000  # a value stays on its line
_NULL_TAG, _TEXT_TAG = "tag:yaml.org,2002:null", "tag:yaml.org,2002:str"
_SHAPE = "a list of rows, or a mapping team → policy → columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One row of a policy file.

    Attributes:
        columns: Typed as the table keeps them; empty cells left out. What no cell can hold stands as a word
            in parentheses, which every column refuses.
        is_row: False where it has no columns to be judged.
        problems: What is wrong with its form and its name; its columns are not judged here.
        lines: Column → line, from 1.
    """

    team: str
    policy: str
    columns: Mapping[str, object] = field(default_factory=dict)
    is_row: bool = True
    problems: tuple[Problem, ...] = ()
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> PolicyKey:
        """(team, policy name)."""
        return self.team, self.policy


def read_policies(path: Path) -> tuple[FileRow, ...]:
    """The rows of a file, in its order. A bad row has its problems and stops no other.

    Raises:
        InvalidInput: The file cannot be read, is neither JSON nor YAML, or holds no rows at all.
    """
    root = _composed(path, files.read_text(path))
    if isinstance(root, yaml.SequenceNode):
        return tuple(_once(_rows_of_list(root)))
    if isinstance(root, yaml.MappingNode):
        return tuple(_once(_rows_of_teams(root)))
    raise files.unusable(path, "the document", _text(root), _SHAPE)


def typed(column: str, text: str) -> object:
    """A cell as the table keeps it; what does not fit its column's type stays text, to be refused."""
    if column in FLAGS and text.strip().lower() in ("true", "false"):
        return text.strip().lower() == "true"
    if column in NUMBERS and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", text):
        return int(text)
    return text


def _composed(path: Path, text: str) -> yaml.Node | None:
    """The document as nodes, which know their lines and are not yet values."""
    if path.suffix == ".json" or (not path.suffix and text.lstrip()[:1] in ("[", "{")):
        files.parsed(path, text)
        # JSON is YAML but for its tabs, which never stand inside a text.
        text = text.replace("\t", " ")
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        written = "".join(text.splitlines()[line - 1 : line]).strip()
        raise files.unusable(path, f"line {line}", written, f"YAML ({error.problem})") from error
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        # The last two: an escape beyond Unicode, or a version of a thousand digits.
        raise files.unusable(path, "the document", str(error), "YAML") from error


def _rows_of_list(root: yaml.SequenceNode) -> Iterator[FileRow]:
    for item in root.value:
        if not isinstance(item, yaml.MappingNode):
            yield _broken(item, "the row", item, "a mapping: PartitionKey, RowKey and its columns")
            continue
        nodes = _cells(item)
        team = nodes.pop("PartitionKey" if "PartitionKey" in nodes else "team", None)
        policy = nodes.pop("RowKey" if "RowKey" in nodes else "policy", None)
        yield _row(_text(team), _text(policy), item, nodes)


def _rows_of_teams(root: yaml.MappingNode) -> Iterator[FileRow]:
    for team_node, policies in root.value:
        team = _text(team_node)
        if not isinstance(policies, yaml.MappingNode):
            yield _broken(team_node, "the team", policies, "a mapping policy → columns", team=team)
            continue
        for policy_node, columns in policies.value:
            policy = _text(policy_node)
            if isinstance(columns, yaml.MappingNode) or _is_empty(columns):
                nodes = _cells(columns) if isinstance(columns, yaml.MappingNode) else {}
                yield _row(team, policy, policy_node, nodes)
            else:
                expected = "a mapping column → value"
                yield _broken(policy_node, "the policy", columns, expected, team, policy)


def _cells(node: yaml.MappingNode) -> dict[str, yaml.Node]:
    """Column → node; where a column stands there twice none of its values counts."""
    found: dict[str, yaml.Node] = {}
    for name_node, value in node.value:
        name = _text(name_node)
        twice = yaml.ScalarNode(_TEXT_TAG, "(given-twice)", start_mark=name_node.start_mark)
        found[name] = twice if name in found else value
    return {name: value for name, value in found.items() if name not in _NOT_OURS}


def _broken(
    at: yaml.Node, what: str, node: yaml.Node, expected: str, team: str = "", policy: str = ""
) -> FileRow:
    problem = Problem(what, _text(node), expected)
    return FileRow(team=team, policy=policy, is_row=False, problems=(problem,), line=_line(at))


def _row(team: str, policy: str, at: yaml.Node, nodes: Mapping[str, yaml.Node]) -> FileRow:
    problems: list[Problem] = []
    for column, name in (("PartitionKey", team), ("RowKey", policy)):
        try:
            cells.key(column, name)
        except InvalidInput as wrong:
            problems += wrong.problems if name else ()
    return FileRow(
        team=team,
        policy=policy,
        columns={
            column: typed(column, _text(node))
            for column, node in nodes.items()
            if not _is_empty(node)
        },
        problems=tuple(problems),
        line=_line(at),
        lines={column: _line(node) for column, node in nodes.items()},
    )


def _once(rows: Iterable[FileRow]) -> Iterator[FileRow]:
    """The rows; one whose name stands there already has a problem."""
    first: dict[PolicyKey, int] = {}
    for row in rows:
        if row.policy and row.key in first:
            expected = f"a name of its own: line {first[row.key]} has this team and policy"
            problem = Problem("RowKey", row.policy, expected)
            yield replace(row, problems=(*row.problems, problem))
        else:
            yield row
        first.setdefault(row.key, row.line)


def _text(node: yaml.Node | None) -> str:
    """A scalar as it was written; a word in parentheses for anything else."""
    if isinstance(node, yaml.ScalarNode):
        # JSON writes what is beyond 16 bits as a pair of escapes, which YAML takes for two characters.
        return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(node, yaml.SequenceNode):
        return "(list)"
    return "" if node is None else "(mapping)"


def _is_empty(node: yaml.Node) -> bool:
    """Nothing, or null: the default, as an empty cell is."""
    return isinstance(node, yaml.ScalarNode) and (node.tag == _NULL_TAG or not node.value.strip())


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def written(rows: Iterable[tuple[str, str, Mapping[str, object]]], *, as_json: bool) -> str:
    """The text of a policy file, team → policy → columns; reading it gives the same rows."""
    teams: dict[str, dict[str, Mapping[str, object]]] = {}
    for team, policy, columns in rows:
        teams.setdefault(team, {})[policy] = dict(columns)
    if as_json:
        return json.dumps(teams, indent=2, ensure_ascii=False) + "\n"
    # It quotes what other readers of YAML would take for a time, a date or a Boolean.
    return yaml.safe_dump(teams, allow_unicode=True, sort_keys=False, width=_UNFOLDED)
