"""Where no list tells of the maintenance, VMs are asked in turns, and all of them where a wave has come."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.memory import MemoryClock, MemoryMachines, MemoryPatchStore
from shared.domain.errors import Retryable
from shared.domain.heartbeat import Heartbeat, LeftAlone
from shared.domain.job import JobState
from shared.domain.maintenance import ListedStatus
from shared.domain.turns import ROUND
from shared.use_cases.see_fleet import SeeFleet
from tests.builders import NOW, SUBSCRIPTION, a_job, a_status, a_view, a_vm

OTHER = "22222222-2222-2222-2222-222222222222"
CALM = a_view(maintenance=None)
FIVE = timedelta(minutes=5)
MANY = 240


class Silent(MemoryMachines):
    """Azure whose status list does not carry the maintenance."""

    async def statuses(self, subscription_id):
        async for status in super().statuses(subscription_id):
            yield ListedStatus(status.vm_id, replace(status.view, maintenance=None))


def vms(*, count=MANY, **other):
    return [a_vm(f"vm-{number}", view=CALM, **other) for number in range(count)]


def beat(seen_at, **other):
    figures = {"vms": 0, "changed": 0, "unmatched": 0, "unreadable": 0}
    return Heartbeat(
        at=seen_at, seen_at=seen_at, **(figures | {"failed_subscriptions": 0, "behind": {}} | other)
    )


async def seen(machines, *jobs, now=NOW, last=None, **other):
    see = SeeFleet(clock=MemoryClock(now), vms=machines, patches=MemoryPatchStore())
    return await see(jobs, last=last, keeps=lambda _: False, **other)


def asked(machines):
    return {vm_id.rsplit("/", 1)[-1] for (vm_id,) in machines.called("get")}


async def test_a_calm_fleet_is_asked_once_in_a_round():
    machines = Silent(*vms())
    counts, last = [], beat(NOW)
    for number in range(1, ROUND // FIVE + 1):
        sight = await seen(machines, now=NOW + number * FIVE, last=last)
        counts.append(len(machines.called("get")))
        last = beat(NOW + number * FIVE)

        assert not sight.behind

    assert len(asked(machines)) == counts[-1] == MANY
    assert (
        max(after - before for before, after in zip([0, *counts], counts, strict=False)) < MANY / 4
    )


@pytest.mark.parametrize("last", [None, beat(NOW - 2 * ROUND), replace(beat(NOW), seen_at=None)])
async def test_everybody_is_asked_where_the_last_discovery_is_long_ago_or_not_known(last):
    machines = Silent(*vms())

    await seen(machines, last=last)

    assert len(asked(machines)) == MANY


async def test_of_a_small_subscription_everybody_is_asked_every_time():
    machines = Silent(*vms(count=20))

    await seen(machines, last=beat(NOW - FIVE))

    assert len(asked(machines)) == 20


async def test_a_new_maintenance_has_everybody_asked_in_every_subscription():
    wave = [a_vm(f"wave-{number}") for number in range(40)]
    machines = Silent(*vms(), *wave, *vms(subscription_id=OTHER))

    sight = await seen(machines, last=beat(NOW - FIVE))

    assert len(machines.called("get")) == 2 * MANY + 40
    assert set(sight.fleet.vms) == {vm.key for vm in wave}


async def test_one_that_is_in_an_open_job_or_was_left_alone_is_asked_every_time_and_is_not_new():
    machines = Silent(*vms(), a_vm("web-1"), a_vm("web-2"), a_vm("web-3"))
    done = a_job("web-2", state=JobState.SKIPPED, ended_at=NOW, skipped_because="dryRun")
    closes = a_status().pre_maintenance_window_end_time
    alone = LeftAlone(vm_id=a_vm("web-3").id, location="", closes=closes, reason="no policy")

    sight = await seen(machines, a_job("web-1"), done, last=beat(NOW), left_alone=[alone])

    assert asked(machines) == {"web-1", "web-2", "web-3"}
    assert len(sight.fleet.vms) == 3
    assert sight.count == MANY + 3


async def test_where_the_list_tells_what_an_open_job_knows_its_vm_is_asked_only_in_its_turn():
    wave = [a_vm(f"vm-{number}") for number in range(MANY)]
    machines = MemoryMachines(*wave)
    jobs = [a_job(vm=vm) for vm in wave]

    first = await seen(machines, *jobs, last=beat(NOW))
    calm = len(machines.called("get"))
    await seen(machines, *jobs, now=NOW + FIVE, last=beat(NOW))

    assert calm == 0
    assert first.fleet.told == first.fleet.vms.keys() == {vm.key for vm in wave}
    assert 0 < len(machines.called("get")) < MANY / 4


async def test_where_the_list_tells_something_else_than_the_job_knows_the_vm_itself_is_asked():
    machines = MemoryMachines(a_vm("web-1"), a_vm("web-2"))
    moved = a_status(closes=NOW + timedelta(days=30))
    machines.announce(a_vm("web-1"), moved)

    sight = await seen(machines, a_job("web-1"), a_job("web-2"), last=beat(NOW))

    assert asked(machines) == {"web-1"}
    assert sight.fleet.vms[a_vm("web-1").key].maintenance == moved


async def test_who_is_not_read_in_time_is_named_and_goes_first_next_time():
    machines = Silent(*vms(count=100))
    busy = Retryable("429", retry_after=timedelta(milliseconds=1))
    machines.fail_next("get", *[busy] * 300)

    sight = await seen(machines, last=beat(NOW - ROUND))
    behind = sight.behind[SUBSCRIPTION]

    assert "100 of its 100 VMs did not answer in time" in behind.reason
    assert sight.fleet.whole == {SUBSCRIPTION}
    assert behind.since is not None
    assert behind.since <= NOW - ROUND + timedelta(minutes=5)
    last = beat(NOW, behind=sight.behind, failed_subscriptions=1)
    machines.calls.clear()
    after = await seen(machines, now=NOW + FIVE, last=last)
    assert len(asked(machines)) == 100
    assert not after.behind


async def test_memory_holds_nobody_whom_nothing_concerns():
    machines = MemoryMachines(*vms(), a_vm("web-1"))

    sight = await seen(machines, last=beat(NOW - FIVE))

    assert [vm.name for vm in sight.fleet.vms.values()] == ["web-1"]
    assert sight.count == MANY + 1
