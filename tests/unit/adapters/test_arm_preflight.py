"""What preflight asks of a VM's model: real bodies, and what Azure might send instead."""

import pytest

from shared.adapters.arm_decode import vm_of
from tests.unit.adapters.arm_bodies import body

# azure-rest-api-specs, virtualMachineExamples of 2025-04-01, as far as preflight looks at them.
MODEL = {
    "hardwareProfile": {"vmSize": "Standard_DS3_v2"},
    "storageProfile": {
        "osDisk": {
            "name": "myVMosdisk",
            "createOption": "FromImage",
            "caching": "ReadOnly",
            "diffDiskSettings": {"option": "Local", "placement": "ResourceDisk"},
        },
        "dataDisks": [],
    },
    "networkProfile": {
        "networkInterfaces": [
            {
                "id": "/subscriptions/1/resourceGroups/SHOP/providers/Microsoft.Network/networkInterfaces/NIC-1",
                "properties": {"primary": True},
            }
        ]
    },
    "scheduledEventsPolicy": {
        "scheduledEventsAdditionalPublishingTargets": {
            "eventGridAndResourceGraph": {"enable": True, "scheduledEventsApiVersion": "2020-07-01"}
        },
        "userInitiatedRedeploy": {"automaticallyApprove": True},
        "userInitiatedReboot": {"automaticallyApprove": True},
        "allInstancesDown": {"automaticallyApprove": True},
    },
}


def preflight_of(properties):
    vm = vm_of(body(properties=properties))
    return (
        vm.vm_size,
        vm.os_disk_ephemeral,
        vm.network_interfaces,
        vm.redeploy_awaits_approval,
    )


def test_what_preflight_asks_for_is_read_off_the_model():
    nic = "/subscriptions/1/resourcegroups/shop/providers/microsoft.network/networkinterfaces/nic-1"

    assert preflight_of(MODEL) == ("Standard_DS3_v2", True, (nic,), False)


def test_a_model_that_says_nothing_of_it_is_an_ordinary_vm():
    assert preflight_of({}) == ("", False, (), False)
    assert preflight_of(dict.fromkeys(MODEL)) == ("", False, (), False)


@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        ({"userInitiatedRedeploy": {"automaticallyApprove": False}}, True),
        ({"userInitiatedRedeploy": {"automaticallyApprove": True}}, False),
        ({"userInitiatedReboot": {"automaticallyApprove": False}}, False),
        (
            {
                "scheduledEventsAdditionalPublishingTargets": {
                    "eventGridAndResourceGraph": {"enable": True}
                }
            },
            True,
        ),
        (
            {
                "scheduledEventsAdditionalPublishingTargets": {
                    "eventGridAndResourceGraph": {"enable": False}
                }
            },
            False,
        ),
        ({"userInitiatedRedeploy": {"automaticallyApprove": "no"}}, None),
    ],
)
def test_a_redeploy_waits_where_its_event_is_published_and_not_approved_by_itself(policy, waits):
    assert (
        vm_of(body(properties={"scheduledEventsPolicy": policy})).redeploy_awaits_approval is waits
    )


@pytest.mark.parametrize("odd", ["text", 3, [], [1]])
def test_an_odd_value_that_only_preflight_asks_for_is_unknown_and_no_error(odd):
    assert preflight_of(dict.fromkeys(MODEL, odd)) == ("", None, None, None)
    assert preflight_of({"hardwareProfile": {"vmSize": odd if odd != "text" else 7}})[0] == ""
    assert preflight_of({"storageProfile": {"osDisk": {"diffDiskSettings": odd}}})[1] is None
    assert preflight_of({"networkProfile": {"networkInterfaces": [odd]}})[2] is None
