"""The whole app in its host tells a webhook of every VM of a rollout, and waits for it with nothing."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jsonschema_rs
import pytest

from simulator.laptop import ROOT

pytestmark = pytest.mark.e2e

SCHEMA = jsonschema_rs.validator_for(json.loads((ROOT / "docs/events.schema.json").read_text()))
VM = """
[[vm]]
name = "{name}"
resource_group = "rg-shop"
subscription = "11111111-1111-4111-8111-111111111111"
location = "westeurope"
maintenance = {{ pre_start = "-1m", pre_end = "+20m", start = "+30m", end = "+60m" }}
redeploy_seconds = 1
script = ["{result}"]
"""
SCENARIO = """
title = "Three VMs, one that Azure aborts, and somebody who wants to hear of them"
[settings]
BATON_MODE = "live"
BATON_CHECK_INTERVAL = "1s"
BATON_DISCOVERY_SCHEDULE = "*/2 * * * * *"
BATON_SWEEP_SCHEDULE = "*/2 * * * * *"
[arm]
throttle_scale = 10
[[subscription]]
id = "11111111-1111-4111-8111-111111111111"
name = "Webshop"
[[policy]]
PartitionKey = "shop"
RowKey = "web"
match = "*"
sequence = "name:web-01; name:web-02; name:web-03"
gap = "1s"
estimate = "2s"
onFailure = "continue"
[expect]
completed = 2
""" + "".join(
    VM.format(name=name, result=result)
    for name, result in {
        "web-01": "MaintenanceCompleted",
        "web-02": "MaintenanceAborted",
        "web-03": "MaintenanceCompleted",
    }.items()
)
WHOLE = ["planned", "starting", "away", "back", "done"]
PATIENCE = 120


@dataclass
class Hook:
    """Somebody's webhook.

    Attributes:
        is_up: Else it answers 503.
        refused, taken: The events of each request, in order, with the request's headers.
    """

    url: str = ""
    is_up: bool = False
    refused: list[dict[str, Any]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """What it answers."""
        event = json.loads(body)
        (self.taken if self.is_up else self.refused).append(event)
        self.headers.append(headers | {"id of the event": event["id"]})
        return 204 if self.is_up else 503

    @property
    def ended(self) -> set[str]:
        """The VMs whose end it was told."""
        return {event["subject"] for event in self.taken if kind(event) in ("failed", "done")}

    def told(self, vm: str) -> list[str]:
        """The kinds of a VM's events in the order in which they first arrived."""
        first = {event["id"]: event for event in reversed(self.taken)}
        ordered = sorted(first.values(), key=self.taken.index)
        return [kind(event) for event in ordered if event["data"]["vmName"] == vm]


def kind(event: dict[str, Any]) -> str:
    """`com.baton.vm.away` → `away`."""
    return str(event["type"]).removeprefix("com.baton.vm.")


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(found.take(headers, body))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    yield found
    server.shutdown()
    server.server_close()


async def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE} s"
        await asyncio.sleep(0.2)


async def test_a_webhook_that_is_down_during_a_rollout_hears_all_of_it_later_and_holds_up_nothing(
    laptop, tmp_path, hook
):
    scenario = tmp_path / "told.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    secret = "whsec_" + "QmF0b24gdGVsbHMgb2YgVk1zIHRvIHRob3NlIHdobyBhc2s="
    told = {"BATON_EVENTS_URL": hook.url, "BATON_EVENTS_SECRET": secret}
    cloud = laptop(scenario, settings=told)
    cloud.start_host()

    await until(lambda: len(cloud.outcomes()) == 3, "the rollout")
    taken_while_down = list(hook.taken)
    hook.is_up = True
    await until(lambda: len(hook.ended) == 3, "the end of every VM's events")

    ended = sorted((row["vmName"], row["outcome"]) for row in cloud.outcomes())
    assert ended == [("web-01", "completed"), ("web-02", "aborted"), ("web-03", "completed")]
    assert taken_while_down == []
    assert {vm: hook.told(vm) for vm in ("web-01", "web-02", "web-03")} == {
        "web-01": WHOLE,
        "web-02": ["planned", "starting", "away", "failed"],
        "web-03": WHOLE,
    }
    # At least once, and the same event each time.
    assert hook.refused
    assert all(event in hook.taken for event in hook.refused)
    faults = [fault.message for event in hook.taken for fault in SCHEMA.iter_errors(event)]
    assert faults == []
    assert {event["source"] for event in hook.taken} == {"/baton/shop/web"}
    assert [it["webhook-id"] for it in hook.headers] == [
        it["id of the event"] for it in hook.headers
    ]
    kinds = {it["content-type"] for it in hook.headers}
    assert kinds == {"application/cloudevents+json; charset=utf-8"}
