"""Starts and ends child processes so that none is left over and no failure is a mystery.

A child writes stdout and stderr to a log file rather than to pipes: nothing can fill up, and what it
said is there to be shown when it fails. It says that it works by one line `ready {...}`; the JSON
after the word is kept as `facts`. Each child leads its own process group, and a watchdog ends the
groups of a parent that was killed.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LOOK_SECONDS = 0.02
_TAIL_LINES = 40


class ProcessError(Exception):
    """A child did not start, or ended when it should not have; the message shows its last lines."""


def ready_line(line: str) -> dict[str, Any] | None:
    """The facts of a `ready {...}` line; None for any other line."""
    word, _, rest = line.partition(" ")
    if word != "ready":
        return None
    try:
        facts = json.loads(rest or "{}")
    except json.JSONDecodeError:
        return None
    return facts if isinstance(facts, dict) else None


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run and how to know that it works. `environment` is the whole one, not an addition."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path = Path()
    ready: Callable[[str], dict[str, Any] | None] = ready_line
    ready_seconds_max: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds_max: float = 10.0


def python(name: str, module: str, *arguments: str, **options: Any) -> Program:
    """A program that is one of the project's own modules."""
    return Program(name=name, command=(sys.executable, "-m", module, *arguments), **options)


class Watchdog:
    """Outlives this process just long enough to end the children that it left."""

    def __init__(self) -> None:
        """Start the watching process; one serves any number of children."""
        self._process = subprocess.Popen(
            [sys.executable, "-E", str(Path(__file__).with_name("watchdog.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def watch(self, group: int) -> None:
        """End this process group if we are gone before `release`."""
        self._tell(f"+{group}")

    def release(self, group: int) -> None:
        """The group ended; its number may soon be somebody else's."""
        self._tell(f"-{group}")

    def close(self) -> None:
        """End the watching, and with it every group still watched. Idempotent."""
        assert self._process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()


class Child:
    """A started program. `facts` is what its ready line said, empty until `await_ready` returned."""

    def __init__(self, program: Program, log: Path, watchdog: Watchdog | None) -> None:
        """Start it at once; `log` is appended to, so that a restart keeps what went before.

        Without a watchdog it goes on when we end.
        """
        self.program = program
        self.log = log
        self.facts: dict[str, Any] = {}
        self._watchdog = watchdog
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log_start = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                program.command,
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if watchdog:
            watchdog.watch(self.pid)
        self._deadline = time.monotonic() + program.ready_seconds_max

    @property
    def pid(self) -> int:
        """Its process id, which is also its group's."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def await_ready(self) -> dict[str, Any]:
        """Wait until it says that it works.

        Raises:
            ProcessError: it ended before that, or took longer than its `ready_seconds_max`; it is
                then ended.
        """
        while (facts := self._ready_facts()) is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(timeout=_LOOK_SECONDS)
                self._release()
                raise ProcessError(self._story(f"ended with exit code {code} before it was ready"))
            if time.monotonic() > self._deadline:
                self.kill()
                seconds = self.program.ready_seconds_max
                raise ProcessError(self._story(f"was not ready within {seconds:.0f} s"))
        self.facts = facts
        return facts

    def stop(self) -> int:
        """Ask it to end, insist when it takes too long; its exit code (negative: the signal)."""
        return self._end(self.program.stop_signal)

    def kill(self) -> int:
        """End it with SIGKILL, as a power cut would."""
        return self._end(signal.SIGKILL)

    def output(self) -> str:
        """All that it wrote since it was started."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")

    def _end(self, number: signal.Signals) -> int:
        if not self.running:
            return self._process.wait()
        self._signal(number)
        try:
            code = self._process.wait(self.program.stop_seconds_max)
        except subprocess.TimeoutExpired:
            code = None
        self._signal(signal.SIGKILL)  # whatever else is in its group
        code = self._process.wait() if code is None else code
        self._release()
        return code

    def _release(self) -> None:
        if self._watchdog:
            self._watchdog.release(self.pid)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _ready_facts(self) -> dict[str, Any] | None:
        """The facts of the first ready line that is written completely."""
        complete = self.output().rpartition("\n")[0]
        found = (self.program.ready(line) for line in complete.splitlines())
        return next((facts for facts in found if facts is not None), None)

    def _story(self, what: str) -> str:
        lines = self.output().splitlines()[-_TAIL_LINES:]
        said = "\n".join(f"  | {line}" for line in lines) or "  | (it said nothing)"
        command = " ".join(self.program.command)
        return f"{self.program.name} {what}: {command}\n{said}\n  whole log: {self.log}"
