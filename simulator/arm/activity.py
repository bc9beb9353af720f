"""The Activity Log: who asked for what on which VM, and how it ended."""

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.arm import errors
from simulator.arm.operations import (
    ASSESS,
    INSTALL,
    REDEPLOY,
    REDEPLOY_INSTANCE,
    REDEPLOY_SET,
    Operation,
    Refusal,
    timestamp,
)

_TITLES: Final = {
    REDEPLOY: "Performs Maintenance Operation on the VM.",
    REDEPLOY_INSTANCE: "Performs planned maintenance on a Virtual Machine instance in a Virtual "
    "Machine Scale Set.",
    REDEPLOY_SET: "Performs planned maintenance on the instances of the Virtual Machine Scale Set.",
    ASSESS: "Assesses the virtual machine for available OS patches.",
    INSTALL: "Installs available OS patches on the virtual machine.",
}
_CLAUSE: Final = re.compile(r"(\w+)\s+(eq|ge|le)\s+'?([^']+?)'?", re.IGNORECASE)
_FIELDS: Final = {
    "resourceuri": "resourceId",
    "correlationid": "correlationId",
    "resourcegroupname": "resourceGroupName",
}

Test = Callable[[dict[str, Any]], bool]


def activity(
    operations: Iterable[Operation],
    refusals: Iterable[Refusal],
    now: datetime,
    delay: timedelta,
) -> list[dict[str, Any]]:
    """The Activity Log's entries, newest first, as far as it knows them at ``now``.

    ``delay`` is how long an event takes to appear: minutes in Azure.
    """
    entries = [entry for operation in operations for entry in _of_operation(operation, now)]
    entries += [entry for refusal in refusals for entry in _of_refusal(refusal)]
    known = [(at, entry) for at, entry in entries if at + delay <= now]
    return [entry for _, entry in sorted(known, key=lambda pair: pair[0], reverse=True)]


def read_filter(text: str) -> list[Test]:
    """The tests that ``$filter`` puts every entry to.

    Raises:
        ArmError: 400 for a filter that is none, or one without the start that Azure demands.
    """
    clauses = re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE)
    tests = [_clause(text, clause) for clause in clauses]
    if not re.search(r"eventTimestamp\s+ge", text, re.IGNORECASE):
        raise errors.invalid_parameter("$filter", text, "It must say eventTimestamp ge a time.")
    return tests


_Entry = tuple[datetime, dict[str, Any]]


def _of_operation(operation: Operation, now: datetime) -> Iterator[_Entry]:
    yield _entry(operation, operation.started, "Started", "BeginRequest")
    accepted_at = operation.started + timedelta(milliseconds=1)
    yield _entry(operation, accepted_at, "Accepted", "EndRequest", "Accepted", 202)
    status = operation.status(now)
    if operation.ends_at is not None and status != "InProgress":
        code, message = operation.error or ("", "")
        yield _entry(
            operation,
            operation.ends_at,
            status,
            "EndRequest",
            code=code,
            message=message,
        )


def _of_refusal(refusal: Refusal) -> Iterator[_Entry]:
    yield _entry(refusal, refusal.at, "Started", "BeginRequest")
    yield _entry(
        refusal,
        refusal.at + timedelta(milliseconds=1),
        "Failed",
        "EndRequest",
        refusal.code,
        refusal.http_status,
        code=refusal.code,
        message=refusal.message,
    )


def _entry(
    about: Operation | Refusal,
    at: datetime,
    status: str,
    event: str,
    sub_status: str = "",
    http_status: int | None = None,
    *,
    code: str = "",
    message: str = "",
) -> _Entry:
    vm, request, action = about.vm, about.request, about.action
    _, _, subscription, _, group, *_ = vm.split("/")
    data_id = str(uuid.uuid5(uuid.UUID(request.request_id), f"{status}{event}"))
    properties: dict[str, str] = {"entity": vm, "message": action, "hierarchy": subscription}
    if http_status is not None:
        properties["statusCode"] = str(http_status)
    if code:
        properties["statusMessage"] = json.dumps({"error": {"code": code, "message": message}})
    # An action is the type of what it is done to, and two words more.
    kind = action.rsplit("/", 2)[0]
    ticks = int(at.timestamp() * 10_000_000)
    return at, {
        "authorization": {"action": action, "scope": vm},
        "caller": "baton@emulator.invalid",
        "category": {"value": "Administrative", "localizedValue": "Administrative"},
        "channels": "Operation",
        "correlationId": request.correlation_id,
        "eventDataId": data_id,
        "eventName": {"value": event, "localizedValue": event},
        "eventTimestamp": timestamp(at),
        "httpRequest": {
            "clientRequestId": request.client_request_id,
            "clientIpAddress": "127.0.0.1",
            "method": "POST",
        },
        "id": f"{vm}/events/{data_id}/ticks/{ticks}",
        "level": "Error" if status == "Failed" else "Informational",
        "operationId": request.correlation_id,
        "operationName": {"value": action, "localizedValue": _TITLES[action]},
        "properties": properties,
        "resourceGroupName": group,
        "resourceId": vm,
        "resourceProviderName": {
            "value": "Microsoft.Compute",
            "localizedValue": "Microsoft.Compute",
        },
        "resourceType": {"value": kind, "localizedValue": kind},
        "status": {"value": status, "localizedValue": status},
        "subStatus": {"value": sub_status, "localizedValue": sub_status},
        "submissionTimestamp": timestamp(at),
        "subscriptionId": subscription,
    }


def _clause(text: str, clause: str) -> Test:
    match = _CLAUSE.fullmatch(clause.strip())
    if match is None:
        raise errors.invalid_parameter("$filter", text, "Clauses are joined by and.")
    name, operator, value = match[1].lower(), match[2].lower(), match[3]
    if name == "eventtimestamp" and operator in {"ge", "le"}:
        bound = _instant(text, value)
        if operator == "ge":
            return lambda entry: datetime.fromisoformat(entry["eventTimestamp"]) >= bound
        return lambda entry: datetime.fromisoformat(entry["eventTimestamp"]) <= bound
    if operator == "eq" and name in _FIELDS:
        return lambda entry: str(entry[_FIELDS[name]]).lower() == value.lower()
    raise errors.invalid_parameter("$filter", text, f"It cannot use {match[1]} {operator}.")


def _instant(text: str, value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise errors.invalid_parameter("$filter", text, f"{value} is no time.") from error
    if instant.tzinfo is None:
        raise errors.invalid_parameter("$filter", text, f"{value} has no offset from UTC.")
    return instant
