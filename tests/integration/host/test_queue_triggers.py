"""Queue triggers over the real wire: what the Functions host promises of a message."""

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from azure.servicebus import ServiceBusMessage

from tests.integration.host.running import SHORT_LOCK_SECONDS, Bus, until


def most_at_once(notes):
    """The largest number of handlers that ran at one time."""
    change = {"began": 1, "ended": -1}
    running = most = 0
    for note in sorted(notes, key=lambda n: n["at"]):
        running += change.get(note["event"], 0)
        most = max(most, running)
    return most


def test_a_message_runs_its_function_once_and_is_gone(bus, host):
    running = host(BUS=bus.connection)
    name = bus.send(id="order-7")

    note = running.await_note(function="work", event="ended", id=name)
    until(lambda: bus.left() == 0, "the queue is empty")

    (began,) = running.notes(function="work", event="began")
    assert note["id"] == "order-7"
    assert began["count"] == 1
    assert began["properties"] == {"colour": "blue", "size": 3}
    assert began["name"] == "work"


def test_an_exception_gives_the_message_back_at_once_with_its_count_raised(bus, host):
    running = host(BUS=bus.connection)
    name = bus.send(fails=1)

    running.await_note(function="work", event="ended", id=name)
    first, second = running.notes(function="work", event="began", id=name)

    assert (first["count"], second["count"]) == (1, 2)
    assert "RuntimeError: as the message asks" in running.child.output()


def test_a_message_that_always_fails_reaches_the_function_of_the_dead_letters(bus, host):
    running = host(BUS=bus.connection)
    name = bus.send(fails=99)

    letter = running.await_note(function="dead", id=name)

    assert [n["count"] for n in running.notes(function="work", event="began")] == [1, 2, 3]
    assert letter["deadLetterReason"] == "MaxDeliveryCountExceeded"
    assert letter["properties"]["DeadLetterReason"] == "MaxDeliveryCountExceeded"


def test_never_more_handlers_at_once_than_host_json_allows_and_never_fewer(bus, host, tmp_path):
    running = host(BUS=bus.connection)
    gate = tmp_path / "gate"
    bus.send_all([ServiceBusMessage(json.dumps({"until": str(gate)})) for _ in range(8)])

    until(lambda: len(running.notes(event="began")) >= 3, "three handlers")
    gate.touch()
    until(lambda: len(running.notes(event="ended")) == 8, "every message handled")

    assert most_at_once(running.notes(function="work")) == 3
    assert {n["count"] for n in running.notes(event="began")} == {1}


def test_a_free_handler_is_filled_while_the_others_go_on(bus, host, tmp_path):
    running = host(BUS=bus.connection)
    gate = tmp_path / "gate"
    bus.send_all([ServiceBusMessage(json.dumps({"until": str(gate)})) for _ in range(2)])
    until(lambda: len(running.notes(event="began")) == 2, "two handlers that go on")

    bus.send_all([ServiceBusMessage(json.dumps({"seconds": 0.01})) for _ in range(40)])

    until(lambda: len(running.notes(event="ended")) == 40, "forty past the two")
    assert {n["count"] for n in running.notes(event="began")} == {1}
    gate.touch()


def test_the_lock_is_renewed_for_a_handler_that_outlasts_it(bus_of_short_locks, host):
    running = host(BUS=bus_of_short_locks.connection)
    name = bus_of_short_locks.send(seconds=SHORT_LOCK_SECONDS + 2)

    running.await_note(function="work", event="ended", id=name)
    until(lambda: bus_of_short_locks.left() == 0, "the queue is empty")

    assert len(running.notes(event="began")) == 1


def test_messages_that_fall_due_while_others_are_settled_come_once_and_never_early(bus, host):
    running = host(BUS=bus.connection)
    due = datetime.now(UTC) + timedelta(seconds=2)  # noqa: TID251 - the bus has the real clock
    instants = [due + timedelta(milliseconds=170 * n) for n in range(12)]
    messages = [
        ServiceBusMessage(
            json.dumps({"seconds": 0.25}), message_id=f"{n}", scheduled_enqueue_time_utc=instant
        )
        for n, instant in enumerate(instants)
    ]

    bus.send_all(messages)
    # One that got lost between a receive and a settlement would have to wait for its lock to end.
    until(lambda: len(running.notes(event="ended")) == 12, "all handled")

    began = {n["id"]: n["at"] for n in running.notes(event="began")}
    early = [f"{n}" for n, due in enumerate(instants) if began[f"{n}"] < due.timestamp() - 0.002]
    assert early == []  # AMQP's timestamps are whole milliseconds
    assert [n["count"] for n in running.notes(event="began")] == [1] * 12


