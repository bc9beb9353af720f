"""Scale sets as the unmodified compute SDK sees them: both orchestrations, and who is redeployed."""

from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.mgmt.compute.models import VirtualMachineScaleSetVMInstanceIDs

from simulator.faults import put_faults
from tests.integration.arm.emulator import (
    GROUP,
    SUB,
    Emulator,
    aio_compute,
    code_of,
    compute,
    fleet,
    scale_set,
    serve,
    vm,
)

SETS = f"/subscriptions/{SUB}/resourceGroups/{GROUP}/providers/Microsoft.Compute"
ALLOWED = "is_customer_initiated_maintenance_allowed"


API = scale_set("api", mode="flexible", instances=2, fault_domains=3)


def accepted(emulator: Emulator) -> list[str]:
    """The VMs that were redeployed, by the last part of their ids."""
    starts = [each for post in emulator.posts() for each in post.get("instances", [post])]
    return [each["vmId"].rpartition("/")[2] for each in starts if each["accepted"]]


def test_the_sets_of_a_subscription_say_how_they_are_orchestrated() -> None:
    with serve(fleet(scale_set=[scale_set(), API])) as emulator, compute(emulator) as client:
        found = {it.name: it for it in client.virtual_machine_scale_sets.list_all()}
        of_group = list(client.virtual_machine_scale_sets.list(GROUP))
        one = client.virtual_machine_scale_sets.get(GROUP.upper(), "WEB")

    assert {name: it.orchestration_mode for name, it in found.items()} == {
        "api": "Flexible",
        "web": "Uniform",
    }
    assert (found["api"].platform_fault_domain_count, found["api"].sku.capacity) == (3, 2)
    assert found["web"].id == f"{SETS}/virtualMachineScaleSets/web"
    assert [it.name for it in of_group] == ["api", "web"]
    assert one.tags == {"tier": "web"}


def test_instances_of_a_uniform_set_are_listed_with_their_views_page_by_page() -> None:
    document = fleet(scale_set=[scale_set()], arm={"page_size": 2})
    with serve(document) as emulator, compute(emulator) as client:
        found = list(client.virtual_machine_scale_set_vms.list(GROUP, "web", expand="instanceView"))
        bare = next(iter(client.virtual_machine_scale_set_vms.list(GROUP, "web")))
        lists = [it for it in emulator.log() if it.get("path", "").endswith("/virtualMachines")]

    assert [(it.name, it.instance_id, it.instance_view.platform_update_domain) for it in found] == [
        ("web_0", "0", 0),
        ("web_1", "1", 1),
        ("web_2", "2", 2),
    ]
    assert found[0].id.lower() == f"{SETS}/virtualMachineScaleSets/web/virtualMachines/0".lower()
    assert found[0].tags == {"tier": "web"}
    assert getattr(found[0].instance_view.maintenance_redeploy_status, ALLOWED)
    assert bare.instance_view is None
    assert len(lists) == 3


async def test_an_instance_is_read_by_itself_with_its_view() -> None:
    with serve(fleet(scale_set=[scale_set()])) as emulator:
        async with aio_compute(emulator) as client:
            vms = client.virtual_machine_scale_set_vms
            whole = await vms.get(GROUP, "web", "1", expand="instanceView")
            view = await vms.get_instance_view(GROUP, "web", "1")

    assert whole.instance_view.vm_agent.statuses[0].display_status == "Ready"
    assert [it.code for it in view.statuses] == [
        "ProvisioningState/succeeded",
        "PowerState/running",
    ]
    assert view.placement_group_id
    assert getattr(view.maintenance_redeploy_status, ALLOWED)


def test_instances_of_a_flexible_set_are_virtual_machines_with_a_fault_domain() -> None:
    with (
        serve(fleet(vm(), scale_set=[scale_set(), API])) as emulator,
        compute(emulator) as client,
    ):
        everything = [it.name for it in client.virtual_machines.list_all()]
        wanted = f"'virtualMachineScaleSet/id' eq '{SETS}/virtualMachineScaleSets/api'"
        of_set = list(client.virtual_machines.list_all(filter=wanted, expand="instanceView"))

    assert everything == ["api_00000000", "api_00000001", "web-01"]
    assert [(it.name, it.instance_view.platform_fault_domain) for it in of_set] == [
        ("api_00000000", 0),
        ("api_00000001", 1),
    ]
    assert of_set[0].virtual_machine_scale_set.id == f"{SETS}/virtualMachineScaleSets/api"
    assert of_set[0].instance_view.platform_update_domain is None


