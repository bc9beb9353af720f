"""An event loop without a clock: time jumps to the next thing, and the dice say who goes first.

It runs asyncio's own tasks, locks and timeouts. What is ready at one instant runs in an order that the seed
decides, so that two handlers meet in every way there is, and the same seed makes them meet in the same way.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from functools import partial
from heapq import heappop, heappush
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(RuntimeError):
    """Nothing is ready, nothing is due, and what was to be run has not ended."""


class Call(partial[object]):
    """What is to run; until then it can be called off. asyncio's own handles take four times as long to make."""

    # The base has neither; a dict of its own for each call would cost as much as the call.
    __slots__ = ("at", "is_off")
    at: float
    is_off: bool

    def cancel(self) -> None:
        """Calls it off."""
        self.is_off = True

    def when(self) -> float:
        """The instant at which it is to run."""
        return self.at


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs on seconds from 0 that cost nothing.

    Attributes:
        steps: How many callbacks ran.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._now = 0.0
        self._ready: list[Call] = []
        self._timers: list[tuple[float, int, Call]] = []
        self._set = 0
        self._failure: BaseException | None = None
        self.steps = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs until the work ends, and returns its value.

        Raises:
            Stuck: It never will.
        """
        asyncio._set_running_loop(self)  # noqa: SLF001 - how asyncio tells tasks their loop
        try:
            task = self.create_task(work)
            self._run(task)
            return task.result()
        finally:
            try:
                self._end()
            finally:
                asyncio._set_running_loop(None)  # noqa: SLF001

    def _end(self) -> None:
        """Ends what still runs, so that nothing is left for the garbage collector to complain of."""
        self._failure = None  # it is on its way already
        self._timers.clear()
        while left := asyncio.all_tasks(self):
            for task in left:
                task.cancel()
            self._run(None)

    def _run(self, until: "asyncio.Task[Any] | None") -> None:
        """Runs until a task is done; with None, until nothing is ready."""
        ready, timers, throw = self._ready, self._timers, self._dice.random
        while not until.done() if until else ready:
            while timers and (not ready or timers[0][0] <= self._now):
                when, _, timer = heappop(timers)
                if not timer.is_off:
                    self._now = max(self._now, when)
                    ready.append(timer)
            if not ready:
                raise Stuck(f"at {self._now:.3f} s")
            if len(ready) > 1:
                chosen = int(throw() * len(ready))
                ready[chosen], ready[-1] = ready[-1], ready[chosen]
            call = ready.pop()
            if not call.is_off:
                self.steps += 1
                call()
            if self._failure:
                raise self._failure

    # --- what asyncio asks of a loop ----------------------------------------------------------------

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self._now

    def call_soon(  # type: ignore[override] # the stub wants variadic generics
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Call:
        """Runs it at this instant, among all else that is ready."""
        call = Call((context or copy_context()).run, callback, *args)
        call.at, call.is_off = self._now, False
        self._ready.append(call)
        return call

    def call_at(  # type: ignore[override] # same
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Call:
        """Runs it at an instant."""
        return self._timer(when, callback, args, context)

    def call_later(  # type: ignore[override] # same
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> Call:
        """Runs it after some seconds."""
        return self._timer(self._now + delay, callback, args, context)

    def _timer(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> Call:
        call = Call((context or copy_context()).run, callback, *args)
        call.at, call.is_off = when, False
        self._set += 1
        heappush(self._timers, (when, self._set, call))
        return call

    def create_future(self) -> "asyncio.Future[Any]":
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override] # the stub also takes what only threads need
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> "asyncio.Task[T]":
        """A task of this loop."""
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A callback of ours raised: the simulation is wrong, and must not go on as if it were not."""
        self._failure = context.get("exception") or RuntimeError(context["message"])

    def get_debug(self) -> bool:
        """No."""
        return False

    def is_running(self) -> bool:
        """Always, for whoever asks from inside."""
        return True

    def is_closed(self) -> bool:
        """Never."""
        return False
