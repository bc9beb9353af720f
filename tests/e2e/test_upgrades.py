"""A version comes over a running rollout, and goes back again: the same tables, the same messages."""

import asyncio
import subprocess
import tarfile
import time
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from cli.evidence import first_edits, gather
from cli.paths import ROOT
from cli.watch import Watcher
from simulator.promises import judge

pytestmark = pytest.mark.e2e

# What a deployment has of a version.
DEPLOYED = ("function_app.py", "functions", "shared", "host.json")
# For a checkout without its history: `git archive -o ... d7f5ca8 function_app.py functions shared host.json`.
RECORDED = Path(__file__).with_name("version-0.1.0.tar.gz")
PATIENCE = 240
VMS = 6
SCENARIO = """
title = "An upgrade in the middle"
[settings]
BATON_MODE = "live"
BATON_CHECK_INTERVAL = "1s"
BATON_DISCOVERY_SCHEDULE = "*/2 * * * * *"
BATON_SWEEP_SCHEDULE = "*/2 * * * * *"
BATON_ALERT_DIGEST = "3s"
BATON_RETRY_DELAY = "2s"
BATON_REDEPLOY_TIMEOUT = "60s"
[arm]
throttle_scale = 10
[[subscription]]
id = "11111111-1111-4111-8111-111111111111"
name = "Webshop"
[[policy]]
PartitionKey = "shop"
RowKey = "all"
match = "*"
sequence = "name:db-*"
concurrency = 2
gap = "PT1S"
estimate = "PT5S"
onFailure = "continue"
[expect]
completed = 5
aborted = 1
"""
VM = """
[[vm]]
name = "{name}"
resource_group = "rg-shop"
subscription = "11111111-1111-4111-8111-111111111111"
location = "westeurope"
maintenance = {{ pre_start = "-1m", pre_end = "+20m", start = "+30m", end = "+60m" }}
redeploy_seconds = 2
{script}
"""


@pytest.fixture
def previous(tmp_path):
    """The code before this commit's; where the history is not at hand, the recorded version's."""
    folder = tmp_path / "previous"
    command = ["git", "archive", "HEAD~1", *DEPLOYED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    archive = BytesIO(done.stdout) if done.returncode == 0 else BytesIO(RECORDED.read_bytes())
    with tarfile.open(fileobj=archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture
def recorded(tmp_path):
    folder = tmp_path / "recorded"
    with tarfile.open(RECORDED) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture
def this():
    return ROOT


def scenario(folder):
    names = [f"db-{n:02d}" for n in range(2)] + [f"web-{n:02d}" for n in range(VMS - 2)]
    scripts = {
        "web-01": 'script = ["MaintenanceAborted"]',
        "web-02": 'script = ["RetryLater", "MaintenanceCompleted"]',
    }
    vms = [VM.format(name=name, script=scripts.get(name, "")) for name in names]
    path = folder / "upgrade.toml"
    path.write_text(SCENARIO + "".join(vms))
    return path


@pytest.mark.parametrize(
    ("begins", "ends"),
    [("previous", "this"), ("this", "previous"), ("recorded", "this")],
)
async def test_a_rollout_that_one_version_begins_another_finishes(
    laptop, request, tmp_path, begins, ends
):
    cloud = laptop(scenario(tmp_path))
    t0 = datetime.fromisoformat(cloud.services["arm"].facts["t0"])
    watcher = Watcher(cloud, t0)
    deadline = time.monotonic() + PATIENCE

    async def until(reached):
        while not reached(await watcher.look(datetime.now(UTC))):  # noqa: TID251 - as the demo looks
            assert time.monotonic() < deadline, "the rollout stands still"
            await asyncio.sleep(0.1)

    cloud.start_host(request.getfixturevalue(begins))
    # One stage done, the next begun, VMs away: rows and messages of every kind are about.
    await until(lambda view: ended(view) >= 2 and away(view))
    cloud.kill_host()
    cloud.start_host(request.getfixturevalue(ends))
    await until(lambda view: view.is_over and len(cloud.outcomes()) >= VMS + 1)
    await watcher.close()

    assert cloud.stop_host() == 0
    terminal = [row["outcome"] for row in cloud.outcomes() if row["terminal"]]
    verdicts = judge(gather(cloud, t0, first_edits(cloud, t0)))
    assert sorted(terminal) == ["aborted", *["completed"] * (VMS - 1)]
    assert [(verdict.promise, verdict.violations) for verdict in verdicts if not verdict.held] == []


def ended(view):
    return sum(job.state.is_end for job in view.jobs)


def away(view):
    return any(job.is_away for job in view.jobs)
