"""The unmodified azure-servicebus SDK, sync and aio, against the emulator: every feature of queues."""

import inspect
import itertools
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiveMode,
    ServiceBusSubQueue,
)
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient
from azure.servicebus.exceptions import (
    MessageAlreadySettled,
    MessageLockLostError,
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
    OperationTimeoutError,
    ServiceBusAuthenticationError,
    SessionCannotBeLockedError,
)

from cli.paths import ROOT

COUNT = 30
_numbers = itertools.count()


def queue(name, **properties):
    return {
        "Name": name,
        "Properties": {"LockDuration": "PT5S", "MaxDeliveryCount": 3, **properties},
    }


@pytest.fixture(scope="module")
def bus(tmp_path_factory):
    queues = [queue(f"plain-{n}") for n in range(COUNT * 2)]
    queues += [
        queue(
            f"once-{n}", RequiresDuplicateDetection=True, DuplicateDetectionHistoryTimeWindow="PT1M"
        )
        for n in range(4)
    ]
    queues += [queue(f"session-{n}", RequiresSession=True) for n in range(6)]
    queues += [
        queue(f"short-{n}", DefaultMessageTimeToLive="PT1S", DeadLetteringOnMessageExpiration=True)
        for n in range(4)
    ]
    file = tmp_path_factory.mktemp("bus") / "config.json"
    file.write_text(
        json.dumps({"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": queues}]}}),
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator.servicebus", "--port", "0", "--config", str(file)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield json.loads(process.stdout.readline().removeprefix("ready "))["connectionString"]
    process.terminate()
    assert process.wait(10) == 0
    process.stdout.close()


class Sdk:
    """Both SDKs by the same words: `await sdk(call)` takes a result or a coroutine."""

    def __init__(self, connection, kind):
        self.kind = kind
        self.client = kind.from_connection_string(connection, retry_total=0)
        self._open = []

    async def __call__(self, result):
        return await result if inspect.isawaitable(result) else result

    def sender(self, name):
        return self._kept(self.client.get_queue_sender(name))

    def receiver(self, name, **how):
        return self._kept(self.client.get_queue_receiver(name, **how))

    def _kept(self, link):
        self._open.append(link)
        return link

    async def send(self, name, *messages):
        await self(self.sender(name).send_messages(list(messages)))

    async def receive(self, receiver, count=10, wait=2):
        return await self(receiver.receive_messages(max_message_count=count, max_wait_time=wait))

    async def one(self, receiver, wait=3):
        (message,) = await self.receive(receiver, 1, wait)
        return message

    async def close(self):
        for link in self._open:
            await self(link.close())
        await self(self.client.close())


@pytest.fixture(params=[ServiceBusClient, AsyncServiceBusClient], ids=["sync", "aio"])
async def sdk(request, bus):
    made = Sdk(bus, request.param)
    yield made
    await made.close()


@pytest.fixture
def name():
    return f"plain-{next(_numbers)}"


def numbered(kind, sdk):
    """A queue of that kind for each of the two SDKs, so that neither meets the other's messages."""
    return f"{kind}-{0 if sdk.kind is ServiceBusClient else 1}"


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
    got: list[ServiceBusReceivedMessage] = []
    while len(got) < 4:
        got += await sdk.receive(receiver)

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
    assert await sdk.receive(receiver, wait=0.5) == []


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


async def test_a_scheduled_message_comes_at_its_time_and_a_cancelled_one_never(sdk, name):
    sender = sdk.sender(name)
    due = datetime.now(UTC) + timedelta(seconds=5)  # noqa: TID251 - the emulator's clock is the machine's
    kept, cancelled = await sdk(
        sender.schedule_messages([ServiceBusMessage("kept"), ServiceBusMessage("cancelled")], due)
    )
    by_property = ServiceBusMessage("property", scheduled_enqueue_time_utc=due)
    await sdk(sender.send_messages(by_property))
    receiver = sdk.receiver(name)
    peeked = await sdk(receiver.peek_messages(10))

    await sdk(sender.cancel_scheduled_messages(cancelled))
    got: list[ServiceBusReceivedMessage] = []
    while len(got) < 2:
        got += await sdk.receive(receiver, wait=8)

    assert kept != cancelled
    assert len(peeked) == 3
    assert sorted(str(message) for message in got) == ["kept", "property"]
    assert all(message.enqueued_time_utc >= due.replace(microsecond=0) for message in got)


async def test_a_duplicate_is_dropped_even_if_it_is_scheduled(sdk):
    name = numbered("once", sdk)
    sender = sdk.sender(name)
    later = datetime.now(UTC) + timedelta(minutes=10)  # noqa: TID251 - the emulator's clock is the machine's
    await sdk.send(
        name, ServiceBusMessage("first", message_id="a"), ServiceBusMessage("again", message_id="a")
    )
    await sdk(sender.schedule_messages(ServiceBusMessage("again", message_id="a"), later))
    receiver = sdk.receiver(name)

    got = await sdk.receive(receiver, wait=1)

    assert [str(message) for message in got] == ["first"]
    assert len(await sdk(receiver.peek_messages(10, sequence_number=1))) == 1


