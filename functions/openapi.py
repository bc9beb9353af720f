"""The API's description in OpenAPI 3.1, made of the same rows and types that answer."""

import re
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from functions.acting import ACTINGS, Acting
from functions.answers import JSON, PROBLEM, camel
from functions.question import TEXT_MAX, Parameter
from functions.reading import READINGS, Reading, segment
from shared.use_cases.shown import Done, Page, Rights
from shared.version import VERSION

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["status", "detail"],
    "properties": {
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "value", "expected"],
                "properties": {name: {"type": "string"} for name in ("field", "value", "expected")},
            },
        },
    },
}
_REFUSALS: Mapping[str, str] = {
    "400": "A part of the request cannot be used; each is named with its fix.",
    "403": "Signed in without the right to this, or perhaps sent by another site.",
    "401": "No key, or another one; or nobody is signed in.",
    "404": "There is no such thing.",
    "409": "A promise forbids it; the detail says which and why.",
    "412": "What was seen has changed since.",
    "413": "The body is too long.",
    "428": "If-Match is missing.",
    "503": "A service that this needs is busy; Retry-After says when to ask again.",
}


def description() -> dict[str, Any]:
    """The whole description."""
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Baton",
            "version": VERSION,
            "description": "What Baton does, did and will do. What is read comes from its tables alone.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"functionKey": []}],
        "paths": {
            **{"/" + one.path: {"get": _reading(one, schemas)} for one in READINGS},
            **{"/" + one.path: {"post": _acting(one, schemas)} for one in ACTINGS},
            "/who": {"post": _who(schemas)},
        },
        "components": {
            "schemas": schemas,
            "responses": {status: _refusal(status, text) for status, text in _REFUSALS.items()},
            "securitySchemes": {
                "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"}
            },
        },
    }


def _reading(one: Reading, schemas: dict[str, Any]) -> dict[str, Any]:
    refusals = ["400", "401", "403", "503", *(["404"] if one.missing else [])]
    return {
        "operationId": one.name,
        "summary": one.about,
        "parameters": [
            *map(_part, re.findall(r"\{(\w+)\}", one.path)),
            *(_query(name, parameter) for name, parameter in one.query.items()),
            {
                "name": "If-None-Match",
                "in": "header",
                "schema": {"type": "string"},
                "description": "The ETag of an earlier answer; 304 where nothing changed.",
            },
        ],
        "responses": {
            "200": {
                **_it(one.answers, schemas),
                "headers": {"ETag": {"schema": {"type": "string"}}},
            },
            "304": {"description": "As it was under that ETag."},
            **{name: {"$ref": f"#/components/responses/{name}"} for name in refusals},
        },
    }


def _acting(one: Acting, schemas: dict[str, Any]) -> dict[str, Any]:
    fields_: dict[str, Any] = {
        name: {"type": "string", "maxLength": 1000, "description": about}
        for name, about in one.body.items()
    }
    if "until" in fields_:
        fields_["until"]["format"] = "date-time"
    about = "Who asks: a key has no name. Of somebody who signed in their own name counts."
    by = {"type": "string", "minLength": 1, "maxLength": 200, "description": about}
    seen = f"The version of the {one.version} as it was seen."
    versions = [_header("If-Match", seen, needed=one.needs_version)] if one.version else []
    refusals = ["400", "401", "403", "404", "409", "413", "503"]
    refusals += ["412"] if one.version else []
    refusals += ["428"] if one.needs_version else []
    return {
        "operationId": one.name,
        "summary": one.about,
        "parameters": [
            *map(_part, re.findall(r"\{(\w+)\}", one.path)),
            _header("X-Baton", "Of any value: shows that no other site sends this."),
            *versions,
        ],
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": {
                        "type": "object",
                        "required": ["by"],
                        "properties": {"by": by, **fields_},
                        "additionalProperties": False,
                    }
                }
            },
        },
        "responses": {
            "200": _it(Done, schemas),
            **{name: {"$ref": f"#/components/responses/{name}"} for name in sorted(refusals)},
        },
    }


def _who(schemas: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "who",
        "summary": "Who asks, and whether they may act.",
        "parameters": [_header("X-Baton", "Of any value: shows that no other site sends this.")],
        "responses": {
            "200": _it(Rights, schemas),
            **{name: {"$ref": f"#/components/responses/{name}"} for name in ("401", "403")},
        },
    }


def _it(answers: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    return {"description": "It.", "content": {JSON: {"schema": schema(answers, schemas)}}}


def _header(name: str, about: str, *, needed: bool = True) -> dict[str, Any]:
    kind = {"type": "string", "minLength": 1}
    return {"name": name, "in": "header", "required": needed, "schema": kind, "description": about}


def _part(name: str) -> dict[str, Any]:
    kind = {"type": "string", "pattern": segment(name)}
    return {"name": name, "in": "path", "required": True, "schema": kind}


def _query(name: str, parameter: Parameter) -> dict[str, Any]:
    kind: dict[str, Any] = {"type": "string", "maxLength": TEXT_MAX}
    if parameter.most:
        kind = {"type": "integer", "minimum": parameter.least, "maximum": parameter.most}
    elif parameter.choices:
        kind = {"type": "string", "enum": list(parameter.choices)}
    return {"name": name, "in": "query", "schema": kind, "description": parameter.about}


def _refusal(status: str, text: str) -> dict[str, Any]:
    if status == "401":
        return {"description": text}  # the host itself refuses a wrong key, and says nothing
    kind = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": text, "content": {PROBLEM: kind}}


def schema(of: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """A type's JSON schema; a dataclass's is added to `schemas` under its name."""
    origin, arguments = get_origin(of), get_args(of)
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema(each, schemas) for each in arguments]}
    if origin is tuple:
        return {"type": "array", "items": schema(arguments[0], schemas)}
    if origin is Page:
        return _named(_name(arguments[0]) + "Page", Page, schemas, items=arguments[0])
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema(arguments[1], schemas)}
    if is_dataclass(of):
        return _named(_name(of), of, schemas)
    if issubclass(of, StrEnum):
        return {"type": "string", "enum": [str(each) for each in of]}
    simple = {str: "string", bool: "boolean", int: "integer", types.NoneType: "null"}
    return {"type": "string", "format": "date-time"} if of is datetime else {"type": simple[of]}


def _named(name: str, of: Any, schemas: dict[str, Any], items: Any = None) -> dict[str, Any]:
    if name not in schemas:
        schemas[name] = {}  # a place, should it hold itself
        hints = get_type_hints(of)
        if items:
            hints["items"] = tuple[items, ...]
        names = [one.name for one in fields(of)]
        schemas[name] = {
            "type": "object",
            "required": [camel(each) for each in names],
            "properties": {camel(each): schema(hints[each], schemas) for each in names},
            "additionalProperties": False,
        }
    return {"$ref": f"#/components/schemas/{name}"}


def _name(of: Any) -> str:
    return str(of.__name__).removeprefix("Shown")
