"""The unmodified azure-servicebus SDK, sync and aio, against the emulator: every feature of queues."""

import asyncio
import inspect
import itertools
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusMessageState,
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

PATIENCE = 60
"""Seconds that a busy machine may take for what is to come; nothing waits for so long where all is well."""

RULES = {
    "plain": {},
    "brief": {"LockDuration": "PT5S"},
    "once": {"RequiresDuplicateDetection": True, "DuplicateDetectionHistoryTimeWindow": "PT5M"},
    "session": {"RequiresSession": True},
    "short": {"DefaultMessageTimeToLive": "PT1S", "DeadLetteringOnMessageExpiration": True},
}
COUNT = 40
_numbers: dict[str, Iterator[int]] = defaultdict(itertools.count)


def fresh(kind="plain"):
    """A queue with the rules of that kind, that nobody else has."""
    number = next(_numbers[kind])
    assert number < COUNT
    return f"{kind}-{number}"


def queue(name, rules):
    return {"Name": name, "Properties": {"LockDuration": "PT1M", "MaxDeliveryCount": 3, **rules}}


@pytest.fixture(scope="module")
def bus(tmp_path_factory):
    queues = [queue(f"{kind}-{n}", rules) for kind, rules in RULES.items() for n in range(COUNT)]
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
    assert process.wait(PATIENCE) == 0
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

    async def take(self, receiver, count):
        """So many messages: the SDK returns what came together, be it fewer."""
        got: list[ServiceBusReceivedMessage] = []
        while len(got) < count:
            more = await self(receiver.receive_messages(count - len(got), max_wait_time=PATIENCE))
            assert more, f"{len(got)} of {count} messages came"
            got += more
        return got

    async def one(self, receiver):
        (message,) = await self.take(receiver, 1)
        return message

    async def texts(self, receiver, start=1):
        """What a peek shows from that number on: whatever the queue still holds."""
        return [
            str(message)
            for message in await self(receiver.peek_messages(10, sequence_number=start))
        ]

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
async def others(sdk, bus):
    """More clients; each of their links is a connection of its own."""
    made = [Sdk(bus, sdk.kind) for _ in range(5)]
    yield made
    for one in made:
        await one.close()


@pytest.fixture
def name():
    return fresh()


def now():
    return datetime.now(UTC)  # noqa: TID251 - the emulator's clock is the machine's


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


async def test_a_large_message_crosses_in_many_frames_and_one_too_large_is_refused(sdk, name):
    large = "x" * 200_000
    await sdk.send(name, ServiceBusMessage(large))

    assert str(await sdk.one(sdk.receiver(name))) == large
    with pytest.raises(MessageSizeExceededError):
        await sdk(sdk.sender(name).send_messages(ServiceBusMessage("x" * 300_000)))


async def test_an_unknown_queue_is_named(sdk):
    with pytest.raises(MessagingEntityNotFoundError):
        await sdk.send("nowhere", ServiceBusMessage("x"))


async def test_many_connections_share_a_queue(sdk, others, name):
    for number, other in enumerate(others):
        await other.send(name, *(ServiceBusMessage(f"{number}-{n}") for n in range(5)))

    got = [await other.take(other.receiver(name), 5) for other in others]

    assert sorted(str(message) for part in got for message in part) == [
        f"{number}-{n}" for number in range(len(others)) for n in range(5)
    ]
    assert {message.delivery_count for part in got for message in part} == {0}


@pytest.mark.parametrize("kind", [ServiceBusClient, AsyncServiceBusClient], ids=["sync", "aio"])
async def test_an_unsigned_token_is_refused(bus, name, kind):
    endpoint = bus.split("SharedAccessKeyName")[0]
    sdk = Sdk(f"{endpoint}SharedAccessSignature=none;UseDevelopmentEmulator=true;", kind)

    with pytest.raises(ServiceBusAuthenticationError):
        await sdk.send(name, ServiceBusMessage("x"))
    await sdk.close()
