"""Reads over the real SDK: pages, retries, what errors mean, and where the token may go."""

import asyncio
from datetime import timedelta

import pytest

from shared.adapters.arm import connect_arm
from shared.domain.errors import InvalidInput, Retryable, Terminal, VmNotFound
from shared.domain.maintenance import Subscription, Unreadable, Vm
from shared.domain.places import Location
from tests.builders import SUBSCRIPTION, a_vm_id
from tests.integration.arm_adapter.scripted_arm import arm_error, hang_up, json_reply, text_reply


def model(name, **properties):
    return {
        "id": a_vm_id(name),
        "name": name,
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", **properties},
    }


RUNNING = {"statuses": [{"code": "PowerState/running"}]}


async def listed(items):
    return [item async for item in items]


async def test_a_list_is_read_page_by_page_and_a_bad_item_stops_no_other(arm, server):
    bad = {"id": a_vm_id("bad"), "location": 7, "properties": {}}
    server.answers(
        json_reply({"value": [model("a"), None, bad], "nextLink": f"{server.url}/page2"}),
        json_reply({"value": [model("b"), "text"]}),
    )

    items = await listed(arm.models(SUBSCRIPTION))

    assert [item.name for item in items if isinstance(item, Vm)] == ["a", "b"]
    assert [item.vm_id for item in items if isinstance(item, Unreadable)] == [
        "(a VM without an id)",
        a_vm_id("bad"),
        "(a VM without an id)",
    ]
    assert [asked.path for asked in server.asked][1] == "/page2"
    assert "statusOnly" not in server.asked[0].query


async def test_the_status_list_asks_for_statuses(arm, server):
    server.answers(json_reply({"value": [model("a", instanceView=RUNNING), model("b")]}))

    first, second = await listed(arm.statuses(SUBSCRIPTION))

    assert server.asked[0].query["statusOnly"] == "true"
    assert first.view is not None
    assert first.view.is_running
    assert (second.vm_id, second.view) == (a_vm_id("b"), None)


async def test_a_page_that_fails_says_so_after_what_was_read(arm, server):
    server.answers(
        json_reply({"value": [model("a")], "nextLink": f"{server.url}/page2"}),
        arm_error(403, "AuthorizationFailed"),
    )
    seen = []

    async def read_all():
        async for item in arm.models(SUBSCRIPTION):
            seen.append(item)  # noqa: PERF401 - it breaks off

    with pytest.raises(Terminal, match=f"{SUBSCRIPTION}.*AuthorizationFailed.*achines/read"):
        await read_all()

    assert [item.name for item in seen] == ["a"]


async def test_the_token_follows_no_next_link_to_another_host(arm, server):
    server.answers(json_reply({"value": [], "nextLink": "http://127.0.0.1:1/page2"}))

    with pytest.raises(Retryable, match="leads elsewhere"):
        await listed(arm.models(SUBSCRIPTION))

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply", [text_reply("<html>"), json_reply([1]), json_reply({"value": 3}), json_reply(None)]
)
async def test_a_page_of_garbage_is_retryable(arm, server, reply):
    server.answers(reply)

    with pytest.raises(Retryable):
        await listed(arm.models(SUBSCRIPTION))


async def test_a_vm_is_read_with_its_instance_view(arm, server):
    server.answers(json_reply(model("a", instanceView=RUNNING)))

    vm = await arm.get(a_vm_id("a"))

    assert vm.view is not None
    assert vm.view.is_running
    assert server.asked[0].query["$expand"] == "instanceView"


async def test_a_vm_without_the_view_that_was_asked_for_is_an_error(arm, server):
    server.answers(json_reply(model("a")))

    with pytest.raises(InvalidInput, match=r"properties\.instanceView"):
        await arm.get(a_vm_id("a"))


async def test_a_read_is_retried_a_little(arm, server):
    server.answers(hang_up, arm_error(503, "Busy"), json_reply(model("a", instanceView=RUNNING)))

    assert (await arm.get(a_vm_id("a"))).name == "a"
    assert len(server.asked) == 3


async def test_a_long_wait_is_handed_on_and_not_slept_through(arm, server):
    server.answers(arm_error(429, "TooManyRequests", Retry_After="30"))

    async with asyncio.timeout(20):
        with pytest.raises(Retryable) as raised:
            await arm.get(a_vm_id("a"))

    assert raised.value.retry_after == timedelta(seconds=30)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (arm_error(404, "ResourceNotFound"), VmNotFound, "ResourceNotFound"),
        (arm_error(404, "ResourceGroupNotFound"), VmNotFound, "ResourceGroupNotFound"),
        (text_reply("nginx", status=404), Retryable, "404"),
        (arm_error(401, "ExpiredAuthenticationToken"), Terminal, "instanceView/read"),
        (arm_error(403, "AuthorizationFailed"), Terminal, "instanceView/read"),
        (arm_error(400, "InvalidParameter"), Terminal, "InvalidParameter"),
        (arm_error(409, "Conflict"), Retryable, "Conflict"),
        (text_reply("", status=307, Location="/elsewhere"), Retryable, "307"),
    ],
)
async def test_what_a_failed_read_means(arm, server, reply, error, words):
    server.answers(reply)

    with pytest.raises(error, match=words) as raised:
        await arm.get(a_vm_id("a"))

    assert type(raised.value) is error
    assert "a-token" not in str(raised.value)
    assert {asked.path for asked in server.asked} == {a_vm_id("a")}


