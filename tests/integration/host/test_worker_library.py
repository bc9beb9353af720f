"""Microsoft's own worker library indexes the app as our host does."""

import json
import subprocess
import sys
from typing import Any

from cli.paths import ROOT

WORKER = ROOT / "tests/worker_library.py"


def printed(*command: str) -> Any:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def binding(raw: dict[str, Any]) -> dict[str, Any]:
    """A binding as both spell it: directions are words in one and numbers in the other."""
    return {key: value for key, value in raw.items() if key != "direction"}


def told(functions: list[dict[str, Any]]) -> list[object]:
    return sorted(
        (
            f["name"],
            f["entryPoint"],
            json.dumps([binding(b) for b in f["bindings"]], sort_keys=True),
        )
        for f in functions
    )


def test_the_worker_librarys_index_of_the_app_equals_the_hosts():
    theirs = printed(str(WORKER))["functions"]
    ours = printed("-m", "simulator.host", "--index")

    assert told(ours) == told(theirs)
    assert len(ours) == 12
