import os
import subprocess
import sys

import pytest

from cli.paths import ROOT
from cli.simulation.choose import Chosen
from cli.simulation.runs import run_one
from tests.conftest import FRESH_RUNS, FRESH_SEED

# Fixed, so that a change is told by what it broke.
SEEDS = range(40)
PATCHED_SEEDS = range(100, 112)
# Of these three delete VMs whose patches are known.
UNTROUBLED_SEEDS = (100, 102, 108, 109)
# Fresh ones each time, in parts that can run side by side, so that many runs of the tests see far.
PARTS = 4


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_is_kept_whatever_fails(seed):
    result, _ = run_one(Chosen(None)(seed))

    assert result.violations == ()


@pytest.mark.parametrize("seed", PATCHED_SEEDS)
def test_every_promise_is_kept_where_patches_are_due(seed):
    result, _ = run_one(Chosen(None, patches=1)(seed))

    assert result.violations == ()


@pytest.mark.parametrize("part", range(PARTS))
def test_every_promise_is_kept_with_a_fresh_seed(part):
    first = int(os.environ[FRESH_SEED])

    for seed in range(first + part, first + FRESH_RUNS, PARTS):
        result, _ = run_one(Chosen(None)(seed))

        assert result.violations == (), f"./baton simulate --seed {seed}"


@pytest.mark.parametrize("seed", UNTROUBLED_SEEDS)
def test_no_handler_raises_where_nothing_goes_wrong(seed):
    _, world = run_one(Chosen("none", patches=1)(seed))

    assert [it.what for it in world.site.trace.entries if " raised " in it.what] == []


def test_one_seed_decides_everything():
    code = (
        "from cli.simulation.choose import Chosen; from cli.simulation.runs import run_one; "
        "print([run_one(Chosen(None)(seed))[1].site.trace.digest for seed in (3, 4)])"
    )

    def digests(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert digests("1") == digests("2")
