"""The host in one process: timers, queue triggers, HTTP; from `ready` to a clean end."""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from azure.functions.timer import TimerRequest

from simulator.host.dispatch import Dispatcher
from simulator.host.host_json import HostOptions
from simulator.host.http import HttpFront, Once, admin_request
from simulator.host.index import QUEUE, TIMER, Function
from simulator.host.message import admin_message
from simulator.host.servicebus import QueueTrigger
from simulator.host.timers import Timer

log = logging.getLogger("host")

_ATTACH_SECONDS_MAX: Final = 10.0
"""A bus that is away is waited for in the background: timers and HTTP work without it."""
_DRAIN_SECONDS: Final = 6.0
"""For what runs when the host is told to stop; with closing the links it makes less than 10 s, on a busy
machine too."""
_CLOSE_SECONDS: Final = 1.2


class Host:
    """Everything that the app registered, served."""

    def __init__(
        self,
        functions: list[Function],
        options: HostOptions,
        *,
        state: Path,
        key: str | None,
    ) -> None:
        """Read every trigger, so that what is wrong is said before anything runs.

        Args:
            functions: The app's index.
            options: host.json.
            state: Folder of the timers' status.
            key: Function and master key; None: a random one.

        Raises:
            HostError: A trigger's setting is missing or cannot be used.
        """
        self._functions = functions
        self._dispatcher = Dispatcher(options.function_timeout)
        self._key = key or secrets.token_urlsafe(24)
        self._timers = [
            Timer(function, self._dispatcher, state, _now)
            for function in functions
            if function.kind == TIMER
        ]
        self._queues = [
            QueueTrigger(function, self._dispatcher, options.bus, os.environ, _now)
            for function in functions
            if function.kind == QUEUE
        ]
        self._front = HttpFront(self._dispatcher, options.route_prefix, self._key)
        self._front.add_functions(functions)
        self._front.add_admin({f.name: self._once(f) for f in functions}, self._status)

    async def serve(self, port: int) -> None:
        """Runs until SIGTERM or SIGINT.

        Raises:
            OSError: The port is taken.
        """
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        runner = web.AppRunner(self._front.app, access_log=None, shutdown_timeout=_CLOSE_SECONDS)
        await runner.setup()
        with socket.create_server(("127.0.0.1", port)) as listener:
            await web.SockSite(runner, listener).start()
            timers = [asyncio.create_task(timer.run()) for timer in self._timers]
            queues = [asyncio.create_task(queue.run()) for queue in self._queues]
            await self._attached(stop)
            if not stop.is_set():
                self._say_ready(listener.getsockname()[1])
            await stop.wait()
            log.info("Stopping: what runs may end")
            await self._stop(timers, queues)
            await runner.cleanup()

    async def _attached(self, stop: asyncio.Event) -> None:
        """Until every receiver is attached, the host is told to stop, or it takes too long."""

        async def every() -> None:
            for queue in self._queues:
                await queue.attached.wait()

        attached, stopped = asyncio.create_task(every()), asyncio.ensure_future(stop.wait())
        waiting: set[asyncio.Future[Any]] = {attached, stopped}
        await asyncio.wait(
            waiting, timeout=_ATTACH_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED
        )
        for one in waiting:
            one.cancel()

    def _say_ready(self, port: int) -> None:
        names = [function.name for function in self._functions]
        facts = {"port": port, "key": self._key, "functions": names}
        print(f"ready {json.dumps(facts)}", flush=True)

    async def _stop(
        self, timers: list[asyncio.Task[None]], queues: list[asyncio.Task[None]]
    ) -> None:
        """Nothing new starts; what runs gets its time, then it is cancelled."""
        stops = [asyncio.create_task(queue.stop(_DRAIN_SECONDS)) for queue in self._queues]
        ends = [asyncio.create_task(timer.stop(_DRAIN_SECONDS)) for timer in self._timers]
        await _all([*stops, *ends, asyncio.create_task(self._front.stop(_DRAIN_SECONDS))], None)
        for timer in timers:
            timer.cancel()
        await _all([*timers, *queues], _CLOSE_SECONDS)

    def _once(self, function: Function) -> Once:
        async def run(given: str) -> None:
            argument: Any
            if function.kind == TIMER:
                argument = TimerRequest(past_due=False)
            elif function.kind == QUEUE:
                argument = admin_message(given, str(uuid.uuid4()))
            else:
                argument = admin_request(function, given)
            with contextlib.suppress(Exception):  # the dispatcher logged it
                await self._dispatcher.invoke(function, argument)

        return run

    def _status(self) -> dict[str, Any]:
        away = [q.function.name for q in self._queues if not q.attached.is_set()]
        names = sorted(function.name for function in self._functions)
        return {"state": "Running", "functions": names, "withoutConnection": away}


async def _all(tasks: Iterable[asyncio.Task[None]], within: float | None) -> None:
    waiting = set(tasks)
    if waiting:
        await asyncio.wait(waiting, timeout=within)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one clock of this process
