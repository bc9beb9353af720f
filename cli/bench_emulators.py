"""What the laptop cloud's parts can do by themselves: whoever measures more than that measures them."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

from aiohttp import ClientSession
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from cli.bench_aims import Line
from shared.adapters.table_jobs import TableJobs
from shared.adapters.tables import connect_tables
from shared.domain.ledger import Change
from simulator.laptop import LaptopCloud
from tests.builders import NOW, a_job
from tests.e2e.seeded import Policy, keep
from tests.e2e.still import SCENARIO

_SECONDS = 3.0
_AT_ONCE = 16
"""As many as the host handles messages at a time."""
_ROWS = 300
"""Jobs of the policy that is read as a whole."""
_BATCH = 50
_QUEUE = "redeploy-jobs"
_VM = (
    "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-shop"
    "/providers/Microsoft.Compute/virtualMachines/web-01?$expand=instanceView&api-version=2024-07-01"
)

Work = Callable[[int], Awaitable[int]]
"""What a worker does again and again, by its number; how much it did."""


def measured() -> Iterator[Line]:
    """A line for each kind of request, sent by the SDKs and adapters of the app."""
    with tempfile.TemporaryDirectory() as name:
        scenario = Path(name) / "still.toml"
        scenario.write_text(SCENARIO + "[arm]\nthrottle_scale = 0\n", encoding="utf-8")
        with LaptopCloud(Path(name) / "cloud", scenario=scenario) as cloud:
            for work in (_tables, _bus, _arm):
                yield from asyncio.run(work(cloud))


async def _tables(cloud: LaptopCloud) -> list[Line]:
    service = connect_tables(cloud.tables, None, None, "Bench")
    store = TableJobs(service)
    policy = Policy("shop", "web", {"match": "*"}, [a_job(f"vm-{n:04}") for n in range(_ROWS)])
    await keep(store, policy, NOW)
    ledger = await store.ledger("shop", "web")
    jobs = list(ledger.jobs) if ledger else []

    async def read(number: int) -> int:
        return int(await store.job("shop", "web", jobs[number].id) is not None)

    async def read_all(_: int) -> int:
        return int(await store.ledger("shop", "web") is not None)

    async def write(number: int) -> int:
        done = await store.commit(Change(jobs=(jobs[number],), at=NOW))
        jobs[number] = replace(jobs[number], etag=done.jobs[jobs[number].id])
        return 1

    try:
        return [
            await _rate("tables: a job read", read),
            await _rate("tables: a job written", write),
            await _rate(f"tables: a policy of {_ROWS} jobs read", read_all),
        ]
    finally:
        await service.close()


async def _bus(cloud: LaptopCloud) -> list[Line]:
    async with (
        ServiceBusClient.from_connection_string(cloud.bus) as client,
        client.get_queue_sender(_QUEUE) as sender,
        client.get_queue_receiver(_QUEUE) as receiver,
    ):

        async def send(_: int) -> int:
            await sender.send_messages([ServiceBusMessage("{}") for _ in range(_BATCH)])
            return _BATCH

        async def receive(_: int) -> int:
            taken = await receiver.receive_messages(_BATCH, max_wait_time=1)
            for message in taken:
                await receiver.complete_message(message)
            return len(taken)

        return [
            await _rate(f"bus: messages sent, {_BATCH} a batch", send, workers=1),
            await _rate("bus: messages received and completed", receive, workers=1),
        ]


async def _arm(cloud: LaptopCloud) -> list[Line]:
    async with ClientSession(headers={"Authorization": "Bearer laptop"}) as session:

        async def get(_: int) -> int:
            async with session.get(cloud.arm_url + _VM) as answer:
                answer.raise_for_status()
                return len(await answer.read()) and 1

        return [await _rate("arm: a VM read with its instance view", get)]


async def _rate(what: str, work: Work, *, workers: int = _AT_ONCE) -> Line:
    began = time.perf_counter()

    async def worker(number: int) -> int:
        done = 0
        while time.perf_counter() - began < _SECONDS:
            done += await work(number)
        return done

    done = sum(await asyncio.gather(*(worker(number) for number in range(workers))))
    seconds = time.perf_counter() - began
    return {"bench": "emulators", "what": what, "perSecond": round(done / seconds)}
