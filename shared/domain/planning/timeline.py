"""The starts of one stage, and the earliest further one that keeps every rule."""

from bisect import bisect_right
from collections.abc import Mapping
from operator import itemgetter
from typing import NamedTuple

from shared.domain.planning.model import Lane, Place, Stage


class Elsewhere(NamedTuple):
    """A VM of a set that another policy has away."""

    start: int
    back: int
    place: Place


class Timeline:
    """One stage of a lane while it is planned.

    All its VMs are away equally long, so that slots need no names: in the order of their starts, each comes
    no sooner than the slot's whole turn after the one that is `slots` places before it.
    """

    def __init__(self, lane: Lane, stage: Stage, elsewhere: Mapping[str, list[Elsewhere]]) -> None:
        """`elsewhere`: by set, those whom other policies have away in this plan."""
        self._starts_allowed = lane.starts
        self._slots = lane.slots
        self._length = lane.length
        self._turn = lane.length + lane.gap
        self._elsewhere = elsewhere
        # One that is away longer than planned counts as if it had started later.
        away = ((each.back - lane.length, each.place) for each in stage.fixed)
        # By the instant alone: places have no order, as a domain may be unknown.
        fixed = sorted(away, key=itemgetter(0))
        self.starts = [start for start, _ in fixed]
        self._places = [place for _, place in fixed]

    def earliest(self, place: Place, since: int, closes: int) -> int | None:
        """The first start in [since, closes) that fits; None if there is none."""
        at: int | None = since
        while at is not None:
            at = self._starts_allowed.next(at)
            if at is None or at >= closes:
                return None
            free = self._free_after(place, at)
            if free is None:
                return at
            at = free
        return None

    def fits(self, place: Place, at: int) -> bool:
        """Whether exactly this start fits."""
        return self._starts_allowed.next(at) == at and self._free_after(place, at) is None

    def put(self, place: Place, at: int) -> None:
        """Takes a start that fits."""
        index = bisect_right(self.starts, at)
        self.starts.insert(index, at)
        self._places.insert(index, place)

    def take_back(self, place: Place, at: int) -> None:
        """Undoes `put`."""
        index = bisect_right(self.starts, at) - 1
        while self._places[index] is not place:
            index -= 1
        del self.starts[index], self._places[index]

    @property
    def end(self) -> int | None:
        """When the last VM is back; None of none."""
        return self.starts[-1] + self._length if self.starts else None

    def _free_after(self, place: Place, at: int) -> int | None:
        """None if a start at `at` fits; else a later instant before which none does."""
        starts, slots = self.starts, self._slots
        index = bisect_right(starts, at)
        if index >= slots and starts[index - slots] + self._turn > at:
            return starts[index - slots] + self._turn
        if index < len(starts) and self._crowds(index, at):
            return starts[index]
        return self._clash(place, at, index)

    def _crowds(self, index: int, at: int) -> bool:
        """Whether those that start later would no longer have a slot."""
        starts, slots = self.starts, self._slots
        for later in range(index, min(index + slots, len(starts))):
            before = later + 1 - slots
            previous = at if before == index else starts[before] if before >= 0 else None
            if previous is not None and starts[later] < previous + self._turn:
                return True
        return False

    def _clash(self, place: Place, at: int, index: int) -> int | None:
        """When the first VM that must not be away with this one is back, if one is away then."""
        starts, places, length = self.starts, self._places, self._length
        # Asking is dear, and most of those who are away stand in the very same place.
        peer = None if place.goes_alone else place
        left = index - 1
        while left >= 0 and starts[left] + length > at:
            if places[left] is not peer and place.clashes(places[left]):
                return starts[left] + length
            left -= 1
        right = index
        while right < len(starts) and starts[right] < at + length:
            if places[right] is not peer and place.clashes(places[right]):
                return starts[right] + length
            right += 1
        if place.domain_set and self._elsewhere:
            for other in self._elsewhere.get(place.domain_set, ()):
                overlaps = other.start < at + length and at < other.back
                if overlaps and place.clashes_in_set(other.place):
                    return other.back
        return None