def test_a_flexible_set_has_no_numbered_instances() -> None:
    with serve(fleet(scale_set=[API])) as emulator, compute(emulator) as client:
        vms = client.virtual_machine_scale_set_vms
        with pytest.raises(HttpResponseError) as listed:
            list(vms.list(GROUP, "api", expand="instanceView"))
        with pytest.raises(HttpResponseError) as read:
            vms.get_instance_view(GROUP, "api", "api_00000000")

    assert (listed.value.status_code, code_of(listed)) == (400, "BadRequest")
    assert (read.value.status_code, code_of(read)) == (400, "InvalidParameter")


def test_an_instance_is_redeployed_alone_and_its_operation_can_be_followed() -> None:
    with serve(fleet(scale_set=[scale_set()])) as emulator, compute(emulator) as client:
        vms = client.virtual_machine_scale_set_vms
        vms.begin_perform_maintenance(GROUP, "web", "1").result()
        view = vms.get_instance_view(GROUP, "web", "1")
        with pytest.raises(ResourceExistsError) as again:
            vms.begin_perform_maintenance(GROUP, "web", "1")
        done = accepted(emulator)
        (operation,) = {it["vmId"] for it in emulator.log() if "/operations/" in it.get("path", "")}

    assert view.maintenance_redeploy_status.last_operation_result_code == "MaintenanceCompleted"
    assert code_of(again) == "OperationNotAllowed"
    assert done == ["1"]
    assert operation.endswith("/virtualmachinescalesets/web/virtualmachines/1")


def test_a_set_redeploys_the_instances_that_are_named() -> None:
    with serve(fleet(scale_set=[scale_set()])) as emulator, compute(emulator) as client:
        wanted = VirtualMachineScaleSetVMInstanceIDs(instance_ids=["0", "2"])
        sets = client.virtual_machine_scale_sets
        sets.begin_perform_maintenance(GROUP, "web", vm_instance_i_ds=wanted).result()
        done = accepted(emulator)

    assert done == ["0", "2"]


def test_a_set_redeploys_every_instance_where_none_is_named() -> None:
    with serve(fleet(scale_set=[scale_set()])) as emulator, compute(emulator) as client:
        client.virtual_machine_scale_sets.begin_perform_maintenance(GROUP, "web").result()
        done, (post,) = accepted(emulator), emulator.posts()

    assert done == ["0", "1", "2"]
    assert post["asked"] == []


def test_an_instance_that_is_not_there_is_refused_as_azure_does() -> None:
    with serve(fleet(scale_set=[scale_set()])) as emulator, compute(emulator) as client:
        vms = client.virtual_machine_scale_set_vms
        with pytest.raises(ResourceNotFoundError):
            vms.get(GROUP, "web", "9")
        with pytest.raises(HttpResponseError) as one:
            vms.begin_perform_maintenance(GROUP, "web", "9")
        wanted = VirtualMachineScaleSetVMInstanceIDs(instance_ids=["0", "9"])
        with pytest.raises(HttpResponseError) as several:
            client.virtual_machine_scale_sets.begin_perform_maintenance(
                GROUP, "web", vm_instance_i_ds=wanted
            )
        done = accepted(emulator)

    assert [(it.value.status_code, code_of(it)) for it in (one, several)] == [
        (400, "InvalidParameter"),
        (400, "InvalidParameter"),
    ]
    assert done == []


