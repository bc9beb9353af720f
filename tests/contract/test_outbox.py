"""Outbox: what every implementation promises, beside the jobs in whose transactions its events are written."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.memory import MemoryJobs, MemoryOutbox
from shared.adapters.table_jobs import TableJobs
from shared.adapters.table_outbox import TableOutbox
from shared.adapters.tables import TableService
from shared.domain.errors import Stale
from shared.domain.ledger import Change
from shared.domain.lifecycle import Event, EventKind, Lease
from shared.ports import JobStore, Outbox
from tests.builders import NOW, a_head, a_job, a_vm_id

Stores = tuple[JobStore, Outbox]
SECOND = timedelta(seconds=1)


def an_event(kind: EventKind = EventKind.AWAY, *, after: timedelta = timedelta(0)) -> Event:
    return Event(
        id=f"{kind}-{after.total_seconds():.0f}",
        kind=kind,
        at=NOW + after,
        vm_id=a_vm_id(),
        team="shop",
        policy="web",
        data={"reason": "It's “down”\n100%", "stage": 1, "plannedStart": None},
    )


def stores(service: TableService | None, *, keeps_events: bool = True) -> Stores:
    if service:
        return TableJobs(service, keeps_events=keeps_events), TableOutbox(service)
    jobs = MemoryJobs(keeps_events=keeps_events)
    return jobs, MemoryOutbox(jobs)


@pytest.fixture
def both(service: TableService | None) -> Stores:
    return stores(service)


def kept(events: list[Event]) -> list[Event]:
    return [replace(event, etag="") for event in events]


async def test_an_event_is_kept_as_it_is_with_the_change_that_it_tells_of(both: Stores) -> None:
    jobs, outbox = both
    event = an_event(after=timedelta(microseconds=7))

    await jobs.commit(Change(heads=(a_head(),), jobs=(a_job(),), events=(event,), at=NOW))

    assert kept(list(await outbox.waiting(10))) == [event]
    assert await jobs.job("shop", "web", a_job().id) is not None


async def test_an_event_with_texts_too_long_for_a_cell_keeps_no_job_from_being_written(
    both: Stores,
) -> None:
    jobs, outbox = both
    long = {"reason": "\x01" * 9_000, "vmName": "x" * 30_000, "stage": 1}
    event = replace(an_event(), data=long)

    await jobs.commit(Change(heads=(a_head(),), jobs=(a_job(),), events=(event,), at=NOW))

    (found,) = await outbox.waiting(10)
    assert len(str(found.data["vmName"])) <= 200
    assert found.data["stage"] == 1


async def test_what_was_not_written_is_not_told(both: Stores) -> None:
    jobs, outbox = both
    await jobs.commit(Change(heads=(a_head(),), jobs=(a_job(),), at=NOW))

    with pytest.raises(Stale):
        await jobs.commit(Change(jobs=(a_job(),), events=(an_event(),), at=NOW))

    assert await outbox.waiting(10) == []


async def test_events_come_in_the_order_of_what_happened_and_no_more_than_asked_for(
    both: Stores,
) -> None:
    jobs, outbox = both
    later = an_event(EventKind.STARTING, after=SECOND)
    # Both at one instant, and their names the other way round.
    planned, asking = an_event(EventKind.PLANNED), an_event(EventKind.ASKING)
    await jobs.commit(Change(heads=(a_head(),), events=(later, asking, planned), at=NOW))

    assert kept(list(await outbox.waiting(10))) == [planned, asking, later]
    assert kept(list(await outbox.waiting(2))) == [planned, asking]


async def test_they_are_among_the_jobs_and_in_nobodys_way(both: Stores) -> None:
    jobs, outbox = both
    await jobs.commit(Change(heads=(a_head(),), jobs=(a_job(),), events=(an_event(),), at=NOW))
    await outbox.write(Lease(until=NOW))

    books, ledger = await jobs.books(), await jobs.ledger("shop", "web")

    assert [job.id for job in books.jobs()] == [a_job().id]
    assert books.unread == ()
    assert ledger is not None
    assert [job.id for job in ledger.jobs] == [a_job().id]


async def test_the_lease_is_written_and_what_was_taken_removed_at_once(both: Stores) -> None:
    jobs, outbox = both
    first, second = an_event(), an_event(after=SECOND)
    await jobs.commit(Change(heads=(a_head(),), events=(first, second), at=NOW))
    lease = await outbox.write((await outbox.lease()).held(NOW + SECOND, tries=2))

    waiting = await outbox.waiting(10)
    freed = await outbox.write(lease.held(None, tries=0), done=waiting[:1])

    assert kept(list(await outbox.waiting(10))) == [second]
    assert await outbox.lease() == freed
    assert (freed.until, freed.tries) == (None, 0)


async def test_of_two_that_take_the_lease_one_gets_it(both: Stores) -> None:
    jobs, outbox = both
    await jobs.commit(Change(heads=(a_head(),), events=(an_event(),), at=NOW))
    mine, theirs = await outbox.lease(), await outbox.lease()
    lease = await outbox.write(mine.held(NOW + SECOND, tries=0))

    with pytest.raises(Stale):
        await outbox.write(theirs.held(NOW + SECOND, tries=0))
    await outbox.write(lease.held(NOW, tries=1))
    with pytest.raises(Stale):
        await outbox.write(lease.held(None, tries=0), done=await outbox.waiting(10))

    assert len(await outbox.waiting(10)) == 1


async def test_where_events_go_nowhere_none_is_kept(service: TableService | None) -> None:
    jobs, outbox = stores(service, keeps_events=False)

    await jobs.commit(Change(heads=(a_head(),), events=(an_event(),), at=NOW))

    assert await outbox.waiting(10) == []
