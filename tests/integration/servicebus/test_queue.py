"""The unmodified azure-servicebus SDK, sync and aio, against the emulator: every feature of queues."""

import asyncio
from datetime import timedelta

import pytest
from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusMessageState,
    ServiceBusReceiveMode,
    ServiceBusSubQueue,
)
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient
from azure.servicebus.exceptions import (
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
    ServiceBusAuthenticationError,
)

from tests.integration.servicebus.sdk import PATIENCE, Sdk, fresh, now


async def test_sends_one_a_list_and_a_batch_and_receives_them_in_order(sdk, name):
    sender = sdk.sender(name)
    await sdk(
        sender.send_messages(
            ServiceBusMessage("1", application_properties={"n": 1}, subject="s", correlation_id="c")
        )
    )
    await sdk(sender.send_messages([ServiceBusMessage("2"), ServiceBusMessage("3")]))
    batch = await sdk(sender.create_message_batch())
    batch.add_message(ServiceBusMessage("4"))
    await sdk(sender.send_messages(batch))

    receiver = sdk.receiver(name)
    got = await sdk.take(receiver, 4)

    assert [str(message) for message in got] == ["1", "2", "3", "4"]
    assert (got[0].subject, got[0].correlation_id, got[0].application_properties) == (
        "s",
        "c",
        {b"n": 1},
    )
    assert [message.sequence_number for message in got] == sorted(
        message.sequence_number for message in got
    )
    for message in got:
        await sdk(receiver.complete_message(message))
    assert await sdk.texts(receiver) == []


async def test_a_peek_shows_messages_in_order_from_any_number_on_and_locks_none(sdk, name):
    await sdk.send(name, *(ServiceBusMessage(text) for text in "abc"))
    receiver = sdk.receiver(name)

    first, second = await sdk(receiver.peek_messages(2))

    assert (str(first), str(second)) == ("a", "b")
    assert await sdk.texts(receiver, second.sequence_number) == ["b", "c"]
    got = await sdk.take(receiver, 3)
    assert [(str(message), message.delivery_count) for message in got] == [
        ("a", 0),
        ("b", 0),
        ("c", 0),
    ]
    assert await sdk.texts(receiver) == ["a", "b", "c"]  # a locked one is shown as well


async def test_an_abandoned_message_comes_again_until_it_is_dead(sdk, name):
    await sdk.send(name, ServiceBusMessage("x"))
    receiver = sdk.receiver(name)
    counts = []
    for _ in range(3):
        message = await sdk.one(receiver)
        counts.append(message.delivery_count)
        await sdk(receiver.abandon_message(message))

    dead = sdk.receiver(name, sub_queue=ServiceBusSubQueue.DEAD_LETTER)
    letter = await sdk.one(dead)

    assert counts == [0, 1, 2]
    assert letter.dead_letter_reason == "MaxDeliveryCountExceeded"
    await sdk(dead.complete_message(letter))
    assert await sdk.texts(dead) == []


async def test_a_message_is_dead_lettered_with_its_reason_and_keeps_its_body(sdk, name):
    await sdk.send(name, ServiceBusMessage("x", application_properties={"kept": "yes"}))
    receiver = sdk.receiver(name)
    await sdk(
        receiver.dead_letter_message(
            await sdk.one(receiver), reason="why", error_description="because"
        )
    )

    letter = await sdk.one(sdk.receiver(name, sub_queue=ServiceBusSubQueue.DEAD_LETTER))

    assert (str(letter), letter.dead_letter_reason, letter.dead_letter_error_description) == (
        "x",
        "why",
        "because",
    )
    assert letter.application_properties[b"kept"] == b"yes"


async def test_a_scheduled_message_comes_at_its_time(sdk, name):
    sender = sdk.sender(name)
    due = now() + timedelta(seconds=3)
    await sdk(sender.schedule_messages(ServiceBusMessage("call"), due))
    await sdk(sender.send_messages(ServiceBusMessage("property", scheduled_enqueue_time_utc=due)))

    got = await sdk.take(sdk.receiver(name), 2)

    assert now() >= due
    assert sorted(str(message) for message in got) == ["call", "property"]
    # AMQP's timestamps are whole milliseconds.
    assert all(message.enqueued_time_utc >= due - timedelta(milliseconds=1) for message in got)


