"""Invoking a function: async ones on the one event loop, sync ones in threads, each within its time."""

import asyncio
import contextvars
import inspect
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import azure.functions as func
from azure.functions import _abc as contracts

from simulator.host.index import Function

log = logging.getLogger("host")


class TraceContext(contracts.TraceContext):
    """W3C trace context: a root of its own for every invocation."""

    def __init__(self) -> None:
        self._parent = f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00"

    @property
    def trace_parent(self) -> str:
        """The `traceparent` header's value."""
        return self._parent

    @property
    def trace_state(self) -> str:
        """Empty: there is no tracer above."""
        return ""

    @property
    def attributes(self) -> dict[str, str]:
        """Empty likewise."""
        return {}


class Context(func.Context):
    """What a function gets in a parameter named `context`."""

    def __init__(self, function_name: str, invocation_id: str) -> None:
        self._function_name = function_name
        self._invocation_id = invocation_id
        self._trace_context = TraceContext()
        self._local = threading.local()

    @property
    def invocation_id(self) -> str:
        """One of its own for every run."""
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        """For threads that the function starts itself."""
        return self._local

    @property
    def function_name(self) -> str:
        """As registered."""
        return self._function_name

    @property
    def function_directory(self) -> str:
        """The app's root."""
        return str(Path.cwd())

    @property
    def trace_context(self) -> TraceContext:
        """Where this run stands in a trace."""
        return self._trace_context

    @property
    def retry_context(self) -> Any:
        """None: retry policies are not served here."""
        return None


class Dispatcher:
    """Runs functions; one that raises never stops the host."""

    def __init__(self, timeout: timedelta | None) -> None:
        self._timeout = None if timeout is None else timeout.total_seconds()
        # Python's default number, as the worker's where PYTHON_THREADPOOL_THREAD_COUNT is not set.
        self._threads = ThreadPoolExecutor(thread_name_prefix="function")

    async def invoke(self, function: Function, argument: Any) -> Any:
        """Runs a function with its trigger's argument, and logs one line when it ends.

        Returns:
            What it returns.

        Raises:
            TimeoutError: It took longer than host.json's functionTimeout.
            Exception: Whatever it raises, after it was logged.
        """
        arguments = {function.parameter: argument}
        if "context" in inspect.signature(function.handler).parameters:
            arguments.setdefault("context", Context(function.name, str(uuid.uuid4())))
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout):
                result = await self._run(partial(function.handler, **arguments))
        except asyncio.CancelledError:
            log.warning("Executed %s (Cancelled, %.0f ms)", function.name, _ms(began))
            raise
        except Exception:
            log.exception("Executed %s (Failed, %.0f ms)", function.name, _ms(began))
            raise
        log.info("Executed %s (Succeeded, %.0f ms)", function.name, _ms(began))
        return result

    async def _run(self, call: Callable[[], Any]) -> Any:
        if inspect.iscoroutinefunction(call):
            return await call()
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(context.run, call))


def _ms(began: float) -> float:
    return (time.perf_counter() - began) * 1000
