"""The JSON of what stands around a VM, as the network and the DevTest Labs provider write it."""

from typing import Any

from simulator.arm.bodies import network_interface_id
from simulator.arm.records import VmRecord


def public_address(record: VmRecord) -> dict[str, Any]:
    """The public address of a VM; a dynamic one is given back while the VM is deallocated."""
    spec = record.spec
    scope = record.id.split("/providers/", maxsplit=1)[0]
    nic = network_interface_id(scope, spec.name)
    is_static = spec.public_address == "static"
    properties: dict[str, Any] = {
        "provisioningState": "Succeeded",
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Static" if is_static else "Dynamic",
        "idleTimeoutInMinutes": 4,
        "ipTags": [],
        "ipConfiguration": {"id": f"{nic}/ipConfigurations/ipconfig1"},
    }
    if is_static or record.state.power != "deallocated":
        properties["ipAddress"] = record.address
    return {
        "name": f"{spec.name}-ip",
        "id": f"{scope}/providers/Microsoft.Network/publicIPAddresses/{spec.name}-ip",
        "type": "Microsoft.Network/publicIPAddresses",
        "location": spec.location,
        "sku": {"name": "Standard" if is_static else "Basic", "tier": "Regional"},
        "properties": properties,
    }


def shutdown_schedule(record: VmRecord) -> dict[str, Any]:
    """The auto-shutdown schedule of a VM, its ids in lower case as that provider has them."""
    spec, schedule = record.spec, record.spec.auto_shutdown
    assert schedule is not None  # noqa: S101 - only VMs that have one are asked for it
    name = f"shutdown-computevm-{spec.name}"
    scope = record.key.split("/providers/", maxsplit=1)[0]
    return {
        "name": name,
        "id": f"{scope}/providers/microsoft.devtestlab/schedules/{name.lower()}",
        "type": "microsoft.devtestlab/schedules",
        "location": spec.location,
        "properties": {
            "status": "Enabled",
            "taskType": "ComputeVmShutdownTask",
            "dailyRecurrence": {"time": schedule.time},
            "timeZoneId": schedule.time_zone,
            "notificationSettings": {"status": "Disabled", "timeInMinutes": 30},
            "createdDate": "2025-03-04T08:15:30.1234567+00:00",
            "targetResourceId": record.id,
            "provisioningState": "Succeeded",
        },
    }
