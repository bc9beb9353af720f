"""What can be said without asking anybody: settings, Python, packages, mode."""

import difflib
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cli.paths import ROOT
from shared.domain import health
from shared.domain.errors import InvalidInput, shown
from shared.domain.health import Finding, State
from shared.settings import Settings, known_settings, unknown_settings

_LOCKED = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)


def wrong_settings(wrong: InvalidInput) -> Iterator[Finding]:
    """Each setting that cannot be used."""
    for problem in wrong.problems:
        yield Finding(
            name=f"setting {problem.field}",
            state=State.BROKEN,
            says=f"it is {shown(problem.value)}" if problem.value else "it is missing",
            fix=f"Set it to {problem.expected}",
        )


def strange_settings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Each setting that nothing reads: it does nothing, whatever its author meant."""
    for name in unknown_settings(environment):
        near = difflib.get_close_matches(name, known_settings(), n=1)
        yield Finding(
            name=f"setting {name}",
            state=State.BROKEN,
            says="Baton knows no such setting, and ignores it",
            fix=f"Rename it to {near[0]}" if near else "Remove it",
        )


def right_settings(settings: Settings) -> Finding:
    """That all can be used, and what they point at."""
    tables = settings.tables_endpoint or "a connection string"
    bus = settings.bus_namespace or "a connection string"
    says = f"usable; tables by {tables}, bus by {bus}, Azure at {settings.arm_url}"
    return Finding(name="settings", state=State.OK, says=says)


def versions() -> Iterator[Finding]:
    """Python and the packages that are deployed."""
    yield health.python_version(sys.version_info[:2])
    yield health.packages(*_packages(ROOT / "requirements.txt"))


def _packages(locked: Path) -> tuple[dict[str, str], dict[str, str]]:
    pinned = dict(_LOCKED.findall(locked.read_text(encoding="utf-8")))
    installed = {}
    for name in pinned:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return pinned, installed
