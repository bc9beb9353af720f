"""Answers as HTTP sends them: JSON by the fields' names, an ETag, gzip, and problems that name their field."""

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from shared.domain.errors import Problem

JSON, PROBLEM = "application/json", "application/problem+json"
# Of less than this gzip makes more.
_GZIP_FROM = 1_000
_SAFE: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def camel(name: str) -> str:
    """`planned_start` → `plannedStart`."""
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


def as_json(value: object) -> Any:
    """A use case's answer as JSON has it; instants in UTC."""
    if is_dataclass(value):
        return {camel(one.name): as_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): as_json(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [as_json(each) for each in value]
    return value


def found(request: func.HttpRequest, value: object) -> func.HttpResponse:
    """200, or 304 where the asker has it already."""
    text = json.dumps(as_json(value), ensure_ascii=False, separators=(",", ":"))
    return tagged(request, text.encode(errors="replace"), JSON, "private, no-cache")


def done(value: object) -> func.HttpResponse:
    """200 for an action, which nobody keeps."""
    text = json.dumps(as_json(value), ensure_ascii=False)
    headers = {**_SAFE, "Cache-Control": "no-store"}
    return func.HttpResponse(text.encode(errors="replace"), headers=headers, mimetype=JSON)


def tagged(
    request: func.HttpRequest,
    body: bytes,
    kind: str,
    keep: str,
    headers: Mapping[str, str] | None = None,
) -> func.HttpResponse:
    """A body under its ETag, as gzip where that is taken.

    Args:
        request: Asks, with or without If-None-Match and Accept-Encoding.
        body: Not compressed.
        kind: Its media type.
        keep: Cache-Control.
        headers: More of them.
    """
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'
    sent = {**_SAFE, "ETag": etag, "Cache-Control": keep, "Vary": "Accept-Encoding"}
    sent |= headers or {}
    if etag in request.headers.get("If-None-Match", ""):
        return func.HttpResponse(status_code=304, headers=sent, mimetype=kind)
    if len(body) >= _GZIP_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, compresslevel=6, mtime=0)
        sent["Content-Encoding"] = "gzip"
    return func.HttpResponse(body, headers=sent, mimetype=kind)


def refused(
    status: int,
    detail: str,
    problems: Sequence[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> func.HttpResponse:
    """A problem as RFC 9457 has it; each field that is wrong with its value and the fix."""
    body: dict[str, Any] = {"status": status, "detail": detail}
    if problems:
        body["problems"] = as_json(problems)
    return func.HttpResponse(
        json.dumps(body, ensure_ascii=False).encode(errors="replace"),
        status_code=status,
        mimetype=PROBLEM,
        headers={**_SAFE, "Cache-Control": "no-store", **(headers or {})},
    )
