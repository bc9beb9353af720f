"""What goes wrong with requests and processes, and how often, until it stops."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from cli.simulation.dice import Dice


class Fault(Enum):
    """What becomes of one request."""

    NONE = "answered"
    BUSY = "busy"  # refused at the door: 429, 503
    LOST_BEFORE = "lost before"  # it never reached the service; no answer
    LOST_AFTER = "lost after"  # the service did it; no answer


class Death(Enum):
    """Where in a request its process dies."""

    NONE = "lives"
    BEFORE = "before the request left"
    AFTER = "after it was done"


@dataclass(frozen=True, slots=True)
class Outage:
    """A service that answers nobody for a while, in seconds since the beginning."""

    service: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How much goes wrong.

    Attributes:
        requests: Chance of a fault per request.
        deaths: Chance per request that its process dies at it.
        slow: Chance per request of an answer that takes up to `slow_seconds`.
        repeats: Chance that a message is delivered once more, or to two handlers at once.
        losses: Chance that a message is never delivered.
        late_seconds: A message comes up to this much late.
        stale: Chance that a read of Azure shows an older state, up to `stale_seconds` old.
        skew_seconds: A process's clock is off by up to this, either way.
    """

    name: str
    requests: float = 0.0
    deaths: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 0.0
    repeats: float = 0.0
    losses: float = 0.0
    late_seconds: float = 0.0
    stale: float = 0.0
    stale_seconds: float = 0.0
    skew_seconds: float = 0.0
    outages: int = 0


NONE = Level(name="none")
MILD = Level(
    name="mild",
    requests=0.02,
    deaths=0.002,
    slow=0.01,
    slow_seconds=5,
    repeats=0.05,
    late_seconds=10,
    stale=0.02,
    stale_seconds=15,
    skew_seconds=30,
    outages=1,
)
WILD = Level(
    name="wild",
    requests=0.08,
    deaths=0.01,
    slow=0.03,
    slow_seconds=60,
    repeats=0.2,
    losses=0.05,
    late_seconds=120,
    stale=0.05,
    stale_seconds=25,
    skew_seconds=30,
    outages=4,
)
LEVELS = {level.name: level for level in (NONE, MILD, WILD)}


@dataclass(slots=True, kw_only=True)
class Faults:
    """Decides, request by request.

    Attributes:
        until: Seconds since the beginning; then everything works again.
    """

    level: Level
    dice: Dice
    until: float
    outages: tuple[Outage, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def injected(self) -> int:
        """How many so far, of every kind."""
        return self.counts.total()

    def count(self, kind: str) -> None:
        """Counts one."""
        self.counts[kind] += 1

    def of_request(self, service: str, now: float) -> Fault:
        """What becomes of a request to this service at this time."""
        if now >= self.until:
            return Fault.NONE
        if self._is_out(service, now):
            fault = Fault.BUSY if self.dice.happens(0.7) else Fault.LOST_BEFORE
        elif self.dice.random() >= self.level.requests:
            return Fault.NONE
        else:
            fault = self.dice.choice((Fault.BUSY, Fault.LOST_BEFORE, Fault.LOST_AFTER))
        self.count(f"{service} {fault.value}")
        return fault

    def of_process(self, now: float) -> Death:
        """Whether the process dies at this request, and where."""
        if now >= self.until or self.dice.random() >= self.level.deaths:
            return Death.NONE
        self.count("death")
        return self.dice.choice((Death.BEFORE, Death.AFTER))

    def travel(self, now: float) -> float:
        """Seconds that a request or an answer is on its way."""
        throw = self.dice.random
        if now < self.until and throw() < self.level.slow:
            self.count("slow")
            return throw() * self.level.slow_seconds
        return 0.001 + throw() * 0.03

    def lateness(self, now: float) -> float:
        """Seconds after its instant at which a message is delivered."""
        if self.happens(0.2, now):
            return self.dice.random() * self.level.late_seconds
        return self.dice.random() * 0.1

    def happens(self, chance: float, now: float) -> bool:
        """Whether something of this chance happens, while things still go wrong."""
        return now < self.until and self.dice.happens(chance)

    def _is_out(self, service: str, now: float) -> bool:
        for outage in self.outages:
            if outage.start <= now < outage.end and outage.service == service:
                return True
        return False
