"""`./baton up` and `down`, as a person uses them."""

import subprocess
import sys

import pytest

from cli.paths import ROOT

pytestmark = pytest.mark.skipif(
    (ROOT / ".baton" / "up.json").exists(),
    reason="a laptop cloud of yours is up; ./baton down first",
)


def baton(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )


def test_what_is_not_up_is_down_already():
    assert (baton("down").returncode, baton("down").stdout) == (0, "Nothing is up.\n")


def test_an_unknown_scenario_is_named_with_those_that_exist():
    done = baton("up", "--scenario", "rainy")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [done.stderr.strip()]
    assert "rainy.toml: no such scenario" in done.stderr
    assert "default" in done.stderr
