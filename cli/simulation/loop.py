"""An event loop without a clock: time jumps to the next thing, and the dice say who goes first.

It runs asyncio's own tasks, locks and timeouts. What is ready at one instant runs in an order that the seed
decides, so that two handlers meet in every way there is, and the same seed makes them meet in the same way.
"""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(RuntimeError):
    """Nothing is ready, nothing is due, and what was to be run has not ended."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs on seconds from 0 that cost nothing.

    Attributes:
        steps: How many callbacks ran.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._now = 0.0
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
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
            while not task.done():
                self._step()
            return task.result()
        finally:
            self._end()
            asyncio._set_running_loop(None)  # noqa: SLF001

    def _end(self) -> None:
        """Ends what still runs, so that nothing is left for the garbage collector to complain of."""
        self._timers.clear()
        while left := asyncio.all_tasks(self):
            for task in left:
                task.cancel()
            while self._ready:
                self._step()

    def _step(self) -> None:
        while self._timers and (not self._ready or self._timers[0][0] <= self._now):
            when, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled():
                self._now = max(self._now, when)
                self._ready.append(timer)
        if not self._ready:
            raise Stuck(f"at {self._now:.3f} s")
        ready, last = self._ready, len(self._ready) - 1
        if last:
            chosen = int(self._dice.random() * len(ready))
            ready[chosen], ready[last] = ready[last], ready[chosen]
        handle = ready.pop()
        if not handle.cancelled():
            self.steps += 1
            handle._run()  # noqa: SLF001 - as asyncio's own loops do
        if self._failure:
            raise self._failure

    # --- what asyncio asks of a loop ----------------------------------------------------------------

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self._now

    def call_soon(  # type: ignore[override] # the stub wants variadic generics
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Runs it at this instant, among all else that is ready."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override] # same
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Runs it at an instant."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._set += 1
        heapq.heappush(self._timers, (when, self._set, timer))
        return timer

    def call_later(  # type: ignore[override] # same
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Runs it after some seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

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

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """The heap finds out by itself."""
