"""Hints wake a discovery soon, a storm of them one; what is no alert harms nothing."""

import asyncio
import json
import logging
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.memory import MemoryBus, MemoryClock
from shared.adapters.messages import decode, encode
from shared.domain.errors import InvalidInput
from shared.domain.hint import read_hint
from shared.use_cases.take_hint import DISCOVERY, TakeHint
from tests.builders import NOW, a_vm
from tests.simulation.world import World

RULE = "planned maintenance"


def alert(**changes):
    """A Service Health alert on a planned maintenance, as Azure Monitor posts it."""
    essentials = {
        "alertRule": RULE,
        "monitoringService": "ServiceHealth",
        "monitorCondition": "Fired",
    }
    properties = {"incidentType": "Maintenance", "trackingId": "PYN_-123"}
    data = {
        "essentials": essentials | changes.pop("essentials", {}),
        "alertContext": {"properties": properties | changes.pop("properties", {})},
    }
    return {"schemaId": "azureMonitorCommonAlertSchema", "data": data} | changes


def body(value):
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("posted", "hint"),
    [
        (alert(), f"'{RULE}': 'PYN_-123'"),
        (alert(properties={"incidentType": "Incident"}), ""),
        (alert(essentials={"monitorCondition": "Resolved"}), ""),
        (alert(essentials={"monitoringService": "Log Alerts V2"}), f"'{RULE}'"),
        (alert(essentials={"monitoringService": "Platform"}), ""),
        (alert(data={"essentials": alert()["data"]["essentials"]}), ""),
        (alert(data={"essentials": alert()["data"]["essentials"], "alertContext": "?"}), ""),
    ],
)
def test_an_alert_hints_if_it_is_about_a_maintenance(posted, hint):
    assert read_hint(body(posted)) == hint


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        (b"", "body"),
        (b"\xff", "body"),
        (b"[" * 5_000, "body"),
        (b"[]", "body"),
        (b" " * 300_000, "body"),
        (b"{}", "schemaId"),
        (body(alert(schemaId="AzureMonitorMetricAlert")), "schemaId"),
        (body(alert(data=None)), "data"),
        (body(alert(data={"essentials": "x"})), "essentials"),
    ],
)
async def test_what_is_no_alert_is_refused_by_its_field_and_wakes_nothing(posted, field, caplog):
    bus = MemoryBus()

    with pytest.raises(InvalidInput) as caught:
        await TakeHint(clock=MemoryClock(NOW), bus=bus)(posted)

    assert [problem.field for problem in caught.value.problems] == [field]
    assert bus.messages == []
    assert "Hint refused" in caplog.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.builds(lambda part, where: alert(**{where: part}), JSON, st.sampled_from(["data", "x"])))
def test_whatever_is_posted_is_a_hint_or_refused(posted):
    try:
        hint = read_hint(body(posted))
    except InvalidInput:
        return
    assert isinstance(hint, str)


async def test_a_storm_of_hints_is_one_discovery_within_the_minute(caplog):
    caplog.set_level(logging.INFO)
    clock, bus = MemoryClock(NOW + timedelta(seconds=7)), MemoryBus()
    take = TakeHint(clock=clock, bus=bus)

    await asyncio.gather(*(take(body(alert())) for _ in range(100)))

    (message,) = bus.messages
    assert message.wake == DISCOVERY
    assert clock.now() < message.at <= clock.now() + timedelta(minutes=1)
    assert caplog.text.count("Hint: ") == 100


async def test_a_hint_is_only_a_reason_to_look():
    world = World(a_vm("web-1"), policies={"web": {}})

    await world.app.take_hint(body(alert()))

    assert world.jobs.jobs() == []
    assert world.starts() == []


async def test_a_version_that_knows_no_hints_finds_no_job_and_goes_on():
    world = World(a_vm("web-1"), policies={"web": {}})

    await world.app.redeploy(decode(encode(DISCOVERY)))

    assert world.jobs.called("job") == [("baton", "discovery", "discovery")]
    assert world.bus.messages == []
