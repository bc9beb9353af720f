"""Every order of a small group's starts, as far as it can still beat the best plan known.

Starts are chosen in the order of time, each as early as those before it allow: some such plan is among the
best, since whoever starts earlier never stands more in the way of one that starts later. Choosing a VM of a
later stage gives up those of the stages before it that have no start yet.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.domain.ledger import PolicyKey
from shared.domain.planning.lane import LanePlan, stage_opens
from shared.domain.planning.model import Lane, Place, Task
from shared.domain.planning.timeline import Elsewhere, Timeline

Score = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A better plan."""

    lanes: Mapping[PolicyKey, LanePlan]
    score: Score


def improve(lanes: Sequence[Lane], best: Score, least: Score, *, steps: int) -> Found | None:
    """A plan better than `best`, the best of all if `steps` suffice; None if none was found.

    Args:
        lanes: The group.
        best: Score of the best plan known.
        least: No plan has a lower score, so that the search ends when it is reached.
        steps: How many choices to look at.
    """
    search = _Search(lanes, best, least, steps)
    search.descend(lost=0, since=0)
    return search.found()


@dataclass(slots=True)
class _Kind:
    """VMs that may stand for one another: it matters only how many of them have a start."""

    stage: int
    place: Place
    opens: int
    closes: int
    tasks: list[Task] = field(default_factory=list)


@dataclass(slots=True)
class _Track:
    """A lane while it is searched.

    Attributes:
        keeps: How long a start keeps others waiting at most.
        before: Per stage, the last end of those that had started in stages before it.
        stage, opens: The stage that starts are taken from, and its first instant.
        end: The last end so far, 0 without one.
    """

    lane: Lane
    kinds: list[_Kind]
    lines: list[Timeline]
    elsewhere: dict[str, list[Elsewhere]]
    keeps: int
    before: list[int | None]
    stage: int = 0
    opens: int = 0
    end: int = 0
    starts: dict[str, int] = field(default_factory=dict)

    def stage_opens(self, stage: int) -> int:
        """The first instant of a stage if its starts came next."""
        if stage == self.stage and self.opens:
            return self.opens
        ends = [end for end in (self.before[stage], self.end or None) if end is not None]
        return stage_opens(self.lane, self.lane.stages[stage], max(ends, default=None))


class _Move(NamedTuple):
    start: int
    closes: int
    key: str
    track: _Track
    kind: _Kind


