"""Policies as the checker understands them: which VM belongs to which, in which stage, at what time.

Written from the description of the columns, not from the app: a column that the app reads wrongly
would otherwise be right in both places.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from simulator.promises.columns import read, wrong
from simulator.promises.hours import Span, opened
from simulator.promises.model import EDIT_GRACE, Evidence, Machine
from simulator.promises.selectors import selects, stage_of

_ALWAYS = Span(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True)
class Policy:
    """One version of a policy row. What stands in a wrong column raises ValueError when asked for."""

    team: str
    name: str
    columns: Mapping[str, Any]

    def __str__(self) -> str:
        """`team/name`, as people write it."""
        return f"{self.team}/{self.name}"

    @cached_property
    def wrong(self) -> tuple[str, ...]:
        """The columns because of which the row starts nothing."""
        return wrong(self.columns)

    @cached_property
    def keeps(self) -> bool:
        """Whether it takes VMs: it is on, or wrong about that, and what it means can be read."""
        unread = {"match", "exclude", "priority"}.intersection(self.wrong)
        return not unread and ("enabled" in self.wrong or bool(self._read("enabled")))

    @cached_property
    def priority(self) -> int:
        """The lowest wins."""
        return int(self._read("priority"))

    @cached_property
    def concurrency(self) -> int:
        """How many VMs may be away at once."""
        return int(self._read("concurrency"))

    @cached_property
    def continues(self) -> bool:
        """Whether it goes on after a failure."""
        return bool(self._read("onFailure") == "continue")

    @cached_property
    def retries_aborted(self) -> bool:
        """Whether it tries again after MaintenanceAborted."""
        return bool(self._read("retryAborted"))

    @cached_property
    def installs(self) -> bool:
        """Whether it has patches installed."""
        return bool(self._read("patching") == "install")

    @cached_property
    def reboots(self) -> bool:
        """Whether an installation may reboot a VM."""
        return bool(self._read("rebootSetting") == "IfRequired")

    @cached_property
    def needs_approval(self) -> bool:
        """Whether nothing starts before somebody approved."""
        return bool(self._read("approval") == "required")

    @cached_property
    def go_ahead(self) -> tuple[timedelta | None, bool]:
        """How long a go-ahead is waited for, None: not at all; and whether silence means yes."""
        return self._read("goAhead"), self._read("goAheadDefault") == "start"

    @cached_property
    def gap(self) -> timedelta:
        """Least pause of a slot."""
        return self._length("gap")

    @cached_property
    def stage_gap(self) -> timedelta:
        """Least pause between stages."""
        return self._length("stageGap")

    @cached_property
    def lead(self) -> timedelta:
        """Least notice from the discovery to the start."""
        return self._length("lead")

    @cached_property
    def estimate(self) -> timedelta:
        """How long a VM is planned to be away."""
        return self._length("estimate")

    @cached_property
    def sequence(self) -> str:
        """Its stages as the row has them; empty: there is one."""
        return str(self._read("sequence"))

    def takes(self, machine: Machine) -> bool:
        """Whether it means the VM."""
        excluded = str(self._read("exclude"))
        return selects(str(self._read("match")), machine) and not (
            excluded and selects(excluded, machine)
        )

    def stage(self, machine: Machine) -> float:
        """Where the VM stands in its order, to compare by; infinity for those that go last."""
        return stage_of(self.sequence, machine) if self.sequence else 1

    @cached_property
    def freezes(self) -> tuple[Span, ...]:
        """When nobody may be away."""
        spans: tuple[Span, ...] = self._read("freezes")
        return spans

    def why_not(self, start: datetime, length: timedelta) -> str:
        """Which of its hours speak against being away so long from then on; empty: none."""
        end = start + length
        if not any(span.holds(start, end) for span in self.opened(start, end)):
            return f"{length} from then on are not inside one window of {self}"
        if any(freeze.meets(start, end) for freeze in self.freezes):
            return f"{length} from then on meet a freeze of {self}"
        return ""

    def first_fit(self, start: datetime, end: datetime) -> datetime | None:
        """The first start from `start` on and before `end` that its hours allow; None: there is none."""
        opening = [span.start for span in self.opened(start, end + self.estimate)]
        thawing = [freeze.end for freeze in self.freezes]
        fitting = (
            moment
            for moment in (start, *opening, *thawing)
            if start <= moment < end and not self.why_not(moment, self.estimate)
        )
        return min(fitting, default=None)

    def opened(self, start: datetime, end: datetime) -> tuple[Span, ...]:
        """When VMs may be away, as far as it touches start to end."""
        rules = self._read("windows")
        return opened(rules, self._read("timeZone"), start, end) if rules else (_ALWAYS,)

    @cached_property
    def _known(self) -> dict[str, Any]:
        """What was read so far."""
        return {}

    def _read(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = read(self.columns, name)
        return self._known[name]

    def _length(self, name: str) -> timedelta:
        length: timedelta = self._read(name)
        return length


@dataclass(frozen=True)
class History:
    """The policy rows through time."""

    evidence: Evidence

    @cached_property
    def _versions(self) -> list[tuple[datetime, dict[tuple[str, str], Policy]]]:
        """Every policy as it counted from each instant of edits on. A wrong row counts as its last right version."""
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        counting: dict[tuple[str, str], Policy] = {}
        versions = {}
        for edit in self.evidence.edits:
            key = edit.team, edit.name
            rows[key] = {**rows.get(key, {}), **edit.columns}
            policy = Policy(*key, rows[key])
            if not policy.wrong or key not in counting or counting[key].wrong:
                counting = {**counting, key: policy}
            # Rows that were written at one instant never stood one without the other.
            versions[edit.at] = counting
        return list(versions.items())

    @cached_property
    def _instants(self) -> list[datetime]:
        return [at for at, _ in self._versions]

    @cached_property
    def _owners(self) -> dict[tuple[str, int, int], list[Policy]]:
        """Those that were asked for so far; every start is compared with every VM of its policy."""
        return {}

    def owners(self, vm: str, moment: datetime) -> list[Policy]:
        """The enabled policies that may act on the VM then: one, or more while an edit takes hold."""
        first = bisect_right(self._instants, moment - EDIT_GRACE)
        last = bisect_right(self._instants, moment)
        machine, key = self.evidence.machines.get(vm), (vm, first, last)
        if key not in self._owners:
            counted = self._versions[max(first - 1, 0) : last]
            found = [owner(rows.values(), machine) for _, rows in counted if machine]
            self._owners[key] = [policy for policy in found if policy is not None]
        return self._owners[key]

    @cached_property
    def ever_matched(self) -> frozenset[str]:
        """The VMs that some policy could have acted on at some time."""
        return frozenset(
            key
            for key, machine in self.evidence.machines.items()
            if any(owner(policies.values(), machine) for _, policies in self._versions)
        )


def keepers(policies: Iterable[Policy], machine: Machine) -> list[Policy]:
    """The policies of the lowest priority that take the VM; more than one is a tie."""
    taking = [policy for policy in policies if policy.keeps and policy.takes(machine)]
    lowest = min((policy.priority for policy in taking), default=0)
    return [policy for policy in taking if policy.priority == lowest]


def owner(policies: Iterable[Policy], machine: Machine) -> Policy | None:
    """The policy that may act on the VM; None: there is none, or a tie, or its row is wrong.

    Nobody may act on one whose maintenance has a mechanism of its own.
    """
    keeping = [] if machine.has_own_mechanism else keepers(policies, machine)
    return keeping[0] if len(keeping) == 1 and not keeping[0].wrong else None
