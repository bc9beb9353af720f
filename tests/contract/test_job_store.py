"""JobStore: what every implementation promises."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import InvalidInput, Stale
from shared.domain.job import Job
from shared.domain.ledger import Away, Books, Change, Head, Ledger
from shared.ports import JobStore
from tests.builders import (
    NOW,
    a_head,
    a_job,
    a_set_id,
    a_status,
    an_attempt,
    an_away,
)


def change(*jobs: Job, heads: tuple[Head, ...] = (), **other: object) -> Change:
    return Change(heads=heads, jobs=jobs, at=NOW, **other)


async def kept(jobs: JobStore, *new: Job, head: Head | None = None) -> Ledger:
    """Writes a head and its jobs; gives the ledger as read."""
    head = head or a_head()
    for start in range(0, max(len(new), 1), 99):
        ledger = await jobs.ledger(*head.key)
        heads = (ledger.head if ledger else head,)
        await jobs.commit(change(*new[start : start + 99], heads=heads))
    ledger = await jobs.ledger(*head.key)
    assert ledger
    return ledger


async def test_what_was_never_written_is_not_there(jobs: JobStore) -> None:
    assert await jobs.books() == Books(guard="", ledgers={})
    assert await jobs.ledger("shop", "web") is None
    assert await jobs.job("shop", "web", "web-1") is None
    assert await jobs.away(a_set_id()) == Away(domain_set=a_set_id())


async def test_a_known_ledger_is_given_back_while_its_head_is_the_same(jobs: JobStore) -> None:
    known = await kept(jobs, a_job("web-1"), a_job("web-2"))
    moved, other = known.jobs
    await jobs.commit(change(replace(moved, reason="written without the head")))

    assert await jobs.ledger("shop", "web", known=known) is known
    await jobs.commit(change(replace(other, reason="changed"), heads=(known.head,)))
    read = await jobs.ledger("shop", "web", known=known)
    assert read == await jobs.ledger("shop", "web")
    assert read != known


async def test_a_commit_is_read_back_with_the_etags_that_it_gave(jobs: JobStore) -> None:
    head, job = a_head(), a_job(unsettled=an_attempt(), not_before=NOW + timedelta(microseconds=1))

    committed = await jobs.commit(change(job, heads=(head,), guard=""))

    head = replace(head, etag=committed.heads[head.key])
    job = replace(job, etag=committed.jobs[job.id])
    ledger = Ledger(head=head, jobs=(job,))
    assert head.etag
    assert job.etag
    assert await jobs.ledger("shop", "web") == ledger
    assert await jobs.job("shop", "web", job.id) == job
    assert await jobs.books() == Books(guard=committed.guard, ledgers={("shop", "web"): ledger})


async def test_an_unsettled_attempt_goes_when_it_is_settled(jobs: JobStore) -> None:
    ledger = await kept(jobs, a_job(unsettled=an_attempt(), planned_start=NOW))

    await jobs.commit(change(replace(ledger.jobs[0], unsettled=None, planned_start=None)))

    job = await jobs.job("shop", "web", ledger.jobs[0].id)
    assert job
    assert job.unsettled is None
    assert job.planned_start is None


async def test_a_row_that_changed_meanwhile_is_not_replaced(jobs: JobStore) -> None:
    job = (await kept(jobs, a_job())).jobs[0]
    await jobs.commit(change(replace(job, reason="first")))

    with pytest.raises(Stale):
        await jobs.commit(change(replace(job, reason="second")))

    left = await jobs.job("shop", "web", job.id)
    assert left
    assert left.reason == "first"


async def test_the_same_content_again_still_makes_the_row_another(jobs: JobStore) -> None:
    head = (await kept(jobs)).head
    committed = await jobs.commit(change(heads=(head,)))

    assert committed.heads[head.key] != head.etag
    with pytest.raises(Stale):
        await jobs.commit(change(heads=(head,)))


async def test_a_row_that_exists_is_not_created(jobs: JobStore) -> None:
    job = (await kept(jobs, a_job())).jobs[0]

    with pytest.raises(Stale):
        await jobs.commit(change(replace(job, etag="")))


async def test_a_row_that_is_gone_is_neither_replaced_nor_removed(jobs: JobStore) -> None:
    job = (await kept(jobs, a_job())).jobs[0]
    await jobs.commit(change(removed=(job,)))

    with pytest.raises(Stale):
        await jobs.commit(change(job))
    with pytest.raises(Stale):
        await jobs.commit(change(removed=(job,)))


@pytest.mark.parametrize("wrong", range(4))
async def test_one_stale_row_and_nothing_is_written(jobs: JobStore, wrong: int) -> None:
    ledger = await kept(jobs, a_job("web-1"), a_job("web-2"))
    committed = await jobs.commit(change(guard="", away=(an_away(a=1),)))
    stale = (
        {"heads": (replace(ledger.head, etag=ledger.jobs[0].etag),)},
        {"removed": (replace(ledger.jobs[1], etag=ledger.head.etag),)},
        {"away": (an_away(b=2),)},
        {"guard": ""},
    )[wrong]
    fresh = {"heads": (ledger.head,), "guard": committed.guard}
    before = await jobs.books()
    new, again = a_job("web-3"), replace(ledger.jobs[0], reason="changed")

    with pytest.raises(Stale):
        await jobs.commit(Change(jobs=(new, again), at=NOW, **{**fresh, **stale}))

    assert await jobs.books() == before


async def test_of_two_commits_that_race_for_one_head_exactly_one_wins(jobs: JobStore) -> None:
    ledger = await kept(jobs, a_job("web-1"), a_job("web-2"))

    for _ in range(10):
        found = await jobs.ledger("shop", "web")
        assert found
        racers = [
            jobs.commit(change(replace(job, reason=f"won by {job.vm_name}"), heads=(found.head,)))
            for job in found.jobs
        ]
        ended = await asyncio.gather(*racers, return_exceptions=True)
        assert sorted(type(one).__name__ for one in ended) == ["Committed", "Stale"]

    assert ledger.head.etag


async def test_two_first_discoveries_cannot_both_make_the_guard(jobs: JobStore) -> None:
    ended = await asyncio.gather(
        jobs.commit(change(guard="", heads=(a_head("shop", "web"),))),
        jobs.commit(change(guard="", heads=(a_head("shop", "db"),))),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in ended) == ["Committed", "Stale"]
    assert len((await jobs.books()).ledgers) == 1


async def test_a_job_moves_between_policies_in_one_transaction(jobs: JobStore) -> None:
    web = await kept(jobs, a_job())
    db = await kept(jobs, head=a_head("data", "db"))
    job = web.jobs[0]
    moved = replace(job, team="data", policy="db", etag="")

    committed = await jobs.commit(change(moved, heads=(web.head, db.head), removed=(job,)))

    books = await jobs.books()
    assert books.ledgers["shop", "web"].jobs == ()
    assert books.ledgers["data", "db"].jobs == (replace(moved, etag=committed.jobs[job.id]),)


async def test_a_policy_never_shows_the_jobs_of_one_whose_name_begins_alike(jobs: JobStore) -> None:
    names = [("shop", "web"), ("shop", "web-2"), ("shop", "we"), ("shop-2", "web"), ("sho", "p")]
    for team, policy in names:
        await kept(jobs, a_job(team=team, policy=policy), head=a_head(team, policy))

    for team, policy in names:
        ledger = await jobs.ledger(team, policy)
        assert ledger
        assert [(job.team, job.policy) for job in ledger.jobs] == [(team, policy)]


@pytest.mark.parametrize(
    "name",
    ["o'hara", "''", 'a "b"', "50% & more", "a+b=c", "Käse", "東京 🗼", "a  b", "@low", "~}"],
)
async def test_a_policy_of_any_legal_name_is_kept(jobs: JobStore, name: str) -> None:
    ledger = await kept(jobs, a_job(team=name, policy=name), head=a_head(name, name))

    assert ledger.jobs == (await jobs.books()).ledgers[name, name].jobs
    assert await jobs.job(name, name, ledger.jobs[0].id) == ledger.jobs[0]
    await jobs.commit(change(heads=(ledger.head,), removed=ledger.jobs))
    assert await jobs.ledger(name, name) != ledger


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a#b", "a?b", "a\nb", "a|b", "!a", "", "\x85"])
async def test_a_name_that_no_key_may_hold_is_refused(jobs: JobStore, name: str) -> None:
    with pytest.raises(InvalidInput):
        await jobs.commit(change(a_job(team="shop", policy=name)))
    with pytest.raises(InvalidInput):
        await jobs.ledger(name, "web")


async def test_the_placement_of_a_set_is_kept_under_its_etag(jobs: JobStore) -> None:
    await jobs.commit(change(away=(an_away(a=1, b=None),)))
    first = await jobs.away(a_set_id())
    assert first == replace(an_away(a=1, b=None), etag=first.etag)

    await jobs.commit(change(away=(replace(first, jobs={}),)))

    assert (await jobs.away(a_set_id())).jobs == {}
    with pytest.raises(Stale):
        await jobs.commit(change(away=(first,)))
    with pytest.raises(Stale):
        await jobs.commit(change(away=(an_away(),)))


async def test_a_hundred_rows_are_one_transaction_and_more_are_refused(jobs: JobStore) -> None:
    many = [a_job(f"web-{number}") for number in range(101)]

    await jobs.commit(change(*many[:99], heads=(a_head(),)))
    ledger = await jobs.ledger("shop", "web")
    assert ledger
    with pytest.raises(ValueError, match="at most 100 rows, not 101"):
        await jobs.commit(change(*many[99:], *ledger.jobs))

    after = await jobs.ledger("shop", "web")
    assert after == ledger
    assert len(ledger.jobs) == 99


async def test_one_row_twice_in_a_change_is_refused(jobs: JobStore) -> None:
    with pytest.raises(ValueError, match="one row twice"):
        await jobs.commit(change(a_job(), a_job()))


async def test_an_empty_change_writes_nothing(jobs: JobStore) -> None:
    committed = await jobs.commit(change())

    assert (committed.heads, committed.jobs) == ({}, {})


async def test_more_jobs_than_a_page_are_all_read(jobs: JobStore) -> None:
    many = [a_job(f"web-{number:04d}") for number in range(1_050)]

    ledger = await kept(jobs, *many)

    assert [job.id for job in ledger.jobs] == sorted(job.id for job in many)
    assert (await jobs.books()).ledgers == {("shop", "web"): ledger}


# aiohttp warns of any body over a mebibyte; the service takes four.
@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_hundred_jobs_with_the_longest_messages_still_fit(jobs: JobStore) -> None:
    told = a_status(last_operation_message="é" * 40_000)
    attempt = an_attempt(reason="ü" * 40_000, last_operation_message="é" * 40_000)
    many = [a_job(f"w-{n}", maintenance=told, unsettled=attempt) for n in range(99)]

    ledger = await kept(jobs, *many)

    message = ledger.jobs[0].maintenance.last_operation_message
    assert len(ledger.jobs) == 99
    assert message.startswith("ééé")
    assert message.endswith("…")


async def test_a_message_is_kept_up_to_32000_characters(jobs: JobStore) -> None:
    long, longer = "x" * 32_000, "🗼" * 20_000
    ledger = await kept(jobs, a_job("a", reason=long), a_job("b", reason=longer))

    assert ledger.jobs[0].reason == long
    assert ledger.jobs[1].reason == "🗼" * 15_999 + "…"


async def test_an_operation_url_that_is_too_long_is_refused_by_name(jobs: JobStore) -> None:
    with pytest.raises(InvalidInput, match=r"operationUrl.*at most 32768"):
        await jobs.commit(change(a_job(operation_url="u" * 40_000)))
