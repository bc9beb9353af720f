"""Limits of the services: what is too much for one request goes in several, or is refused by name."""

import pytest
from azure.servicebus import ServiceBusMessageBatch

from shared.adapters.arm_reads import ArmReads
from shared.adapters.memory import MemoryClock
from shared.adapters.service_bus import ServiceBus
from shared.domain.errors import Terminal
from shared.ports import Wake, WakeAt
from tests.builders import NOW

STANDARD = 256 * 1024
"""Bytes of a message or a batch in the standard tier."""


class Sender:
    """Takes batches of a size, as a queue's link tells it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.sent: list[ServiceBusMessageBatch] = []

    async def create_message_batch(self):
        return ServiceBusMessageBatch(self.size)

    async def send_messages(self, batch, **_):
        self.sent.append(batch)

    def get_queue_sender(self, _):
        return self


def bus_of(sender: Sender) -> ServiceBus:
    return ServiceBus(lambda: sender, jobs_queue="jobs", alerts_queue="alerts")


def wakes(count: int) -> list[WakeAt]:
    wake = [Wake(team="t" * 200, policy="p" * 200, job_id=f"job-{n}") for n in range(count)]
    return [WakeAt(wake=one, at=NOW) for one in wake]


async def test_more_wakes_than_a_batch_holds_go_in_several():
    sender = Sender(STANDARD)

    await bus_of(sender).wake(wakes(1_000), now=NOW)

    assert len(sender.sent) > 1
    assert sum(map(len, sender.sent)) == 1_000
    assert all(0 < batch.size_in_bytes <= STANDARD for batch in sender.sent)


async def test_a_message_that_no_batch_holds_is_terminal_and_names_the_queue():
    sender = Sender(200)

    with pytest.raises(Terminal, match="queue jobs"):
        await bus_of(sender).wake(wakes(1), now=NOW)

    assert sender.sent == []


async def endless():
    async def page():
        yield {}

    while True:
        yield page()


async def test_a_list_that_never_ends_is_left_after_2000_pages():
    read = 0
    with pytest.raises(Terminal, match="VMs: more than 2000 pages"):
        async for _ in ArmReads(None, MemoryClock(NOW)).items(endless(), what="VMs", right="read"):
            read += 1

    assert read == 2_000
