"""Children start, say so, and end, whatever happens to them or to their parent."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.processes import Child, ProcessError, Program, Watchdog, ready_line

SERVE = "import signal; print('ready {\"port\": 7}', flush=True); signal.pause()"


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    watchdog = Watchdog()
    yield watchdog
    watchdog.close()


@pytest.fixture
def start(watchdog: Watchdog, tmp_path: Path) -> Iterator[Callable[..., Child]]:
    started = []

    def start(source: str, **options) -> Child:
        program = Program(name="child", command=(sys.executable, "-c", source), **options)
        started.append(Child(program, tmp_path / "child.log", watchdog))
        return started[-1]

    yield start
    for child in started:
        child.kill()


def gone(pid: int) -> bool:
    """Whether no such process runs; one that ended and waits to be collected counts as gone."""
    if Path("/proc/self/stat").exists():
        status = Path(f"/proc/{pid}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return shown.strip()[:1] in ("", "Z")


def await_condition(condition: Callable[[], bool], seconds_max: float = 60) -> bool:
    deadline = time.monotonic() + seconds_max
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return condition()


def test_a_child_is_ready_when_it_says_so(start):
    child = start(SERVE)

    assert child.await_ready() == {"port": 7}
    assert child.running
    assert child.stop() == -signal.SIGTERM


def test_a_child_that_fails_to_start_shows_its_last_words(start):
    child = start("import sys; sys.exit('BATON_BUS is missing')")

    with pytest.raises(
        ProcessError, match=r"exit code 1 before it was ready(.|\n)*BATON_BUS is mis"
    ):
        child.await_ready()


def test_a_child_that_never_gets_ready_is_ended(start):
    child = start("import signal; signal.pause()", ready_seconds_max=0.2)

    with pytest.raises(ProcessError, match="was not ready within 0 s"):
        child.await_ready()
    assert not child.running


def test_a_child_that_ignores_the_request_to_stop_is_killed(start):
    child = start(
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SERVE,
        stop_seconds_max=0.2,
    )
    child.await_ready()

    assert child.stop() == -signal.SIGKILL


def test_a_restart_waits_for_its_own_ready_line(start):
    """The log still holds the line of the child before."""
    start(SERVE).await_ready()

    with pytest.raises(ProcessError):
        start("raise SystemExit(3)").await_ready()


def test_the_children_of_a_child_end_with_it(start):
    child = start(
        "import subprocess, sys;"
        "p = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']);"
        "print('ready {\"grandchild\": %d}' % p.pid, flush=True); p.wait()"
    )
    grandchild = child.await_ready()["grandchild"]
    child.kill()

    assert await_condition(lambda: gone(grandchild))


@pytest.mark.parametrize(
    "source", [SERVE, f"signal.signal(signal.SIGTERM, signal.SIG_IGN); {SERVE}"]
)
def test_a_killed_parent_leaves_no_child(start, tmp_path: Path, source: str):
    parent = start(
        f"""
from pathlib import Path
from simulator.processes import *
child = Child(
    Program(name="inner", command=({sys.executable!r}, "-c", "import signal; " + {source!r})),
    Path({str(tmp_path / "inner.log")!r}), Watchdog(),
)
child.await_ready()
print('ready {{"inner": %d}}' % child.pid, flush=True)
signal.pause()
""",
        folder=Path(__file__).parents[3],
    )
    inner = parent.await_ready()["inner"]
    parent.kill()

    assert await_condition(lambda: gone(inner))


def test_a_closed_watchdog_ends_what_is_still_watched(tmp_path: Path):
    watchdog = Watchdog()
    program = Program(name="child", command=(sys.executable, "-c", SERVE))
    child = Child(replace(program, name="watched"), tmp_path / "child.log", watchdog)
    child.await_ready()
    watchdog.close()

    assert await_condition(lambda: not child.running)


@pytest.mark.parametrize(
    ("line", "facts"),
    [
        ('ready {"port": 1}', {"port": 1}),
        ("ready", {}),
        ("ready soon", None),
        ("ready [1]", None),
        ('already {"port": 1}', None),
        ("", None),
    ],
)
def test_a_ready_line_is_the_word_and_an_object(line, facts):
    assert ready_line(line) == facts
