"""The lock files: which exact packages are deployed, and which a laptop adds.

`requirements.txt` is what Azure's remote build reads with its own pip: plain pins, no hashes, because
that pip runs with options of its own and one unhashed extra of Azure's would fail a build that works.
`requirements-dev.txt` holds the same pins, what the laptop adds, and the hash of every file; the
`baton` script installs it. Both are universal: markers cover Linux, macOS, Windows, Python 3.11-3.12.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from cli.paths import ROOT

_PIN = re.compile(r"^[A-Za-z0-9][\w.\-\[\]]*==.*?(?= \\$|$)", re.MULTILINE)
_INPUTS = re.compile(r"^# inputs: (\w+)$", re.MULTILINE)
_COMPILE = (
    *("--universal", "--python-version", "3.11", "--no-emit-index-url", "--no-header", "--quiet"),
    "--system-certs",  # as pip does where a company's proxy has a certificate of its own
)


class LockError(Exception):
    """A lock could not be made: the message is the resolver's own."""


def inputs_digest(pyproject: str) -> str:
    """A digest of what the locks follow from: the Python range and the two dependency tables."""
    document = tomllib.loads(pyproject)
    project = document["project"]
    inputs = [
        project["requires-python"],
        sorted(project["dependencies"]),
        sorted(document["dependency-groups"]["dev"]),
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:16]


def pins(lock: str) -> list[str]:
    """A lock's `name==version ; marker` lines.

    Without the hashes: a release may gain files for other platforms later, and a check that fails
    though nobody changed anything is a check that people stop reading.
    """
    return sorted(_PIN.findall(lock))


def write(folder: Path = ROOT, *, upgrade: bool = False) -> bool:
    """Write both locks, keeping every pin that still fits unless `upgrade`; True if one changed.

    Raises:
        LockError: the requirements contradict each other, or the index cannot be reached.
    """
    before = [_read(path) for path in _paths(folder)]
    after = _compiled(folder, upgrade=upgrade)
    for path, text in zip(_paths(folder), after, strict=True):
        path.write_text(text)
    return before != after


def drift(folder: Path = ROOT) -> list[str]:
    """What is wrong with the locks, one line each; empty: they follow from pyproject.toml.

    Where the index cannot be reached, only the digest of the inputs is compared: that still catches
    a dependency changed in pyproject.toml without a new lock.
    """
    expected = inputs_digest((folder / "pyproject.toml").read_text())
    paths = _paths(folder)
    stale = [
        f"{path.name} was locked from other dependencies than pyproject.toml names"
        for path in paths
        if _INPUTS.findall(_read(path)) != [expected]
    ]
    if stale:
        return [*stale, "run ./baton fix"]
    try:
        compiled = _compiled(folder, upgrade=False)
    except LockError:
        return []
    changed = [
        f"{path.name}: {line}"
        for path, text in zip(paths, compiled, strict=True)
        for line in _difference(pins(_read(path)), pins(text))
    ]
    return [*changed, "run ./baton fix"] if changed else []


def _paths(folder: Path) -> tuple[Path, Path]:
    return folder / "requirements.txt", folder / "requirements-dev.txt"


def _difference(ours: list[str], theirs: list[str]) -> list[str]:
    return [f"has {pin}, which does not follow" for pin in ours if pin not in theirs] + [
        f"lacks {pin}" for pin in theirs if pin not in ours
    ]


def _compiled(folder: Path, *, upgrade: bool) -> list[str]:
    """Both locks' texts, as they would be written now."""
    deployed, laptop = _paths(folder)
    header = (
        "# Written by `./baton fix` from pyproject.toml; edit that, not this.\n"
        f"# inputs: {inputs_digest((folder / 'pyproject.toml').read_text())}\n"
    )
    runtime = _resolve(folder, _read(deployed), upgrade=upgrade)
    everything = _resolve(
        folder,
        _read(laptop),
        *("--group", "dev", "--generate-hashes"),
        constraint=runtime,
        upgrade=upgrade,
    )
    return [header + runtime, header + everything]


def _resolve(
    folder: Path, existing: str, *options: str, constraint: str = "", upgrade: bool
) -> str:
    """One `uv pip compile`, which prefers the pins of `existing` and obeys those of `constraint`."""
    with tempfile.TemporaryDirectory() as scratch:
        output, bound = Path(scratch, "lock.txt"), Path(scratch, "bound.txt")
        output.write_text("" if upgrade else existing)
        bound.write_text(constraint)
        command = [
            *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml"),
            *(*_COMPILE, "--constraint", str(bound), *options, "--output-file", str(output)),
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LockError(done.stderr.strip())
        return _without_scratch(output.read_text())


def _without_scratch(text: str) -> str:
    """Annotations name the constraint's temporary file, which means nothing to a reader."""
    return re.sub(r"\n    #   -c .*bound\.txt$", "", text, flags=re.MULTILINE)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
