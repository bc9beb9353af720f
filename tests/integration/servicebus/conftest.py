"""One bus for the tests of its queues, and either SDK on it."""

import json
import subprocess
import sys

import pytest
from azure.servicebus import ServiceBusClient
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient

from cli.paths import ROOT
from tests.integration.servicebus.sdk import COUNT, PATIENCE, Sdk, fresh

RULES = {
    "plain": {},
    "brief": {"LockDuration": "PT5S"},
    "once": {"RequiresDuplicateDetection": True, "DuplicateDetectionHistoryTimeWindow": "PT5M"},
    "session": {"RequiresSession": True},
    "short": {"DefaultMessageTimeToLive": "PT1S", "DeadLetteringOnMessageExpiration": True},
}


def queue(name, rules):
    return {"Name": name, "Properties": {"LockDuration": "PT1M", "MaxDeliveryCount": 3, **rules}}


@pytest.fixture(scope="package")
def bus(tmp_path_factory):
    queues = [queue(f"{kind}-{n}", rules) for kind, rules in RULES.items() for n in range(COUNT)]
    file = tmp_path_factory.mktemp("bus") / "config.json"
    file.write_text(
        json.dumps({"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": queues}]}}),
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator.servicebus", "--port", "0", "--config", str(file)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield json.loads(process.stdout.readline().removeprefix("ready "))["connectionString"]
    process.terminate()
    assert process.wait(PATIENCE) == 0
    process.stdout.close()


@pytest.fixture(params=[ServiceBusClient, AsyncServiceBusClient], ids=["sync", "aio"])
async def sdk(request, bus):
    made = Sdk(bus, request.param)
    yield made
    await made.close()


@pytest.fixture
async def others(sdk, bus):
    """More clients; each of their links is a connection of its own."""
    made = [Sdk(bus, sdk.kind) for _ in range(5)]
    yield made
    for one in made:
        await one.close()


@pytest.fixture
def name():
    return fresh()
