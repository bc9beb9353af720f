"""A receiver of lifecycle events with a will of its own, and the port `Receiver` in one process."""

from collections.abc import Callable, Sequence

from cli.simulation.dice import Dice
from cli.simulation.faults import Fault
from cli.simulation.process import Errors, Wire
from shared.domain.errors import Retryable
from shared.domain.lifecycle import Event

ERRORS: Errors = {
    Fault.BUSY: lambda: Retryable("503 try again later"),
    Fault.LOST_BEFORE: lambda: Retryable("the receiver is away"),
    Fault.LOST_AFTER: lambda: Retryable("no answer in time"),
}
# As long as the adapter waits for an answer.
_WITHIN_SECONDS = 30.0


class Hook:
    """The receiver's side: a team's tool, which answers some of those that ask for a go-ahead.

    Attributes:
        at_once: How many events it takes in a request.
        answer: Called with the verb, `go` or `noGo`, the VM's id, and in how many seconds.
    """

    def __init__(self, seed: int, seen: Callable[[Event], None]) -> None:
        self._dice = Dice(seed, "hook")
        self._seen = seen
        self._asked: set[str] = set()
        self.at_once = self._dice.choice((1, 50))
        self.answer: Callable[[str, str, float], None] = lambda *_: None

    def take(self, events: Sequence[Event]) -> None:
        """Takes events, some of them again."""
        for event in events:
            self._seen(event)
            if event.kind == "asking" and event.id not in self._asked:
                self._asked.add(event.id)
                if verb := self._dice.one_of({"go": 6, "noGo": 1, "": 3}):
                    self.answer(verb, event.vm_id, self._dice.random() * 900)


class SimulatedReceiver:
    """Receiver; see the port."""

    name = "hook"

    def __init__(self, hook: Hook, wire: Wire) -> None:
        self._hook = hook
        self._wire = wire
        self.at_once = hook.at_once

    async def send(self, events: Sequence[Event]) -> None:
        """See the port."""
        what = ", ".join(event.kind for event in events)
        await self._wire.ask(
            "events", what, lambda: self._hook.take(events), ERRORS, deadline=_WITHIN_SECONDS
        )

    async def check(self) -> None:
        """See the port."""
        await self._wire.ask("events", "check", lambda: None, ERRORS)
