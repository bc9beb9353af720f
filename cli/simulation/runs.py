"""Many simulations on several processes, and what came of each."""

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context

from cli.simulation.setup import Setup
from cli.simulation.world import World

Make = Callable[[int], Setup]
"""Seed → setup; must be picklable, and give the same for the same seed."""

_AT_ONCE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one simulation.

    Attributes:
        seconds: Of virtual time.
        counts: Requests, messages, starts, refusals, outcomes, mails, steps.
        faults: By kind.
        violations: As sentences; empty: every promise was kept.
        ends: VM, outcome and reason of every terminal outcome, in their order.
        starts: VM and instant of every start that Azure took.
    """

    seed: int
    level: str
    seconds: float
    counts: Mapping[str, int]
    faults: Mapping[str, int]
    digest: str
    violations: tuple[str, ...]
    ends: tuple[tuple[str, str, str], ...]
    starts: tuple[tuple[str, datetime], ...]


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
    site = world.site
    facts = site.watch.facts
    ends = tuple(
        (row["vmName"], row["outcome"], row["reason"]) for _, row in facts.rows if row["terminal"]
    )
    result = Result(
        seed=setup.seed,
        level=setup.level.name,
        seconds=site.loop.time(),
        counts={**site.trace.counts, "steps": site.loop.steps},
        faults=dict(site.faults.counts),
        digest=site.trace.digest,
        violations=tuple(map(str, world.violations)),
        ends=ends,
        starts=tuple((facts.name(start.vm), start.at) for start in facts.starts),
    )
    return result, world


def run_many(make: Make, seeds: Sequence[int]) -> Iterator[Result]:
    """Simulations on all cores, in the order of their seeds."""
    chunks = [seeds[at : at + _AT_ONCE] for at in range(0, len(seeds), _AT_ONCE)]
    if len(chunks) == 1:
        yield from _chunk(make, chunks[0])
        return
    # Fresh interpreters: what a parent has imported, patched or opened is not theirs.
    fresh = get_context("spawn")
    # What stands after the imports stays: the collector need not look at it in every run.
    with ProcessPoolExecutor(os.cpu_count() or 1, fresh, initializer=gc.freeze) as pool:
        for results in pool.map(_chunk, [make] * len(chunks), chunks):
            yield from results


def _chunk(make: Make, seeds: Sequence[int]) -> list[Result]:
    return [run_one(make(seed))[0] for seed in seeds]
