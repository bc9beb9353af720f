"""What handlers of one process spare each other, and what that may never change."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from shared.domain.job import JobState
from shared.domain.ledger import Change
from shared.ports import Wake
from tests.builders import a_vm
from tests.simulation.world import AWAY, World

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ROUND = timedelta(minutes=11)  # a little more than the estimate
VMS = [a_vm(f"web-{number}") for number in range(1, 5)]


def policy(**columns):
    return {"web": {"gap": "0s", "estimate": "10m", **columns}}


def listen(world):
    """(VM, cause) of every message that the bus is given from now on."""
    sent: list[tuple[str, str]] = []
    wake = world.bus.wake

    async def heard(wakes, *, now):
        sent.extend((one.wake.job_id.rsplit("-", 2)[0], one.cause) for one in wakes)
        await wake(wakes, now=now)

    world.bus.wake = heard
    return sent


def read_whole(world):
    """How often a policy's jobs were read, from now on."""
    reads, ledger = [], world.jobs.ledger

    async def read(team, policy, *, known=None):
        found = await ledger(team, policy, known=known)
        reads.extend([found] if found is not known else [])
        return found

    world.jobs.ledger = read
    return reads


def read_one(world):
    """The jobs that are read by themselves, from now on."""
    reads, job = [], world.jobs.job

    async def read(team, policy, job_id):
        reads.append(job_id)
        return await job(team, policy, job_id)

    world.jobs.job = read
    return reads


def before_it_is_answered(world, then):
    """Has something happen between the writing of the next start that was taken, and its answer."""
    commit = world.jobs.commit

    async def late(change):
        committed = await commit(change)
        if not change.heads and change.jobs[0].state is JobState.REDEPLOYING:
            world.jobs.commit = commit
            await then()
        return committed

    world.jobs.commit = late


async def test_whoever_has_a_message_for_its_planned_start_gets_no_second_one():
    world = World(*VMS, policies=policy(estimate="10m"))
    sent = listen(world)

    await world.run(2 * HOUR, outcomes=len(VMS))

    assert len(world.terminal()) == len(VMS)
    assert sorted(vm for vm, cause in sent if cause == "plan") == [vm.name for vm in VMS]
    assert [vm for vm, cause in sent if cause == "turn"] == []


async def test_a_vm_that_comes_back_late_wakes_the_next_one_and_nobody_else():
    world = World(*VMS, policies=policy(estimate="1m"))
    await world.app.discover()
    sent = listen(world)
    first, second = world.jobs.jobs()[:2]

    await world.app.redeploy(Wake(team="shop", policy="web", job_id=first.id))
    world.clock.advance(AWAY + MINUTE)
    await world.app.redeploy(Wake(team="shop", policy="web", job_id=first.id))

    assert world.terminal() == {first.vm_name: "completed"}
    assert [vm for vm, cause in sent if cause == "turn"] == [second.vm_name]


async def test_a_process_reads_the_jobs_of_a_policy_once_while_it_alone_writes_them():
    world = World(*VMS, policies=policy())
    await world.app.discover()
    reads = read_whole(world)

    await world.run(50 * MINUTE, outcomes=len(VMS))

    assert len(world.terminal()) == len(VMS)
    # The rest are told to read anew by the discoveries, if those change anything.
    assert len(reads) == 1


async def test_a_process_looks_at_a_vm_that_is_away_without_reading_its_job_again():
    world = World(*VMS, policies=policy(concurrency=2))
    await world.app.discover()
    wakes = [Wake(team="shop", policy="web", job_id=job.id) for job in world.jobs.jobs()[:2]]
    await asyncio.gather(*(world.app.redeploy(wake) for wake in wakes))
    assert {job.state for job in world.jobs.jobs()[:2]} == {JobState.REDEPLOYING}
    reads = read_one(world)

    world.clock.advance(AWAY / 2)
    for wake in wakes:
        await world.app.redeploy(wake)
    world.clock.advance(AWAY)
    for wake in wakes:
        await world.app.redeploy(wake)

    assert world.terminal() == {"web-1": "completed", "web-2": "completed"}
    assert reads == []


async def test_a_vm_that_another_process_saw_back_is_not_ended_again_by_one_that_remembers_it_away():
    world = World(*VMS, policies=policy())
    await world.app.discover()
    one = world.app
    wake = Wake(team="shop", policy="web", job_id=world.jobs.jobs()[0].id)
    await one.redeploy(wake)
    world.clock.advance(AWAY + MINUTE)
    world.restart()
    await world.app.redeploy(wake)
    ended = world.jobs.jobs()[0]

    await one.redeploy(wake)

    assert world.terminal() == {"web-1": "completed"}
    assert world.jobs.jobs()[0] == ended


async def test_a_start_whose_writing_is_answered_late_is_not_away_again_when_it_was_seen_back():
    world = World(*VMS, policies=policy())
    await world.app.discover()
    one = world.app
    first, second, third = (
        Wake(team="shop", policy="web", job_id=job.id) for job in world.jobs.jobs()[:3]
    )

    async def another_sees_it_back():
        world.clock.advance(ROUND)
        world.restart()
        await world.app.redeploy(first)
        await one.redeploy(second)

    before_it_is_answered(world, another_sees_it_back)
    await one.redeploy(first)
    world.clock.advance(ROUND)
    await one.redeploy(second)
    await one.redeploy(third)

    assert world.terminal() == {"web-1": "completed", "web-2": "completed"}
    assert world.starts() == ["web-1", "web-2", "web-3"]


async def test_what_another_process_wrote_is_seen_by_one_that_remembers_the_policy_as_it_was():
    world = World(*VMS, policies=policy(concurrency=2))
    await world.app.discover()
    one = world.app
    first, second, third, _ = (
        Wake(team="shop", policy="web", job_id=job.id) for job in world.jobs.jobs()
    )
    await one.redeploy(first)
    world.restart()
    await world.app.redeploy(second)

    await one.redeploy(second)
    await one.redeploy(third)

    assert world.starts() == ["web-1", "web-2"]


async def test_a_job_that_was_written_without_its_policys_head_is_read_before_it_is_left_waiting():
    world = World(*VMS, policies=policy(concurrency=2))
    await world.app.discover()
    first, second = world.jobs.jobs()[:2]
    later = replace(second, not_before=world.clock.now() + HOUR)
    await world.jobs.commit(Change(jobs=(later,), at=world.clock.now()))
    await world.app.redeploy(Wake(team="shop", policy="web", job_id=first.id))
    (later,) = (job for job in world.jobs.jobs() if job.id == second.id)
    await world.jobs.commit(Change(jobs=(replace(later, not_before=None),), at=world.clock.now()))

    await world.app.redeploy(Wake(team="shop", policy="web", job_id=second.id))

    assert world.starts() == ["web-1", "web-2"]


async def test_once_somebody_was_seen_back_the_others_are_looked_at_twice():
    world = World(*VMS, policies=policy())
    sent = listen(world)

    await world.run(2 * HOUR, outcomes=len(VMS))

    looks = [vm for vm, cause in sent if cause == "look"]
    assert looks.count("web-1") >= AWAY / timedelta(seconds=30)
    assert [looks.count(vm.name) for vm in VMS[1:]] == [2, 2, 2]
