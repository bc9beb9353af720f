"""`./baton host` on endpoints that only its settings name, and a policy row that a team adds meanwhile."""

import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from cli.paths import ROOT
from tests.e2e.one_vm import one_vm

pytestmark = pytest.mark.e2e

SCENARIO = one_vm("One VM, and a policy that comes later", policy="nobody", match="name:nobody")
STOPS_WITHIN_SECONDS = 10
PATIENCE = 180


def started(cloud, log):
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "host"],
        cwd=ROOT,
        env=cloud.environment,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("ready"):
            return process
    raise AssertionError("the host ended before it was ready")


def stopped(process):
    process.send_signal(signal.SIGTERM)
    code = process.wait(STOPS_WITHIN_SECONDS)
    process.stdout.close()
    return code


def test_a_row_added_while_the_host_runs_acts_and_its_outcome_is_seen_soon(laptop, tmp_path):
    scenario = tmp_path / "later.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    cloud = laptop(scenario)
    with (tmp_path / "host.log").open("w", encoding="utf-8") as log:
        process = started(cloud, log)
        try:
            cloud.merge_policies({"PartitionKey": "shop", "RowKey": "web", "match": "name:web-*"})
            deadline, turn = time.monotonic() + PATIENCE, threading.Event()
            while not (rows := cloud.outcomes()):
                assert time.monotonic() < deadline, (tmp_path / "host.log").read_text(
                    encoding="utf-8"
                )
                turn.wait(0.1)
            seen = datetime.now(UTC)  # noqa: TID251 - a person looks at the table
            code = stopped(process)
        finally:
            process.kill()

    assert code == 0
    assert [(row["vmName"], row["policy"], row["outcome"]) for row in rows] == [
        ("web-01", "web", "completed")
    ]
    assert timedelta(0) <= seen - rows[0]["verifiedAt"] < timedelta(seconds=5)
