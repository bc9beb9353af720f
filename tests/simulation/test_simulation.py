import os
import subprocess
import sys

import pytest

from cli.paths import ROOT
from cli.simulation.choose import Chosen
from cli.simulation.runs import run_one

# Fixed, so that a change is told by what it broke; ./baton simulate looks further, from fresh seeds.
SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_is_kept_whatever_fails(seed):
    result, _ = run_one(Chosen(None)(seed))

    assert result.violations == ()


def test_one_seed_decides_everything():
    code = (
        "from cli.simulation.choose import Chosen; from cli.simulation.runs import run_one; "
        "print([run_one(Chosen(None)(seed))[0].digest for seed in (3, 4)])"
    )

    def digests(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert digests("1") == digests("2")
