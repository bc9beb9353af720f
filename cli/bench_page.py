"""How soon the page shows its first view in a browser, and what that costs on the wire, with 10,000 VMs."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser

from cli.bench_aims import Line, aimed, below
from simulator.laptop import LaptopCloud
from tests.e2e.browser import chromium
from tests.e2e.seeded import seed_now
from tests.e2e.still import SCENARIO

_VMS = 10_000
_DRAWN = "() => document.querySelector('article') !== null"
_WIRE = "() => performance.getEntries().reduce((all, one) => all + (one.transferSize || 0), 0)"
_STARTS = 3


def measured() -> Iterator[Line]:
    """A line for each start of the host: its first view, when nothing is read yet, and the one after.

    Every view is a stranger's, who has nothing of the page.
    """
    with tempfile.TemporaryDirectory() as name:
        scenario = Path(name) / "still.toml"
        scenario.write_text(SCENARIO, encoding="utf-8")
        with LaptopCloud(Path(name) / "cloud", scenario=scenario) as cloud, chromium() as browser:
            seed_now(cloud.tables, vms=_VMS)
            for number in range(_STARTS):
                key = cloud.start_host().facts["key"]
                address = f"{cloud.host_url}/api/page#key={key}"
                (first, wire), (then, _) = _view(browser, address), _view(browser, address)
                cloud.stop_host()
                line = {
                    "bench": "page",
                    "vms": _VMS,
                    "start": number + 1,
                    "firstViewSeconds": round(first, 2),
                    "nextViewSeconds": round(then, 2),
                    "bytesOnTheWire": wire,
                }
                yield aimed(line, firstViewSeconds=below(1), bytesOnTheWire=below(300 * 1024))


def _view(browser: Browser, address: str) -> tuple[float, int]:
    """(seconds until a rollout is drawn, bytes on the wire)."""
    page = browser.new_context().new_page()
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_function(_DRAWN)
    return time.perf_counter() - began, page.evaluate(_WIRE)
