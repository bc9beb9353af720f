"""What stands around VMs, over the real wire: from the emulator, and from an ARM that answers amiss."""

from datetime import timedelta

import pytest

from shared.adapters.arm import connect_arm
from shared.adapters.arm_pipeline import ArmClients
from shared.adapters.arm_reads import ArmReads
from shared.adapters.arm_surroundings import read_surroundings
from shared.domain.preflight import Surroundings
from tests.integration.arm.emulator import SUB, fleet, serve, vm
from tests.integration.arm_adapter.scripted_arm import arm_error, json_reply, silence, text_reply

ADDRESSES = "Microsoft.Network/publicIPAddresses"
SCHEDULES = "Microsoft.DevTestLab/schedules"
AROUND = {
    "public_address": "dynamic",
    "auto_shutdown": {"time": "1900", "time_zone": "W. Europe Standard Time"},
}
NIC = "/subscriptions/1/resourceGroups/Shop/providers/Microsoft.Network/networkInterfaces/web-nic"
VM_ID = "/subscriptions/1/resourceGroups/Shop/providers/Microsoft.Compute/virtualMachines/Web"


def an_address(**properties):
    """As of "Public IP Addresses - List All", held by a network interface."""
    return {
        "name": "web-ip",
        "id": "/subscriptions/1/resourceGroups/Shop/providers/Microsoft.Network/publicIPAddresses/web-ip",
        "location": "westeurope",
        "type": "Microsoft.Network/publicIPAddresses",
        "properties": {
            "provisioningState": "Succeeded",
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Dynamic",
            "idleTimeoutInMinutes": 4,
            "ipAddress": "20.1.2.3",
            "ipConfiguration": {"id": f"{NIC}/ipConfigurations/ipconfig1"},
            **properties,
        },
    }


def a_schedule(**properties):
    """As of "Global Schedules - List By Subscription", of a VM's auto-shutdown."""
    return {
        "name": "shutdown-computevm-web",
        "type": "microsoft.devtestlab/schedules",
        "id": "/subscriptions/1/resourcegroups/shop/providers/microsoft.devtestlab/schedules/shutdown-computevm-web",
        "location": "westeurope",
        "properties": {
            "status": "Enabled",
            "taskType": "ComputeVmShutdownTask",
            "dailyRecurrence": {"time": "1900"},
            "timeZoneId": "W. Europe Standard Time",
            "notificationSettings": {"status": "Disabled", "timeInMinutes": 0},
            "targetResourceId": VM_ID,
            "provisioningState": "Succeeded",
            **properties,
        },
    }


def answers(server, *, addresses, schedules):
    """The two lists are asked for at once; each gets its own answer."""
    server.answers(lambda request: (schedules if SCHEDULES in request.path else addresses)(request))


def page(*items, **more):
    return json_reply({"value": list(items), **more})


async def test_the_emulators_addresses_and_schedules_are_found_by_what_the_models_name(clock):
    vms = [vm(f"web-{number}", **AROUND) for number in range(3)]
    static = vm("static", public_address="static")
    with serve(fleet(*vms, static, vm("bare"), arm={"page_size": 2})) as emulator:
        arm = connect_arm(emulator.url, "a-token", (SUB,), clock=clock)
        models = {item.name: item async for item in arm.models(SUB)}
        found = await arm.surroundings(SUB)
        await arm.close()
        addresses = [emulator.vm(f"web-{number}")["ipAddress"] for number in range(3)]

    assert found == Surroundings(
        dynamic_addresses={
            models[f"web-{number}"].network_interfaces[0]: addresses[number] for number in range(3)
        },
        shutdowns={
            models[f"web-{number}"].key: "19:00 W. Europe Standard Time" for number in range(3)
        },
    )


async def test_one_missing_right_leaves_the_rest_readable_and_is_named(clock):
    document = fleet(vm("web", **AROUND))
    document["subscription"] = [{"id": SUB, "denied": [f"{ADDRESSES}/read"]}]
    with serve(document) as emulator:
        arm = connect_arm(emulator.url, "a-token", (SUB,), clock=clock)
        found = await arm.surroundings(SUB)
        await arm.close()

    assert found.dynamic_addresses == {}
    assert list(found.shutdowns.values()) == ["19:00 W. Europe Standard Time"]
    [unread] = found.unread
    assert f"public addresses of subscription {SUB}: 403 AuthorizationFailed" in unread
    assert unread.endswith(f"The app's identity needs {ADDRESSES}/read there.")


