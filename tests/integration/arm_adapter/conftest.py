import socket
from datetime import UTC, datetime

import pytest
from aiohttp import web

from shared.adapters.arm import connect_arm
from shared.adapters.memory import MemoryClock
from tests.integration.arm_adapter.scripted_arm import ScriptedArm

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
async def server():
    scripted = ScriptedArm()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", scripted.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await web.SockSite(runner, listener).start()
        scripted.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield scripted
        await runner.cleanup()


@pytest.fixture
def clock():
    return MemoryClock(NOW)


@pytest.fixture
async def arm(server, clock):
    adapter = connect_arm(server.url, "a-token", (), clock=clock)
    yield adapter
    await adapter.close()
