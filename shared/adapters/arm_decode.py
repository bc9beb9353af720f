"""ARM's JSON → the domain. It is read as ARM sent it, not as the SDK's models read it.

The SDK's attributes turn a time without an offset into a naive datetime and a wrong type into an error that
names nothing; here each unusable value becomes an InvalidInput that names VM, field, value and the fix.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from shared.adapters.arm_fields import TIME, Fields
from shared.domain.errors import InvalidInput, Problem, Terminal
from shared.domain.maintenance import (
    InstanceView,
    ListedStatus,
    MaintenanceStatus,
    Subscription,
    Vm,
    vm_parts,
)
from shared.ports import Activity, Operation

_PERFORM_MAINTENANCE = "microsoft.compute/virtualmachines/performmaintenance/action"


def vm_of(item: object) -> Vm:
    """A VM of a list, or of a get: its model, and its instance view where the answer carries one.

    Raises:
        InvalidInput: Some value cannot be used; the first one is named.
    """
    vm = Fields.of_vm(item)
    properties = vm.object("properties")
    view = properties.object("instanceView", required=False)
    subscription, group, name = _parts(vm)
    return Vm(
        id=vm.text("id"),
        name=name,
        resource_group=group,
        subscription_id=subscription,
        # Everywhere else Azure names a location in this spelling, and pairs are compared by it.
        location=vm.text("location").lower().replace(" ", ""),
        zone=_zone(vm),
        tags=vm.texts("tags"),
        availability_set=properties.object("availabilitySet", required=False)
        .text("id", required=False)
        .lower(),
        provisioning_state=properties.text("provisioningState", required=False),
        view=_view(view) if view.present else None,
    )


def seen_vm_of(item: object) -> Vm:
    """A VM that was asked for with its instance view, and so must have one.

    Raises:
        InvalidInput: As for `vm_of`; or the view is missing, which must not be taken for "no maintenance".
    """
    vm = vm_of(item)
    if vm.view is None:
        problem = Problem("properties.instanceView", "", "the instance view that was asked for")
        raise InvalidInput(vm.id, (problem,))
    return vm


def listed_status_of(item: object) -> ListedStatus:
    """An item of the status list; it may lack its view.

    Raises:
        InvalidInput: Some value cannot be used.
    """
    vm = Fields.of_vm(item)
    _parts(vm)
    view = vm.object("properties", required=False).object("instanceView", required=False)
    return ListedStatus(vm.text("id"), _view(view) if view.present else None)


def subscription_of(item: object) -> Subscription | None:
    """A subscription, its name being its id where it has none; None where it has no id."""
    key, name = (_word(item, field) for field in ("subscriptionId", "displayName"))
    return Subscription(key, name or key) if key else None


def enabled_subscription_of(item: object) -> Subscription | None:
    """A subscription whose state is Enabled; of the others nothing can be redeployed."""
    enabled = isinstance(item, Mapping) and item.get("state") == "Enabled"
    return subscription_of(item) if enabled else None


def region_pairs_of(item: object) -> tuple[str, frozenset[str]]:
    """A location's name and those of its pairs, lower-cased; `""` for one that has no name."""
    metadata = item.get("metadata") if isinstance(item, Mapping) else None
    pairs = metadata.get("pairedRegion") if isinstance(metadata, Mapping) else None
    names = [_word(pair, "name") for pair in pairs] if isinstance(pairs, list) else []
    return _word(item, "name").lower(), frozenset(name.lower() for name in names if name)


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
    word = said.lower()
    if word == "succeeded":
        return Operation(status="succeeded")
    if word in ("failed", "canceled", "cancelled"):
        return Operation(status="failed", code=code or said, message=message)
    return Operation(status="inProgress", retry_after=retry_after)


