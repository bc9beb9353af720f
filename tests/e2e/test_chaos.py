"""`./baton chaos` in short: one VM of each kind, a few kills; every fault there is, and no promise broken."""

import re
import subprocess
import sys

import pytest

from cli.paths import ROOT
from simulator.scenario import BUILT_IN

pytestmark = pytest.mark.e2e

KILLS = 6
SEED = 20261124
# A minute and a half as a rule. A mail that is being sent at a kill waits for two more.
SECONDS_MAX = 480


def test_under_every_fault_and_kill_every_vm_settles_and_no_promise_is_broken(tmp_path):
    scenario = tmp_path / "short.toml"
    whole = (BUILT_IN / "chaos.toml").read_text(encoding="utf-8")
    scenario.write_text(re.sub(r"count = \d+", "count = 1", whole), encoding="utf-8")

    done = subprocess.run(
        [
            *(sys.executable, "-m", "cli", "chaos", str(scenario)),
            *("--kills", str(KILLS), "--seed", str(SEED)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )

    said = done.stdout
    assert re.findall(r"^ (P\d) +held ", said, re.MULTILINE) == [f"P{n}" for n in range(1, 8)], said
    assert done.returncode == 0, said
    assert f"kills: {KILLS}, " in said
    assert "violations: 0" in said
    struck = dict(re.findall(r"^faults of (\w+): (\d+) ", said, re.MULTILINE))
    assert set(struck) == {"arm", "bus", "mail", "tables"}
    assert min(map(int, struck.values())) > 0, said


def test_an_unknown_scenario_is_named():
    done = subprocess.run(
        [sys.executable, "-m", "cli", "chaos", "calm"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert "calm.toml: no such scenario" in done.stderr
