"""`./baton chaos`: every service misbehaves, the host is killed every few seconds, and then the verdict."""

import asyncio
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from rich.console import Console

from cli.evidence import first_edits, gather, unended
from cli.paths import STATE
from cli.report import tell_outcomes, tell_verdicts
from cli.watch import Watcher, get_json
from simulator.faults import read_faults
from simulator.laptop import LaptopCloud
from simulator.processes import ProcessError
from simulator.promises import Evidence, judge
from simulator.scenario_table import ScenarioError

_LIFE_SECONDS_MAX = 5.0
"""How long a host lives at most whose end is left to chance: in its first seconds it does most."""
_START_SECONDS_MAX = 8.0
"""How long one may live that is to end at a start; the first, before anything is discovered, longer."""
_FIRST_START_SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.02
_SETTLE_SECONDS_MAX = 660.0
"""For what is left when the killing ends. A mail that failed again and again waits up to ten minutes."""
_QUIET = timedelta(seconds=5)
"""Everything has ended; this long it is watched whether something is done twice after all."""


@dataclass
class Chaos:
    """One run.

    Attributes:
        at_starts: how many of the kills came right after a redeploy was accepted.
    """

    cloud: LaptopCloud
    console: Console
    t0: datetime
    rng: random.Random
    kills: int = 0
    at_starts: int = 0
    seen: int = 0
    problems: list[str] = field(default_factory=list)


def run_chaos(scenario: str, *, kills: int, seed: int | None) -> int:
    """Run it; the exit code: 0 if every VM settled and every promise held.

    Args:
        scenario: name of a built-in one, or a path.
        kills: how often the host is killed before it may finish.
        seed: of the kills and the faults; None takes a new one.
    """
    seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    console = Console(highlight=False, width=200, soft_wrap=True)
    console.print(f"Seed {seed}: ./baton chaos {scenario} --kills {kills} --seed {seed}")
    began = time.perf_counter()
    try:
        with LaptopCloud(STATE / "chaos", scenario=scenario, seed=seed, say=console.print) as cloud:
            t0 = datetime.fromisoformat(cloud.services["arm"].facts["t0"])
            chaos = Chaos(cloud, console, t0, random.Random(seed))  # noqa: S311 - seeded randomness is the point
            _kill(chaos, kills)
            asyncio.run(_settle(chaos))
            held = _report(chaos, time.perf_counter() - began)
    except (ProcessError, ScenarioError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if not held:
        console.print(f"What happened is in {STATE}/chaos: arm.jsonl and logs/.")
    return 0 if held else 1


def _kill(chaos: Chaos, kills: int) -> None:
    """The first host and every other one die as soon as Azure took a start, the rest at any moment."""
    while chaos.kills < kills:
        chaos.cloud.start_host()
        if chaos.kills == 0:
            chaos.at_starts += _await_start(chaos, _FIRST_START_SECONDS_MAX)
        elif chaos.rng.random() < 0.5:
            chaos.at_starts += _await_start(chaos, _START_SECONDS_MAX)
        else:
            seconds = chaos.rng.uniform(0, _LIFE_SECONDS_MAX)
            time.sleep(seconds)  # noqa: TID251 - other processes do the work
        chaos.cloud.kill_host()
        chaos.kills += 1
        if chaos.kills % 10 == 0 or chaos.kills == kills:
            left = len(_left(chaos))
            seconds = (_now() - chaos.t0).total_seconds()
            chaos.console.print(f"{chaos.kills} kills after {seconds:.0f} s; VMs to go: {left}")


def _await_start(chaos: Chaos, seconds: float) -> bool:
    """Wait until Azure takes a start, or so long; whether it did."""
    ends = time.monotonic() + seconds
    _took_start(chaos)
    while not _took_start(chaos):
        if time.monotonic() > ends:
            return False
        time.sleep(_LOOK_SECONDS)  # noqa: TID251 - other processes do the work
    return True


def _took_start(chaos: Chaos) -> bool:
    """Whether Azure took one since this was last asked."""
    fresh = get_json(f"{chaos.cloud.arm_url}/_emulator/log?since={chaos.seen}")
    chaos.seen = fresh[-1]["seq"] if fresh else chaos.seen
    return any(record.get("accepted") for record in fresh)


async def _settle(chaos: Chaos) -> None:
    """Let the host live until all is done, under the same faults, and see whether it then rests."""
    await asyncio.to_thread(chaos.cloud.start_host)
    watcher = Watcher(chaos.cloud, chaos.t0)
    deadline = time.monotonic() + _SETTLE_SECONDS_MAX
    over_since: datetime | None = None
    try:
        while not over_since or _now() - over_since < _QUIET:
            view = await watcher.look(_now())
            left = await asyncio.to_thread(_left, chaos)
            over_since = (over_since or view.now) if view.is_over and not left else None
            if time.monotonic() > deadline:
                text = f"after {_SETTLE_SECONDS_MAX:.0f} s {len(left)} VMs have no outcome, "
                chaos.problems.append(f"{text}{view.unsent} alerts are not mailed")
                break
            await asyncio.sleep(1)
    finally:
        await watcher.close()
    if code := await asyncio.to_thread(chaos.cloud.stop_host):
        chaos.problems.append(f"the host ended with exit code {code} when asked to stop")


def _left(chaos: Chaos) -> frozenset[str]:
    edits = first_edits(chaos.cloud, chaos.t0)
    return unended(chaos.cloud, chaos.t0, edits, chaos.cloud.outcomes())


def _report(chaos: Chaos, seconds: float) -> bool:
    """Tell everything; whether it was as it should be."""
    cloud, tell = chaos.cloud, partial(chaos.console.print, markup=False)
    faults = {name: _struck(read_faults(url)) for name, url in cloud.fault_urls.items()}
    evidence = gather(cloud, chaos.t0, first_edits(cloud, chaos.t0))
    verdicts = judge(evidence)
    tell_outcomes(chaos.console, cloud.outcomes())
    tell_verdicts(chaos.console, verdicts)
    violations = sum(len(verdict.violations) for verdict in verdicts)
    for problem in chaos.problems:
        tell(f"Not as it should be: {problem}")
    for name, injected in faults.items():
        tell(f"faults of {name}: {sum(injected.values())} ({_counts(injected)})")
    tell(f"starts: {_starts(evidence)}")
    tell(f"outcomes: {_counts(Counter(row.outcome for row in evidence.rows))}")
    tell(f"kills: {chaos.kills}, {chaos.at_starts} of them right after an accepted start")
    tell(f"seconds: {seconds:.0f}")
    tell(f"violations: {violations}")
    return not violations and not chaos.problems


def _struck(report: dict[str, Any]) -> dict[str, int]:
    """Every kind, those that never struck too."""
    injected: dict[str, int] = report["injected"]
    return dict.fromkeys(report["known"], 0) | injected


def _starts(evidence: Evidence) -> str:
    refused = len(evidence.starts) - len(evidence.accepted)
    return f"{len(evidence.accepted)} accepted, {refused} refused or lost"


def _counts(counts: Counter[str] | dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one clock of this process
