"""Everything Baton reads, by the unmodified SDKs over the wire."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resource.subscriptions import SubscriptionClient
from azure.mgmt.resource.subscriptions.aio import SubscriptionClient as AsyncSubscriptionClient

from tests.integration.arm.emulator import (
    GROUP,
    OTHER_SUB,
    SUB,
    AsyncCredential,
    Bearer,
    Credential,
    Emulator,
    aio_compute,
    code_of,
    compute,
    fleet,
    serve,
    two_subscriptions,
    vm,
)

CUSTOMER = "c0000000-0000-4000-8000-0000000000ff"
SET = {
    "name": "db-set",
    "resource_group": GROUP,
    "subscription": SUB,
    "location": "westeurope",
    "update_domains": 3,
}
TWELVE = [vm(f"web-{number:02}", tags={"tier": "web"}) for number in range(12)]
NAMES = [it["name"] for it in TWELVE]


def subscriptions(emulator: Emulator) -> Any:
    return SubscriptionClient(Credential(), base_url=emulator.url, authentication_policy=Bearer())


def test_subscriptions_and_locations_are_listed_with_pairs_and_zones() -> None:
    with serve(two_subscriptions()) as emulator, subscriptions(emulator) as client:
        names = {it.subscription_id: it.display_name for it in client.subscriptions.list()}
        locations = {
            identity: {it.name: it for it in client.subscriptions.list_locations(identity)}
            for identity in names
        }

    assert names == {SUB: "Shop", OTHER_SUB: "ERP"}
    west = locations[SUB]["westeurope"]
    assert [it.name for it in west.metadata.paired_region] == ["northeurope"]
    assert locations[SUB]["italynorth"].metadata.paired_region == []
    assert locations[SUB]["ukwest"].availability_zone_mappings is None
    zone_one = [
        found["westeurope"].availability_zone_mappings[0].physical_zone
        for found in locations.values()
    ]
    assert len(set(zone_one)) == 2, "zone 1 of one subscription is not zone 1 of the other"


def test_a_subscription_that_is_disabled_or_delegated_is_listed_like_any_other() -> None:
    document = two_subscriptions()
    document["subscription"][0]["fail"] = "disabled"
    document["subscription"][1]["tenant"] = CUSTOMER
    with serve(document) as emulator, subscriptions(emulator) as client:
        closed, delegated = client.subscriptions.list()

    assert (closed.state, delegated.state) == ("Disabled", "Enabled")
    assert closed.managed_by_tenants == []
    assert delegated.tenant_id == CUSTOMER
    assert [it.tenant_id for it in delegated.managed_by_tenants] == [closed.tenant_id]


def test_a_scenario_may_give_two_subscriptions_the_same_zone_numbers() -> None:
    document = two_subscriptions()
    for subscription in document["subscription"]:
        subscription["zone_rotation"] = 2
    with serve(document) as emulator, subscriptions(emulator) as client:
        mappings = [
            {
                it.name: [(zone.logical_zone, zone.physical_zone) for zone in zones]
                for it in client.subscriptions.list_locations(identity)
                if (zones := it.availability_zone_mappings)
            }
            for identity in (SUB, OTHER_SUB)
        ]

    assert mappings[0] == mappings[1]
    assert mappings[0]["westeurope"][0] == ("1", "westeurope-az3")


async def test_subscriptions_and_locations_are_listed_by_the_async_client() -> None:
    with serve(two_subscriptions()) as emulator:
        async with AsyncSubscriptionClient(
            AsyncCredential(), base_url=emulator.url, authentication_policy=Bearer()
        ) as client:
            found = [it.subscription_id async for it in client.subscriptions.list()]
            regions = [it.name async for it in client.subscriptions.list_locations(SUB)]

    assert found == [SUB, OTHER_SUB]
    assert {"westeurope", "northeurope"} <= set(regions)


@pytest.mark.parametrize("options", [{}, {"status_only": "true"}])
def test_a_list_is_followed_page_by_page_to_its_end(options: dict[str, str]) -> None:
    with serve(fleet(*TWELVE, arm={"page_size": 5})) as emulator, compute(emulator) as client:
        pages = [
            [it.name for it in page]
            for page in client.virtual_machines.list_all(**options).by_page()
        ]
        by_group = [it.name for it in client.virtual_machines.list(GROUP)]
        by_location = [it.name for it in client.virtual_machines.list_by_location("westeurope")]

    assert pages == [NAMES[:5], NAMES[5:10], NAMES[10:]]
    assert by_group == by_location == NAMES


async def test_the_async_client_follows_pages_too() -> None:
    with serve(fleet(*TWELVE, arm={"page_size": 5})) as emulator:
        async with aio_compute(emulator) as client:
            plain = [it.name async for it in client.virtual_machines.list_all()]
            status = [it async for it in client.virtual_machines.list_all(status_only="true")]

    assert plain == [it.name for it in status] == NAMES


def test_the_model_list_has_tags_and_the_status_list_has_statuses() -> None:
    with (
        serve(fleet(vm(tags={"tier": "web"}, zone="2"))) as emulator,
        compute(emulator) as client,
    ):
        (model,) = client.virtual_machines.list_all()
        (status,) = client.virtual_machines.list_all(status_only="true")
        whole = client.virtual_machines.get(GROUP, "web-01", expand="instanceView")

    assert (model.tags, model.zones, model.instance_view) == ({"tier": "web"}, ["2"], None)
    assert status.tags is None
    assert [it.code for it in status.instance_view.statuses] == [
        "ProvisioningState/succeeded",
        "PowerState/running",
    ]
    shown = status.instance_view.maintenance_redeploy_status
    assert shown.is_customer_initiated_maintenance_allowed
    assert shown.last_operation_result_code == "None"
    assert shown.last_operation_message is None
    assert whole.instance_view.maintenance_redeploy_status == shown
    assert whole.instance_view.vm_agent.statuses[0].display_status == "Ready"
    assert whole.vm_id == model.vm_id


def test_ids_come_in_other_casing_unless_the_scenario_wants_them_the_same() -> None:
    ids = {}
    for case in ("mixed", "same"):
        with serve(fleet(vm(), arm={"id_case": case})) as emulator, compute(emulator) as client:
            (model,) = client.virtual_machines.list_all()
            ids[case] = (model.id, client.virtual_machines.get(GROUP, "web-01").id)

    assert ids["same"][0] == ids["same"][1] == ids["mixed"][1]
    assert ids["mixed"][0] != ids["mixed"][1]
    assert ids["mixed"][0].lower() == ids["mixed"][1].lower()


def test_windows_have_offsets_and_a_vm_outside_a_wave_has_none() -> None:
    outside = vm("calm")
    del outside["maintenance"]
    with serve(fleet(vm(), outside)) as emulator, compute(emulator) as client:
        shown = client.virtual_machines.instance_view(GROUP, "web-01").maintenance_redeploy_status
        calm = client.virtual_machines.instance_view(GROUP, "calm")

    assert shown.pre_maintenance_window_start_time.tzinfo is not None
    assert (
        shown.maintenance_window_end_time - shown.pre_maintenance_window_start_time
    ).total_seconds() == 61 * 60
    assert calm.maintenance_redeploy_status is None


def test_paths_and_names_are_read_in_any_casing() -> None:
    with serve(fleet(vm())) as emulator, compute(emulator) as client:
        found = client.virtual_machines.get(GROUP.upper(), "WEB-01")

    assert found.name == "web-01"


def test_availability_sets_are_read_and_their_vms_tell_their_update_domain() -> None:
    members = [vm(f"db-{it}", availability_set="db-set", update_domain=it) for it in (0, 1)]
    with (
        serve(fleet(*members, availability_set=[SET])) as emulator,
        compute(emulator) as client,
    ):
        found = client.availability_sets.get(GROUP, "db-set")
        listed = [
            *client.availability_sets.list(GROUP),
            *client.availability_sets.list_by_subscription(),
        ]
        models = list(client.virtual_machines.list_all())
        domains = [
            client.virtual_machines.instance_view(GROUP, it.name).platform_update_domain
            for it in models
        ]

    assert (found.platform_update_domain_count, len(found.virtual_machines)) == (3, 2)
    assert [it.id for it in listed] == [found.id, found.id]
    assert domains == [0, 1]
    (reference,) = {it.availability_set.id for it in models}
    assert reference != found.id
    assert reference.lower() == found.id.lower()


def test_a_model_tells_its_size_its_disk_and_its_scheduled_events_policy() -> None:
    odd = vm("odd", size="Standard_D4ds_v5", ephemeral_os_disk=True, scheduled_events="wait")
    with serve(fleet(odd, vm("plain"))) as emulator, compute(emulator) as client:
        models = {it.name: it for it in client.virtual_machines.list_all()}

    shown = models["odd"]
    assert shown.hardware_profile.vm_size == "Standard_D4ds_v5"
    assert shown.storage_profile.os_disk.diff_disk_settings.option == "Local"
    assert not shown.scheduled_events_policy.user_initiated_redeploy.automatically_approve
    assert models["plain"].storage_profile.os_disk.diff_disk_settings is None
    assert models["plain"].scheduled_events_policy is None


def listed(emulator: Emulator, path: str) -> Any:
    url = f"/subscriptions/{SUB}/providers/{path}?api-version=2024-05-01"
    found = []
    while url:
        _, _, page = emulator.raw("GET", url, {"Authorization": "Bearer x"})
        found += page["value"]
        url = page.get("nextLink", "").removeprefix(emulator.url)
    return found


def test_public_addresses_and_shutdown_schedules_are_listed_page_by_page() -> None:
    around = {"public_address": "dynamic", "auto_shutdown": {"time": "1900"}}
    vms = [vm(f"web-{number}", **around) for number in range(3)]
    document = fleet(*vms, vm("bare"), arm={"page_size": 2})
    with serve(document) as emulator, compute(emulator) as client:
        addresses = listed(emulator, "Microsoft.Network/publicIPAddresses")
        schedules = listed(emulator, "Microsoft.DevTestLab/schedules")
        model = client.virtual_machines.get(GROUP, "web-0")
        known = emulator.vm("web-0")["ipAddress"]

    assert [it["name"] for it in addresses] == ["web-0-ip", "web-1-ip", "web-2-ip"]
    properties = addresses[0]["properties"]
    nic = model.network_profile.network_interfaces[0].id
    assert properties["ipConfiguration"]["id"] == f"{nic}/ipConfigurations/ipconfig1"
    assert properties["ipAddress"] == known
    assert len(schedules) == 3
    assert schedules[0]["properties"]["targetResourceId"] == model.id
    assert schedules[0]["properties"]["dailyRecurrence"] == {"time": "1900"}


def test_resource_groups_are_listed() -> None:
    with serve(fleet(vm(), vm("x", resource_group="rg-other"))) as emulator:
        _, _, body = emulator.raw(
            "GET",
            f"/subscriptions/{SUB}/resourcegroups?api-version=2022-09-01",
            {"Authorization": "Bearer x"},
        )

    assert [it["name"] for it in body["value"]] == ["rg-other", GROUP]


def test_a_page_that_fails_keeps_failing_and_what_came_before_it_stands() -> None:
    document = fleet(*TWELVE, arm={"page_size": 5})
    document["subscription"] = [{"id": SUB, "fail": "page2"}]
    seen: list[str] = []
    with serve(document) as emulator, compute(emulator, retry_backoff_factor=0.01) as client:
        with pytest.raises(HttpResponseError) as caught:
            seen.extend(it.name for it in client.virtual_machines.list_all())
        statuses = [it["status"] for it in emulator.log() if it["kind"] == "request"]

    assert (caught.value.status_code, code_of(caught)) == (500, "InternalServerError")
    assert seen == NAMES[:5]
    assert statuses.count(500) == 4, "the SDK asks again three times"


def test_every_answer_has_arms_headers_and_the_log_the_same_ids() -> None:
    path = f"/subscriptions/{SUB}/resourceGroups/{GROUP}/providers/Microsoft.Compute"
    with serve(fleet(vm())) as emulator:
        _, headers, _ = emulator.raw(
            "GET",
            f"{path}/virtualMachines/web-01?api-version=2026-04-01",
            {
                "Authorization": "Bearer x",
                "x-ms-client-request-id": "mine",
                "x-ms-correlation-request-id": "ours",
            },
        )
        (record,) = emulator.log()

    assert headers["x-ms-client-request-id"] == record["clientRequestId"] == "mine"
    assert headers["x-ms-correlation-request-id"] == record["correlationId"] == "ours"
    assert len(headers["x-ms-request-id"]) == 36
    assert headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    assert "LowCostGetResource;35" in headers["x-ms-ratelimit-remaining-resource"]
    assert record["vmId"] == f"{path}/virtualMachines/web-01".lower()
