"""Bus in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.adapters.memory.scripted import Scripted
from shared.ports import Wake, WakeAt


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A message on the memory bus.

    Attributes:
        wake: None wakes the alerts.
    """

    at: datetime
    sequence: int
    wake: Wake | None = field(compare=False)


class MemoryBus(Scripted):
    """Bus. Messages wait in `messages` until `take` gives those that are due.

    Attributes:
        messages: In the order of their instants, then of their sending.
    """

    def __init__(self, *, duplicates_for: timedelta = timedelta(minutes=10)) -> None:
        super().__init__()
        self.messages: list[Due] = []
        self._duplicates_for = duplicates_for
        self._seen: dict[tuple[object, ...], datetime] = {}
        self._sent = 0

    async def wake(self, wakes: Sequence[WakeAt], *, now: datetime) -> None:
        """See the port."""
        async with self.call("wake", wakes, now):
            for one in wakes:
                identity = (one.wake, one.at, one.cause)
                self._send(identity, one.at, one.wake, now)

    async def wake_alerts(self, at: datetime, *, now: datetime) -> None:
        """See the port."""
        async with self.call("wake_alerts", at, now):
            self._send(("alerts", at.replace(microsecond=0)), at, None, now)

    def take(self, now: datetime) -> list[Due]:
        """Removes and returns what is due."""
        due = [message for message in self.messages if message.at <= now]
        self.messages = [message for message in self.messages if message.at > now]
        return due

    def _send(
        self, identity: tuple[object, ...], at: datetime, wake: Wake | None, now: datetime
    ) -> None:
        seen = self._seen.get(identity)
        if seen is not None and now - seen < self._duplicates_for:
            return
        self._seen[identity] = now
        self._sent += 1
        self.messages = sorted([*self.messages, Due(max(at, now), self._sent, wake)])