class _Search:
    def __init__(self, lanes: Sequence[Lane], best: Score, least: Score, steps: int) -> None:
        self._best, self._least, self._steps = best, least, steps
        self._plans: list[dict[str, int]] | None = None
        self._tracks = [_track(lane) for lane in lanes]
        for track in self._tracks:
            for stage in track.lane.stages:
                for one in stage.fixed:
                    self._tell(track, Elsewhere(one.start, one.back, one.place))

    def found(self) -> Found | None:
        """The best plan that beat the one known."""
        if self._plans is None:
            return None
        plans = {}
        for track, starts in zip(self._tracks, self._plans, strict=True):
            end = max(starts.values()) + track.lane.length if starts else None
            plans[track.lane.key] = LanePlan(starts, end)
        return Found(plans, self._best)

    def descend(self, lost: int, since: int) -> None:
        """Looks at every next start that can still lead to a better plan.

        Args:
            lost: Those given up so far.
            since: The last start chosen; none comes before it.
        """
        self._steps -= 1
        moves = sorted(self._moves(since), key=lambda move: move[:3])
        waiting = sum(
            len(kind.tasks) for t in self._tracks for kind in t.kinds if kind.stage >= t.stage
        )
        out = lost + waiting - sum(len(move.kind.tasks) for move in moves)
        if out > self._best[0] or (out, self._bound(moves, out)) >= self._best:
            return
        if not moves:
            self._best = out, sum(track.end for track in self._tracks)
            self._plans = [dict(track.starts) for track in self._tracks]
            return
        for move in moves:
            if self._steps <= 0 or self._best <= self._least:
                return
            if not any(_goes_before(other, move) for other in moves):
                self._take(move, lost)

    def _moves(self, since: int) -> Iterator[_Move]:
        for track in self._tracks:
            for kind in track.kinds:
                if not kind.tasks or kind.stage < track.stage:
                    continue
                opens = max(since, kind.opens, track.stage_opens(kind.stage))
                start = track.lines[kind.stage].earliest(kind.place, opens, kind.closes)
                if start is not None:
                    yield _Move(start, kind.closes, kind.tasks[-1].key, track, kind)

    def _bound(self, moves: Sequence[_Move], out: int) -> int:
        """The least sum of ends if nobody else is given up; it counts only where nobody may be."""
        if out < self._best[0]:
            return 0
        ends = {id(track): track.end for track in self._tracks}
        room: dict[tuple[int, int], list[_Move]] = {}
        for move in moves:
            track = move.track
            ends[id(track)] = max(ends[id(track)], move.start + track.lane.length)
            room.setdefault((id(track), move.kind.stage), []).append(move)
        for (owner, _), group in room.items():
            lane = group[0].track.lane
            rounds = (sum(len(move.kind.tasks) for move in group) - 1) // lane.slots
            last = min(move.start for move in group) + rounds * (lane.length + lane.gap)
            ends[owner] = max(ends[owner], last + lane.length)
        return sum(ends.values())

    def _take(self, move: _Move, lost: int) -> None:
        track, kind = move.track, move.kind
        stage, opens, end = track.stage, track.opens, track.end
        given_up = sum(len(k.tasks) for k in track.kinds if stage <= k.stage < kind.stage)
        first = track.stage_opens(kind.stage)
        task = kind.tasks.pop()
        each = Elsewhere(move.start, move.start + track.lane.length, kind.place)
        track.stage, track.opens, track.end = kind.stage, first, max(end, each.back)
        track.lines[kind.stage].put(kind.place, move.start)
        track.starts[task.key] = move.start
        told = self._tell(track, each)

        self.descend(lost + given_up, move.start)

        for others in told:
            others.pop()
        del track.starts[task.key]
        track.lines[kind.stage].take_back(kind.place, move.start)
        track.stage, track.opens, track.end = stage, opens, end
        kind.tasks.append(task)

    def _tell(self, owner: _Track, each: Elsewhere) -> list[list[Elsewhere]]:
        """Has the other policies of its set see who is away; the lists that now end with it."""
        name = each.place.domain_set
        told = []
        for track in self._tracks:
            if name and track is not owner:
                told.append(track.elsewhere.setdefault(name, []))
                told[-1].append(each)
        return told


def _track(lane: Lane) -> _Track:
    elsewhere: dict[str, list[Elsewhere]] = {}
    before: list[int | None] = []
    ends: list[int] = []
    for stage in lane.stages:
        before.append(max(ends, default=None))
        ends += [one.back for one in stage.fixed]
        ends += [] if stage.ended is None else [stage.ended]
    return _Track(
        lane=lane,
        kinds=_kinds(lane),
        lines=[Timeline(lane, stage, elsewhere) for stage in lane.stages],
        elsewhere=elsewhere,
        keeps=lane.length + max([lane.gap, *(stage.rest for stage in lane.stages)]),
        before=before,
    )


def _kinds(lane: Lane) -> list[_Kind]:
    """The lane's VMs by what tells them apart; each kind's first by name is the last of its list."""
    kinds: dict[tuple[int, int, int, Place], _Kind] = {}
    for number, stage in enumerate(lane.stages):
        for task in sorted(stage.tasks, key=lambda task: task.key, reverse=True):
            traits = number, task.opens, task.closes, task.place
            kind = kinds.setdefault(traits, _Kind(number, task.place, task.opens, task.closes))
            kind.tasks.append(task)
    return list(kinds.values())


def _goes_before(one: _Move, other: _Move) -> bool:
    """Whether the one can start and be done with before the other starts, and so always should."""
    if one.track is other.track and one.kind.stage > other.kind.stage:
        return False
    return one.start + one.track.keeps <= other.start