async def test_only_dynamic_addresses_of_interfaces_and_shutdowns_that_are_on_count(arm, server):
    answers(
        server,
        addresses=page(
            an_address(),
            an_address(publicIPAllocationMethod="Static"),
            an_address(ipConfiguration=None),
            an_address(
                ipConfiguration={
                    "id": "/subscriptions/1/resourceGroups/Shop/providers/Microsoft.Network"
                    "/loadBalancers/lb/frontendIPConfigurations/public"
                }
            ),
        ),
        schedules=page(
            a_schedule(),
            a_schedule(status="Disabled", targetResourceId="/off"),
            a_schedule(taskType="LabVmsStartupTask", targetResourceId="/lab"),
            a_schedule(
                targetResourceId="/colon", dailyRecurrence={"time": "07:30"}, timeZoneId=None
            ),
        ),
    )

    assert await arm.surroundings("1") == Surroundings(
        dynamic_addresses={NIC.lower(): "20.1.2.3"},
        shutdowns={VM_ID.lower(): "19:00 W. Europe Standard Time", "/colon": "07:30 UTC"},
    )


async def test_a_dynamic_address_that_is_not_given_yet_is_called_by_its_name(arm, server):
    answers(server, addresses=page(an_address(ipAddress=None)), schedules=page())

    assert (await arm.surroundings("1")).dynamic_addresses == {NIC.lower(): "web-ip"}


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (arm_error(403, "AuthorizationFailed"), "needs Microsoft.Network/publicIPAddresses/read"),
        (arm_error(404, "InvalidResourceType"), "404 InvalidResourceType"),
        (arm_error(429, "TooManyRequests", Retry_After="60"), "429 TooManyRequests"),
        (text_reply("<html>"), "not JSON"),
        (json_reply({"value": None}), "not a list"),
        (text_reply("", status=204), "204"),
        (page(nextLink="http://127.0.0.1:1/elsewhere"), "leads elsewhere"),
    ],
)
async def test_whatever_is_wrong_with_a_list_it_is_unread_and_no_error(arm, server, reply, words):
    answers(server, addresses=reply, schedules=page(a_schedule()))

    found = await arm.surroundings("1")

    [unread] = found.unread
    assert "public addresses of subscription 1" in unread
    assert words in unread
    assert list(found.shutdowns) == [VM_ID.lower()]


async def test_a_list_that_does_not_answer_in_time_is_left_unread(server, clock):
    clients = ArmClients(server.url, "a-token", clock)
    answers(server, addresses=silence, schedules=page(a_schedule()))

    found = await read_surroundings(ArmReads(clients, clock), "1", within=0.2)
    await clients.close()

    assert found.unread == ("public addresses of subscription 1: no answer in time",)
    assert list(found.shutdowns) == [VM_ID.lower()]


async def test_a_broken_page_takes_nothing_from_those_before_it(arm, server):
    def addresses(request):
        first = page(an_address(), nextLink=f"{server.url}/{ADDRESSES}/page2")
        return (text_reply("<html>") if request.path.endswith("page2") else first)(request)

    answers(server, addresses=addresses, schedules=page())

    found = await arm.surroundings("1")

    assert found.dynamic_addresses == {NIC.lower(): "20.1.2.3"}
    assert len(found.unread) == 1


@pytest.mark.parametrize("odd", [None, 3, {}, {"properties": {"publicIPAllocationMethod": 3}}])
async def test_an_odd_item_is_said_and_hides_no_other(arm, server, odd):
    answers(server, addresses=page(odd, an_address(), odd), schedules=page())

    found = await arm.surroundings("1")

    assert found.dynamic_addresses == {NIC.lower(): "20.1.2.3"}
    [unread] = found.unread
    assert unread.startswith("public addresses, one without an id: properties")


async def test_a_provider_that_was_never_registered_has_nothing(arm, server):
    answers(
        server,
        addresses=page(an_address()),
        schedules=arm_error(409, "MissingSubscriptionRegistration"),
    )

    found = await arm.surroundings("1")

    assert (found.shutdowns, found.unread) == ({}, ())


async def test_surroundings_are_read_once_an_hour(arm, server, clock):
    answers(server, addresses=page(), schedules=page())
    await arm.surroundings("1")
    clock.advance(timedelta(minutes=59))
    await arm.surroundings("1")
    assert len(server.asked) == 2

    clock.advance(timedelta(minutes=1))
    await arm.surroundings("1")
    assert len(server.asked) == 4
    assert {asked.query["api-version"] for asked in server.asked} == {"2024-05-01", "2018-09-15"}


async def test_what_could_not_be_read_is_asked_for_again_the_next_time(arm, server):
    answers(server, addresses=arm_error(403, "AuthorizationFailed"), schedules=page())
    await arm.surroundings("1")
    answers(server, addresses=page(an_address()), schedules=page())

    assert (await arm.surroundings("1")).dynamic_addresses == {NIC.lower(): "20.1.2.3"}
