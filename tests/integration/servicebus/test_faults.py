"""The bus misbehaves by plan, and the unmodified SDK is told what Azure would tell it."""

import gc
import itertools
import json
from datetime import UTC, datetime

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import (
    MessageLockLostError,
    ServiceBusConnectionError,
    ServiceBusError,
    ServiceBusServerBusyError,
)

from cli.watch import get_json
from simulator.faults import FaultError, put_faults, read_faults
from simulator.processes import Child, Watchdog, python

# The sync SDK leaves the socket of a connection that was dropped to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

COUNT = 20
FAR = datetime(2100, 1, 1, tzinfo=UTC)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bus")
    once = {"RequiresDuplicateDetection": True, "DuplicateDetectionHistoryTimeWindow": "PT1M"}
    queues = [{"Name": f"q-{n}", "Properties": once} for n in range(COUNT)]
    config = folder / "config.json"
    config.write_text(
        json.dumps({"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": queues}]}}),
        encoding="utf-8",
    )
    options = ("--port", "0", "--config", str(config))
    watchdog = Watchdog()
    child = Child(python("bus", "simulator.servicebus", *options), folder / "bus.log", watchdog)
    child.await_ready()
    yield child
    assert child.stop() == 0
    watchdog.close()


class Bus:
    """A queue of its own for each test, and the faults that strike it."""

    def __init__(self, facts, client):
        self.queue = f"q-{next(_numbers)}"
        self._admin = f"http://127.0.0.1:{facts['adminPort']}"
        self._client = client

    def faults(self, text):
        return put_faults(f"{self._admin}/faults", text)

    def injected(self):
        return read_faults(f"{self._admin}/faults")["injected"]

    def counts(self):
        return get_json(f"{self._admin}/queues")[self.queue]

    def send(self, *ids):
        with self._client.get_queue_sender(self.queue) as sender:
            sender.send_messages([ServiceBusMessage(b"x", message_id=name) for name in ids])

    def receiver(self):
        return self._client.get_queue_receiver(self.queue)


@pytest.fixture
def bus(running):
    connection = running.facts["connectionString"]
    with ServiceBusClient.from_connection_string(connection, retry_total=0) as client:
        bus = Bus(running.facts, client)
        yield bus
        bus.faults("")
    gc.collect()  # here, where the warning is ignored


def test_a_busy_service_takes_nothing_and_says_so(bus):
    bus.faults("busy=1")
    with pytest.raises(ServiceBusServerBusyError):
        bus.send("a")

    assert bus.counts()["sent"] == 0


def test_a_duplicate_comes_twice_whatever_duplicate_detection_says(bus):
    bus.faults("duplicate=1x1")
    bus.send("a", "b")

    assert bus.counts()["active"] == 3
    assert bus.injected()["duplicate"] > 0


def test_a_delayed_message_comes_later(bus):
    bus.faults("delay=1x1:0.5s")
    bus.send("a", "b")
    with bus.receiver() as receiver:
        ids = [receiver.receive_messages(1, max_wait_time=60)[0].message_id for _ in range(2)]

    assert ids == ["b", "a"]


@pytest.mark.parametrize(("kind", "sent"), [("drop-before", 0), ("drop-after", 1)])
def test_a_connection_is_dropped_before_or_after_a_send_is_applied(bus, kind, sent):
    bus.faults(f"{kind}=1@send *")
    with pytest.raises(ServiceBusError):
        bus.send("a")

    assert bus.counts()["sent"] == sent


@pytest.mark.parametrize(("kind", "completed"), [("drop-before", 0), ("drop-after", 1)])
def test_a_connection_is_dropped_before_or_after_a_message_is_completed(bus, kind, completed):
    bus.send("a")
    bus.faults(f"{kind}=1@settle *")
    with pytest.raises(ServiceBusError), bus.receiver() as receiver:
        (message,) = receiver.receive_messages(1, max_wait_time=60)
        receiver.complete_message(message)

    assert bus.counts()["completed"] == completed


@pytest.mark.parametrize(("kind", "kept"), [("drop-before", 0), ("drop-after", 1)])
def test_a_connection_is_dropped_before_or_after_a_message_is_scheduled(bus, kind, kept):
    bus.faults(f"{kind}=1@manage * schedule-message")
    with (
        pytest.raises(ServiceBusError),
        bus._client.get_queue_sender(bus.queue) as sender,
    ):
        sender.schedule_messages(ServiceBusMessage(b"x"), FAR)

    assert bus.counts()["scheduled"] == kept


def test_a_lost_lock_gives_the_message_back_as_a_failed_attempt(bus):
    bus.send("a")
    with bus.receiver() as receiver:
        (message,) = receiver.receive_messages(1, max_wait_time=60)
        bus.faults("lock-loss=1x1@settle *")
        with pytest.raises(MessageLockLostError):
            receiver.complete_message(message)
        (again,) = receiver.receive_messages(1, max_wait_time=60)

    assert (again.message_id, again.delivery_count) == ("a", 1)


def test_one_that_hangs_is_never_applied(bus):
    bus.faults("hang=1x1:0.3s@send *")
    with pytest.raises((ServiceBusError, ServiceBusConnectionError)):
        bus.send("a")

    assert bus.counts()["sent"] == 0


def test_a_slow_one_is_applied_in_the_end(bus):
    bus.faults("slow=1:0.2s")
    bus.send("a")

    assert bus.counts()["sent"] == 1


def test_a_wrong_plan_is_refused_and_named(bus):
    with pytest.raises(FaultError, match="no such kind; use one of busy, delay"):
        bus.faults("thunder=1")
