"""The whole app in its host sends one trace of a redeploy, and its metrics, to where its setting says."""

import asyncio
import threading
import time
from http.server import ThreadingHTTPServer

import pytest

from tests.e2e.one_vm import one_vm
from tests.ingestion import Ingestion

pytestmark = pytest.mark.e2e

SCENARIO = one_vm("One VM, watched from outside")
PATIENCE = 120
SENT = {"discover", "plan", "start", "away", "job", "baton.outcomes", "baton.arm.calls"}


@pytest.fixture
def insights():
    """(what it got, the settings that send it there)"""
    handler = Ingestion.fresh()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    key = "00000000-0000-0000-0000-000000000002"
    connection = f"InstrumentationKey={key};IngestionEndpoint={url}"
    yield (
        handler.taken,
        {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": connection,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        },
    )
    server.shutdown()
    server.server_close()


def names(items):
    metrics = {metric["name"] for item in items for metric in data(item).get("metrics", ())}
    return metrics | {data(item)["name"] for item in items if "name" in data(item)}


def data(item):
    return item["data"]["baseData"]


async def test_one_trace_leads_from_the_discovery_to_the_outcome(laptop, insights, tmp_path):
    taken, settings = insights
    path = tmp_path / "watched.toml"
    path.write_text(SCENARIO)
    cloud = laptop(path, settings=settings)

    cloud.start_host()
    deadline = time.monotonic() + PATIENCE
    while not names([item for _, item in taken]) >= SENT:
        assert time.monotonic() < deadline, names([item for _, item in taken])
        await asyncio.sleep(0.5)

    items = [item for _, item in list(taken)]
    spans = {name: span for span in items if (name := data(span).get("name")) in SENT}
    traces = {spans[name]["tags"]["ai.operation.id"] for name in ("plan", "start", "away", "job")}
    assert cloud.stop_host() == 0
    assert len(traces) == 1
    assert data(spans["job"])["properties"]["outcome"] == "completed"
    assert {spans[name]["tags"]["ai.operation.parentId"] for name in ("plan", "start", "away")} == {
        data(spans["job"])["id"]
    }
