"""Baton's half of Compute's buckets."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from shared.adapters.arm_buckets import Bucket, HalfPolicy, subject_of
from shared.adapters.arm_errors import Paused
from shared.adapters.memory import MemoryClock

COMPUTE = "https://arm/subscriptions/S1/resourceGroups/g/providers/Microsoft.Compute"
LIST = "https://arm/subscriptions/s1/providers/Microsoft.Compute/virtualMachines?api-version=1"
VM = f"{COMPUTE}/virtualMachines/a?$expand=instanceView"
START = f"{COMPUTE}/virtualMachines/a/performMaintenance"
SETS = "https://arm/subscriptions/s1/providers/Microsoft.Compute/virtualMachineScaleSets?a=1"
SET = f"{COMPUTE}/virtualMachineScaleSets/web"
OPERATION = "https://arm/subscriptions/s1/providers/Microsoft.Compute/locations/w/operations/o"


class Wire:
    """What is sent through the policy, at which instant; a wait moves the clock."""

    def __init__(self):
        self.clock = MemoryClock(datetime(2026, 3, 2, tzinfo=UTC))
        self.policy = HalfPolicy(self.clock, self.sleep)
        self.policy.next = self  # type: ignore[assignment]
        self.sent = []

    async def sleep(self, seconds):
        self.clock.advance(timedelta(seconds=seconds))

    async def send(self, request):
        self.sent.append((request.http_request.url, self.clock.now()))

    async def ask(self, url, method="GET"):
        await self.policy.send(
            SimpleNamespace(http_request=SimpleNamespace(method=method, url=url))
        )


@pytest.mark.parametrize(
    ("method", "url", "bucket"),
    [
        ("GET", LIST, Bucket.HIGH_COST_GET),
        ("GET", VM, Bucket.LOW_COST_GET),
        ("GET", OPERATION, Bucket.GET_OPERATION),
        ("POST", START, Bucket.UPDATE_VM),
        ("GET", SETS, Bucket.HIGH_COST_GET_SET),
        ("GET", f"{SET}?api-version=1", Bucket.LOW_COST_GET_SET),
        ("GET", f"{SET}/virtualMachines?$expand=instanceView", Bucket.HIGH_COST_GET_SET),
        ("GET", f"{SET}/virtualMachines/3?$expand=instanceView", Bucket.GET_SET_VM),
        ("POST", f"{SET}/virtualMachines/3/performMaintenance", Bucket.UPDATE_SET_VM),
        ("POST", f"{COMPUTE}/virtualMachines/a/assessPatches?a=1", Bucket.VM_GUEST_PATCH),
        ("POST", f"{COMPUTE}/virtualMachines/a/installPatches", Bucket.VM_GUEST_PATCH),
        ("PATCH", f"{COMPUTE}/virtualMachines/a", Bucket.UPDATE_VM),
        ("GET", "https://arm/subscriptions/S1/locations", Bucket.OTHER),
    ],
)
def test_a_request_is_counted_where_azure_counts_it(method, url, bucket):
    assert subject_of(method, url) == (bucket, "s1")


async def test_lists_take_half_of_the_bucket_at_once_and_then_half_of_its_refill():
    wire = Wire()
    begun = wire.clock.now()

    for _ in range(450 + 150):
        await wire.ask(LIST)

    assert [at for _, at in wire.sent[:450]] == [begun] * 450
    assert wire.clock.now() - begun == pytest.approx(
        timedelta(minutes=1), abs=timedelta(milliseconds=1)
    )


async def test_what_would_wait_long_is_refused_unsent_and_told_how_long():
    wire = Wire()
    begun = wire.clock.now()
    for _ in range(
        450 + 12
    ):  # twelve waits of 0.4 s, all at once: the clock does not move for them
        wire.clock.set(begun)
        await wire.ask(LIST)
    wire.clock.set(begun)

    with pytest.raises(Paused) as paused:
        await wire.ask(LIST)

    assert paused.value.wait == timedelta(seconds=5.2)
    assert len(wire.sent) == 462


async def test_a_start_never_waits_between_its_last_look_and_its_sending():
    wire = Wire()
    for _ in range(750):
        await wire.ask(START, "POST")

    with pytest.raises(Paused):
        await wire.ask(START, "POST")

    assert len(wire.sent) == 750
    wire.clock.advance(timedelta(seconds=1))
    await wire.ask(START, "POST")


async def test_lists_hold_up_neither_looks_nor_another_subscription():
    wire = Wire()
    begun = wire.clock.now()
    for _ in range(450):
        await wire.ask(LIST)

    await wire.ask(VM)
    await wire.ask(LIST.replace("s1", "s2"))

    assert wire.clock.now() == begun