def test_the_reads_of_one_instance_are_counted_apart_from_those_of_its_set() -> None:
    with serve(fleet(scale_set=[scale_set()])) as emulator:
        path = f"{SETS}/virtualMachineScaleSets/web"
        token = {"Authorization": "Bearer loopback"}

        def left(below: str) -> str:
            _, headers, _ = emulator.raw("GET", f"{path}{below}?api-version=2026-04-01", token)
            return headers["x-ms-ratelimit-remaining-resource"]

        read, listed, of_set = left("/virtualMachines/0"), left("/virtualMachines"), left("")

    assert read == (
        "Microsoft.Compute/GetVMScaleSetVMSubscriptionMaximum;5999,"
        "Microsoft.Compute/GetVMScaleSetVMResource;35"
    )
    assert listed == (
        "Microsoft.Compute/HighCostGetVMScaleSetSubscriptionMaximum;1079,"
        "Microsoft.Compute/HighCostGetVMScaleSetResource;29"
    )
    assert of_set.endswith("LowCostGetVMScaleSetResource;35")


def test_a_vm_on_a_dedicated_host_says_so() -> None:
    named, placed = vm("named", host_group="hosts", host="h1"), vm("placed", host_group="hosts")
    with serve(fleet(named, placed)) as emulator, compute(emulator) as client:
        one, other = (
            client.virtual_machines.get(GROUP, name, expand="instanceView")
            for name in ("named", "placed")
        )

    assert (one.host.id, one.host_group) == (f"{SETS}/hostGroups/hosts/hosts/h1", None)
    assert one.instance_view.assigned_host is None
    assert (other.host, other.host_group.id) == (None, f"{SETS}/hostGroups/hosts")
    assert other.instance_view.assigned_host == f"{SETS}/hostGroups/hosts/hosts/hosts-1"


def test_a_scale_set_on_dedicated_hosts_says_so_and_each_instance_says_on_which() -> None:
    document = fleet(scale_set=[scale_set(host_group="hosts")])
    with serve(document) as emulator, compute(emulator) as client:
        found = client.virtual_machine_scale_sets.get(GROUP, "web")
        view = client.virtual_machine_scale_set_vms.get_instance_view(GROUP, "web", "0")

    assert found.host_group.id == f"{SETS}/hostGroups/hosts"
    assert view.assigned_host == f"{SETS}/hostGroups/hosts/hosts/hosts-1"


def test_a_disabled_subscription_can_be_read_and_redeploys_nothing() -> None:
    document = {**fleet(vm()), "subscription": [{"id": SUB, "fail": "disabled"}]}
    with serve(document) as emulator, compute(emulator) as client:
        names = [it.name for it in client.virtual_machines.list_all()]
        with pytest.raises(ResourceExistsError) as refused:
            client.virtual_machines.begin_perform_maintenance(GROUP, "web-01", retry_total=0)

    assert names == ["web-01"]
    assert code_of(refused) == "ReadOnlyDisabledSubscription"


def test_a_throttled_subscription_answers_nothing_but_429() -> None:
    document = {**fleet(vm()), "subscription": [{"id": SUB, "fail": "throttled:7s"}]}
    with serve(document) as emulator, compute(emulator, retry_total=0) as client:
        with pytest.raises(HttpResponseError) as refused:
            list(client.virtual_machines.list_all())
        retry_after = emulator.log()[-1]["retryAfter"]

    assert (refused.value.status_code, retry_after) == (429, "7")


def test_an_instance_meets_the_faults_that_a_vm_meets() -> None:
    with serve(fleet(scale_set=[scale_set()])) as emulator, compute(emulator) as client:
        vms = client.virtual_machine_scale_set_vms

        def look() -> Any:
            return vms.get_instance_view(GROUP, "web", "1").maintenance_redeploy_status

        # The first look is what all others see, for longer than a busy machine needs for what follows.
        plan = f"{emulator.url}/_emulator/faults"
        put_faults(plan, "stale=1x1:6s, drop-after=1@POST *, status-dropped=1@*/virtualmachines/1")
        look()
        with pytest.raises(AzureError):
            vms.begin_perform_maintenance(GROUP, "web", "1", retry_total=0)
        emulator.wait_for(lambda: "completed" in emulator.events())
        stale = look()
        emulator.wait_for(lambda: look() is None)
        listed = list(vms.list(GROUP, "web", expand="instanceView"))

    assert stale.last_operation_result_code == "None"
    assert [it.instance_view.maintenance_redeploy_status is None for it in listed] == [
        False,
        True,
        False,
    ]
