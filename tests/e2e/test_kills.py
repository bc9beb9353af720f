"""The host dies by SIGKILL at its worst moments; the promises hold, by the emulators' own records."""

import os
import time
from datetime import datetime

import pytest

from cli.watch import get_json
from simulator.promises import judge
from simulator.promises.model import PolicyEdit
from simulator.promises.reading import read_evidence

# One worker runs them all: two clouds at once would compete for the cores and the folder.
pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

KILLS = 8
SECONDS_MAX = 240
OFFERED = 13
LOOK_SECONDS = 0.01


def starts(cloud):
    log = get_json(f"{cloud.arm_url}/_emulator/log")
    return sum(1 for record in log if record.get("accepted"))


def ended(cloud):
    return sum(1 for row in cloud.outcomes() if row["terminal"])


def until(condition, deadline, what):
    """Looks until it holds."""
    while not condition():
        assert time.monotonic() < deadline, what
        os.sched_yield()


def test_killed_at_every_other_start_no_vm_is_started_twice_none_is_lost_and_no_mail_is_doubled(
    laptop,
):
    cloud = laptop("default")
    deadline = time.monotonic() + SECONDS_MAX
    kills = 0
    while kills < KILLS and ended(cloud) < OFFERED - 1:
        before = starts(cloud)
        cloud.start_host()
        # The request has just been taken: the host may not even have read the answer.
        until(
            lambda seen=before: starts(cloud) > seen or ended(cloud) >= OFFERED,
            deadline,
            "nobody starts any more",
        )
        cloud.kill_host()
        kills += 1
    cloud.start_host()

    until(lambda: ended(cloud) >= OFFERED, deadline, "a VM has no outcome")
    until(lambda: get_json(f"{cloud.mail_url}/mails"), deadline, "the abort was not mailed")

    assert cloud.stop_host() == 0
    t0 = datetime.fromisoformat(cloud.services["arm"].facts["t0"])
    edits = [
        PolicyEdit(
            at=t0,
            team=row["PartitionKey"],
            name=row["RowKey"],
            columns={k: v for k, v in row.items() if k not in ("PartitionKey", "RowKey")},
        )
        for row in map(dict, cloud.scenario.policies)
    ]
    verdicts = judge(
        read_evidence(
            scenario=cloud.scenario,
            t0=t0,
            log=get_json(f"{cloud.arm_url}/_emulator/log"),
            vms=get_json(f"{cloud.arm_url}/_emulator/vms"),
            rows=cloud.outcomes(),
            edits=edits,
            mails=get_json(f"{cloud.mail_url}/mails"),
        )
    )
    assert kills >= KILLS // 2
    assert [(verdict.promise, verdict.violations) for verdict in verdicts if not verdict.held] == []
