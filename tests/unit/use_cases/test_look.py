"""Looking at the tables: few reads serve many, and nobody waits long for large ones."""

import asyncio
from datetime import timedelta

import pytest

from shared.adapters.memory import MemoryClock, MemoryJobs, MemoryPauses, MemoryPolicies
from shared.domain.errors import Retryable
from shared.domain.ledger import Change
from shared.use_cases.look import Look
from tests.builders import NOW, a_head, a_job

SOON, LONG = timedelta(seconds=5), timedelta(minutes=2)


class SlowJobs(MemoryJobs):
    """Answers when it is let."""

    def __init__(self):
        super().__init__()
        self.let = asyncio.Event()
        self.let.set()

    async def books(self):
        found = await super().books()
        await self.let.wait()
        return found


@pytest.fixture
def clock():
    return MemoryClock(NOW)


@pytest.fixture
def jobs():
    return SlowJobs()


@pytest.fixture
def look(clock, jobs):
    return Look(clock=clock, jobs=jobs, policies=MemoryPolicies(), pauses=MemoryPauses())


async def add_a_job(jobs):
    await jobs.commit(Change(heads=(a_head(),), jobs=(a_job(),), at=NOW))


async def test_those_who_look_at_once_share_one_read(look, jobs):
    seen = await asyncio.gather(*(look() for _ in range(10)))

    assert len({id(one) for one in seen}) == 1
    assert len(jobs.called("books")) == 1


async def test_what_changed_is_seen_a_few_seconds_later(look, jobs, clock):
    await look()
    await add_a_job(jobs)

    assert (await look()).jobs() == []
    clock.advance(SOON)
    assert len((await look()).jobs()) == 1


async def test_whoever_acted_sees_it_at_once(look, jobs):
    await look()
    await add_a_job(jobs)
    look.again()

    assert len((await look()).jobs()) == 1


async def test_nobody_waits_long_for_a_slow_read_and_the_next_one_gets_it(look, jobs, clock):
    first = await look()
    await add_a_job(jobs)
    jobs.let.clear()
    clock.advance(SOON)

    assert await look() is first
    jobs.let.set()
    assert len((await look()).jobs()) == 1
    assert len(jobs.called("books")) == 2


async def test_what_is_older_than_a_minute_is_not_shown(look, jobs, clock):
    await look()
    await add_a_job(jobs)
    jobs.let.clear()
    clock.advance(LONG)
    asked = asyncio.create_task(look())
    await asyncio.wait({asked}, timeout=0.5)

    assert not asked.done()
    jobs.let.set()
    assert len((await asked).jobs()) == 1


async def test_a_read_from_before_somebody_acted_is_not_kept(look, jobs):
    jobs.let.clear()
    early = asyncio.create_task(look())
    await asyncio.wait({early}, timeout=0.01)
    await add_a_job(jobs)
    look.again()
    jobs.let.set()
    await early

    assert len((await look()).jobs()) == 1


async def test_busy_tables_are_told_and_asked_again(look, jobs):
    jobs.fail_next("books", Retryable("throttled"))

    with pytest.raises(Retryable):
        await look()
    assert (await look()).jobs() == []


async def test_tables_that_take_long_to_read_are_read_less_often(look, jobs, clock):
    jobs.let.clear()
    asked = asyncio.create_task(look())
    await asyncio.wait({asked}, timeout=0.01)
    clock.advance(timedelta(seconds=2))
    jobs.let.set()
    await asked

    clock.advance(SOON)
    await look()
    assert len(jobs.called("books")) == 1
