"""`./baton simulate`: prints a verdict, the way to it where a promise broke, and the command that repeats it."""

import secrets
import shlex
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table

from cli import say
from cli.given import Given
from cli.simulation.choose import Chosen
from cli.simulation.given import OwnFleet
from cli.simulation.runs import Make, Result, Total, result_of, run_many
from cli.simulation.world import World

_SEEDS = 1_000_000_000
# More of them say nothing new, and hide the first.
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options, as they were written.

    Attributes:
        seed: Of the first run; None: a fresh one.
        runs: How many; each has the seed after the one before.
        faults: `none`, `mild` or `wild`; None: as it comes, or mild for a person's own fleet.
    """

    given: Given
    seed: int | None
    runs: int | None
    faults: str | None


def run(asked: Asked, clock: datetime) -> int:
    """Simulates, and says what came of it: 0 where every promise was kept, else 1."""
    seed = secrets.randbelow(_SEEDS) if asked.seed is None else asked.seed
    runs = asked.runs or (1 if asked.seed is not None else 100)
    now = asked.given.instant() or clock
    files = asked.given.files()
    make: Make = OwnFleet(files, now, asked.faults or "mild") if files else Chosen(asked.faults)
    repeat = _Repeat(asked, now if files else None)
    console = say.console()
    if runs == 1:
        return _one(console, make, seed, repeat)
    return _many(console, make, range(seed, seed + runs), repeat, is_own=files is not None)


@dataclass(frozen=True, slots=True)
class _Repeat:
    """The command that runs one simulation again."""

    asked: Asked
    now: datetime | None

    def __call__(self, seed: int) -> str:
        words = ["./baton", "simulate", "--seed", str(seed)]
        given = self.asked.given
        for option, value in (
            ("--policies", given.policies),
            ("--fleet", given.fleet),
            ("--now", f"{self.now:%Y-%m-%dT%H:%M:%SZ}" if self.now else None),
            ("--faults", self.asked.faults),
        ):
            if value is not None:
                words += [option, str(value)]
        return shlex.join(words)


def _one(console: Console, make: Make, seed: int, repeat: _Repeat) -> int:
    """One simulation, with its timeline."""
    world = World(make(seed))
    is_kept = False
    try:
        world.run()
        is_kept = not world.violations
    finally:  # what it fails with, if it does, is told after the way to it
        for line in world.site.trace.timeline(quiet_before_end=0 if is_kept else 25):
            print(line)
    result = result_of(world)
    print()
    for text in result.violations:
        print(f"Seed {seed}: {text}")
    total = Total()
    total.add(result)
    _tell_total(console, total, int(not is_kept), None)
    print(f"Trace {world.site.trace.digest}. Repeat: {repeat(seed)}")
    return int(not is_kept)


def _many(
    console: Console, make: Make, seeds: Sequence[int], repeat: _Repeat, *, is_own: bool
) -> int:
    began = time.monotonic()
    print(f"{len(seeds)} simulations from seed {seeds[0]} on ...", flush=True)
    total = Total()
    broken: list[Result] = []
    own = _Own()
    for result in run_many(make, seeds):
        total.add(result)
        own.add(result)
        if result.violations:
            broken.append(result)
            print(f"  seed {result.seed} is broken", file=sys.stderr, flush=True)
        if total.runs % 500 == 0:
            print(f"  {total.runs} done, {len(broken)} broken", file=sys.stderr, flush=True)
    if is_own:
        own.tell(console, total.runs)
    for result in broken[:_SHOWN]:
        for text in result.violations:
            print(f"Seed {result.seed}: {text}")
        print(f"    The way to it: {repeat(result.seed)}")
    _tell_total(console, total, len(broken), time.monotonic() - began)
    return int(bool(broken))


def _tell_total(console: Console, total: Total, broken: int, seconds: float | None) -> None:
    years = total.seconds / timedelta(days=365.25).total_seconds()
    counts, faults = total.counts, total.faults.total()
    deaths = total.faults["death"]
    table = Table(show_header=False, box=None)
    for name, value in (
        (
            "simulations",
            f"{total.runs} ({', '.join(f'{n} {w}' for w, n in sorted(total.levels.items()))})",
        ),
        ("virtual time", f"{years:.2f} years, {counts['steps']} steps"),
        ("traffic", f"{counts['requests']} requests, {counts['messages']} messages"),
        ("gone wrong", f"{faults - deaths} faults, {deaths} crashes"),
        (
            "done",
            (
                f"{counts['starts']} starts, {counts['refusals']} refused, "
                f"{counts['outcomes']} outcomes, {counts['mails']} mails"
            ),
        ),
    ):
        table.add_row(name, value)
    console.print(table)
    took = f" in {seconds:.0f} s" if seconds is not None else ""
    style = "bold red" if broken else "bold green"
    verdict = f"{broken} with a broken promise" if broken else "0 violations"
    console.print(f"[{style}]{verdict}[/{style}]{took}")


class _Own:
    """What came of each VM of a person's own fleet."""

    def __init__(self) -> None:
        self._outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        self._reasons: dict[str, Counter[str]] = defaultdict(Counter)
        self._starts: dict[str, list[datetime]] = defaultdict(list)

    def add(self, result: Result) -> None:
        for vm, outcome, reason in result.ends:
            self._outcomes[vm][outcome] += 1
            if outcome != "completed":
                self._reasons[vm][f"{outcome}: {reason}"] += 1
        for vm, at in result.starts:
            self._starts[vm].append(at)

    def tell(self, console: Console, runs: int) -> None:
        """A line for each VM: how it ended, and when it went; then why some were not done."""
        table = Table(box=None)
        for column in ("VM", "ended", "starts from", "half by", "to"):
            table.add_column(column)
        for vm, outcomes in sorted(self._outcomes.items()):
            ended = ", ".join(
                f"{outcome} {count / runs:.0%}" for outcome, count in outcomes.most_common()
            )
            starts = sorted(self._starts[vm])
            shown = [starts[0], starts[len(starts) // 2], starts[-1]] if starts else []
            table.add_row(vm, ended, *(f"{at:%m-%d %H:%M}" for at in shown))
        console.print(table)
        for vm, reasons in sorted(self._reasons.items()):
            # As told in one of the runs; the times in it differ from run to run.
            print(f" {vm} {reasons.most_common(1)[0][0]}")
