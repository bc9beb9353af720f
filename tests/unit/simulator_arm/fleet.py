"""Small clouds for tests, on times that the test chooses."""

from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.arm.cloud import Cloud
from simulator.arm.operations import Request
from simulator.arm.records import VmRecord
from simulator.arm.verdict import Verdict
from simulator.scenario import parse_scenario

SUB = "11111111-1111-4111-8111-111111111111"
T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOWS = {"pre_start": "-1m", "pre_end": "+20m", "start": "+30m", "end": "+60m"}


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def vm(name: str = "web-01", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "resource_group": "rg-shop",
        "subscription": SUB,
        "location": "westeurope",
        "maintenance": WINDOWS,
        "redeploy_seconds": 10,
        **changes,
    }


def cloud_of(*vms: dict[str, Any], **tables: Any) -> Cloud:
    document = {"title": "t", "subscription": [{"id": SUB}], "vm": list(vms), **tables}
    return Cloud(parse_scenario(document, "test.toml"), T0)


def redeploy(cloud: Cloud, at: float, name: str = "web-01") -> Verdict:
    cloud.advance(after(at))
    request = Request("22222222-2222-4222-8222-222222222222", "corr", "client")
    return cloud.perform_maintenance(cloud.find_vm(name), after(at), request)


def seen(cloud: Cloud, at: float, name: str = "web-01") -> VmRecord:
    cloud.advance(after(at))
    return cloud.find_vm(name)


def events(cloud: Cloud, until: float) -> list[tuple[str, float]]:
    """What happened, and how many seconds after T0."""
    cloud.advance(after(until))
    return [
        (it["event"], (datetime.fromisoformat(it["time"]) - T0).total_seconds())
        for it in cloud.journal.since(0)
        if it["kind"] == "event"
    ]
