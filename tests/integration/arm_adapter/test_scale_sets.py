"""Scale sets through the adapter and the real SDK: against the emulator, and what was sent word for word."""

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.arm import connect_arm
from shared.domain.errors import Refused, StartUnknown, Terminal, VmNotFound
from shared.domain.maintenance import Unreadable, Vm
from shared.domain.patching.results import InstallRequest
from tests.builders import a_scale_set
from tests.integration.arm.emulator import GROUP, SUB, fleet, scale_set, serve, vm
from tests.integration.arm_adapter.scripted_arm import arm_error, json_reply, text_reply

SET = a_scale_set("web", subscription_id=SUB, resource_group=GROUP)
COMPUTE = f"/subscriptions/{SUB}/resourceGroups/{GROUP}/providers/Microsoft.Compute"
SET_ID = f"{COMPUTE}/virtualMachineScaleSets/web"
INSTANCE_ID = f"{SET_ID}/virtualMachines/1"
WITHIN = timedelta(seconds=30)


@asynccontextmanager
async def served(clock, *sets, **tables):
    """The adapter, and the emulator that it talks to."""
    with serve(fleet(vm(), scale_set=list(sets), **tables)) as emulator:
        adapter = connect_arm(emulator.url, "a-token", (), clock=clock)
        yield adapter, emulator
        await adapter.close()


async def listed(items):
    return [item async for item in items]


def instance(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{SET_ID}/virtualMachines/{number}",
        "name": f"web_{number}",
        "location": "westeurope",
        "sku": {"name": "Standard_D2s_v5"},
        "properties": {"instanceView": {"platformUpdateDomain": 2}},
        **changes,
    }


async def test_sets_are_read_with_what_decides_over_their_domains(clock):
    flexible = scale_set("api", mode="flexible", fault_domains=3)
    async with served(clock, scale_set(tags={"tier": "web"}), flexible) as (arm, _):
        api, web = await listed(arm.scale_sets(SUB))

    assert (web.id, web.is_uniform, web.tags) == (SET_ID, True, {"tier": "web"})
    assert (api.name, api.is_uniform, api.fault_domain_count) == ("api", False, 3)


async def test_instances_are_read_page_by_page_each_with_its_domain_and_its_maintenance(clock):
    async with served(clock, scale_set(), arm={"page_size": 2}) as (arm, _):
        found = await listed(arm.instances(SET))

    assert [(one.name, one.domain) for one in found] == [("web_0", 0), ("web_1", 1), ("web_2", 2)]
    assert {one.domain_set for one in found} == {SET_ID.lower()}
    assert all(one.is_uniform and one.maintenance for one in found)
    assert {one.vm_size for one in found} == {"Standard_D2s_v5"}


async def test_a_vm_of_a_flexible_set_is_in_the_list_of_vms_and_names_its_set(clock):
    async with served(clock, scale_set("api", mode="flexible", instances=1)) as (arm, _):
        names = {one.name: one.scale_set for one in await listed(arm.models(SUB))}

    assert names == {
        "web-01": "",
        "api_00000000": f"{COMPUTE}/virtualMachineScaleSets/api".lower(),
    }


async def test_an_instance_is_redeployed_by_itself_and_followed_to_its_end(clock):
    async with served(clock, scale_set()) as (arm, emulator):
        started = await arm.start_maintenance(INSTANCE_ID, request_id="r", within=WITHIN)
        operation = await arm.operation(started.operation_url)
        seen = await arm.get(INSTANCE_ID.upper())
        (post,) = emulator.posts()
        [event, *_] = await arm.activities(INSTANCE_ID, since=clock.now() - timedelta(days=999))

    assert operation.status in ("inProgress", "succeeded")
    assert (seen.name, seen.is_uniform) == ("web_1", True)
    assert post["path"].lower() == f"{INSTANCE_ID}/performMaintenance".lower()
    assert event.request_id == "r"


