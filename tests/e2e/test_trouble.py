"""One service in trouble, with the real host: the mail is down and comes back, Resource Manager throttles."""

import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta

import pytest

from cli.evidence import first_edits, gather
from cli.watch import get_json
from simulator.faults import put_faults, read_faults
from simulator.promises import judge

pytestmark = pytest.mark.e2e

SECONDS_MAX = 480
LOOK_SECONDS = 0.2
STRANGER = "somebody-else"

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
# Discovery reads each VM; at the pace at which its bucket fills (one in 5 s) nobody else would get any.
SETTINGS = f"""
title = "Trouble"
[settings]
BATON_MODE = "live"
BATON_CHECK_INTERVAL = "1s"
BATON_DISCOVERY_SCHEDULE = "*/20 * * * * *"
BATON_SWEEP_SCHEDULE = "*/2 * * * * *"
BATON_ALERT_DIGEST = "2s"
BATON_RETRY_DELAY = "3s"
BATON_REDEPLOY_TIMEOUT = "10m"
[[subscription]]
id = "{SUBSCRIPTION}"
name = "Shop"
"""


def vms(name, count, script="MaintenanceCompleted"):
    return f"""
[[vm]]
name = "{name}"
count = {count}
resource_group = "rg-{name}"
subscription = "{SUBSCRIPTION}"
location = "westeurope"
maintenance = {{ pre_start = "-1m", pre_end = "+20m", start = "+30m", end = "+60m" }}
script = ["{script}"]
redeploy_seconds = 1
[[policy]]
PartitionKey = "shop"
RowKey = "{name}"
match = "rg:rg-{name}"
gap = "1s"
estimate = "5s"
concurrency = 4
onFailure = "continue"
owners = "{name}@example.com, gone@example.com"
"""


@pytest.fixture
def started(laptop, tmp_path):
    """Starts a cloud of these tables; `wait` looks until something holds."""

    def start(*tables):
        file = tmp_path / "trouble.toml"
        file.write_text(SETTINGS + "".join(tables), encoding="utf-8")
        return laptop(file)

    return start


def wait(holds, what):
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(LOOK_SECONDS)  # noqa: TID251 - other processes do the work


def ended(cloud):
    return sum(row["terminal"] for row in cloud.outcomes())


def broken(cloud):
    """Every violation of a promise."""
    t0 = datetime.fromisoformat(cloud.services["arm"].facts["t0"])
    verdicts = judge(gather(cloud, t0, first_edits(cloud, t0)))
    return [violation for verdict in verdicts for violation in verdict.violations]


def test_mail_that_was_down_tells_every_alert_once_when_it_is_back(started):
    cloud = started(vms("web", 2, "MaintenanceAborted"), vms("db", 2, "FailedOperation"))
    mail, sink = cloud.fault_urls["mail"], f"{cloud.mail_url}/mails"
    put_faults(mail, "down=1")
    cloud.start_host()
    wait(lambda: ended(cloud) == 4, "a VM has no outcome")
    wait(lambda: read_faults(mail)["injected"].get("down", 0) >= 2, "no mail was tried")
    assert get_json(sink) == []

    names = ("db-01", "db-02", "web-01", "web-02")

    def told():
        mails = get_json(sink)
        return [
            (name, set(it["envelopeTo"]))
            for name in names
            for it in mails
            if f"{name}: " in it["text"]
        ]

    put_faults(mail, "refuse=1@gone@example.com")
    wait(lambda: len(told()) >= len(names), "mails are missing")

    assert cloud.stop_host() == 0
    assert told() == [(name, {"oncall@example.com", f"{name[:-3]}@example.com"}) for name in names]
    assert broken(cloud) == []


def test_throttled_at_the_published_limits_it_waits_as_told_and_all_is_done(started):
    cloud = started(vms("web", 4))
    log = f"{cloud.arm_url}/_emulator/log"
    reads = [
        f"{cloud.arm_url}{vm['id']}?api-version=2024-07-01"
        for vm in get_json(f"{cloud.arm_url}/_emulator/vms")
    ]

    def asked():
        return [
            record
            for record in get_json(log)
            if record["kind"] == "request" and record["clientRequestId"] != STRANGER
        ]

    def throttled():
        return [record for record in asked() if record["status"] == 429]

    def throttled_by_a_stranger():
        for read in reads:
            use_up(read)
        return throttled()

    cloud.start_host()
    wait(throttled_by_a_stranger, "no read of Baton was throttled")
    wait(lambda: ended(cloud) == 4, "a VM has no outcome")

    assert cloud.stop_host() == 0
    every = asked()
    assert [record["path"] for record in throttled() if impatient(record, every)] == []
    assert {row["outcome"] for row in cloud.outcomes()} == {"completed"}
    assert broken(cloud) == []


def use_up(url):
    """Ask like somebody else in the subscription, until the bucket is empty."""
    headers = {"Authorization": "Bearer somebody-else", "x-ms-client-request-id": STRANGER}
    request = urllib.request.Request(url, headers=headers)
    try:
        while True:
            urllib.request.urlopen(request, timeout=60).close()
    except urllib.error.HTTPError as error:
        with error:
            assert error.code == 429


def impatient(refusal, asked):
    """The requests for the same before the wait was over; those already on their way do not count."""
    at = datetime.fromisoformat(refusal["time"])
    begins, ends = (
        at + timedelta(seconds=0.5),
        at + timedelta(seconds=float(refusal["retryAfter"]) - 0.1),
    )
    return [
        record
        for record in asked
        if (record["method"], record["path"]) == (refusal["method"], refusal["path"])
        and begins < datetime.fromisoformat(record["arrived"]) < ends
    ]
