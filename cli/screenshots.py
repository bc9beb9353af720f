"""`./baton screenshots`: the page's pictures in docs/, taken anew in a real Chromium."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from cli.paths import ROOT
from simulator.laptop import LaptopCloud
from tests.e2e.browser import chromium
from tests.e2e.seeded import seed_now
from tests.e2e.still import SCENARIO

_FOLDER = ROOT / "docs" / "page"
_STORY = "#/vm/11111111-1111-1111-1111-111111111111/rg-lab/lab-01"
_VMS = 100


class _Picture(NamedTuple):
    name: str
    where: str
    width: int
    height: int
    scheme: Any


_PICTURES = (
    _Picture("rollouts", "#/", 1000, 1000, "light"),
    _Picture("plan", "#/rollout/shop/tiers/1", 1000, 700, "light"),
    _Picture("story", _STORY, 1000, 900, "light"),
    _Picture("patches", "#/patches", 1000, 620, "light"),
    _Picture("phone", "#/", 390, 844, "dark"),
)


def take() -> int:
    """Takes them; the exit code."""
    _FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        scenario = Path(name) / "still.toml"
        scenario.write_text(SCENARIO, encoding="utf-8")
        with LaptopCloud(Path(name) / "cloud", scenario=scenario) as cloud, chromium() as browser:
            seed_now(cloud.tables, vms=_VMS)
            host = cloud.start_host().facts
            for picture in _PICTURES:
                page = browser.new_page(
                    viewport={"width": picture.width, "height": picture.height},
                    color_scheme=picture.scheme,
                    timezone_id="Europe/Amsterdam",
                )
                page.goto(f"{cloud.host_url}/api/page#key={host['key']}")
                page.wait_for_function("() => document.querySelector('article') !== null")
                page.evaluate("where => { location.hash = where; }", picture.where)
                page.wait_for_function("() => shown.route === hashOf(readRoute())")
                path = _FOLDER / f"{picture.name}.png"
                page.screenshot(path=path)
                print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} KiB")
    return 0
