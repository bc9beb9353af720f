"""A real Chromium for the page's tests: the one that is installed, else one that comes by npm; and axe."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from simulator import npm

ROOT = Path(__file__).resolve().parents[2]
_FOLDER = ROOT / ".baton" / "page-tests"
_INSTALLED = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# The package brings its own libraries, which it unpacks only where it takes itself to be in AWS Lambda.
_UNPACK = "import('@sparticuz/chromium').then(async (it) => console.log(await it.default.executablePath()))"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Starts it, and ends it."""
    path, libraries = _executable()
    environment: dict[str, str | float | bool] = dict(os.environ)
    if libraries:
        environment["LD_LIBRARY_PATH"] = libraries
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            # In a container neither its sandbox nor much shared memory is to be had.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            env=environment,
        )
        try:
            yield browser
        finally:
            browser.close()


def serious_faults(page: Page) -> list[str]:
    """What axe finds on the page that is serious or worse, a line each."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate((_packages(optional=False) / "axe-core" / "axe.min.js").read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("() => axe.run()")
    return [
        f"{fault['id']}: {fault['help']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


@cache
def _executable() -> tuple[str, str]:
    """(path of the browser, folder of libraries that it needs beside the system's; `""` for none)."""
    for name in _INSTALLED:
        if path := shutil.which(name):
            return path, ""
    packages = _packages(optional=True)
    unpacked = _FOLDER / "chromium"
    unpacked.mkdir(exist_ok=True)
    done = subprocess.run(
        [str(npm.node()), "--input-type=module", "-e", _UNPACK],
        cwd=packages.parent,
        env={**os.environ, "TMPDIR": str(unpacked), "AWS_LAMBDA_JS_RUNTIME": "nodejs24.x"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip(), str(unpacked / "al2023" / "lib")


@cache
def _packages(*, optional: bool) -> Path:
    what = "axe and a Chromium" if optional else "axe"
    folder = _FOLDER / ("all" if optional else "axe")
    npm.install(what, Path(__file__).parent / "node", folder, print, optional=optional)
    return folder / "node_modules"
