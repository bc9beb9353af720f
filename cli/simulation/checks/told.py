"""Lifecycle events: each change of a job is told at least once, none before it is written, and no other.

What should be told is read from the jobs' rows alone; who tells it is not asked.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from cli.simulation.checks.facts import BAD, Cells

_BEGUN = ("starting", "redeploying")
_ENDS_WELL = "done"


@dataclass(slots=True)
class Told:
    """What was written and what arrived.

    Attributes:
        written: The ids of the events that the table ever had.
        arrived: (job, kind) → the ids of those that arrived.
        due: (job, kind) → how many should.
    """

    written: set[str] = field(default_factory=set)
    arrived: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    due: Counter[tuple[str, str]] = field(default_factory=Counter)
    _rows: dict[str, Cells] = field(default_factory=dict)

    def job_written(self, cells: Cells) -> None:
        """A job's row was written: what follows from how it was before."""
        job, state = cells["jobId"], cells["state"]
        old = self._rows.get(job, {})
        self._rows[job] = cells
        was, took = old.get("state", ""), _takes_slot(old)
        for kind, column in (("planned", "toldAt"), ("asking", "askedAt")):
            if cells.get(column) and cells.get(column) != old.get(column):
                self.due[job, kind] += 1
        if state == was:
            return
        if state == "starting" and _takes_slot(cells):
            self.due[job, "starting"] += 1
        if state == "redeploying" and _takes_slot(cells):
            self.due[job, "away"] += 1
        if was in _BEGUN and took and state in ("planned", "completed"):
            self.due[job, "back"] += 1
        if state not in ("planned", *_BEGUN):
            self.due[job, "failed" if state in BAD else _ENDS_WELL] += 1

    def event_arrived(self, identity: str, job: str, kind: str) -> Iterator[str]:
        """The receiver took an event."""
        if identity not in self.written:
            yield f"{kind} of {job} was told, and no row ever said so"
        self.arrived[job, kind].add(identity)

    def untold(self) -> Iterator[str]:
        """At the end: what was not told, and what was told and never was."""
        for what in sorted({*self.due, *self.arrived}):
            job, kind = what
            came = len(self.arrived[what])
            if came != self.due[what]:
                yield f"{kind} of {job} was told {came} times and happened {self.due[what]} times"


def _takes_slot(cells: Cells) -> bool:
    """Whether what is done next, or now, takes the VM away."""
    work = cells.get("work", "redeploy")
    if work == "patch":
        return bool(cells["needsReboot"] and cells["mayReboot"])
    return bool(work == "redeploy")
