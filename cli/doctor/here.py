"""What can be said without asking anybody: settings, Python, packages, mode."""

import difflib
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cli.paths import ROOT
from shared.domain import health
from shared.domain.errors import InvalidInput, shown
from shared.domain.health import Finding, State
from shared.settings import Settings, read_settings

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
    for name in unknown(environment):
        near = difflib.get_close_matches(name, _known(), n=1)
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


def _known() -> frozenset[str]:
    """Every name that is read."""
    asked = _Asked()
    with suppress(InvalidInput):
        read_settings(asked)
    return frozenset(asked.names)


def unknown(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Names that begin with `BATON_` and that nothing reads: misspelt ones, most likely."""
    # `BATON_BUS__clientId` and the like are read by the Functions host, and by the identity.
    known = {name.split("__")[0] for name in _known()} | {"BATON_ARM", "BATON_EMAIL"}
    return tuple(
        sorted(
            name
            for name in environment
            if name.startswith("BATON_") and name.split("__")[0] not in known
        )
    )


class _Asked(Mapping[str, str]):
    """An empty environment that notes what it is asked for."""

    def __init__(self) -> None:
        self.names = {"BATON_ARM_TOKEN"}  # asked for only where it may be used

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