async def test_nobody_at_the_port_is_retryable(clock):
    arm = connect_arm("http://127.0.0.1:1", "a-token", (), clock=clock)

    with pytest.raises(Retryable):
        await arm.get(a_vm_id("a"))
    await arm.close()


def subscription(key, name, state="Enabled", **other):
    return {"subscriptionId": key, "state": state, "displayName": name, **other}


async def test_without_configured_ones_every_subscription_counts_that_is_not_deleted(arm, server):
    lighthouse = {"managedByTenants": [{"tenantId": "another"}]}
    server.answers(
        json_reply(
            {
                "value": [
                    subscription("s1", "Shop", **lighthouse),
                    subscription("s2", "Old", "Disabled"),
                    subscription("s3", "Gone", "Deleted"),
                    None,
                ]
            }
        )
    )

    shop, old = await arm.subscriptions()

    assert (shop, shop.is_read_only) == (Subscription("s1", "Shop"), False)
    assert (old, old.is_read_only) == (Subscription("s2", "Old", "Disabled"), True)


async def test_one_list_tells_of_the_configured_subscriptions_and_the_rest_are_asked_for(
    server, clock
):
    arm = connect_arm(server.url, "a-token", ("S1", "s2", "s3"), clock=clock)
    listed = {"value": [subscription("s1", "Shop"), subscription("s9", "Nobody asked for it")]}
    server.answers(json_reply(listed), json_reply(subscription("s2", "Far")), arm_error(403, "No"))

    found = await arm.subscriptions()
    await arm.close()

    # The two are looked up at once, so that either may have been answered first.
    assert found[0] == Subscription("s1", "Shop")
    assert [one.id for one in found[1:]] in (["s2", "s3"], ["s2", "s2"])
    assert len(server.asked) == 3


async def test_configured_subscriptions_are_asked_for_by_themselves_where_no_list_is_to_be_had(
    server, clock
):
    arm = connect_arm(server.url, "a-token", ("s1",), clock=clock)
    server.answers(arm_error(403, "No"), json_reply(subscription("s1", "Shop")))

    found = await arm.subscriptions()
    await arm.close()

    assert found == [Subscription("s1", "Shop")]


async def test_locations_are_read_once_a_day(arm, server, clock):
    server.answers(
        json_reply(
            {
                "value": [
                    {
                        "name": "westeurope",
                        "metadata": {"pairedRegion": [{"name": "northeurope"}]},
                        "availabilityZoneMappings": [
                            {"logicalZone": "1", "physicalZone": "westeurope-az2"}
                        ],
                    },
                    {"name": "polandcentral", "metadata": {"pairedRegion": []}},
                    {"name": None},
                ]
            }
        )
    )
    expected = (
        Location(
            subscription_id=SUBSCRIPTION,
            name="westeurope",
            pairs=frozenset({"northeurope"}),
            zones={"1": "westeurope-az2"},
        ),
        Location(subscription_id=SUBSCRIPTION, name="polandcentral"),
    )

    assert await arm.locations(SUBSCRIPTION) == expected
    clock.advance(timedelta(hours=23))
    assert await arm.locations(SUBSCRIPTION) == expected
    assert len(server.asked) == 1

    clock.advance(timedelta(hours=1))
    await arm.locations(SUBSCRIPTION)
    assert len(server.asked) == 2


async def test_locations_that_may_not_be_read_name_the_right(arm, server):
    server.answers(arm_error(403, "AuthorizationFailed"))

    with pytest.raises(Terminal, match="subscriptions/locations/read"):
        await arm.locations(SUBSCRIPTION)


@pytest.mark.parametrize(
    ("url", "credential"),
    [
        ("http://management.azure.com", "token"),
        ("https://management.azure.com", "token"),
        ("http://10.0.0.1:80", "token"),
        ("ftp://127.0.0.1", "token"),
    ],
)
def test_a_static_token_goes_to_loopback_alone(url, credential, clock):
    with pytest.raises(InvalidInput, match="BATON_ARM_URL"):
        connect_arm(url, credential, (), clock=clock)
