"""Worker processes that die, and the wires between them and the services."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from cli.simulation.faults import Death, Fault, Faults
from cli.simulation.loop import VirtualLoop
from cli.simulation.trace import Trace
from shared.domain.errors import BatonError

T = TypeVar("T")

# functionTimeout in host.json: the host ends a process whose handler takes longer.
_HANDLER_SECONDS = 300.0
# How long a client waits for an answer that does not come.
_SILENCE_SECONDS = 20.0

Errors = Mapping[Fault, Callable[[], Exception]]
"""What a client raises for a fault."""

BEGAN: ContextVar[float] = ContextVar("BEGAN", default=0.0)
"""When the handler that is running began, in seconds: what it read, it read after that."""


class Dead(BaseException):
    """The process is dead: nothing it does has any effect, and nothing catches this."""


@dataclass(eq=False)
class Process:
    """One worker of the app, with a clock of its own."""

    number: int
    skew: timedelta
    loop: VirtualLoop
    trace: Trace
    died: Callable[[], None] = lambda: None
    is_alive: bool = True
    # In the order of their start: a set would be ordered by addresses.
    tasks: dict["asyncio.Task[None]", None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As the trace calls it."""
        return f"p{self.number}"

    def now(self) -> datetime:
        """What its clock says: the port `Clock`."""
        return self.trace.instant(self.loop.time()) + self.skew

    def die(self, why: str) -> None:
        """Ends it, wherever its handlers are."""
        if self.is_alive:
            self.is_alive = False
            self.trace.note(self.loop.time(), self.name, f"dies {why}")
            for task in list(self.tasks):
                task.cancel()
            self.died()

    def handle(
        self, what: str, work: Callable[[], Awaitable[None]], then: Callable[[str], None]
    ) -> None:
        """Runs a handler; `then` learns whether it `ended`, `raised`, or `died`."""
        task = self.loop.create_task(self._handle(what, work))
        self.tasks[task] = None

        def over(done: "asyncio.Task[None]") -> None:
            self.tasks.pop(done, None)
            timer.cancel()
            error = None if done.cancelled() else done.exception()
            if not self.is_alive or done.cancelled():
                then("died")
            elif error is None:
                then("ended")
            else:
                self.trace.note(self.loop.time(), self.name, f"{what} raised {error!r:.300}")
                if not isinstance(error, BatonError):
                    # A mistake of the app's or of the simulation's: neither would prove anything.
                    self.loop.call_exception_handler({"message": what, "exception": error})
                then("raised")

        timer = self.loop.call_later(_HANDLER_SECONDS, self.die, f"after 5 minutes of {what}")
        task.add_done_callback(over)

    async def _handle(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        BEGAN.set(self.loop.time())
        self.trace.note(self.loop.time(), self.name, what, loud=False)
        await work()


@dataclass(eq=False)
class Wire:
    """What a process's requests go through: time, faults, and its own death."""

    process: Process
    faults: Faults

    async def ask(
        self,
        service: str,
        what: str,
        effect: Callable[[], T],
        errors: Errors,
        *,
        deadline: float = 1e9,
    ) -> T:
        """Sends a request; `effect` is what the service does, at one instant.

        Args:
            service: `arm`, `tables`, `bus`, `mail`.
            what: For the trace.
            effect: Returns the answer, or raises an error that is the answer.
            errors: What the client raises for each fault.
            deadline: Seconds; a request that arrives later than this is not taken.
        """
        process, faults, loop = self.process, self.faults, self.process.loop
        if not process.is_alive:
            raise Dead
        now = loop.time()
        fault, death = faults.of_request(service, now), faults.of_process(now)
        if death is Death.BEFORE:
            process.die(f"before {service} {what}")
            raise Dead
        answer: asyncio.Future[T] = loop.create_future()
        if fault in (Fault.BUSY, Fault.LOST_BEFORE):
            wait = _SILENCE_SECONDS if fault is Fault.LOST_BEFORE else faults.travel(now)
            self._note(service, what, fault)
            loop.call_later(wait, self._fail, answer, errors[fault])
        else:
            out = min(faults.travel(now), deadline)
            loop.call_later(out, self._arrive, service, what, effect, answer, errors, fault, death)
        return await answer

    def _arrive(  # one request has many parts
        self,
        service: str,
        what: str,
        effect: Callable[[], T],
        answer: "asyncio.Future[T]",
        errors: Errors,
        fault: Fault,
        death: Death,
    ) -> None:
        """The service does it. A process that died meanwhile has sent it or not, as it happens."""
        loop = self.process.loop
        if not self.process.is_alive and self.faults.dice.happens(0.5):
            return
        self._note(service, what, fault)
        back = self.faults.travel(loop.time())
        try:
            value = effect()
        except Exception as error:  # noqa: BLE001 - it is the service's answer
            raised = error
            loop.call_later(back, self._fail, answer, lambda: raised)
        else:
            if fault is Fault.LOST_AFTER:
                loop.call_later(_SILENCE_SECONDS, self._fail, answer, errors[fault])
            else:
                loop.call_later(back, self._answer, answer, value)
        if death is Death.AFTER:
            self.process.die(f"after {service} {what}")

    def _note(self, service: str, what: str, fault: Fault) -> None:
        trace = self.process.trace
        trace.counts["requests"] += 1
        said = "" if fault is Fault.NONE else f": {fault.value}"
        trace.note(
            self.process.loop.time(), self.process.name, f"{service} {what}{said}", loud=False
        )

    @staticmethod
    def _answer(answer: "asyncio.Future[T]", value: T) -> None:
        if not answer.done():
            answer.set_result(value)

    @staticmethod
    def _fail(answer: "asyncio.Future[T]", error: Callable[[], Exception]) -> None:
        if not answer.done():
            answer.set_exception(error())
