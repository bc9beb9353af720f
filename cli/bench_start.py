"""How long the app takes to start: importing it, and from a new process to the first trigger's answer."""

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from cli.bench_aims import Line, aimed, below
from cli.paths import ROOT
from simulator.laptop import LaptopCloud
from tests.e2e.still import SCENARIO

_IMPORTS, _STARTS = 7, 3
_IMPORT = "import time; began = time.perf_counter(); import function_app; print(time.perf_counter() - began)"


def measured() -> Iterator[Line]:
    """One line. The first import compiles, and is not counted."""
    imports = [_import() for _ in range(1 + _IMPORTS)][1:]
    starts, answers = zip(*_cold_starts(), strict=True)
    line = {
        "bench": "start",
        "importSeconds": round(statistics.median(imports), 3),
        "hostReadySeconds": round(statistics.median(starts), 2),
        "firstAnswerSeconds": round(statistics.median(answers), 2),
    }
    yield aimed(line, importSeconds=below(0.5))


def _import() -> float:
    """As the worker does to index the app: with an empty environment."""
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT],
        cwd=ROOT,
        env={},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)


def _cold_starts() -> Iterator[tuple[float, float]]:
    """Of new host processes: seconds until it listens, and until a request that reads the tables is answered."""
    with tempfile.TemporaryDirectory() as name:
        scenario = Path(name) / "still.toml"
        scenario.write_text(SCENARIO, encoding="utf-8")
        with LaptopCloud(Path(name) / "cloud", scenario=scenario) as cloud:
            for _ in range(_STARTS):
                began = time.perf_counter()
                host = cloud.start_host()
                ready = time.perf_counter()
                url = f"{cloud.host_url}/api/v1/status?code={host.facts['key']}"
                with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - loopback
                    answer.read()
                yield ready - began, time.perf_counter() - began
                cloud.stop_host()
