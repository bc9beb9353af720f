"""The `baton` script: builds .venv only when needed, and explains a wrong Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("baton", "requirements-dev.txt", "requirements-worker.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def script(clone: Path):
    module = ModuleType("baton_script")
    module.__file__ = str(clone / "baton")
    exec((clone / "baton").read_text(), module.__dict__)  # noqa: S102 - it is our own script
    return module


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_stamped_environment_starts_the_command_at_once(clone):
    write_program(clone / ".venv/bin/python", 'echo "$@ for $PYTHONPATH in $(pwd)"')
    (clone / ".venv/baton-stamp").write_text(script(clone).wanted_stamp())

    done = subprocess.run(
        [sys.executable, clone / "baton", "plan", "--json"],
        cwd="/",
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"-P -m cli plan --json for {clone} in /\n"
    assert done.stderr == ""


def test_a_changed_lock_or_a_moved_clone_asks_for_a_new_environment(clone):
    before = script(clone).wanted_stamp()
    (clone / "requirements-dev.txt").write_text("uv==0.0.1\n")
    changed = script(clone).wanted_stamp()
    moved = clone.rename(clone.with_name("moved"))

    assert len({before, changed, script(moved).wanted_stamp()}) == 3


def test_a_wrong_python_is_explained(clone, capsys, monkeypatch):
    module = script(clone)
    monkeypatch.setattr(module, "is_usable", lambda _python: False)

    with pytest.raises(SystemExit) as ended:
        module.require_a_python()

    assert ended.value.code == 1
    assert "needs Python 3.11 or 3.12" in capsys.readouterr().err


def test_the_first_python_that_really_runs_is_taken(clone, monkeypatch, tmp_path):
    """A version manager puts a `python3.11` on PATH that runs nothing."""
    shim = write_program(tmp_path / "shims/python3.11", "exit 127")
    real = write_program(tmp_path / "real/python3.11", f'exec "{sys.executable}" "$@"')
    module = script(clone)
    monkeypatch.setenv("PATH", f"{shim.parent}{os.pathsep}{real.parent}")
    monkeypatch.setattr(module.sys, "executable", "/no/such/python")
    taken = []
    monkeypatch.setattr(module.os, "execv", lambda path, _arguments: taken.append(path))

    with pytest.raises(SystemExit):
        module.require_a_python()

    assert taken == [str(real)]


def test_the_installer_is_found_in_the_lock_with_its_hashes(clone, monkeypatch):
    module = script(clone)
    (clone / ".baton").mkdir()
    commands = []
    monkeypatch.setattr(module, "run", lambda _title, command, **_: commands.append(command))

    assert not module.install_with_uv(["pip"], 70)
    assert "--require-hashes" in commands[0]
    assert (clone / ".baton/requirements-uv.txt").read_text().count("--hash=sha256:") > 5


def test_a_failed_step_shows_what_the_tool_said(clone, capsys):
    with pytest.raises(SystemExit):
        script(clone).run("install", [sys.executable, "-c", "raise SystemExit('no network')"])

    assert "no network" in capsys.readouterr().err
