"""The real host, the real bus emulator, and what the small app in `app/` notes."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender

from cli.paths import ROOT
from simulator.processes import Child, Program, Watchdog, python

APP = Path(__file__).with_name("app")
PATIENCE = 45.0
"""Seconds that a busy machine may take; less than the minute after which the host asks anew for a message."""
SHORT_LOCK_SECONDS = 10


def until(look: Callable[[], object], what: str):
    """What `look` finds, as soon as it finds something."""
    deadline, turn = time.monotonic() + PATIENCE, threading.Event()
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE} s"
        turn.wait(0.02)
    return found


class Bus:
    """The emulator with one queue and its twin for sync functions.

    Its locks are long, so that a message comes a second time only where it was given back.
    """

    def __init__(
        self, folder: Path, watchdog: Watchdog, *, port: int = 0, lock_seconds: int = 300
    ) -> None:
        config = folder / "config.json"
        rules = {"LockDuration": f"PT{lock_seconds}S", "MaxDeliveryCount": 3}
        queues = [{"Name": name, "Properties": rules} for name in ("q", "q-sync")]
        spaces = [{"Name": "sbemulatorns", "Queues": queues}]
        config.write_text(json.dumps({"UserConfig": {"Namespaces": spaces}}))
        arguments = ("--config", str(config), "--port", str(port))
        program = python("bus", "simulator.servicebus", *arguments, folder=ROOT)
        self.child = Child(program, folder / "bus.log", watchdog)
        self.connection = str(self.child.await_ready()["connectionString"])
        self.port = int(self.child.facts["port"])
        self._admin = f"http://127.0.0.1:{self.child.facts['adminPort']}/queues"
        self._numbers = iter(range(10_000))
        self._stack = ExitStack()
        client = ServiceBusClient.from_connection_string(self.connection)
        self._client = self._stack.enter_context(client)
        self._senders: dict[str, ServiceBusSender] = {}

    def close(self) -> None:
        self._stack.close()
        self.child.stop()

    def send(self, queue="q", *, id=None, **body):  # noqa: A002 - the message's own word
        """Sends a message; its id."""
        name = id or f"m{next(self._numbers)}"
        message = ServiceBusMessage(json.dumps(body), message_id=name)
        message.application_properties = {"colour": "blue", "size": 3}
        self.send_all([message], queue)
        return name

    def send_all(self, messages, queue="q"):
        if queue not in self._senders:
            sender = self._client.get_queue_sender(queue)
            self._senders[queue] = self._stack.enter_context(sender)
        self._senders[queue].send_messages(messages)

    def left(self, queue="q"):
        """How many messages the queue still holds, locked ones too."""
        with urlopen(self._admin) as answer:
            return json.load(answer)[queue]["active"]


class RunningHost:
    """The host as a process, and the notes of its app."""

    def __init__(
        self, folder: Path, watchdog: Watchdog, *, host_json=None, **settings: str
    ) -> None:
        self.folder = folder
        self.notes_file = folder / "notes"
        own = {"PYTHONPATH": str(ROOT), "NOTES": str(self.notes_file), "QUEUE": "q"}
        own |= {
            "TICK": "0 0 0 1 1 *",
            "BUS": "Endpoint=sb://127.0.0.1:1;UseDevelopmentEmulator=true",
        }
        options: tuple[str, ...] = (
            "--port",
            "0",
            "--state",
            str(folder / "state"),
            "--key",
            "secret",
        )
        if host_json is not None:
            file = folder / "host.json"
            file.write_text(json.dumps(host_json))
            options += ("--host-json", str(file))
        self._program: Program = python(
            *("host", "simulator.host", *options),
            environment={**os.environ, **own, **settings},
            folder=APP,
        )
        self._watchdog = watchdog
        self.child = self.start(wait=False)

    def start(self, *, wait=True) -> Child:
        self.child = Child(self._program, self.folder / "host.log", self._watchdog)
        if wait:
            self.child.await_ready()
        return self.child

    def stop(self) -> int:
        return self.child.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.child.facts['port']}"

    def notes(self, **wanted):
        """The app's notes so far that have all of these values."""
        if not self.notes_file.exists():
            return []
        # A line that is being written has no end yet: a write over a page's border is seen half way.
        lines = self.notes_file.read_text().splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.endswith("\n")]
        return [note for note in found if wanted.items() <= note.items()]

    def await_note(self, **wanted):
        return until(lambda: self.notes(**wanted), f"a note {wanted}")[0]

    def tell_to_stop(self) -> None:
        """As a deployment does; returns when the host has begun to."""
        os.kill(self.child.pid, signal.SIGTERM)
        until(lambda: "Stopping" in self.child.output(), "the host stops")
