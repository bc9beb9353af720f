"""The emulator served from a thread on a free port, and the unmodified SDKs pointed at it."""

import asyncio
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Self

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.aio import ComputeManagementClient as AsyncComputeManagementClient

from simulator.arm.cloud import Cloud
from simulator.arm.server import make_app
from simulator.scenario import parse_scenario

SUB = "11111111-1111-4111-8111-111111111111"
OTHER_SUB = "22222222-2222-4222-8222-222222222222"
GROUP = "rg-shop"
WINDOWS = {"pre_start": "-1m", "pre_end": "+20m", "start": "+30m", "end": "+60m"}
PATIENCE = 60.0
"""Seconds that a busy machine may take for what is to come."""


def vm(name: str = "web-01", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "resource_group": GROUP,
        "subscription": SUB,
        "location": "westeurope",
        "maintenance": WINDOWS,
        "redeploy_seconds": 0.2,
        **changes,
    }


def fleet(*vms: dict[str, Any], **tables: Any) -> dict[str, Any]:
    subscriptions = [{"id": SUB, "name": "Shop"}]
    return {"title": "t", "subscription": subscriptions, "vm": list(vms), **tables}


@dataclass(frozen=True)
class Emulator:
    url: str

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=PATIENCE) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def raw(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """A request as no SDK would send it: status, headers, decoded body."""
        request = urllib.request.Request(f"{self.url}{path}", method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, _lower(answer.headers), json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _lower(error.headers), json.load(error)

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
        """A request with a body, as no SDK would send it; its status."""
        request = urllib.request.Request(f"{self.url}{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return int(answer.status)

    def vm(self, name: str = "web-01") -> dict[str, Any]:
        (found,) = [it for it in self.get("/_emulator/vms") if it["name"] == name]
        return dict(found)

    def log(self) -> list[dict[str, Any]]:
        return list(self.get("/_emulator/log"))

    def posts(self) -> list[dict[str, Any]]:
        return [it for it in self.log() if it.get("method") == "POST"]

    def events(self) -> list[str]:
        return [it["event"] for it in self.log() if it["kind"] == "event"]

    def wait_for(self, holds: Callable[[], bool]) -> None:
        deadline = monotonic() + PATIENCE
        turn = threading.Event()
        while not holds():
            assert monotonic() < deadline, f"not within {PATIENCE} s: {self.vm()}"
            turn.wait(0.02)


@contextmanager
def serve(document: dict[str, Any], t0: datetime | None = None) -> Iterator[Emulator]:
    def clock() -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one clock of this server

    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    async def run() -> None:
        cloud = Cloud(parse_scenario(document, "test.toml"), t0 or clock())
        runner = web.AppRunner(make_app(cloud, clock), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        started.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield Emulator(f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
        loop.close()
        listener.close()


class Bearer(SansIOHTTPPolicy[Any, Any]):
    """The SDK sends no token over plain http by itself."""

    def on_request(self, request: Any) -> None:
        request.http_request.headers["Authorization"] = "Bearer loopback"


class Credential:
    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("loopback", 2**40)


class AsyncCredential:
    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("loopback", 2**40)

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        pass


def scale_set(name: str = "web", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "mode": "uniform",
        "resource_group": GROUP,
        "subscription": SUB,
        "location": "westeurope",
        "instances": 3,
        "maintenance": WINDOWS,
        "redeploy_seconds": 0.2,
        "tags": {"tier": "web"},
        **changes,
    }


def two_subscriptions(**fault: str) -> dict[str, Any]:
    subscriptions = [{"id": SUB, "name": "Shop"}, {"id": OTHER_SUB, "name": "ERP", **fault}]
    return {**fleet(vm()), "subscription": subscriptions}


@contextmanager
def compute(emulator: Emulator, **options: Any) -> Iterator[Any]:
    """As Any: in the SDK everything may be None, and a test that meets a None fails anyway."""
    with ComputeManagementClient(
        Credential(),
        SUB,
        base_url=emulator.url,
        authentication_policy=Bearer(),
        **{"polling_interval": 0.02, **options},
    ) as client:
        yield client


@asynccontextmanager
async def aio_compute(emulator: Emulator, **options: Any) -> AsyncIterator[Any]:
    async with AsyncComputeManagementClient(
        AsyncCredential(),
        SUB,
        base_url=emulator.url,
        authentication_policy=Bearer(),
        **{"polling_interval": 0.02, **options},
    ) as client:
        yield client


def code_of(caught: pytest.ExceptionInfo[Any]) -> str | None:
    """ARM's error code of what the SDK raised."""
    error = caught.value.error
    return error.code if error else None


def past(**length: float) -> datetime:
    """A start that long ago."""
    return datetime.now(UTC) - timedelta(**length)  # noqa: TID251 - a test's own start


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