async def test_the_start_of_an_instance_leaves_once_and_only_by_its_own_route(arm, server):
    server.answers(text_reply("", status=503))

    with pytest.raises(StartUnknown, match="503"):
        await arm.start_maintenance(INSTANCE_ID, request_id="r", within=WITHIN)

    assert [(one.method, one.path) for one in server.asked] == [
        ("POST", f"{INSTANCE_ID}/performMaintenance")
    ]


async def test_a_refusal_of_an_instance_is_one(arm, server):
    server.answers(arm_error(409, "OperationNotAllowed"))

    with pytest.raises(Refused):
        await arm.start_maintenance(INSTANCE_ID, request_id="r", within=WITHIN)


async def test_an_instance_without_tags_has_its_sets_which_are_asked_for_once_a_minute(
    arm, server, clock
):
    a_set = {"id": SET_ID, "tags": {"tier": "web"}, "properties": {}}
    server.answers(json_reply(instance(1)), json_reply(a_set), json_reply(instance(2)))

    assert (await arm.get(INSTANCE_ID)).tags == {"tier": "web"}
    assert (await arm.get(INSTANCE_ID)).tags == {"tier": "web"}
    assert [one.path for one in server.asked] == [INSTANCE_ID, SET_ID, INSTANCE_ID]

    clock.advance(timedelta(minutes=1))
    server.answers(json_reply(instance(1)), json_reply(a_set))
    await arm.get(INSTANCE_ID)
    assert [one.path for one in server.asked[3:]] == [INSTANCE_ID, SET_ID]


async def test_an_instances_own_tags_go_before_and_cost_nothing(arm, server):
    server.answers(json_reply(instance(1, tags={"tier": "db"})))

    assert (await arm.get(INSTANCE_ID)).tags == {"tier": "db"}
    assert len(server.asked) == 1


async def test_an_instance_or_a_set_that_is_gone_says_so(arm, server):
    server.answers(arm_error(404, "ResourceNotFound"))

    with pytest.raises(VmNotFound):
        await arm.get(INSTANCE_ID)
    assert await listed(arm.instances(SET)) == []


async def test_a_bad_set_or_instance_stops_no_other(arm, server):
    good = {"id": SET_ID, "properties": {"orchestrationMode": "Uniform"}}
    bad = {"id": f"{SET_ID}2", "properties": {"platformFaultDomainCount": "three"}}
    server.answers(json_reply({"value": [bad, good, {"id": "/x", "properties": {}}]}))
    first, second, third = await listed(arm.scale_sets(SUB))
    server.answers(json_reply({"value": [instance(1, properties={}), instance(2)]}))
    bare, whole = await listed(arm.instances(SET))

    assert isinstance(first, Unreadable)
    assert first.problem.field == "properties.platformFaultDomainCount"
    assert second.name == "web"
    assert isinstance(third, Unreadable)
    assert isinstance(bare, Unreadable), (
        "without its view nobody knows whether it has a maintenance"
    )
    assert isinstance(whole, Vm)


async def test_without_the_right_the_set_and_the_right_are_named(arm, server):
    server.answers(arm_error(403, "AuthorizationFailed"))

    with pytest.raises(Terminal, match="virtualMachineScaleSets/read"):
        await listed(arm.scale_sets(SUB))
    with pytest.raises(Terminal, match="virtualMachineScaleSets/virtualMachines/read"):
        await listed(arm.instances(SET))


async def test_patches_of_an_instance_are_refused_before_anything_is_sent(arm, server):
    request = InstallRequest(maximum_duration=timedelta(hours=1))

    with pytest.raises(Terminal, match="no instance of a uniform scale set"):
        await arm.patches.start_assessment(INSTANCE_ID, request_id="r", within=WITHIN)
    with pytest.raises(Terminal, match="no instance of a uniform scale set"):
        await arm.patches.start_installation(
            INSTANCE_ID, request=request, request_id="r", within=WITHIN
        )
    assert server.asked == []
