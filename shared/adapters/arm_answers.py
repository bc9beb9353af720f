"""ARM's other answers → the domain: subscriptions, operations, activities, errors."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shared.adapters.arm_fields import TIME, Fields, unless_odd, word
from shared.domain.errors import Terminal
from shared.domain.maintenance import Subscription
from shared.domain.vm_ids import VmId
from shared.ports import Activity, Operation

PERFORM_MAINTENANCE = "Microsoft.Compute/virtualMachines/performMaintenance/action"
_OF_INSTANCE = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/performMaintenance/action"
INSTALL_PATCHES = "Microsoft.Compute/virtualMachines/installPatches/action"


def subscription_of(item: object) -> Subscription | None:
    """A subscription, its name being its id where it has none; None where it has no id."""
    key, name, state = (word(item, field) for field in ("subscriptionId", "displayName", "state"))
    return Subscription(key, name or key, state or "Enabled") if key else None


def operation_of(status: int, body: str, retry_after: timedelta | None) -> Operation:
    """An operation's state from either of its URLs: only Azure-AsyncOperation answers with a "status".

    At the other, Location, 202 means that it runs, another 2xx that it succeeded, and a failed operation
    answers with its error.
    """
    try:
        value = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        return Operation(status="unknown")
    said = value.get("status") if isinstance(value, Mapping) else None
    code, message = error_of(value)
    if not isinstance(value, Mapping) or status in (401, 403, 404) or 300 <= status < 400:
        return Operation(status="unknown")
    if status >= 400:
        return Operation(status="failed" if code else "unknown", code=code, message=message)
    if said is None:
        said = "InProgress" if status == 202 else "Succeeded"
    if not isinstance(said, str):
        return Operation(status="unknown")
    lowered = said.lower()
    if lowered == "succeeded":
        return Operation(status="succeeded")
    if lowered in ("failed", "canceled", "cancelled"):
        return Operation(status="failed", code=code or said, message=message)
    return Operation(status="inProgress", retry_after=retry_after)


def maintenance_of(vm: VmId) -> str:
    """What the activity log calls the start of a VM's maintenance."""
    return _OF_INSTANCE if vm.scale_set else PERFORM_MAINTENANCE


def page_of(body: str, *, what: str) -> tuple[list[Any], str]:
    """The items of a page of a list, and the next page's URL, `""` for none.

    Raises:
        Terminal: It is no such page.
    """
    try:
        page = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Terminal(f"{what}: the answer is not JSON") from error
    items = page.get("value") if isinstance(page, Mapping) else None
    if not isinstance(items, list):
        raise Terminal(f"{what}: the answer is not a list")
    return items, word(page, "nextLink")


def activity_of(item: object, operation: str = PERFORM_MAINTENANCE) -> Activity | None:
    """An event of the activity log about an operation; None for one of another operation, or of an unreadable time.

    The log is one witness among others.
    """
    return unless_odd(None, lambda: _activity(item, operation))


def error_of(value: object) -> tuple[str, str]:
    """Code and message of ARM's `{"error": {"code", "message"}}`; `""` each where there is none."""
    held = value.get("error", value) if isinstance(value, Mapping) else None
    if not isinstance(held, Mapping):
        return "", ""
    code, message = held.get("code"), held.get("message")
    return (
        code if isinstance(code, str) else "",
        message if isinstance(message, str) else "",
    )


def _activity(item: object, operation: str) -> Activity | None:
    event = Fields("activity log", "", item if isinstance(item, Mapping) else {})
    name = event.object("operationName", required=False).text("value", required=False)
    if name.lower() != operation.lower():
        return None
    at = event.time("eventTimestamp")
    if at is None:
        raise event.wrong("eventTimestamp", None, TIME)
    request = event.object("httpRequest", required=False)
    return Activity(
        at=at,
        status=event.object("status", required=False).text("value", required=False),
        request_id=request.text("clientRequestId", required=False),
        correlation_id=event.text("correlationId", required=False),
    )
