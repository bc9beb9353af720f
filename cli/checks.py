"""`./baton check`: everything that can be said about the code without running it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from cli import locks
from cli.paths import ROOT

API = ROOT / "docs" / "openapi.json"
_SCRIPTS = Path(sys.executable).parent
_SOURCES = (".", "baton")  # the script has no suffix, so tools have to be told of it


@dataclass(frozen=True)
class Finding:
    """What one check found. `output` is empty or what the tool said, told only where it failed."""

    name: str
    passed: bool
    seconds: float
    output: str


def run_checks() -> list[Finding]:
    """Run every check, two at a time, whatever the others find; print each as it ends."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = [pool.submit(_timed, name, check) for name, check in _CHECKS.items()]
        findings = []
        for done in as_completed(running):
            finding = done.result()
            findings.append(finding)
            mark = "ok  " if finding.passed else "FAIL"
            print(f"{mark} {finding.name:<8} {finding.seconds:5.1f} s", flush=True)
            if not finding.passed:
                print(finding.output, flush=True)
    return findings


def fix() -> bool:
    """Repair what can be repaired without a decision; False where a tool itself failed."""
    python = sys.executable
    API.write_text(_described(), encoding="utf-8")
    commands = (
        [python, "-m", "ruff", "check", "--fix-only", "--quiet", *_SOURCES],
        [python, "-m", "ruff", "format", "--quiet", *_SOURCES],
    )
    return all(
        subprocess.run(command, cwd=ROOT, check=False).returncode == 0 for command in commands
    )


def _timed(name: str, check: Callable[[], str]) -> Finding:
    started = time.perf_counter()
    try:
        complaint = check()
    except Exception as error:  # noqa: BLE001 - a check that breaks has failed; the others go on
        complaint = f"{type(error).__name__}: {error}"
    return Finding(name, not complaint, time.perf_counter() - started, complaint)


def _tool(*command: str) -> Callable[[], str]:
    """A check that is one command: its output where it exits non-zero, else nothing."""

    def check() -> str:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else f"{done.stdout}{done.stderr}".strip() or "failed"

    return check


def _described() -> str:
    """The API's description, as docs/ has it."""
    from functions.openapi import description  # noqa: PLC0415 - imports the Functions library

    return json.dumps(description(), indent=2) + "\n"


def _api_drift() -> str:
    kept = API.read_text(encoding="utf-8") if API.exists() else ""
    return "" if kept == _described() else f"{API} is not what the code says: ./baton fix"


def _lock_drift() -> str:
    return "\n".join(locks.drift())


# The slowest first: two run at a time.
_CHECKS: dict[str, Callable[[], str]] = {
    "types": _tool(sys.executable, "-m", "mypy", "."),
    "locks": _lock_drift,
    "imports": _tool(str(_SCRIPTS / "lint-imports"), "--no-cache"),
    "lint": _tool(sys.executable, "-m", "ruff", "check", *_SOURCES),
    "api": _api_drift,
    "format": _tool(sys.executable, "-m", "ruff", "format", "--check", *_SOURCES),
    "spelling": _tool(sys.executable, "-m", "codespell_lib", "."),
}