async def test_receive_and_delete_needs_no_settling(sdk, name):
    await sdk.send(name, ServiceBusMessage("x"))
    receiver = sdk.receiver(name, receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE)

    assert str(await sdk.one(receiver)) == "x"
    assert await sdk(receiver.peek_messages(1)) == []


async def test_a_deferred_message_is_received_by_its_number(sdk, name):
    await sdk.send(name, ServiceBusMessage("x"))
    receiver = sdk.receiver(name)
    message = await sdk.one(receiver)
    await sdk(receiver.defer_message(message))
    assert await sdk.receive(receiver, wait=0.5) == []

    (again,) = await sdk(receiver.receive_deferred_messages(message.sequence_number))

    assert str(again) == "x"
    await sdk(receiver.complete_message(again))


async def test_a_lock_that_ends_gives_the_message_to_another_and_counts(sdk, name):
    await sdk.send(name, ServiceBusMessage("x"))
    first, second = sdk.receiver(name), sdk.receiver(name)
    message = await sdk.one(first)

    again = await sdk.one(second, wait=8)

    assert again.delivery_count == 1
    with pytest.raises((MessageLockLostError, MessageAlreadySettled)):
        await sdk(first.complete_message(message))
    await sdk(second.complete_message(again))


async def test_a_renewed_lock_lasts_longer(sdk, name):
    await sdk.send(name, ServiceBusMessage("x"))
    receiver = sdk.receiver(name)
    message = await sdk.one(receiver)
    before = message.locked_until_utc

    renewed = await sdk(receiver.renew_message_lock(message))

    assert renewed > before
    await sdk(receiver.complete_message(message))


async def test_an_expired_message_is_dead_lettered_where_the_queue_says_so(sdk):
    name = numbered("short", sdk)
    await sdk.send(name, ServiceBusMessage("x"))

    letter = await sdk.one(sdk.receiver(name, sub_queue=ServiceBusSubQueue.DEAD_LETTER), wait=5)

    assert letter.dead_letter_reason == "TTLExpiredException"


async def test_sessions_keep_order_state_and_one_holder(sdk):
    name = numbered("session", sdk)
    await sdk.send(
        name,
        ServiceBusMessage("a1", session_id="a"),
        ServiceBusMessage("b1", session_id="b"),
        ServiceBusMessage("a2", session_id="a"),
    )
    receiver = sdk.receiver(name, session_id="a")

    got = await sdk.receive(receiver)
    await sdk(receiver.session.set_state(b"half"))

    assert [str(message) for message in got] == ["a1", "a2"]
    assert await sdk(receiver.session.get_state()) == b"half"
    assert await sdk(receiver.session.renew_lock()) is not None
    with pytest.raises(SessionCannotBeLockedError):
        await sdk(sdk.receiver(name, session_id="a").receive_messages(max_wait_time=1))
    for message in got:
        await sdk(receiver.complete_message(message))
    other = sdk.receiver(name, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=3)
    assert str(await sdk.one(other)) == "b1"
    with pytest.raises(OperationTimeoutError):
        await sdk(
            sdk.receiver(
                name, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=1
            ).receive_messages()
        )


async def test_a_large_message_crosses_in_many_frames_and_one_too_large_is_refused(sdk, name):
    large = "x" * 200_000
    await sdk.send(name, ServiceBusMessage(large))

    assert str(await sdk.one(sdk.receiver(name))) == large
    with pytest.raises(MessageSizeExceededError):
        await sdk(sdk.sender(name).send_messages(ServiceBusMessage("x" * 300_000)))


async def test_an_unknown_queue_is_named(sdk):
    with pytest.raises(MessagingEntityNotFoundError):
        await sdk.send("nowhere", ServiceBusMessage("x"))


async def test_many_connections_share_a_queue(sdk, name):
    await sdk.send(name, *(ServiceBusMessage(str(n)) for n in range(20)))
    receivers = [sdk.receiver(name) for _ in range(4)]

    got = [await sdk.receive(receiver, 5) for receiver in receivers]

    assert sorted(int(str(message)) for part in got for message in part) == list(range(20))


def test_an_unsigned_token_is_refused(bus):
    unsigned = (
        bus.split("SharedAccessKeyName")[0]
        + "SharedAccessSignature=none;UseDevelopmentEmulator=true;"
    )
    client = ServiceBusClient.from_connection_string(unsigned, retry_total=0)

    with pytest.raises(ServiceBusAuthenticationError), client.get_queue_sender("plain-0") as sender:
        sender.send_messages(ServiceBusMessage("x"))
    client.close()
