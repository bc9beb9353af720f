"""A wake as a message's body: versioned JSON, and a decoder that trusts nobody."""

import json
from collections.abc import Mapping
from typing import Any

from shared.domain.errors import InvalidInput, Problem
from shared.ports import Wake

VERSION = 1
CONTENT_TYPE = "application/json"
_BYTES_MAX = 4096
_FIELDS = {"team": 200, "policy": 200, "job": 128}
_EXAMPLE = '{"v": 1, "team": "shop", "policy": "web", "job": "web-1-20260302-0a1b2c3d4e"}'


def encode(wake: Wake) -> bytes:
    """The body of a wake's message."""
    return _json({"v": VERSION, "team": wake.team, "policy": wake.policy, "job": wake.job_id})


def encode_alerts_wake() -> bytes:
    """The body of the alerts' wake: that it came is all it says."""
    return _json({"v": VERSION})


def decode(body: bytes) -> Wake:
    """Reads a body. A field that this version does not know is passed over.

    Args:
        body: From anybody who may send to the queue.

    Raises:
        InvalidInput: With every field that is wrong.
    """
    fields = _object(body)
    version = fields.get("v")
    if version != VERSION or not isinstance(version, int) or isinstance(version, bool):
        raise _refused(_problem("v", version, f"{VERSION}; a newer version needs a newer Baton"))
    problems = [
        _problem(name, fields.get(name), f"printable text of 1 to {size} characters")
        for name, size in _FIELDS.items()
        if not _is_name(fields.get(name), size)
    ]
    if problems:
        raise _refused(*problems)
    return Wake(team=fields["team"], policy=fields["policy"], job_id=fields["job"])


def _object(body: bytes) -> Mapping[str, Any]:
    if len(body) > _BYTES_MAX:
        raise _refused(_problem("body", f"{len(body)} bytes", f"at most {_BYTES_MAX} bytes"))
    try:
        fields = json.loads(body.decode())
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
        raise _refused(_problem("body", text, f"JSON such as {_EXAMPLE}")) from None
    if not isinstance(fields, dict):
        raise _refused(_problem("body", fields, f"a JSON object such as {_EXAMPLE}"))
    return fields


def _is_name(value: object, size: int) -> bool:
    # Control characters and lone surrogates are not printable, and no table takes them in a key.
    return isinstance(value, str) and 0 < len(value) <= size and value.isprintable()


def _problem(name: str, value: object, expected: str) -> Problem:
    return Problem(name, "" if value is None else str(value), expected)


def _refused(*problems: Problem) -> InvalidInput:
    return InvalidInput("message", problems)


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