async def test_a_cancelled_message_never_comes(sdk, name):
    sender, receiver = sdk.sender(name), sdk.receiver(name)
    messages = [ServiceBusMessage("kept"), ServiceBusMessage("cancelled")]
    kept, cancelled = await sdk(sender.schedule_messages(messages, now() + timedelta(minutes=10)))
    assert await sdk.texts(receiver) == ["kept", "cancelled"]

    await sdk(sender.cancel_scheduled_messages(cancelled))

    (left,) = await sdk(receiver.peek_messages(10, sequence_number=1))
    assert (left.sequence_number, left.state) == (kept, ServiceBusMessageState.SCHEDULED)


async def test_a_duplicate_is_dropped_even_if_it_is_scheduled(sdk):
    name = fresh("once")
    sender = sdk.sender(name)
    await sdk.send(
        name, ServiceBusMessage("first", message_id="a"), ServiceBusMessage("again", message_id="a")
    )
    again = ServiceBusMessage("again", message_id="a")
    await sdk(sender.schedule_messages(again, now() + timedelta(minutes=10)))
    await sdk.send(name, ServiceBusMessage("other", message_id="b"))

    assert await sdk.texts(sdk.receiver(name)) == ["first", "other"]


async def test_receive_and_delete_needs_no_settling(sdk, name):
    await sdk.send(name, ServiceBusMessage("x"))
    receiver = sdk.receiver(name, receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE)

    assert str(await sdk.one(receiver)) == "x"
    assert await sdk.texts(receiver) == []


async def test_a_deferred_message_is_received_by_its_number_alone(sdk, name):
    await sdk.send(name, ServiceBusMessage("x"), ServiceBusMessage("y"))
    receiver = sdk.receiver(name)
    message = await sdk.one(receiver)
    await sdk(receiver.defer_message(message))
    assert str(await sdk.one(receiver)) == "y"

    (again,) = await sdk(receiver.receive_deferred_messages(message.sequence_number))

    assert str(again) == "x"
    await sdk(receiver.complete_message(again))
    assert await sdk.texts(receiver) == ["y"]


async def test_an_expired_message_is_dead_lettered_where_the_queue_says_so(sdk):
    name = fresh("short")
    await sdk.send(name, ServiceBusMessage("x"))

    letter = await sdk.one(sdk.receiver(name, sub_queue=ServiceBusSubQueue.DEAD_LETTER))

    assert letter.dead_letter_reason == "TTLExpiredException"


async def test_a_message_with_a_life_of_its_own_is_dropped_at_its_end(sdk, name):
    brief = ServiceBusMessage("brief", time_to_live=timedelta(seconds=1))
    await sdk.send(name, brief, ServiceBusMessage("lasting"))
    receiver = sdk.receiver(name)

    async with asyncio.timeout(PATIENCE):
        while await sdk.texts(receiver) != ["lasting"]:  # noqa: ASYNC110 - nothing announces the end
            await asyncio.sleep(0.05)

    assert str(await sdk.one(receiver)) == "lasting"
    assert await sdk.texts(sdk.receiver(name, sub_queue=ServiceBusSubQueue.DEAD_LETTER)) == []


async def test_a_large_message_crosses_in_many_frames_and_one_too_large_is_refused(sdk, name):
    large = "x" * 200_000
    await sdk.send(name, ServiceBusMessage(large))

    assert str(await sdk.one(sdk.receiver(name))) == large
    with pytest.raises(MessageSizeExceededError):
        await sdk(sdk.sender(name).send_messages(ServiceBusMessage("x" * 300_000)))


async def test_an_unknown_queue_is_named(sdk):
    with pytest.raises(MessagingEntityNotFoundError):
        await sdk.send("nowhere", ServiceBusMessage("x"))


@pytest.mark.parametrize("kind", [ServiceBusClient, AsyncServiceBusClient], ids=["sync", "aio"])
async def test_an_unsigned_token_is_refused(bus, name, kind):
    endpoint = bus.split("SharedAccessKeyName")[0]
    sdk = Sdk(f"{endpoint}SharedAccessSignature=none;UseDevelopmentEmulator=true;", kind)

    with pytest.raises(ServiceBusAuthenticationError):
        await sdk.send(name, ServiceBusMessage("x"))
    await sdk.close()
