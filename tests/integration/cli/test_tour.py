"""docs/tour.md is what its commands print: each is run again, and only dates, ids and ages may differ."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from cli.paths import ROOT
from tests.integration.arm.emulator import fleet, serve, vm
from tests.integration.cli.test_live_commands import discover

TOUR = (ROOT / "docs" / "tour.md").read_text()
WINDOWS = {"pre_start": "-60m", "pre_end": "+120h", "start": "+144h", "end": "+192h"}
# What is another each time: instants and days in every form, ages, and the hash in a job's id.
CHANGES = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?|\d{8}T\d{6}Z|\w{3} \d+ \w{3} \d\d:\d\d|\b\d\d:\d\d\b"
    r"|[\dhms]+ ago|SEQUENCE:\d+|-\d{8}-[0-9a-f]{10}"
)


def same(text: str) -> list[str]:
    return [" ".join(CHANGES.sub("…", line).split()) for line in text.splitlines() if line.strip()]


def steps() -> Iterator[tuple[str, str]]:
    """(command, what it printed); an empty command where the app discovers."""
    for block in re.split(r"```console\n|```\n", TOUR):
        if "the app has discovered" in block:
            yield "", ""
        if block.startswith("$ "):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, printed = part.partition("\n")
                yield command, printed


@pytest.fixture
def settings(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    waves = {"shop-web-01": "1", "shop-web-02": "2", "shop-web-03": "2"}
    shop = [vm(name, maintenance=WINDOWS, tags={"wave": wave}) for name, wave in waves.items()]
    with serve(fleet(*shop, vm("lab-01", maintenance=WINDOWS))) as emulator:
        for name, value in {
            "BATON_TABLES": azurite,
            "BATON_TABLE_PREFIX": f"T{uuid4().hex[:12]}",
            "BATON_ARM_URL": emulator.url,
            "BATON_MODE": "live",
            "COLUMNS": "110",
            "PYTHONPATH": str(ROOT),
        }.items():
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.usefixtures("settings")
def test_every_command_of_the_tour_prints_what_the_tour_says(tmp_path: Path) -> None:
    policies = TOUR.partition("$ cat policies.yaml\n")[2].partition("$ ")[0]
    (tmp_path / "policies.yaml").write_text(policies)

    for command, printed in steps():
        if not command:
            asyncio.run(discover())
            continue
        done = subprocess.run(
            ["/bin/bash", "-c", command.replace("./baton", f"{sys.executable} -m cli")],
            cwd=tmp_path,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        code = f"(exit code {done.returncode})\n" if done.returncode else ""
        assert same(done.stdout + done.stderr + code) == same(printed), command
