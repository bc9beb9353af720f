"""Azure Monitor posts to the app's webhook, and a discovery follows that no timer would have made."""

import asyncio
import json
import time
from collections import Counter

import aiohttp
import pytest

from cli.watch import get_json
from shared.adapters.service_bus import connect_bus
from shared.adapters.system_clock import SystemClock
from shared.ports import WakeAt
from shared.use_cases.take_hint import DISCOVERY
from tests.e2e.one_vm import one_vm

pytestmark = pytest.mark.e2e

SCENARIO = one_vm("No timer discovers; a hint does", discovery="0 0 0 29 2 *")
ALERT = {
    "schemaId": "azureMonitorCommonAlertSchema",
    "data": {
        "essentials": {
            "alertRule": "planned maintenance",
            "monitoringService": "ServiceHealth",
            "monitorCondition": "Fired",
        },
        "alertContext": {"properties": {"incidentType": "Maintenance", "trackingId": "PYN_-1"}},
    },
}
STORM = 30
PATIENCE = 120


async def test_a_storm_of_hints_is_answered_and_a_hint_leads_to_the_redeploy(laptop, tmp_path):
    path = tmp_path / "hint.toml"
    path.write_text(SCENARIO)
    cloud = laptop(path)
    host = cloud.start_host()
    url, key = f"{cloud.host_url}/api/hint", {"x-functions-key": host.facts["key"]}
    body = json.dumps(ALERT)

    async with aiohttp.ClientSession() as session:

        async def post(data, headers):
            async with session.post(url, data=data, headers=headers) as answer:
                return answer.status, await answer.text()

        storm = await asyncio.gather(*(post(body, key) for _ in range(STORM)))
        stranger = await post(body, {})
        garbage = await post(b"{", key)

    queue = get_json(f"{cloud.bus_admin_url}/queues")["redeploy-jobs"]
    assert Counter(storm) == {(202, "a discovery follows"): STORM}
    assert stranger[0] == 401
    assert garbage == (400, "alert: body is '{'; expected JSON")
    # One message; two where a minute ended in the middle of the storm.
    assert STORM - 2 <= queue["duplicatesDropped"] < STORM
    # The hints' own message comes with the next minute; one that is due now says the same.
    queues = {"jobs_queue": "redeploy-jobs", "alerts_queue": "alerts"}
    bus, now = connect_bus(cloud.bus, "", **queues), SystemClock().now()
    await bus.wake([WakeAt(wake=DISCOVERY, at=now, cause="test")], now=now)
    await bus.close()
    deadline = time.monotonic() + PATIENCE
    while not (rows := cloud.outcomes()):
        assert time.monotonic() < deadline, "no discovery came of it"
        await asyncio.sleep(0.2)

    assert cloud.stop_host() == 0
    assert [(row["vmName"], row["outcome"]) for row in rows] == [("web-01", "completed")]
