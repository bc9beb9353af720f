"""Boundaries that import contracts cannot see: what function_app imports, and who asks the time."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CLOCK_MODULE = ROOT / "shared/adapters/system_clock.py"
CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}
    | {"sleep", "localtime", "gmtime"},
}


def imported(source: str) -> set[str]:
    """Every module that the source imports, `from a import b` as `a`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or ".")
    return found


def clocks_asked(source: str) -> list[str]:
    """Where the source names a clock: `datetime.now`, `time.monotonic`, `from time import time`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value).removeprefix("datetime.")
            if node.attr in CLOCKS.get(owner, ()):
                found.append(f"line {node.lineno}: {owner}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found.append(f"line {node.lineno}: from time import ...")
    return found


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import UTC, datetime\nnow = datetime.now(UTC)",
        "import datetime\nnow = datetime.datetime.utcnow()",
        "import time\nstarted = time.monotonic()",
        "from time import time",
        "from datetime import datetime\nclock = datetime.now  # not called here, but later",
    ],
)
def test_a_clock_is_recognised(source):
    assert clocks_asked(source)


def test_a_time_that_was_handed_in_is_no_clock():
    assert not clocks_asked("def due(now, job):\n    return job.time.time <= now.time()")


def test_only_the_clock_adapter_asks_the_time():
    offenders = {
        str(path.relative_to(ROOT)): asked
        for folder in ("shared", "functions")
        for path in (ROOT / folder).rglob("*.py")
        if path != CLOCK_MODULE and (asked := clocks_asked(path.read_text()))
    }

    assert offenders == {}


def test_function_app_imports_only_azure_functions_and_the_triggers():
    modules = imported((ROOT / "function_app.py").read_text())

    assert {module.partition(".")[0] for module in modules} == {"azure", "functions"}
    assert {module for module in modules if module.startswith("azure")} == {"azure.functions"}


def test_the_host_lets_every_functions_own_lines_through_and_of_its_own_only_what_goes_wrong():
    levels = json.loads((ROOT / "host.json").read_text())["logging"]["logLevel"]
    sources = [path.read_text() for path in (ROOT / "functions").glob("*.py")]
    names = {name for text in sources for name in re.findall(r'function_name\("(\w+)"\)', text)}

    own = {f"Function.{name}.User": "Information" for name in names}
    assert levels == own | {"default": "Warning", "Host.Results": "Error"}
