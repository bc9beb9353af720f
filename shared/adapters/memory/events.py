"""Outbox and Receiver in memory."""

from collections.abc import Sequence
from dataclasses import replace

from shared.adapters.event_rows import LEASE, outbox_writes
from shared.adapters.memory.jobs import MemoryJobs
from shared.adapters.memory.scripted import Scripted
from shared.domain.lifecycle import Event, Lease


class MemoryOutbox(Scripted):
    """Outbox, in the table of a `MemoryJobs` that keeps events."""

    def __init__(self, jobs: MemoryJobs) -> None:
        super().__init__()
        self._jobs = jobs

    async def lease(self) -> Lease:
        """See the port."""
        async with self.call("lease"):
            found = self._jobs.values(Lease)
            return found[0] if found else Lease()

    async def waiting(self, most: int) -> Sequence[Event]:
        """See the port."""
        async with self.call("waiting", most):
            return self._jobs.values(Event)[:most]

    async def write(self, lease: Lease, *, done: Sequence[Event] = ()) -> Lease:
        """See the port."""
        async with self.call("write", lease, done):
            etags = self._jobs.apply(outbox_writes(lease, done))
            return replace(lease, etag=etags[LEASE])


class MemoryReceiver(Scripted):
    """Receiver.

    Attributes:
        received: Every event, as often as it came.
    """

    name = "memory"

    def __init__(self, at_once: int = 1) -> None:
        super().__init__()
        self.at_once = at_once
        self.received: list[Event] = []

    async def send(self, events: Sequence[Event]) -> None:
        """See the port."""
        async with self.call("send", events):
            self.received += events

    async def check(self) -> None:
        """See the port."""
        async with self.call("check"):
            pass
