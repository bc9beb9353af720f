"""A VM as Resource Manager sends it."""

import copy

VM_ID = (
    "/subscriptions/1/resourceGroups/SHOP/providers/Microsoft.Compute/virtualMachines/shop-db-01"
)
# azure-rest-api-specs, VirtualMachine_Get_InstanceView.json, 2025-04-01, as far as Baton looks at it.
OUTSIDE_A_WAVE = {
    "platformUpdateDomain": 1,
    "platformFaultDomain": 1,
    "computerName": "myVM",
    "vmAgent": {
        "vmAgentVersion": "2.7.41491.949",
        "statuses": [
            {
                "code": "ProvisioningState/succeeded",
                "level": "Info",
                "displayStatus": "Ready",
                "message": "GuestAgent is running and accepting new configurations.",
                "time": "2019-10-14T23:11:22+00:00",
            }
        ],
        "extensionHandlers": [],
    },
    "disks": [{"name": "myOsDisk", "statuses": [{"code": "ProvisioningState/succeeded"}]}],
    "isVMInStandbyPool": False,
    "statuses": [
        {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Provisioning succeeded",
            "time": "2019-10-14T21:30:12.8051917+00:00",
        },
        {"code": "PowerState/running", "level": "Info", "displayStatus": "VM running"},
    ],
}


def body(*, maintenance=None, view=OUTSIDE_A_WAVE, properties=None, **other):
    if view is not None:
        view = copy.deepcopy(view)
        if maintenance is not None:
            view["maintenanceRedeployStatus"] = maintenance
    shown = {
        "id": VM_ID,
        "name": "shop-db-01",
        "type": "Microsoft.Compute/virtualMachines",
        "location": "westeurope",
        "tags": {"tier": "db"},
        "zones": ["1"],
        "properties": {
            "provisioningState": "Succeeded",
            **({"instanceView": view} if view is not None else {}),
            **(properties or {}),
        },
    }
    return shown | other
