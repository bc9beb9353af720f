"""`./baton package`: the zip that is deployed, with its libraries in it, so that nothing is built in Azure.

Azure puts `.python_packages/lib/site-packages` on the path:
https://learn.microsoft.com/azure/azure-functions/functions-how-to-github-actions?pivots=programming-language-python
Where the package lies Python may write nothing, so it is compiled here: else each cold start would compile
some thousand files, which takes five times as long as loading them.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from pathspec import GitIgnoreSpec

from cli.paths import ROOT, STATE
from shared.domain.errors import Terminal

LIBRARIES = Path(".python_packages/lib/site-packages")
# What Flex Consumption runs; infra/modules/app.bicep has the same, and a test compares them.
PYTHON = "3.11"
RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same files make the same zip


def build(out: Path, root: Path = ROOT) -> int:
    """Writes the zip; returns its size in bytes.

    Raises:
        Terminal: This Python is not the one that Azure runs.
    """
    if RUNNING != PYTHON:
        raise Terminal(
            f"Azure runs Python {PYTHON}, and this is {RUNNING}: remove .venv and call ./baton "
            f"package with python{PYTHON}"
        )
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder)
        lay_out(content, root)
        with zipfile.ZipFile(out, "w") as archive:
            for path in sorted(path for path in content.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(str(path.relative_to(content)), _LONG_AGO)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return out.stat().st_size


def lay_out(target: Path, root: Path = ROOT) -> None:
    """What Azure unpacks, for the Python that runs this.

    Raises:
        subprocess.CalledProcessError: A library could not be had; pip said why.
    """
    for relative in files(root):
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / relative, target / relative)
    _compile(target, "")
    shutil.copytree(_libraries(root / "requirements.txt"), target / LIBRARIES)


def files(root: Path = ROOT) -> list[Path]:
    """What is deployed of a checkout: all that .funcignore leaves, relative to it."""
    ignored = GitIgnoreSpec.from_lines((root / ".funcignore").read_text().splitlines())
    found: list[Path] = []
    folders = [root]
    while folders:
        for path in folders.pop().iterdir():
            relative = path.relative_to(root)
            if ignored.match_file(f"{relative}/" if path.is_dir() else str(relative)):
                continue
            (folders if path.is_dir() else found).append(path)
    return sorted(path.relative_to(root) for path in found)


def _libraries(requirements: Path) -> Path:
    """The locked libraries, compiled, as the last package with the same lock had them."""
    digest = hashlib.sha256(requirements.read_bytes() + RUNNING.encode()).hexdigest()[:16]
    kept = STATE / "libraries" / digest
    if not kept.exists():
        shutil.rmtree(kept.parent, ignore_errors=True)
        kept.parent.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            _install(Path(folder) / "new", requirements)
            _compile(Path(folder) / "new", f"/{LIBRARIES}")
            (Path(folder) / "new").rename(kept)
    return kept


def _install(target: Path, requirements: Path) -> None:
    """The locked libraries and nothing else, for Azure's machines whatever this one is."""
    platforms = [part for platform in _PLATFORMS for part in ("--platform", platform)]
    options = ["--quiet", "--no-deps", "--no-compile", "--only-binary", ":all:", *platforms]
    where = ["--python-version", RUNNING, "--target", str(target), "-r", str(requirements)]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, *options, *where], check=True)


def _compile(folder: Path, where: str) -> None:
    """Compiles what will lie there in Azure's folder of the app."""
    # By hash and unchecked: a zip does not keep times well enough to compare them.
    names = ["-s", str(folder), "-p", f"/home/site/wwwroot{where}"]
    options = ["-q", "--invalidation-mode", "unchecked-hash", *names]
    subprocess.run([sys.executable, "-m", "compileall", *options, str(folder)], check=True)
