"""Timers on a clock of the test's own."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from simulator.host.dispatch import Dispatcher
from simulator.host.index import Function, HostError
from simulator.host.timers import Timer

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now


def timer(tmp_path, clock, handler, schedule="0 0 * * * *", **trigger):
    binding = {"type": "timerTrigger", "name": "timer", "schedule": schedule, **trigger}
    function = Function(
        name="t", script="function_app.py", handler=handler, trigger=binding, bindings=(binding,)
    )
    return Timer(function, Dispatcher(None), tmp_path, clock)


async def runs(tmp_path, clock, expected, **options):
    """Runs a timer until it has fired so often, and a little on; whether each was past due."""
    seen, done = [], asyncio.Event()

    async def handler(timer):
        seen.append(timer.past_due)
        if len(seen) == expected:
            done.set()

    task = asyncio.create_task(timer(tmp_path, clock, handler, **options).run())
    async with asyncio.timeout(60):
        await done.wait() if expected else await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    return seen


async def test_a_new_timer_waits_for_its_first_occurrence_and_keeps_when_that_is(tmp_path):
    assert await runs(tmp_path, Clock(), 0) == []

    kept = json.loads((tmp_path / "t.json").read_text())
    assert kept == {
        "Last": None,
        "Next": "2026-11-24T13:00:00+00:00",
        "LastUpdated": "2026-11-24T12:00:00+00:00",
    }


async def test_occurrences_missed_while_no_host_ran_are_made_up_by_one_past_due_run(tmp_path):
    await runs(tmp_path, Clock(), 0)

    assert await runs(tmp_path, Clock(NOON + timedelta(hours=5)), 1) == [True]
    assert await runs(tmp_path, Clock(NOON + timedelta(hours=5, minutes=1)), 0) == []


async def test_a_run_cut_off_by_the_hosts_death_is_past_due_when_it_starts_again(tmp_path):
    began = asyncio.Event()

    async def handler(timer):
        began.set()
        await asyncio.Event().wait()

    await runs(tmp_path, Clock(), 0)
    task = asyncio.create_task(timer(tmp_path, Clock(NOON + timedelta(hours=1.5)), handler).run())
    await began.wait()
    task.cancel()
    await asyncio.wait({task})

    assert await runs(tmp_path, Clock(NOON + timedelta(hours=1.6)), 1) == [True]


@pytest.mark.parametrize(
    "options",
    [{"useMonitor": False}, {"schedule": "*/30 * * * * *"}, {"schedule": "0,10 0 * * * *"}],
)
async def test_a_timer_that_azure_does_not_monitor_makes_up_nothing(tmp_path, options):
    await runs(tmp_path, Clock(), 0, **options)

    assert await runs(tmp_path, Clock(NOON + timedelta(hours=5)), 0, **options) == []
    assert not list(tmp_path.iterdir())


async def test_a_schedule_edited_meanwhile_counts_as_it_is_now(tmp_path):
    await runs(tmp_path, Clock(), 0)
    later = Clock(NOON + timedelta(hours=5))

    assert await runs(tmp_path, later, 0, schedule="0 0 6 * * *") == []


async def test_run_on_startup_runs_once_and_is_not_past_due(tmp_path):
    assert await runs(tmp_path, Clock(), 1, runOnStartup=True) == [False]


async def test_a_status_that_cannot_be_read_starts_anew(tmp_path):
    (tmp_path / "t.json").write_text('{"Last": "yesterday"}')

    assert await runs(tmp_path, Clock(NOON + timedelta(hours=5)), 0) == []


async def test_a_timer_that_fails_fires_again(tmp_path):
    clock, calls, again = Clock(), [], asyncio.Event()

    async def handler(timer):
        calls.append(clock.now)
        clock.now += timedelta(hours=1)  # the run outlasts its next occurrence
        if len(calls) == 2:
            again.set()
            await asyncio.Event().wait()  # enough was seen; the test ends it here
        raise RuntimeError("no luck")

    task = asyncio.create_task(timer(tmp_path, clock, handler, runOnStartup=True).run())
    async with asyncio.timeout(60):
        await again.wait()
    task.cancel()
    await asyncio.wait({task})

    assert calls[:2] == [NOON, NOON + timedelta(hours=1)]


def test_a_schedule_that_cannot_be_read_names_the_function(tmp_path):
    with pytest.raises(HostError, match="function t: schedule: hour '24'"):
        timer(tmp_path, Clock(), print, schedule="0 0 24 * * *")
