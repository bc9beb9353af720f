"""The host dies by SIGKILL at its worst moments; the promises hold, by the emulators' own records."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from cli.evidence import first_edits, gather
from cli.watch import Watcher, get_json
from simulator.promises import judge

pytestmark = pytest.mark.e2e

KILLS = 8
PATIENCE = 480
OFFERED = 13
LOOK_SECONDS = 0.005
# Killed again and again, the host may look at a redeploy late, which is not the VM's fault.
SETTINGS = {"BATON_REDEPLOY_TIMEOUT": "10m"}


def starts(cloud):
    log = get_json(f"{cloud.arm_url}/_emulator/log")
    return sum(1 for record in log if record.get("accepted"))


def ended(cloud):
    return sum(1 for row in cloud.outcomes() if row["terminal"])


async def until(condition, deadline, what):
    """Looks until it holds."""
    while not await condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(LOOK_SECONDS)


async def test_killed_at_every_other_start_no_vm_is_started_twice_none_is_lost_and_no_mail_is_doubled(
    laptop,
):
    # Communication Services can be asked what it took; SMTP dies in test_chaos.
    cloud = laptop("default", settings=SETTINGS, acs=True)
    t0 = datetime.fromisoformat(cloud.services["arm"].facts["t0"])
    watcher = Watcher(cloud, t0)
    deadline = time.monotonic() + PATIENCE

    async def another_start_or_the_end():
        return starts(cloud) > before or ended(cloud) >= OFFERED

    async def all_done():
        view = await watcher.look(datetime.now(UTC))  # noqa: TID251 - as `./baton demo` looks
        return view.is_over and ended(cloud) >= OFFERED

    kills = 0
    while kills < KILLS and ended(cloud) < OFFERED - 1:
        before = starts(cloud)
        cloud.start_host()
        # The request has just been taken: the host may not even have read the answer.
        await until(another_start_or_the_end, deadline, "nobody starts any more")
        cloud.kill_host()
        kills += 1
    cloud.start_host()
    await until(all_done, deadline, "a VM has no outcome, or a bad one was not mailed")
    await watcher.close()

    assert cloud.stop_host() == 0
    verdicts = judge(gather(cloud, t0, first_edits(cloud, t0)))
    assert kills >= KILLS // 2
    assert {mail["copies"] for mail in get_json(f"{cloud.mail_url}/mails")} == {1}
    assert [(verdict.promise, verdict.violations) for verdict in verdicts if not verdict.held] == []
