"""Many simulations on several processes, and what came of each."""

import gc
import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

from cli.simulation.setup import Setup
from cli.simulation.world import World

Make = Callable[[int], Setup]
"""Seed → setup; must be picklable, and give the same for the same seed."""

_AT_ONCE = 25
# Objects: a few runs' worth.
_COLLECTED_AFTER = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one simulation.

    Attributes:
        seconds: Of virtual time.
        counts: Requests, messages, starts, refusals, outcomes, mails, steps.
        faults: By kind.
        violations: As sentences; empty: every promise was kept. Of a run that failed: what it failed with.
        ends: VM, outcome and reason of every terminal outcome, in their order.
        starts: VM and instant of every start that Azure took.
    """

    seed: int
    level: str
    seconds: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    violations: tuple[str, ...]
    ends: tuple[tuple[str, str, str], ...] = ()
    starts: tuple[tuple[str, datetime], ...] = ()


@dataclass(slots=True)
class Total:
    """Of many simulations."""

    runs: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Adds one."""
        self.runs += 1
        self.seconds += result.seconds
        self.counts.update(result.counts)
        self.faults.update(result.faults)
        self.levels[result.level] += 1


def run_one(setup: Setup) -> tuple[Result, World]:
    """One simulation, with its world to look into."""
    world = World(setup)
    world.run()
    return result_of(world), world


def result_of(world: World) -> Result:
    """What came of a simulation that has run."""
    site = world.site
    facts = site.watch.facts
    ends = tuple(
        (row["vmName"], row["outcome"], row["reason"]) for _, row in facts.rows if row["terminal"]
    )
    return Result(
        seed=site.setup.seed,
        level=site.setup.level.name,
        seconds=site.loop.time(),
        counts={**site.trace.counts, "steps": site.loop.steps},
        faults=dict(site.faults.counts),
        violations=tuple(map(str, world.violations)),
        ends=ends,
        starts=tuple((facts.name(start.vm), start.at) for start in facts.starts),
    )


def run_many(make: Make, seeds: Sequence[int]) -> Iterator[Result]:
    """Simulations on all cores, in the order of their seeds; one that fails is a broken one, and stops no other."""
    chunks = [seeds[at : at + _AT_ONCE] for at in range(0, len(seeds), _AT_ONCE)]
    if len(chunks) == 1:
        yield from _chunk(make, chunks[0])
        return
    # Fresh interpreters: what a parent has imported, patched or opened is not theirs.
    fresh = get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count() or 1, fresh, initializer=_begin) as pool:
        for results in pool.map(_chunk, [make] * len(chunks), chunks):
            yield from results


def _begin() -> None:
    """Leaves what was imported to the collector no more, and has it look rarely: a simulation is soon over."""
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER)


def _chunk(make: Make, seeds: Sequence[int]) -> list[Result]:
    return [_run(make, seed) for seed in seeds]


def _run(make: Make, seed: int) -> Result:
    try:
        return run_one(make(seed))[0]
    except Exception as error:  # noqa: BLE001 - a mistake of the app's or of the simulation's, whatever it is
        at = traceback.extract_tb(error.__traceback__)[-1]
        said = f"it failed at {Path(at.filename).name}:{at.lineno} with {error!r:.300}"
        return Result(seed=seed, level="failed", violations=(said,))
