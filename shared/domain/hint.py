"""Hints: what Azure Monitor posts when it believes that a maintenance is coming. Never a truth, only a reason to look."""

import json
from collections.abc import Mapping
from typing import Any

from shared.domain.errors import InvalidInput, Problem, shown

_SCHEMA = "azureMonitorCommonAlertSchema"
# A Service Health alert has a few kilobytes; whoever posts more is somebody else.
_BYTES_MAX = 256 * 1024


def read_hint(body: bytes) -> str:
    """What the alert hints at, short; `""` for an alert that says nothing of a maintenance.

    Taken as hints: Service Health alerts on planned maintenance, and alerts of a rule that somebody pointed
    here to search Azure Resource Graph. Fields as Azure Monitor's "Common alert schema" names them.

    Args:
        body: From anybody who has the function's key.

    Raises:
        InvalidInput: It is no alert in the common schema; names the field.
    """
    alert = _read(body)
    if alert.get("schemaId") != _SCHEMA:
        raise _wrong("schemaId", alert.get("schemaId"), f"{_SCHEMA}, the common alert schema")
    data = _object(alert, "data")
    essentials = _object(data, "essentials")
    if str(essentials.get("monitorCondition")) != "Fired":
        return ""
    rule = shown(str(essentials.get("alertRule", "")))
    match str(essentials.get("monitoringService")):
        case "ServiceHealth":
            context = data.get("alertContext")
            properties = context.get("properties") if isinstance(context, dict) else None
            event = properties if isinstance(properties, dict) else {}
            tracking = shown(str(event.get("trackingId", "")))
            return f"{rule}: {tracking}" if event.get("incidentType") == "Maintenance" else ""
        case "Log Alerts V2":
            return rule
        case _:
            return ""


def _read(body: bytes) -> Mapping[str, Any]:
    if len(body) > _BYTES_MAX:
        raise _wrong("body", f"{len(body)} bytes", f"at most {_BYTES_MAX} bytes")
    try:
        alert = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise _wrong("body", body[:80].decode("utf-8", "replace"), "JSON") from None
    if not isinstance(alert, dict):
        raise _wrong("body", alert, "a JSON object")
    return alert


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise _wrong(name, value, "a JSON object")
    return value


def _wrong(name: str, value: object, expected: str) -> InvalidInput:
    return InvalidInput("alert", (Problem(name, str(value)[:200], expected),))
