"""Every Bus keeps the port's contract: in memory, and the real SDK on the emulator's wire."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus.aio import ServiceBusClient

from cli.paths import ROOT
from cli.watch import get_json
from shared.adapters.memory import MemoryBus
from shared.adapters.messages import decode
from shared.adapters.service_bus import connect_bus
from shared.domain.errors import Terminal
from shared.ports import Wake, WakeAt

PATIENCE = 60
"""Seconds that a busy machine may take."""
WAKE = Wake(team="shop", policy="web", job_id="web-1-20260302-0123456789")


class InMemory:
    def __init__(self):
        self.bus = MemoryBus()

    async def jobs(self):
        return [due.wake for due in self.bus.take(now()) if due.wake]

    async def alerts(self):
        return sum(due.wake is None for due in self.bus.take(now()))

    async def close(self):
        pass


class OnTheWire:
    def __init__(self, facts):
        connection = facts["connectionString"]
        self.bus = connect_bus(connection, "", jobs_queue="redeploy-jobs", alerts_queue="alerts")
        self._counts = f"http://127.0.0.1:{facts['adminPort']}/queues"
        self._client = ServiceBusClient.from_connection_string(connection)
        self._receivers = {}

    async def _received(self, queue):
        """All that the queue holds and may be had now; what it holds is asked for, not waited for."""
        receiver = self._receivers.setdefault(queue, self._client.get_queue_receiver(queue))
        received = []
        while (await asyncio.to_thread(get_json, self._counts))[queue]["active"]:
            messages = await receiver.receive_messages(100, max_wait_time=PATIENCE)
            for message in messages:
                await receiver.complete_message(message)
            received += messages
        return received

    async def jobs(self):
        return [decode(b"".join(message.body)) for message in await self._received("redeploy-jobs")]

    async def alerts(self):
        return len(await self._received("alerts"))

    async def close(self):
        await self.bus.close()
        for receiver in self._receivers.values():
            await receiver.close()
        await self._client.close()


@pytest.fixture
def emulator():
    """Facts of an emulator of its own, so that no test meets another's messages."""
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator.servicebus", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield json.loads(process.stdout.readline().removeprefix("ready "))
    process.terminate()
    assert process.wait(PATIENCE) == 0
    process.stdout.close()


@pytest.fixture(params=["memory", "wire"])
async def kept(request):
    made = (
        InMemory() if request.param == "memory" else OnTheWire(request.getfixturevalue("emulator"))
    )
    yield made
    await made.close()


def now():
    return datetime.now(UTC)  # noqa: TID251 - the emulator's clock is the machine's


async def test_what_is_due_comes_and_the_same_purpose_twice_is_one_message(kept):
    at = now()
    one = WakeAt(wake=WAKE, at=at, cause="turn")

    await kept.bus.wake([one], now=now())
    await kept.bus.wake([one, one], now=now())

    assert await kept.jobs() == [WAKE]
    await kept.bus.wake([one], now=now())
    assert await kept.jobs() == []


async def test_another_instant_another_cause_or_another_policy_is_another_message(kept):
    at = now()
    moved = Wake(team="shop", policy="urgent", job_id=WAKE.job_id)
    different = [
        WakeAt(wake=WAKE, at=at, cause="turn"),
        WakeAt(wake=WAKE, at=at, cause="look"),
        WakeAt(wake=WAKE, at=at - timedelta(seconds=1), cause="turn"),
        WakeAt(wake=moved, at=at, cause="turn"),
    ]

    await kept.bus.wake(different, now=now())

    assert len(await kept.jobs()) == 4


async def test_nothing_comes_before_its_instant(kept):
    at = now() + timedelta(seconds=3)
    await kept.bus.wake([WakeAt(wake=WAKE, at=at)], now=now())

    async with asyncio.timeout(PATIENCE):
        while not (found := await kept.jobs()):  # noqa: ASYNC110 - nothing announces a message
            await asyncio.sleep(0.05)

    assert found == [WAKE]
    assert now() >= at


async def test_many_go_at_once_and_none_is_no_error(kept):
    at = now()
    wakes = [WakeAt(wake=Wake(team="t", policy="p", job_id=f"job-{n}"), at=at) for n in range(300)]
    await kept.bus.wake(wakes, now=now())
    await kept.bus.wake([], now=now())

    found: list[Wake] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < 300:
            found += await kept.jobs()

    assert {wake.job_id for wake in found} == {one.wake.job_id for one in wakes}


async def test_alerts_are_woken_at_once_or_later(kept):
    await kept.bus.wake_alerts(now() - timedelta(seconds=5), now=now())

    async with asyncio.timeout(PATIENCE):
        while not await kept.alerts():  # noqa: ASYNC110 - nothing announces a message
            await asyncio.sleep(0.05)


async def test_a_queue_that_does_not_exist_is_named(emulator):
    bus = connect_bus(emulator["connectionString"], "", jobs_queue="nowhere", alerts_queue="alerts")

    with pytest.raises(Terminal, match="nowhere"):
        await bus.wake([WakeAt(wake=WAKE, at=now())], now=now())
    await bus.close()
