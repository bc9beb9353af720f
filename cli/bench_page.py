"""How soon the page shows its first view in a browser, and what that costs on the wire, with 10,000 VMs."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cli.bench_aims import Line, aimed, below
from simulator.laptop import LaptopCloud
from tests.e2e.browser import chromium
from tests.e2e.seeded import seed_now
from tests.e2e.still import SCENARIO

_VMS = 10_000
_DRAWN = "() => document.querySelector('article') !== null"
_WIRE = "() => performance.getEntries().reduce((all, one) => all + (one.transferSize || 0), 0)"
_TRIES = 3


def measured() -> Iterator[Line]:
    """A line for each try: the first finds nothing read and nothing kept."""
    with tempfile.TemporaryDirectory() as name:
        scenario = Path(name) / "still.toml"
        scenario.write_text(SCENARIO, encoding="utf-8")
        with LaptopCloud(Path(name) / "cloud", scenario=scenario) as cloud, chromium() as browser:
            seed_now(cloud.tables, vms=_VMS)
            cloud.start_host()
            for number in range(_TRIES):
                page = browser.new_context().new_page()
                began = time.perf_counter()
                page.goto(f"{cloud.host_url}/api/page#key={cloud.host.facts['key']}")  # type: ignore[union-attr]
                page.wait_for_function(_DRAWN)
                seconds = time.perf_counter() - began
                line = {
                    "bench": "page",
                    "vms": _VMS,
                    "try": number + 1,
                    "firstViewSeconds": round(seconds, 2),
                    "bytesOnTheWire": page.evaluate(_WIRE),
                }
                yield aimed(line, firstViewSeconds=below(1), bytesOnTheWire=below(300 * 1024))
