"""Fifty subscriptions, some of which fail in every way there is: the others are served, and those are named."""

import asyncio
import random
from datetime import timedelta

import pytest

from cli.simulation.loop import VirtualLoop
from shared.adapters.memory import MemoryClock, MemoryMachines, MemoryPatchStore
from shared.domain.errors import Retryable, Terminal
from shared.domain.maintenance import Subscription
from shared.use_cases.see_fleet import SeeFleet
from tests.builders import NOW, a_heartbeat, a_job, a_vm

FUNCTION_SECONDS = 300  # host.json, functionTimeout
HOURS = timedelta(hours=1)
IDS = [f"{number:08d}-0000-0000-0000-000000000000" for number in range(50)]
IDS_MANY = [f"{number:08d}-1111-0000-0000-000000000000" for number in range(500)]
FORBIDDEN, BROKEN, THROTTLED, HANGS, SLOW, LATE, DISABLED = IDS[7::7]
FAILING = {FORBIDDEN, BROKEN, THROTTLED, HANGS, SLOW, LATE, DISABLED}


async def _never():
    await asyncio.Event().wait()


class Azure(MemoryMachines):
    """Each subscription with one offered VM, and answers that take a while of virtual time.

    Attributes:
        lists: Subscription → what its lists do instead of answering.
        views: Subscription → what its VMs do.
    """

    def __init__(self, ids=IDS):
        super().__init__(*(a_vm("web-1", subscription_id=one) for one in ids))
        self.lists = {}
        self.views = {}
        self.states = {}
        self.reading = self.most = 0
        self.page_seconds = 0.05

    async def subscriptions(self):
        return [
            Subscription(one.id, f"Shop {one.id[:8]}", self.states.get(one.id, "Enabled"))
            for one in await super().subscriptions()
        ]

    async def models(self, subscription_id):
        self.reading += 1
        self.most = max(self.most, self.reading)
        await asyncio.sleep(self.page_seconds)
        self.reading -= 1
        if subscription_id in self.lists:
            await self.lists[subscription_id]()
        async for item in super().models(subscription_id):
            yield item

    async def get(self, vm_id):
        subscription = vm_id.split("/")[2]
        if subscription in self.views:
            await self.views[subscription]()
        return await super().get(vm_id)


def fails(error):
    async def answer():
        raise error

    return answer


def takes(seconds):
    return lambda: asyncio.sleep(seconds)


def an_azure_in_trouble():
    azure = Azure()
    azure.lists = {
        FORBIDDEN: fails(Terminal("403 AuthorizationFailed. The identity needs the right to read")),
        BROKEN: fails(Retryable("503 ServiceUnavailable")),
        THROTTLED: fails(Retryable("429 TooManyRequests", retry_after=HOURS)),
        HANGS: _never,
        SLOW: takes(3600),
    }
    azure.views = {LATE: _never}
    azure.states = {DISABLED: "Disabled"}
    return azure


def seen(azure, *jobs, last=None):
    """The sight, and how many seconds it took."""
    loop = VirtualLoop(random.Random(1))  # type: ignore[abstract] # no files, no threads
    see = SeeFleet(clock=MemoryClock(NOW), vms=azure, patches=MemoryPatchStore())
    sight = loop.run(see(jobs, last=last, keeps=lambda _: False))
    return sight, loop.time()


def test_whoever_fails_is_named_with_its_reason_and_all_others_are_served():
    sight, _ = seen(an_azure_in_trouble())

    assert sight.behind.keys() == FAILING
    assert sight.fleet.whole == {*IDS} - FAILING | {LATE}
    assert len(sight.fleet.vms) == 50 - len(FAILING - {LATE})  # of whom the list tells
    reasons = {key: one.reason for key, one in sight.behind.items()}
    assert "needs the right" in reasons[FORBIDDEN]
    assert reasons[BROKEN] == "503 ServiceUnavailable"
    assert reasons[THROTTLED] == "429 TooManyRequests"
    assert reasons[HANGS] == reasons[SLOW] == "its lists were not read to their end within 75 s"
    assert "1 of its 1 VMs did not answer in time" in reasons[LATE]
    assert "Disabled" in reasons[DISABLED]
    assert sight.behind[HANGS].name == f"Shop {HANGS[:8]}"


def test_it_is_over_long_before_the_function_must_end_and_without_trouble_in_a_moment():
    assert seen(an_azure_in_trouble())[1] < FUNCTION_SECONDS / 2
    assert seen(Azure())[1] < 1


@pytest.mark.parametrize("how", ["lists", "views"])
def test_it_is_over_in_time_even_if_everything_hangs(how):
    azure = Azure()
    setattr(azure, how, dict.fromkeys(IDS, _never))

    sight, seconds = seen(azure, a_job(vm=a_vm("web-1", subscription_id=IDS[0])))

    assert seconds < 0.75 * FUNCTION_SECONDS
    assert sight.behind.keys() == {*IDS}


def test_whoever_hangs_makes_room_for_the_others():
    azure = Azure()
    azure.lists = dict.fromkeys(IDS[:40], _never)

    sight, seconds = seen(azure)

    assert sight.fleet.whole == {*IDS[40:]}
    assert seconds < 100


def test_only_some_pages_are_held_at_once():
    azure = Azure()

    seen(azure)

    assert azure.most <= 16


def test_who_was_not_reached_is_said_and_goes_first_the_next_time():
    azure = Azure(IDS_MANY)
    azure.lists = dict.fromkeys(IDS_MANY[::2], takes(60))
    azure.page_seconds = 20.0

    sight, _ = seen(azure)
    late = {key for key, one in sight.behind.items() if "not reached" in one.reason}
    azure.calls.clear()
    azure.lists = {}
    azure.page_seconds = 0
    see = SeeFleet(clock=MemoryClock(NOW), vms=azure, patches=MemoryPatchStore())
    asyncio.run(see((), last=a_heartbeat(sight), keeps=lambda _: False))

    first = [one for (one,) in azure.called("statuses")][: len(sight.behind)]
    assert late
    assert late < {*IDS_MANY}
    assert {*first} == sight.behind.keys()


def test_of_a_disabled_subscription_open_jobs_are_still_followed():
    azure = Azure()
    azure.states = {DISABLED: "Disabled"}
    vm = a_vm("web-1", subscription_id=DISABLED)

    sight, _ = seen(azure, a_job(vm=vm))

    assert vm.key in sight.fleet.vms
    assert DISABLED not in sight.fleet.whole


@pytest.mark.parametrize("state", ["PastDue", "Warned", "warned"])
def test_one_that_is_past_due_or_warned_is_served_like_any_other(state):
    azure = Azure()
    azure.states = {IDS[0]: state}

    sight, _ = seen(azure)

    assert not sight.behind
