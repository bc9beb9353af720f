"""Reads a Bicep file into plain values; what only Azure knows stays an Expression.

There is no Bicep compiler in any registry that a test may use; the grammar (tree-sitter-bicep) is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bicep

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
_LITERALS = {"true": True, "false": False}


@dataclass(frozen=True)
class Expression:
    """What is computed in Azure, as written."""

    text: str


@dataclass(frozen=True)
class Each:
    """A loop: the value that each turn gives, and what it goes over."""

    value: Any
    over: Any = None


@dataclass(frozen=True)
class Either:
    """`a ? b : c`."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Resource:
    """`each`: what it is made for each of; None for a single one."""

    symbol: str
    type: str
    version: str
    body: Any
    each: Any
    line: int
    existing: bool


@dataclass(frozen=True)
class Module:
    symbol: str
    file: str
    params: dict[str, Any]
    line: int


@dataclass(frozen=True)
class Bicep:
    """One file.

    Attributes:
        errors: What the grammar does not know, by line.
        params: Name → whether it must be given.
        keys: Of every object, however deep.
        uses: Every name that is used, with its line.
        outputs_used: (module's symbol, output, line).
    """

    path: Path
    errors: list[str]
    params: dict[str, bool]
    variables: dict[str, Any]
    resources: list[Resource]
    modules: list[Module]
    outputs: set[str]
    keys: set[str]
    declared: set[str]
    uses: list[tuple[str, int]]
    outputs_used: list[tuple[str, str, int]]


def read(path: Path) -> Bicep:
    return parse(path.read_text(), path)


def parse(source: str, path: Path = Path("in-memory.bicep")) -> Bicep:
    data = source.encode()
    root = _PARSER.parse(data).root_node
    nodes = list(_walk(root))
    return Bicep(
        path=path,
        errors=[
            f"line {_line(node)}: {_text(node)[:60]!r}"
            for node in nodes
            if node.type == "ERROR" or node.is_missing
        ],
        params={
            _text(node.named_children[0]): _must_be_given(node)
            for node in nodes
            if node.type == "parameter_declaration"
        },
        variables={
            _text(node.named_children[0]): _value(node.named_children[-1])
            for node in nodes
            if node.type == "variable_declaration"
        },
        resources=[_resource(node) for node in nodes if node.type == "resource_declaration"],
        modules=[_module(node) for node in nodes if node.type == "module_declaration"],
        outputs={
            _text(node.named_children[0]) for node in nodes if node.type == "output_declaration"
        },
        keys={_key(node.named_children[0]) for node in nodes if node.type == "object_property"},
        declared={name for node in nodes for name in _declared(node)},
        uses=[(_text(node), _line(node)) for node in nodes if _is_use(node, data)],
        outputs_used=[use for node in nodes if (use := _output_used(node))],
    )


def _resource(node: Any) -> Resource:
    kind, _, version = _literal(node.named_children[1]).partition("@")
    value = _value(node.named_children[-1])
    existing = any(child.type == "existing" for child in node.children)
    over = value.over if isinstance(value, Each) else None
    symbol = _text(node.named_children[0])
    return Resource(symbol, kind, version, _unwrapped(value), over, _line(node), existing)


def _module(node: Any) -> Module:
    body = _unwrapped(_value(node.named_children[-1]))
    file = _literal(node.named_children[1])
    return Module(_text(node.named_children[0]), file, body.get("params", {}), _line(node))


def _unwrapped(value: Any) -> Any:
    return value.value if isinstance(value, Each) else value


def _value(node: Any) -> Any:
    match node.type:
        case "object":
            pairs = [
                child.named_children
                for child in node.named_children
                if child.type == "object_property"
            ]
            return {_key(pair[0]): _value(pair[-1]) for pair in pairs}
        case "array":
            return [_value(child) for child in node.named_children if child.type != "comment"]
        case "for_statement":
            *_, over, body = node.named_children
            return Each(_unwrapped(_value(body)), _value(over))
        case "if_statement":
            return _value(node.named_children[-1])
        case "ternary_expression":
            return Either(tuple(_value(child) for child in node.named_children[1:]))
        case "string" if not any(child.type == "interpolation" for child in node.named_children):
            return _literal(node)
        case "number":
            return int(_text(node))
        case "null":
            return None
        case "boolean":
            return _LITERALS[_text(node)]
        case _:
            return Expression(_text(node))


def _declared(node: Any) -> Iterator[str]:
    if node.type in (
        "parameter_declaration",
        "variable_declaration",
        "resource_declaration",
        "module_declaration",
    ) or (node.type == "for_statement" and node.named_children[0].type == "identifier"):
        yield _text(node.named_children[0])
    elif node.type in ("loop_variable", "loop_enumerator"):
        yield _text(node)
    elif node.type == "lambda_expression":
        yield _text(node.named_children[0])


def _is_use(node: Any, source: bytes) -> bool:
    """An identifier that stands for something, not a key, a declaration or a function's name."""
    # By the parenthesis: the grammar does not see every call, as in `[subscription().id]`.
    if node.type != "identifier" or source[node.end_byte : node.end_byte + 1] == b"(":
        return False
    parent = node.parent
    is_first = parent.named_children[0] == node
    named = (
        "object_property",
        "output_declaration",
        "parameter_declaration",
        "variable_declaration",
        "resource_declaration",
        "module_declaration",
        "for_statement",
        "lambda_expression",
    )
    return not (parent.type in named and is_first)


def _output_used(node: Any) -> tuple[str, str, int] | None:
    if node.type != "member_expression":
        return None
    base, _, output = _text(node).replace("!", "").partition(".outputs.")
    return (base, output, _line(node)) if output and "." not in base + output else None


def _must_be_given(node: Any) -> bool:
    has_default = any(child.type == "=" for child in node.children)
    return not has_default and not any(c.type == "nullable_type" for c in _walk(node))


def _key(node: Any) -> str:
    return _text(node).strip("'")


def _literal(node: Any) -> str:
    return _text(node)[1:-1].replace("\\'", "'")


def _text(node: Any) -> str:
    return str(node.text.decode())


def _line(node: Any) -> int:
    return int(node.start_point[0]) + 1


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in node.named_children:
        yield from _walk(child)
    if node.has_error:
        yield from (child for child in node.children if child.is_missing and not child.is_named)
