"""VMs and regions as Resource Manager returns them, as far as a plan looks at them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

SUBSCRIPTIONS = (
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
    "33333333-3333-4333-8333-333333333333",
)


def vm(
    name: str,
    *,
    group: str = "rg-shop",
    subscription: str = SUBSCRIPTIONS[0],
    location: str = "westeurope",
    zone: str = "",
    availability_set: str = "",
    update_domain: int | None = None,
    tags: Mapping[str, str] | None = None,
    maintenance: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A running VM with its instance view.

    Args:
        availability_set: its id.
        maintenance: `maintenanceRedeployStatus`, see `status`; None: Azure has nothing planned.
    """
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    view: dict[str, Any] = {
        "vmAgent": {
            "statuses": [{"code": "ProvisioningState/succeeded", "displayStatus": "Ready"}]
        },
        "statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/running"}],
    }
    properties: dict[str, Any] = {"provisioningState": "Succeeded", "instanceView": view}
    body = {
        "name": name,
        "id": f"{scope}/providers/Microsoft.Compute/virtualMachines/{name}",
        "type": "Microsoft.Compute/virtualMachines",
        "location": location,
        "properties": properties,
    }
    if tags:
        body["tags"] = dict(tags)
    if zone:
        body["zones"] = [zone]
    if availability_set:
        properties["availabilitySet"] = {"id": availability_set}
    if update_domain is not None:
        view["platformUpdateDomain"] = update_domain
    if maintenance:
        view["maintenanceRedeployStatus"] = dict(maintenance)
    return body


def status(
    opens: datetime, closes: datetime, *, now: datetime, allowed: bool = True
) -> dict[str, Any]:
    """`maintenanceRedeployStatus` as it is seen at `now`; `allowed`: the flag, once it has opened."""
    return {
        "isCustomerInitiatedMaintenanceAllowed": allowed and opens <= now < closes,
        "preMaintenanceWindowStartTime": opens.isoformat(),
        "preMaintenanceWindowEndTime": closes.isoformat(),
        "maintenanceWindowStartTime": closes.isoformat(),
        "maintenanceWindowEndTime": closes.isoformat(),
        "lastOperationResultCode": "None",
    }


def set_id(name: str, *, group: str = "rg-shop", subscription: str = SUBSCRIPTIONS[0]) -> str:
    """The id of an availability set, in capitals as a VM has it."""
    scope = f"/subscriptions/{subscription}/resourceGroups/{group.upper()}"
    return f"{scope}/providers/Microsoft.Compute/availabilitySets/{name.upper()}"


def location(
    name: str, *, subscription: str = SUBSCRIPTIONS[0], pairs: Iterable[str] = (), rotation: int = 0
) -> dict[str, Any]:
    """A region as a subscription sees it; `rotation` shifts its zone numbers, as between subscriptions."""
    scope = f"/subscriptions/{subscription}/locations"
    return {
        "id": f"{scope}/{name}",
        "name": name,
        "type": "Region",
        "metadata": {
            "regionType": "Physical",
            "pairedRegion": [{"name": pair, "id": f"{scope}/{pair}"} for pair in pairs],
        },
        "availabilityZoneMappings": [
            {"logicalZone": str(zone), "physicalZone": f"{name}-az{(zone - 1 + rotation) % 3 + 1}"}
            for zone in (1, 2, 3)
        ],
    }


def locations(
    pairs: Sequence[tuple[str, str]], subscriptions: Iterable[str] = SUBSCRIPTIONS
) -> list[dict[str, Any]]:
    """Regions of several subscriptions; of a pair (a, b) only a lists b, as happens in Azure."""
    return [
        location(name, subscription=subscription, pairs=[pair] if pair else [], rotation=rotation)
        for rotation, subscription in enumerate(subscriptions)
        for name, pair in pairs
    ]
