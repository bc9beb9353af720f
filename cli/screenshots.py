"""`./baton screenshots`: the pictures of the page and of a mail in docs/, taken anew in a real Chromium."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from cli.paths import ROOT
from simulator.laptop import LaptopCloud
from tests.e2e.browser import chromium
from tests.e2e.letter import a_letter
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
    written = a_letter()  # before Chromium, whose driver has this thread's event loop
    with tempfile.TemporaryDirectory() as name:
        scenario = Path(name) / "still.toml"
        scenario.write_text(SCENARIO, encoding="utf-8")
        with LaptopCloud(Path(name) / "cloud", scenario=scenario) as cloud, chromium() as browser:
            seed_now(cloud.tables, vms=_VMS)
            host = cloud.start_host().facts
            letter = browser.new_page(viewport={"width": 700, "height": 600})
            letter.set_content(written.html)
            _take(letter, "mail", whole=True)
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
                _take(page, picture.name)
    return 0


def _take(page: Any, name: str, *, whole: bool = False) -> None:
    path = _FOLDER / f"{name}.png"
    page.screenshot(path=path, full_page=whole)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} KiB")
