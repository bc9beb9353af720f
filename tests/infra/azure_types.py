"""Checks Bicep against Azure's own types, of which azure_types.json keeps what our files use.

refresh_types.py writes that file. An object that it lacks is a problem too: nothing passes unchecked.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.infra.bicep import Bicep, Each, Either, Expression, Resource

SNAPSHOT = Path(__file__).with_name("azure_types.json")
# Types that Azure publishes without their properties: (type, version) → where their shape is from.
UNTYPED = {
    ("Microsoft.Web/sites/extensions", "2022-09-01"): "https://learn.microsoft.com/azure/"
    "azure-functions/functions-infrastructure-as-code#deployment-package"
}
_OF_BICEP = {"parent", "scope", "dependsOn"}
_SCALARS = {"string": str, "int": int, "bool": bool}


class AzureTypes:
    """Types as `refresh_types.py` writes them.

    Attributes:
        seen: (resource type, object) of every object that was looked up, for the refresh.
    """

    def __init__(self, types: dict[str, Any] | None = None) -> None:
        self._types = json.loads(SNAPSHOT.read_text()) if types is None else types
        self.seen: set[tuple[str, str]] = set()

    def properties(self, resource: str) -> set[str]:
        """The names of what a resource has; none where Azure publishes none."""
        known = self._types.get(resource)
        return set(known["objects"][known["body"]]["properties"]) if known else set()

    def problems(self, bicep: Bicep) -> list[str]:
        """What Azure would refuse, each with the file, the line and the path."""
        return [
            f"{bicep.path.name}:{resource.line}: {problem}"
            for resource in bicep.resources
            if (resource.type, resource.version) not in UNTYPED
            for problem in self._of_resource(resource)
        ]

    def _of_resource(self, resource: Resource) -> Iterator[str]:
        known = self._types.get(resource.type)
        if known is None:
            yield f"{resource.type}: not in azure_types.json; run refresh_types.py"
            return
        if resource.version != known["version"]:
            yield f"{resource.type}: version {resource.version}, but checked is {known['version']}"
        if resource.existing:
            return
        body = {k: v for k, v in resource.body.items() if k not in _OF_BICEP}
        yield from self._of_object(resource.type, known["body"], body, resource.type)

    def _of_object(
        self, resource: str, name: str, value: dict[str, Any], where: str
    ) -> Iterator[str]:
        if name == "any":
            return
        self.seen.add((resource, name))
        known = self._types[resource]["objects"].get(name)
        if known is None:
            yield f"{where}: {name} is not in azure_types.json; run refresh_types.py"
            return
        properties = known["properties"]
        for key, given in value.items():
            kind = properties.get(key)
            if kind is None and not known["open"]:
                yield f"{where}.{key}: unknown property"
            elif kind and kind.endswith("-"):
                yield f"{where}.{key}: read-only"
            elif kind:
                yield from self._of_value(resource, kind.rstrip("!"), given, f"{where}.{key}")
        for key, kind in properties.items():
            if kind.endswith("!") and key not in value:
                yield f"{where}.{key}: missing"

    def _of_value(self, resource: str, kind: str, value: Any, where: str) -> Iterator[str]:
        def each(kind: str, values: Iterable[Any], where: str) -> Iterator[str]:
            for one in values:
                yield from self._of_value(resource, kind, one, where)

        match value:
            case Expression() | None:
                return
            case Either():
                yield from each(kind, value.values, where)
            case Each():
                yield from each(kind, [[value.value]], where)
            case list() if kind.endswith("[]"):
                yield from each(kind[:-2].strip("()"), value, f"{where}[]")
            case dict() if kind not in _SCALARS and not kind.endswith("[]") and "|" not in kind:
                yield from self._of_object(resource, kind, value, where)
            case list() | dict():
                yield f"{where}: expected {kind}, not {type(value).__name__}"
            case _:
                yield from [] if _fits(kind, value) else [f"{where}: {value!r} is not {kind}"]


def _fits(kind: str, value: str | bool | int) -> bool:
    """Azure lists what it documents and may then take any `string`: what it does not list is a slip."""
    if kind in _SCALARS:
        return type(value) is _SCALARS[kind]
    choices = [choice.strip() for choice in kind.split("|")]
    if choices[-1] == "string":
        choices.pop()
    return kind == "any" or str(value) in choices
