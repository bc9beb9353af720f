"""Who holds a message: locks, sessions and several connections, by the unmodified SDKs."""

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusMessage
from azure.servicebus.exceptions import (
    MessageAlreadySettled,
    MessageLockLostError,
    OperationTimeoutError,
    SessionCannotBeLockedError,
)

from tests.integration.servicebus.sdk import fresh


async def test_a_lock_that_ends_gives_the_message_to_another_and_counts(sdk):
    name = fresh("brief")
    await sdk.send(name, ServiceBusMessage("x"))
    first, second = sdk.receiver(name), sdk.receiver(name)
    message = await sdk.one(first)

    again = await sdk.one(second)
    await sdk(second.complete_message(again))

    assert again.delivery_count == 1
    with pytest.raises((MessageLockLostError, MessageAlreadySettled)):
        await sdk(first.complete_message(message))


async def test_a_renewed_lock_lasts_longer(sdk, name):
    await sdk.send(name, ServiceBusMessage("x"))
    receiver = sdk.receiver(name)
    message = await sdk.one(receiver)
    before = message.locked_until_utc

    renewed = await sdk(receiver.renew_message_lock(message))

    assert renewed > before
    await sdk(receiver.complete_message(message))


async def test_a_message_is_settled_over_another_connection_when_its_own_is_gone(sdk, name):
    await sdk.send(name, ServiceBusMessage("x"))
    lost, other = sdk.receiver(name), sdk.receiver(name)
    message = await sdk.one(lost)
    await sdk(lost.close())
    assert await sdk.texts(other) == ["x"]

    await sdk(other.complete_message(message))

    assert await sdk.texts(other) == []


async def test_a_session_keeps_its_order_its_state_and_its_one_holder(sdk):
    name = fresh("session")
    await sdk.send(
        name,
        ServiceBusMessage("a1", session_id="a"),
        ServiceBusMessage("b1", session_id="b"),
        ServiceBusMessage("a2", session_id="a"),
    )
    receiver = sdk.receiver(name, session_id="a")

    got = await sdk.take(receiver, 2)
    await sdk(receiver.session.set_state(b"half"))

    assert [str(message) for message in got] == ["a1", "a2"]
    assert await sdk(receiver.session.get_state()) == b"half"
    assert await sdk(receiver.session.renew_lock()) is not None
    with pytest.raises(SessionCannotBeLockedError):
        await sdk.take(sdk.receiver(name, session_id="a"), 1)
    for message in got:
        await sdk(receiver.complete_message(message))


async def test_the_next_free_session_is_one_that_has_messages(sdk):
    name = fresh("session")
    await sdk.send(name, ServiceBusMessage("a1", session_id="a"))
    receiver = sdk.receiver(name, session_id=NEXT_AVAILABLE_SESSION)

    assert str(await sdk.one(receiver)) == "a1"
    assert receiver.session.session_id == "a"
    with pytest.raises(OperationTimeoutError):
        await sdk(
            sdk.receiver(
                name, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=1
            ).receive_messages()
        )


async def test_many_connections_share_a_queue(sdk, others, name):
    for number, other in enumerate(others):
        await other.send(name, *(ServiceBusMessage(f"{number}-{n}") for n in range(5)))

    got = [await other.take(other.receiver(name), 5) for other in others]

    assert sorted(str(message) for part in got for message in part) == [
        f"{number}-{n}" for number in range(len(others)) for n in range(5)
    ]
    assert {message.delivery_count for part in got for message in part} == {0}
