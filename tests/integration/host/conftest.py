from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from simulator.processes import Watchdog
from tests.integration.host.running import SHORT_LOCK_SECONDS, Bus, RunningHost


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    dog = Watchdog()
    yield dog
    dog.close()


@pytest.fixture
def bus(tmp_path, watchdog) -> Iterator[Bus]:
    running = Bus(tmp_path, watchdog)
    yield running
    running.close()


@pytest.fixture
def bus_of_short_locks(tmp_path, watchdog) -> Iterator[Bus]:
    running = Bus(tmp_path, watchdog, lock_seconds=SHORT_LOCK_SECONDS)
    yield running
    running.close()


@pytest.fixture
def host(tmp_path, watchdog):
    """Starts hosts; they are ended after the test."""
    with ExitStack() as stack:

        def start(*, wait=True, **settings) -> RunningHost:
            running = RunningHost(tmp_path, watchdog, **settings)
            stack.callback(running.stop)
            if wait:
                running.child.await_ready()
            return running

        yield start
