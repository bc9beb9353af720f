"""The lock files follow from pyproject.toml, and drift is noticed without a network too."""

from pathlib import Path

import pytest

from cli import locks
from cli.paths import ROOT

PYPROJECT = """
[project]
requires-python = ">=3.11,<3.13"
dependencies = ["idna==3.20"]
[dependency-groups]
dev = ["click==8.5.1"]
"""
BODY = "idna==3.20 \\\n    --hash=sha256:aa\n    # via baton\ncolorama==0.4.6 ; sys_platform == 'win32'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    header = f"# inputs: {locks.inputs_digest(PYPROJECT)}\n"
    (tmp_path / "requirements.txt").write_text(header + BODY)
    (tmp_path / "requirements-dev.txt").write_text(header + BODY)
    return tmp_path


def resolver(monkeypatch: pytest.MonkeyPatch, *bodies: str) -> None:
    """A resolver that answers these texts, so that a test of comparing needs no index."""
    monkeypatch.setattr(locks, "_compiled", lambda *_, **__: list(bodies))


def test_a_lock_that_still_follows_is_no_drift(folder, monkeypatch):
    resolver(monkeypatch, BODY, BODY)

    assert locks.drift(folder) == []


def test_new_files_of_a_locked_release_are_no_drift(folder, monkeypatch):
    later = BODY.replace("sha256:aa", "sha256:aa \\\n    --hash=sha256:bb")
    resolver(monkeypatch, later, later)

    assert locks.drift(folder) == []


def test_a_pin_edited_by_hand_is_named(folder, monkeypatch):
    resolver(monkeypatch, BODY, BODY.replace("3.20", "3.21"))

    assert locks.drift(folder) == [
        "requirements-dev.txt: has idna==3.20, which does not follow",
        "requirements-dev.txt: lacks idna==3.21",
        "run ./baton fix",
    ]


def test_a_dependency_added_without_a_new_lock_is_noticed_without_an_index(folder, monkeypatch):
    (folder / "pyproject.toml").write_text(PYPROJECT.replace("click==8.5.1", "click==8.5.2"))
    monkeypatch.setattr(locks, "_compiled", None)

    found = locks.drift(folder)

    assert found[0].startswith("requirements.txt was locked from other dependencies")
    assert found[-1] == "run ./baton fix"


def test_an_unreachable_index_leaves_the_digest_to_decide(folder, monkeypatch):
    def unreachable(_folder, *, upgrade):
        raise locks.LockError("no route to host")

    monkeypatch.setattr(locks, "_compiled", unreachable)

    assert locks.drift(folder) == []


def test_settings_of_tools_do_not_change_the_digest():
    assert locks.inputs_digest(
        PYPROJECT + "[tool.ruff]\nline-length = 90\n"
    ) == locks.inputs_digest(PYPROJECT)


def test_the_projects_own_locks_name_no_index_and_one_version_of_each_package():
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = Path(ROOT, name).read_text()
        packages = [pin.split("==")[0] for pin in locks.pins(text)]

        assert "://" not in text
        assert len(packages) == len(set(packages)) > 20


def test_what_is_deployed_is_what_was_tested():
    deployed = locks.pins(Path(ROOT, "requirements.txt").read_text())
    tested = locks.pins(Path(ROOT, "requirements-dev.txt").read_text())
    versions = {pin.split(" ;")[0] for pin in tested}

    assert {pin.split(" ;")[0] for pin in deployed} <= versions
