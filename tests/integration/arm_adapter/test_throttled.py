"""Throttled: what ARM asked to be left alone is not asked again before its time, by anybody."""

import asyncio
from datetime import timedelta

import pytest

from shared.domain.errors import Refused, Retryable
from tests.builders import SUBSCRIPTION, a_vm_id
from tests.integration.arm_adapter.scripted_arm import arm_error, json_reply

ONE_VM = json_reply(
    {
        "id": "/any",
        "name": "a",
        "location": "westeurope",
        "properties": {"instanceView": {"statuses": []}},
    }
)


def throttled(target="LowCostGetResource", seconds=5):
    detail = {"code": "TooManyRequests", "target": target, "message": "Too many."}
    error = {"code": "TooManyRequests", "message": "It is so.", "details": [detail]}
    return json_reply({"error": error}, status=429, Retry_After=str(seconds))


async def looked(arm, name="a", subscription=SUBSCRIPTION):
    """The wait that a look at a VM is told; None where it was answered."""
    try:
        await arm.get(a_vm_id(name, subscription=subscription))
    except Retryable as busy:
        return busy.retry_after
    except Exception:  # noqa: BLE001 - it was asked, and that is all that matters here
        return None
    return None


async def test_a_throttled_look_at_a_vm_is_left_to_a_later_message_at_once(arm, server):
    server.answers(throttled(seconds=7))

    async with asyncio.timeout(6):
        assert await looked(arm) == timedelta(seconds=7)

    assert len(server.asked) == 1


async def test_until_its_time_nobody_asks_for_that_vm_again_and_all_are_told_the_rest(
    arm, server, clock
):
    server.answers(throttled(seconds=5), ONE_VM)
    await looked(arm)
    clock.advance(timedelta(seconds=2))

    waits = await asyncio.gather(*(looked(arm) for _ in range(8)))

    assert waits == [timedelta(seconds=3)] * 8
    assert len(server.asked) == 1
    clock.advance(timedelta(seconds=3))
    assert await looked(arm) is None
    assert len(server.asked) == 2


async def test_other_vms_and_the_start_of_this_one_are_not_held_up(arm, server):
    server.answers(throttled(), ONE_VM, json_reply({}, status=202))
    await looked(arm, "a")

    assert await looked(arm, "b") is None
    await arm.start_maintenance(a_vm_id("a"), request_id="r", within=timedelta(seconds=60))
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "reply",
    [
        throttled("LowCostGetSubscriptionMaximum"),
        arm_error(429, "SubscriptionRequestsThrottled", Retry_After="5"),
    ],
)
async def test_where_the_subscriptions_bucket_is_empty_none_of_its_vms_is_read(arm, server, reply):
    server.answers(reply, ONE_VM)
    await looked(arm, "a")

    assert await looked(arm, "b") == timedelta(seconds=5)
    assert await looked(arm, "b", subscription="another") is None
    assert len(server.asked) == 2


async def test_where_lists_are_throttled_its_vms_are_still_looked_at(arm, server):
    server.answers(throttled("HighCostGetSubscriptionMaximum", seconds=60), ONE_VM)
    with pytest.raises(Retryable):
        await anext(arm.models(SUBSCRIPTION))

    assert await looked(arm) is None
    with pytest.raises(Retryable) as busy:
        await anext(arm.statuses(SUBSCRIPTION))
    assert busy.value.retry_after == timedelta(minutes=1)
    assert len(server.asked) == 2


async def test_a_start_is_not_sent_where_the_last_one_was_throttled_and_was_not_taken(arm, server):
    server.answers(throttled("UpdateVMResource", seconds=60))
    refusals = []
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await arm.start_maintenance(a_vm_id("a"), request_id="r", within=timedelta(seconds=60))
        refusals.append(refused.value)

    assert [(it.may_pass, it.retry_after) for it in refusals] == [(True, timedelta(minutes=1))] * 2
    assert len(server.asked) == 1


async def test_a_throttled_list_is_waited_for_a_moment(arm, server):
    server.answers(throttled("HighCostGet", seconds=1), json_reply({"value": []}))

    assert [item async for item in arm.models(SUBSCRIPTION)] == []
    assert len(server.asked) == 2


async def test_a_clock_that_is_set_back_makes_no_wait_longer(arm, server, clock):
    server.answers(throttled(seconds=5), ONE_VM)
    await looked(arm)
    clock.advance(timedelta(hours=-1))

    assert await looked(arm) is None


@pytest.mark.parametrize("reply", [arm_error(429, "TooManyRequests"), throttled(seconds=0)])
async def test_a_refusal_that_names_no_wait_pauses_nothing(arm, server, reply):
    server.answers(reply, ONE_VM)
    await looked(arm)
    await looked(arm)

    assert len(server.asked) == 2
