"""What a discovery costs: ARM calls, seconds and memory, beside the script that Microsoft documents.

The script (learn.microsoft.com, virtual-machines/maintenance-notifications-powershell, November 2019) loops over
the resource groups of a subscription, over each group's VMs, and asks for each VM's status, one after another.
"""

import asyncio
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from cli.bench_aims import aimed, at_least, below
from cli.paths import ROOT

_SIZES = (1_000, 10_000)
_SUBSCRIPTIONS = 20
_IN_A_GROUP = 10
"""VMs in a resource group."""
_OFFERED = 0.05
"""Share of the VMs that are in the wave, in every subscription."""
_LATENCY = 0.05
_INTERVAL = timedelta(minutes=5)
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB

Json = Mapping[str, Any]


def measured() -> Iterator[Json]:
    """Lines for each size: the script's, then Baton's where the status list carries the maintenance or not."""
    for vms in _SIZES:
        fleet: Json = {"bench": "discovery", "vms": vms, "subscriptions": _SUBSCRIPTIONS}
        with _azure(vms, offered=_OFFERED, carries=True) as url:
            (script,) = _in_a_process("script", url)
        yield {**fleet, "who": "script", **script}
        for which, offered, carries in (
            ("listed wave", _OFFERED, True),
            ("unlisted wave", _OFFERED, False),
            ("no wave", 0.0, False),
        ):
            with _azure(vms, offered=offered, carries=carries) as url:
                for found in _in_a_process("baton", url):
                    fewer = round(script["armCalls"] / found["armCalls"], 1)
                    line = {**fleet, "who": "baton", "fleet": which, **found, "timesFewer": fewer}
                    # Where pages are few VMs, they cannot be so many times fewer.
                    is_large = carries and vms == max(_SIZES)
                    least = at_least(20 if is_large else 1)
                    yield aimed(line, timesFewer=least, rssMiB=below(300))


def _in_a_process(what: str, url: str) -> Iterator[dict[str, Any]]:
    # A fresh one each, because a process never gives back the most memory it had.
    command = [sys.executable, "-m", "cli.bench_discovery", what, url]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    return (json.loads(line) for line in done.stdout.splitlines())


@contextmanager
def _azure(vms: int, *, offered: float, carries: bool) -> Iterator[str]:
    """The ARM emulator with such a fleet, its throttles as published; its URL."""
    from simulator.processes import Child, Watchdog, python  # noqa: PLC0415 - not for who is measured

    with tempfile.TemporaryDirectory() as folder:
        scenario, log = Path(folder) / "fleet.toml", Path(folder) / "arm.log"
        scenario.write_text(_scenario(vms, offered, carries=carries), encoding="utf-8")
        arm = Child(
            python("arm", "simulator.arm", "--port", "0", "--scenario", str(scenario)),
            log,
            Watchdog(),
        )
        try:
            yield str(arm.await_ready()["url"])
        finally:
            arm.stop()


def _scenario(vms: int, offered: float, *, carries: bool) -> str:
    lines = [
        'title = "A fleet"',
        "[arm]",
        f"status_list_carries_maintenance = {str(carries).lower()}",
    ]
    mine = vms // _SUBSCRIPTIONS
    waiting = round(mine * offered)
    for number in range(_SUBSCRIPTIONS):
        identity = f"{number:08d}-1111-4111-8111-111111111111"
        lines += ["[[subscription]]", f'id = "{identity}"', f'name = "Shop {number}"']
        lines += [f'fail = "slow:{_LATENCY}s"']
        for first in range(0, mine, _IN_A_GROUP):
            group = range(first, first + _IN_A_GROUP)
            in_wave = sum(one < waiting for one in group)
            lines += _alike(identity, first, "wave", in_wave, _MAINTENANCE)
            lines += _alike(identity, first, "calm", _IN_A_GROUP - in_wave, "")
    return "\n".join(lines)


def _alike(subscription: str, group: int, name: str, count: int, more: str) -> list[str]:
    if not count:
        return []
    head = ["[[vm]]", f'name = "{name}-{group}"', f"count = {count}"]
    head += [f'resource_group = "rg-{group}"']
    return [*head, f'subscription = "{subscription}"', 'location = "westeurope"', more]


_MAINTENANCE = 'maintenance = { pre_start = "-1h", pre_end = "+30d", start = "+31d", end = "+45d" }'


# --- in the process that is measured -----------------------------------------------------------------


class _Calls(logging.Handler):
    """Counts the requests to ARM, those that were repeated too."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """See Handler."""
        self.count += getattr(record, "action", "") == "arm_called"


class _Timed:
    """Seeing the fleet, and how long that took: the rest is planning and writing."""

    def __init__(self, see: Any) -> None:
        self._see = see
        self.seconds = 0.0

    async def __call__(self, *args: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return await self._see(*args, **options)
        finally:
            self.seconds = time.perf_counter() - began


async def _baton(url: str) -> None:
    """The whole use case on real ARM and tables in memory: the first discovery, and one five minutes later."""
    from shared.adapters.arm import connect_arm  # noqa: PLC0415 - counts in the memory
    from shared.adapters.system_clock import SystemClock  # noqa: PLC0415
    from tests.simulation.world import World  # noqa: PLC0415

    calls, meter = _Calls(), logging.getLogger("baton.meter")
    meter.setLevel(logging.INFO)
    meter.addHandler(calls)
    world: Any = World(policies={"all": {"match": "*", "concurrency": 20}})
    world.clock.set(SystemClock().now())
    world.azure = arm = connect_arm(url, "bench", (), clock=SystemClock())
    world.restart()
    for when in ("first", "5 minutes later"):
        calls.count, began = 0, time.perf_counter()
        see = _Timed(world.app.discover.see)
        await replace(world.app.discover, see=see)()
        seconds = time.perf_counter() - began
        jobs = len(world.jobs.jobs())
        _say(when, calls.count, seconds, readSeconds=round(see.seconds, 1), jobs=jobs)
        world.clock.advance(_INTERVAL)
    await arm.close()


async def _script(url: str) -> None:
    """What the documented script asks, in its order, of the first subscription; the others are alike."""
    import aiohttp  # noqa: PLC0415 - as above

    calls, began = 0, time.perf_counter()
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer bench"}) as session:

        async def items(path: str) -> list[Any]:
            nonlocal calls
            found: list[Any] = []
            following = f"{url}{path}"
            while following:
                async with session.get(following) as answer:
                    body = await answer.json()
                calls += 1
                found += body["value"]
                following = body.get("nextLink", "")
            return found

        subscription = (await items("/subscriptions?api-version=2022-12-01"))[0]["id"]
        listing, calls = calls, 0
        for group in await items(f"{subscription}/resourcegroups?api-version=2021-04-01"):
            base = f"{group['id']}/providers/Microsoft.Compute/virtualMachines"
            for vm in await items(f"{base}?api-version=2024-07-01"):
                path = f"{base}/{vm['name']}?$expand=instanceView&api-version=2024-07-01"
                async with session.get(f"{url}{path}") as answer:
                    answer.raise_for_status()
                    await answer.read()
                calls += 1
    seconds = time.perf_counter() - began
    all_calls = listing + calls * _SUBSCRIPTIONS
    _say("", all_calls, seconds * _SUBSCRIPTIONS, measured=f"1 of {_SUBSCRIPTIONS}")


def _say(when: str, calls: int, seconds: float, **more: object) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT >> 20
    found = {"when": when, "armCalls": calls, "seconds": round(seconds, 1), "rssMiB": peak, **more}
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run({"baton": _baton, "script": _script}[sys.argv[1]](sys.argv[2]))
