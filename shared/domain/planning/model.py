"""What is planned, as plain values: tasks in the stages of lanes.

Instants and lengths are whole microseconds (since 1970 in UTC), because a fleet of 100,000 VMs is planned
by comparing them some ten million times.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from shared.domain.ledger import PolicyKey

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
FOREVER = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def micros(at: datetime) -> int:
    """An aware instant as microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def span(length: timedelta) -> int:
    """A length in microseconds."""
    return length // _MICROSECOND


def instant(at: int) -> datetime:
    """The aware instant of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at)


class Place(NamedTuple):
    """Where a VM stands, as far as it decides who may be away with it (promise P5).

    Attributes:
        zone: By which zones are compared; `""` without one.
        pairs: The regions that Azure pairs with `location`.
        domain_set: Lower-cased id of the set whose domains are kept apart; `""` without one.
        domain: In that set; None where it is not known, and then it equals no other.
    """

    zone: str = ""
    location: str = ""
    pairs: frozenset[str] = frozenset()
    domain_set: str = ""
    domain: int | None = None

    @property
    def goes_alone(self) -> bool:
        """Whether it must not even be away with one that stands in the same place."""
        return self.domain_set != "" and self.domain is None

    def clashes_in_set(self, other: "Place") -> bool:
        """Whether both must not be away together, whichever policies they follow."""
        return (
            self.domain_set != ""
            and self.domain_set == other.domain_set
            and (self.domain is None or self.domain != other.domain)
        )

    def clashes(self, other: "Place") -> bool:
        """Whether both must not be away together within one policy."""
        if self.zone != other.zone and self.zone and other.zone:
            return True
        if other.location in self.pairs or self.location in other.pairs:
            return True
        return self.clashes_in_set(other)


class Task(NamedTuple):
    """A VM to be given a start.

    Attributes:
        key: Unique in the fleet; decides where nothing else does.
        opens: The first instant at which it may start by itself.
        closes: It must start before this.
        kept: The start that people were told, if any.
    """

    key: str
    opens: int
    closes: int
    place: Place
    kept: int | None = None


class Fixed(NamedTuple):
    """A VM that has started: away until `back`, its slot used until a gap after that."""

    place: Place
    start: int
    back: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Tasks that may go together.

    Attributes:
        rest: Least time from the last VM of the stages before being back to this stage's first start.
        fixed: Those of it that are away, or whose slot still rests.
        ended: When the last of its VMs so far was back or given up; None if none was.
    """

    tasks: tuple[Task, ...]
    rest: int = 0
    fixed: tuple[Fixed, ...] = ()
    ended: int | None = None


class Starts:
    """The instants at which a policy's hours allow a start, each with the whole time away inside them."""

    def __init__(self, intervals: Sequence[tuple[datetime, datetime]], length: int) -> None:
        """`intervals`: disjoint and sorted. `length`: how long a VM is away, in microseconds."""
        self._from: list[int] = []
        self._to: list[int] = []
        for start, end in intervals:
            first, last = micros(start), micros(end) - length
            if first <= last:
                self._from.append(first)
                self._to.append(last)

    def next(self, at: int) -> int | None:
        """The first allowed start that is not before `at`."""
        index = bisect_right(self._from, at)
        if index and at <= self._to[index - 1]:
            return at
        return self._from[index] if index < len(self._from) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One policy's open rollouts: stages one after the other.

    Attributes:
        slots: How many VMs may be away at once.
        length: How long a VM is planned to be away.
        gap: How long a slot rests after its VM is back.
        opens: No start before this.
    """

    key: PolicyKey
    slots: int
    length: int
    gap: int
    starts: Starts
    stages: tuple[Stage, ...]
    opens: int

    @property
    def tasks(self) -> list[Task]:
        """Every task."""
        return [task for stage in self.stages for task in stage.tasks]
