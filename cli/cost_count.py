"""What Baton does, counted: its own use cases and adapters on the simulated Azure, with nothing going wrong."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.simulation.choose import SETTINGS, scenario_of
from cli.simulation.faults import NONE
from cli.simulation.fleet import FleetOf
from cli.simulation.setup import PolicyWrite, Setup
from cli.simulation.world import World
from shared.adapters.measures import MEASURES
from shared.telemetry import JsonLines
from simulator.scenario_model import ArmSettings, Step, Subscription, Vm, Windows, Word

_T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_ID = "11111111-1111-4111-8111-111111111111"
_DISCOVERY, _SWEEP = timedelta(minutes=5), timedelta(minutes=1)
# Enough that what happens once a rollout hardly counts, few enough that counting takes seconds.
_SAMPLE = 40
_AT_ONCE = 4
_LOGGERS = ("baton", "baton.meter")
FUNCTIONS = ("discover", "sweep", "redeploy", "alerts")
REQUESTS = ("armList", "armRead", "tables", "bus", "mail")
# Action → spans that a line becomes: see `adapters.otel`.
_SPANS = {"discovered": 1, "job_planned": 1, "redeploy_accepted": 1, "outcome_recorded": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted over some hours of virtual time.

    Attributes:
        executions: Function → how often it ran.
        requests: Kind (`armList`, a page; `armRead`, one thing; `tables`, `bus`, `mail`) → how many.
        messages: That the bus took.
        lines, line_bytes: Of the log.
        points: Of metrics, each at most once a minute.
    """

    hours: float
    executions: Mapping[str, float]
    requests: Mapping[str, float]
    messages: float
    lines: float
    line_bytes: float
    points: float
    spans: float

    def times(self, factor: float) -> "Counted":
        """So many times as much."""
        return self._with(self, lambda mine, _: mine * factor)

    def minus(self, other: "Counted") -> "Counted":
        """What is on top of the other; less than nothing is nothing."""
        return self._with(other, lambda mine, others: max(mine - others, 0.0))

    def _with(self, other: "Counted", join: Callable[[float, float], float]) -> "Counted":
        joined: dict[str, Any] = {}
        for each in fields(self):
            mine, others = getattr(self, each.name), getattr(other, each.name)
            joined[each.name] = (
                {name: join(mine[name], others[name]) for name in mine}
                if isinstance(mine, dict)
                else join(mine, others)
            )
        return Counted(**joined)


def count_idle(vms: int) -> Counted:
    """An hour of a fleet that Azure offers nothing."""
    return _count(_setup(vms, 0, timedelta(hours=1), 1, _AT_ONCE))


def count_redeploy(minutes: float, *, vms: int = _SAMPLE, at_once: int = _AT_ONCE) -> Counted:
    """One redeploy, on top of the idle app; the mean of a rollout of some.

    Args:
        minutes: That a VM is away.
        vms: Of the rollout.
        at_once: The policy's concurrency.
    """
    rollout = _count(_setup(vms, vms, timedelta(0), minutes, at_once))
    idle = _count(_setup(vms, 0, timedelta(hours=rollout.hours), minutes, at_once))
    return rollout.minus(idle.times(rollout.hours / idle.hours)).times(1 / vms)


def _count(setup: Setup) -> Counted:
    world = World(setup)
    lines = _Lines(world)
    with _heard(lines):
        world.run(is_silent=False)
    if world.violations:
        raise AssertionError(f"not a run to count by: {world.violations[0]}")
    site = world.site
    done = Counter(_kind(entry.what) for entry in site.trace.entries if entry.who.startswith("p"))
    return Counted(
        hours=site.loop.time() / 3600,
        executions={name: done[name] for name in FUNCTIONS},
        requests={name: done[name] for name in REQUESTS},
        messages=site.trace.counts["messages"],
        lines=lines.count,
        line_bytes=lines.bytes,
        points=len(lines.points),
        spans=lines.spans,
    )


def _kind(what: str) -> str:
    """The function that a process's entry begins, or what kind of request it is."""
    service, _, rest = what.partition(" ")
    if service == "arm":
        return "armList" if rest.startswith(("list", "subscriptions", "locations")) else "armRead"
    return {"redeploy-jobs": "redeploy"}.get(service, service)


def _setup(vms: int, offered: int, lasts: timedelta, minutes: float, at_once: int) -> Setup:
    window = Windows(
        timedelta(minutes=-1), timedelta(days=7), timedelta(days=8), timedelta(days=15)
    )
    fleet = tuple(
        Vm(
            name=f"vm-{number:05d}",
            resource_group="rg",
            subscription=_ID,
            location="westeurope",
            maintenance=window if number < offered else None,
            script=(Step(Word.MAINTENANCE_COMPLETED),),
            redeploy_seconds=minutes * 60,
        )
        for number in range(vms)
    )
    columns = {"match": "*", "concurrency": at_once}
    return Setup(
        seed=0,
        t0=_T0,
        scenario=scenario_of(
            FleetOf((Subscription(_ID, "cost"),), (), fleet),
            (),
            ArmSettings(throttle_scale=0, retry_after=0),
            (),
        ),
        policies=(PolicyWrite(at=timedelta(0), team="team", name="all", columns=columns),),
        settings=SETTINGS,
        discovery=_DISCOVERY,
        sweep=_SWEEP,
        level=NONE,
        faults_until=lasts,
        processes=1,
    )


class _Lines(logging.Handler):
    """Measures the log, and what becomes of it."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.INFO)
        self._world = world
        self._format = JsonLines()
        self.count = self.bytes = self.spans = 0
        self.points: set[tuple[object, ...]] = set()

    def emit(self, record: logging.LogRecord) -> None:
        line: Mapping[str, object] = vars(record)
        action = str(line.get("action"))
        if record.name != "baton.meter":
            self.count += 1
            self.bytes += len(self._format.format(record).encode())
            self.spans += _SPANS.get(action, 0)
        minute = int(self._world.site.loop.time() // 60)
        for measure in MEASURES:
            if measure.action == action:
                by = tuple(str(line[name]) for name in measure.by)
                self.points.add((minute, measure.metric, by, *measure.fixed.values()))


@contextmanager
def _heard(lines: _Lines) -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(lines)
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.propagate = propagate
            logger.removeHandler(lines)
