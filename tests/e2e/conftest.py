"""End to end: the real processes, each test with a laptop cloud of its own on free ports."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from simulator.laptop import LaptopCloud

TAIL_LINES = 60


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Callable[..., LaptopCloud]]:
    """Starts a laptop cloud (arguments of `LaptopCloud`), without its host; ends it after the test.

    What its processes said last is shown where the test fails.
    """
    clouds: list[LaptopCloud] = []

    def start(scenario: str | Path = "default", **options: Any) -> LaptopCloud:
        cloud = LaptopCloud(tmp_path / f"cloud-{len(clouds)}", scenario=scenario, **options)
        clouds.append(stack.enter_context(cloud))
        return cloud

    with ExitStack() as stack:
        yield start
        for cloud in clouds:
            for log in sorted((cloud.folder / "logs").glob("*.log")):
                lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
                sys.stdout.write("\n".join([f"--- {log.name}", *lines, ""]))
