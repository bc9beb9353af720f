"""Approving: it names the rollout that acts, and is kept with who and when."""

from datetime import timedelta

import pytest

from shared.adapters.memory import MemoryClock, MemoryJobs
from shared.domain.errors import InvalidInput, Stale
from shared.domain.job import JobState
from shared.domain.ledger import Change
from shared.domain.rules import is_approved
from shared.use_cases.approve import Approve, Approved
from tests.builders import NOW, a_head, a_job

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock(NOW)


async def jobs_of(*jobs, **columns) -> MemoryJobs:
    store = MemoryJobs()
    head = a_head(**(columns or {"approval": "required"}))
    await store.commit(Change(heads=(head,), jobs=jobs, at=NOW))
    return store


async def head_of(store: MemoryJobs):
    ledger = await store.ledger("shop", "web")
    assert ledger
    return ledger.head


async def test_the_rollout_that_acts_is_approved_with_who_and_when_and_until_when(clock):
    ended = a_job("web-1", state=JobState.COMPLETED, ended_at=NOW)
    store = await jobs_of(ended, a_job("web-2", rollout=2), a_job("web-3", rollout=3))

    approved = await Approve(clock=clock, jobs=store)("shop", "web", by="ann", until=NOW + 2 * HOUR)

    head = await head_of(store)
    assert approved == Approved(rollout=2, waiting=1, needed=True)
    assert (head.approved_rollout, head.approved_by, head.approved_at) == (2, "ann", NOW)
    assert is_approved(head, 2, NOW + HOUR)
    assert not is_approved(head, 2, NOW + 2 * HOUR)
    assert not is_approved(head, 3, NOW)


async def test_the_last_approval_counts(clock):
    store = await jobs_of(a_job())
    approve = Approve(clock=clock, jobs=store)
    await approve("shop", "web", by="ann", until=NOW + HOUR)
    await approve("shop", "web", by="bob")

    head = await head_of(store)
    assert (head.approved_by, head.approved_until) == ("bob", None)


async def test_a_policy_that_asks_for_none_is_approved_and_says_so(clock):
    store = await jobs_of(a_job(), match="*")

    assert not (await Approve(clock=clock, jobs=store)("shop", "web", by="ann")).needed


@pytest.mark.parametrize("jobs", [(), (a_job(state=JobState.MISSED, ended_at=NOW),)])
async def test_nothing_to_approve_is_refused_by_name(clock, jobs):
    store = await jobs_of(*jobs)

    for policy in ("web", "no-such"):
        with pytest.raises(InvalidInput, match=f"shop/{policy}.*a policy with VMs that wait"):
            await Approve(clock=clock, jobs=store)("shop", policy, by="ann")


async def test_an_approval_that_would_be_over_already_is_refused(clock):
    store = await jobs_of(a_job())

    with pytest.raises(InvalidInput, match="--until is"):
        await Approve(clock=clock, jobs=store)("shop", "web", by="ann", until=NOW)


async def test_a_rollout_that_writes_at_the_same_time_is_no_obstacle(clock):
    store = await jobs_of(a_job())
    store.fail_next("commit", Stale("others wrote"), Stale("others wrote"))

    await Approve(clock=clock, jobs=store)("shop", "web", by="ann")

    assert (await head_of(store)).approved_by == "ann"


async def test_it_gives_up_where_others_always_write_first(clock):
    store = await jobs_of(a_job())
    store.fail_next("commit", *[Stale("others wrote")] * 20)

    with pytest.raises(Stale):
        await Approve(clock=clock, jobs=store)("shop", "web", by="ann")