def test_a_sync_function_runs_in_a_thread_and_holds_nobody_up(bus, host, tmp_path):
    running = host(BUS=bus.connection)
    gate = tmp_path / "gate"
    blocks = bus.send("q-sync", until=str(gate))
    running.await_note(function="work_in_thread", event="began", id=blocks)

    name = bus.send()
    running.await_note(function="work", event="ended", id=name)

    assert running.notes(function="work_in_thread", event="ended") == []
    gate.touch()
    running.await_note(function="work_in_thread", event="ended", id=blocks)


def test_without_auto_complete_a_message_stays_and_comes_again(bus_of_short_locks, host):
    settings = {"extensions": {"serviceBus": {"autoCompleteMessages": False}}}
    running = host(BUS=bus_of_short_locks.connection, host_json=settings)

    name = bus_of_short_locks.send()

    until(lambda: len(running.notes(event="began", id=name)) == 2, "a second delivery")
    first, second = running.notes(event="began", id=name)
    assert (first["count"], second["count"]) == (1, 2)
    assert second["at"] - first["at"] > SHORT_LOCK_SECONDS / 2  # when the lock ran out


def test_the_bus_may_go_and_come_back(bus, host, tmp_path, watchdog):
    running = host(BUS=bus.connection)
    bus.child.kill()
    until(lambda: "No connection to q:" in running.child.output(), "the loss is logged")

    again = Bus(tmp_path, watchdog, port=bus.port)
    name = again.send()

    try:
        running.await_note(function="work", event="ended", id=name)
        log = running.child.output()
        kinds = re.findall(r"No connection to q: (\w+):", log)
        assert all(
            one != next_ for one, next_ in pairwise(kinds)
        )  # each kind is told, not each try
        assert log.count("Connected to q again") == 1
    finally:
        again.close()


def test_what_a_killed_host_was_doing_is_done_by_the_next_one(bus_of_short_locks, host, tmp_path):
    running = host(BUS=bus_of_short_locks.connection)
    gate = tmp_path / "gate"
    names = {bus_of_short_locks.send(until=str(gate)) for _ in range(3)}
    until(lambda: len(running.notes(event="began")) == 3, "three handlers")

    running.child.kill()
    gate.touch()
    running.start()

    until(lambda: {n["id"] for n in running.notes(event="ended")} == names, "all three")
    counts = [n["count"] for n in running.notes(event="began")]
    assert sorted(counts) == [1, 1, 1, 2, 2, 2]  # a lost lock counts


def test_a_host_told_to_stop_lets_a_handler_end_and_takes_nothing_new(bus, host, tmp_path):
    running = host(BUS=bus.connection)
    gate = tmp_path / "gate"
    first = bus.send(until=str(gate))
    running.await_note(function="work", event="began", id=first)

    running.tell_to_stop()
    bus.send()
    gate.touch()

    assert running.stop() == 0
    assert [n["id"] for n in running.notes(event="ended")] == [first]
    assert bus.left() == 1


def test_a_handler_without_end_is_cancelled_and_its_message_given_back(
    bus_of_short_locks, host, tmp_path
):
    running = host(BUS=bus_of_short_locks.connection)
    name = bus_of_short_locks.send(until=str(tmp_path / "never"))
    running.await_note(function="work", event="began", id=name)

    code = running.stop()
    running.start()
    again = until(lambda: running.notes(event="began", id=name)[1:], "the next host has it")
    running.child.kill()

    assert code == 0  # within ten seconds, or it would have been killed
    assert running.notes(event="cancelled", id=name)
    assert again[0]["count"] == 2


def test_a_sync_function_without_end_does_not_keep_the_host_alive(bus, host, tmp_path):
    running = host(BUS=bus.connection)
    bus.send("q-sync", until=str(tmp_path / "never"))
    running.await_note(function="work_in_thread")

    assert running.stop() == 0  # within ten seconds, or it would have been killed