def activities_of(body: str) -> tuple[list[Activity], str]:
    """The events of a page of the activity log that are of performMaintenance, and the next page's URL.

    An event whose time cannot be read is left out: the log is one witness among others.

    Raises:
        Terminal: It is no such page.
    """
    try:
        page = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Terminal("the activity log's answer is not JSON") from error
    if not isinstance(page, Mapping):
        raise Terminal("the activity log's answer is not a JSON object")
    following = page.get("nextLink")
    items = page.get("value")
    events = []
    for item in items if isinstance(items, list) else ():
        with suppress(InvalidInput):
            events.append(_activity_of(item))
    return [event for event in events if event], following if isinstance(following, str) else ""


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


def _word(item: object, name: str) -> str:
    found = item.get(name) if isinstance(item, Mapping) else None
    return found if isinstance(found, str) else ""


def _activity_of(item: object) -> Activity | None:
    event = Fields("activity log", "", item if isinstance(item, Mapping) else {})
    operation = event.object("operationName", required=False).text("value", required=False)
    if operation.lower() != _PERFORM_MAINTENANCE:
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


def _parts(vm: Fields) -> tuple[str, str, str]:
    try:
        return vm_parts(vm.text("id"))
    except ValueError:
        raise vm.wrong("id", vm.text("id"), "the ARM id of a virtual machine") from None


def _zone(vm: Fields) -> str:
    zones = vm.values("zones")
    if zones and not isinstance(zones[0], str):
        raise vm.wrong("zones", zones[0], 'zone numbers as text, such as ["1"]')
    return zones[0] if zones else ""


def _view(view: Fields) -> InstanceView:
    return InstanceView(
        power_state=_power_state(view.values("statuses")),
        agent_ready=any(
            _says_ready(s) for s in view.object("vmAgent", required=False).values("statuses")
        ),
        update_domain=view.number("platformUpdateDomain"),
        maintenance=_maintenance(view.object("maintenanceRedeployStatus", required=False)),
    )


def _power_state(statuses: Sequence[object]) -> str | None:
    """Chosen by prefix: the array may hold other statuses, in any order, or lack this one."""
    codes = [s.get("code") for s in statuses if isinstance(s, Mapping)]
    powers = [c for c in codes if isinstance(c, str) and c.lower().startswith("powerstate/")]
    return powers[-1].split("/", 1)[1].lower() if powers else None


def _says_ready(status: object) -> bool:
    if not isinstance(status, Mapping):
        return False
    code, shown = status.get("code"), status.get("displayStatus")
    return str(code).lower() == "provisioningstate/succeeded" or str(shown).lower() == "ready"


def _maintenance(status: Fields) -> MaintenanceStatus | None:
    """Azure's status; None where there is no maintenance that a customer could start.

    A missing flag means "not allowed now": the safe reading. With the flag false and no self-service
    window there is nothing that Baton may do, so that the VM counts as outside any maintenance. With the
    flag true a missing window is an error, since a start without a window would break promise P2.
    """
    if not status.present:
        return None
    allowed = status.flag("isCustomerInitiatedMaintenanceAllowed")
    opens, closes = "preMaintenanceWindowStartTime", "preMaintenanceWindowEndTime"
    start, end = status.time(opens), status.time(closes)
    if not allowed and start is None and end is None:
        return None
    if start is None:
        raise status.wrong(opens, None, TIME)
    if end is None:
        raise status.wrong(closes, None, TIME)
    if allowed and end < start:
        raise status.wrong(closes, end.isoformat(), f"a time after {opens}")
    return MaintenanceStatus(
        is_customer_initiated_maintenance_allowed=allowed,
        pre_maintenance_window_start_time=start,
        pre_maintenance_window_end_time=end,
        maintenance_window_start_time=status.time("maintenanceWindowStartTime"),
        maintenance_window_end_time=status.time("maintenanceWindowEndTime"),
        last_operation_result_code=status.text("lastOperationResultCode", required=False),
        last_operation_message=status.text("lastOperationMessage", required=False),
    )
