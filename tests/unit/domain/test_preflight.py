from datetime import timedelta

import pytest

from shared.domain.preflight import NOT_READ, FindingKind, Surroundings, findings
from tests.builders import a_set_id, a_view, a_vm

GAP = timedelta(minutes=15)
NIC = "/subscriptions/s/resourcegroups/shop/providers/microsoft.network/networkinterfaces/web-1-nic"
OTHER_NIC = NIC.replace("web-1", "web-2")
# A size without a temporary disk: nothing is to be found on such a VM.
PLAIN = {"vm_size": "Standard_D4s_v5", "network_interfaces": (NIC,)}


def found(around=None, *, gap=GAP, **vm):
    return findings(a_vm(**(PLAIN | vm)), around or Surroundings(), gap=gap)


def the_finding(around=None, *, gap=GAP, **vm):
    [only] = found(around, gap=gap, **vm)
    return only


def test_nothing_is_found_on_a_plain_vm_that_runs():
    assert found() == ()


@pytest.mark.parametrize(
    ("vm", "kind", "serious", "words"),
    [
        (
            {"vm_size": "Standard_D4ds_v5"},
            FindingKind.TEMPORARY_DISK,
            False,
            "Its size Standard_D4ds_v5 has a temporary disk",
        ),
        (
            {"vm_size": "Standard_Z9"},
            FindingKind.TEMPORARY_DISK,
            False,
            "Standard_Z9 may have a temp",
        ),
        ({"vm_size": ""}, FindingKind.TEMPORARY_DISK, False, "which ARM does not tell, may have a"),
        ({"os_disk_ephemeral": True}, FindingKind.EPHEMERAL_OS_DISK, True, "anew from the image"),
        (
            {"view": a_view(power_state="deallocated", agent_ready=False)},
            FindingKind.STOPPED,
            True,
            "does not run (PowerState/deallocated)",
        ),
        ({"view": a_view(power_state="stopped")}, FindingKind.STOPPED, True, "PowerState/stopped"),
        (
            {"view": a_view(power_state="starting")},
            FindingKind.STOPPED,
            True,
            "PowerState/starting",
        ),
        (
            {"view": a_view(agent_ready=False)},
            FindingKind.AGENT_NOT_READY,
            False,
            "goes by the power state alone",
        ),
        (
            {"provisioning_state": "Updating"},
            FindingKind.UPDATING,
            True,
            "resized (provisioningState Updating)",
        ),
        ({"provisioning_state": "Migrating"}, FindingKind.UPDATING, True, "Migrating"),
        ({"provisioning_state": "Failed"}, FindingKind.FAILED_PROVISIONING, False, "az vm reapply"),
        (
            {"redeploy_awaits_approval": True},
            FindingKind.SCHEDULED_EVENTS,
            True,
            "userInitiatedRedeploy.automaticallyApprove",
        ),
        (
            {"availability_set": a_set_id("web-set")},
            FindingKind.AVAILABILITY_SET,
            False,
            "availability set web-set, which is better left to Azure",
        ),
        (
            {"os_disk_ephemeral": None},
            FindingKind.NOT_CHECKED,
            False,
            "not tell whether its OS disk is ephemeral.",
        ),
        ({"network_interfaces": None}, FindingKind.NOT_CHECKED, False, "its network interfaces"),
        (
            {"redeploy_awaits_approval": None},
            FindingKind.NOT_CHECKED,
            False,
            "scheduledEventsPolicy",
        ),
        ({"view": a_view(power_state=None)}, FindingKind.NOT_CHECKED, False, "its power state"),
        ({"view": None}, FindingKind.NOT_CHECKED, False, "its power state"),
    ],
)
def test_each_thing_is_found_with_what_happens_and_what_to_do(vm, kind, serious, words):
    finding = the_finding(**vm)

    assert (finding.kind, finding.serious) == (kind, serious)
    assert words in finding.text
    assert finding.text.endswith(".")


def test_states_are_read_in_any_casing_and_an_absent_one_is_not_held_against_the_vm():
    assert found(provisioning_state="succeeded") == found(provisioning_state="") == ()


@pytest.mark.parametrize(
    ("minutes", "is_found"), [(0, True), (15, True), (30, True), (30.1, False), (60, False)]
)
def test_a_set_is_left_to_azure_unless_the_gap_is_longer_than_azures_own(minutes, is_found):
    kinds = found(gap=timedelta(minutes=minutes), availability_set=a_set_id())

    assert bool(kinds) is is_found


def test_every_dynamic_address_of_the_vms_own_interfaces_is_named():
    around = Surroundings(
        dynamic_addresses={NIC: "20.1.2.3", OTHER_NIC: "20.1.2.4", "/x": "20.1.2.5"}
    )

    finding = the_finding(around, network_interfaces=(NIC, OTHER_NIC))

    assert (finding.kind, finding.serious) == (FindingKind.DYNAMIC_ADDRESS, True)
    assert "Its public address 20.1.2.3, 20.1.2.4 is dynamic" in finding.text


def test_an_auto_shutdown_is_told_with_its_time():
    vm = a_vm(**PLAIN)
    around = Surroundings(shutdowns={vm.key: "19:00 W. Europe Standard Time"})

    finding = the_finding(around)

    assert (finding.kind, finding.serious) == (FindingKind.AUTO_SHUTDOWN, True)
    assert "daily at 19:00 W. Europe Standard Time" in finding.text


def test_what_stands_around_another_vm_is_not_held_against_this_one():
    around = Surroundings(
        dynamic_addresses={OTHER_NIC: "20.1.2.4"}, shutdowns={"/other": "19:00 UTC"}
    )

    assert found(around) == ()


def test_what_could_not_be_read_is_never_passed_over_in_silence():
    texts = [finding.text for finding in found(Surroundings(unread=("addresses: 403", "b: 404")))]

    assert texts == ["Not checked: addresses: 403", "Not checked: b: 404"]
    assert [finding.kind for finding in found(NOT_READ)] == [FindingKind.NOT_CHECKED]


def test_the_serious_come_first():
    serious = [
        finding.serious
        for finding in found(
            NOT_READ,
            vm_size="Standard_D4ds_v5",
            os_disk_ephemeral=True,
            availability_set=a_set_id(),
            redeploy_awaits_approval=True,
        )
    ]

    assert serious == [True, True, False, False, False]
