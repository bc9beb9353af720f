"""What can be seen from outside, at true time: Azure, the tables' raw rows, the mails, the people's edits."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.promises.model import Machine
from simulator.promises.policies import Policy

Cells = Mapping[str, Any]
PolicyKey = tuple[str, str]
OPEN = ("planned", "starting", "redeploying")
ENDS = ("completed", "aborted", "failed", "timedOut", "missed", "withdrawn", "gone", "skipped")
CLOSED = ("mailed", "recorded")
BAD = ("failed", "aborted", "timedOut", "missed")
HALTING = ("failed", "aborted", "timedOut")
CODES = {
    "completed": "MaintenanceCompleted",
    "aborted": "MaintenanceAborted",
    "retryLater": "RetryLater",
}
"""What happened → the code that Azure shows for it."""


@dataclass(frozen=True, slots=True)
class Version:
    """A policy's row as people wrote it.

    Attributes:
        policy: None: it is gone.
    """

    since: datetime
    policy: Policy | None
    is_wrong: bool = False


@dataclass(slots=True)
class JobSeen:
    """A job's raw row, and when it came to be so.

    Attributes:
        discovered: When the app says that it found the maintenance.
        born: When its row was first written.
        claimed: When its row last became `starting`.
        ended: When its row became an end.
        freed: When its row last left `starting` and `redeploying`.
        retried: Whether somebody asked to try its maintenance again.
        followed: Whether its row ever was `redeploying`: Baton knew that Azure took its start.
        asked, allowed: When it asked for a go-ahead, and got it.
        answer: The same as they stood when it was claimed.
    """

    id: str
    vm: str
    key: PolicyKey
    rollout: int
    state: str
    unsettled: bool
    discovered: datetime
    born: datetime
    claimed: datetime | None = None
    ended: datetime | None = None
    freed: datetime | None = None
    retried: bool = False
    followed: bool = False
    asked: datetime | None = None
    allowed: datetime | None = None
    answer: tuple[datetime | None, datetime | None] = (None, None)


@dataclass(slots=True)
class StartSeen:
    """A start that Azure took.

    Attributes:
        began: When the handler that sent it began: what it read, it read after that.
        job: Its job, as its row stands now.
        was_up: Whether the VM ran and its agent reported.
        work: `redeploy`, or `patch` of an installPatches.
        reboots: Whether it takes the VM away.
        shown: The result code that Azure showed, of an earlier attempt. Where this one ends without a code
            of its own, Azure goes on showing that.
        over: When Azure was done with it, where Azure said so.
    """

    vm: str
    at: datetime
    began: datetime
    maintenance: str
    job: JobSeen
    was_up: bool
    shown: str
    work: str = "redeploy"
    reboots: bool = True
    over: datetime | None = None

    def released(self) -> datetime | None:
        """When the VM was back, or the app gave it up; None: not yet."""
        freed = self.job.freed if self.job.freed and self.job.freed >= self.at else None
        known = [at for at in (self.over, freed) if at]
        return min(known, default=None)


@dataclass(slots=True)
class OfferSeen:
    """A maintenance that Azure announced for a VM.

    Attributes:
        seen: How many whole discoveries ran while it was offered and some policy wanted the VM.
    """

    vm: str
    maintenance: str
    since: datetime
    seen: int = 0


@dataclass(slots=True)
class PauseSeen:
    """Everything (`""`), a team or a policy that stood still.

    Attributes:
        since: When whoever paused it was told so.
        until: When somebody resumed it; None: it still stands.
    """

    scope: PolicyKey
    since: datetime
    until: datetime | None = None

    def holds(self, key: PolicyKey, at: datetime) -> bool:
        """Whether nothing of the policy may have been claimed then."""
        covers = all(part in ("", name) for part, name in zip(self.scope, key, strict=True))
        return covers and self.since <= at and (self.until is None or at < self.until)


@dataclass(slots=True)
class MailSeen:
    """A mail that the relay took, once or more often under the same Message-ID."""

    id: str
    text: str
    copies: int = 1


@dataclass(slots=True)
class Facts:
    """Everything seen so far.

    Attributes:
        approvals: When, which policy's rollout, and until when it counts.
        tags: VM → (since, tags).
        members: (policy, rollout) → when its first job was written, and which VMs could be seen then.
        codes: VM → every result code that Azure ever showed.
        rows: The outcome rows, with the time of their writing.
        releases: When each release came out that is not installed at first.
    """

    machines: Mapping[str, Machine]
    pairs: Mapping[str, frozenset[str]]
    versions: dict[PolicyKey, list[Version]] = field(default_factory=dict)
    approvals: list[tuple[datetime, PolicyKey, int, datetime | None]] = field(default_factory=list)
    tags: dict[str, list[tuple[datetime, Machine]]] = field(default_factory=dict)
    jobs: dict[str, JobSeen] = field(default_factory=dict)
    members: dict[tuple[PolicyKey, int], tuple[datetime, set[str]]] = field(default_factory=dict)
    starts: list[StartSeen] = field(default_factory=list)
    events: dict[str, list[tuple[datetime, str, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    codes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(lambda: {"", "None"}))
    offers: list[OfferSeen] = field(default_factory=list)
    rows: list[tuple[datetime, Cells]] = field(default_factory=list)
    pauses: list[PauseSeen] = field(default_factory=list)
    mails: dict[str, MailSeen] = field(default_factory=dict)
    releases: tuple[datetime, ...] = ()

    def ended_so(self, start: StartSeen, name: str) -> bool:
        """Whether the attempt ended so, or in a way that cannot be told from it."""
        until = min(
            (s.at for s in self.starts if s.vm == start.vm and s.at > start.at), default=None
        )
        events = self.events[start.vm]
        happened = any(
            what == name and at >= start.at and (until is None or at <= until)
            for at, what, _ in events
        )
        return happened or start.shown == CODES[name]

    def during(self, key: PolicyKey, since: datetime, until: datetime) -> list[Policy]:
        """Every version of the policy that may count at some moment between the two.

        While the row is wrong it is any right one before: which of them Baton saw last, nobody can tell.
        """
        history = self.versions.get(key, [])
        current = [v for v in history if v.since <= since][-1:]
        current += [v for v in history if since < v.since <= until]
        if any(version.is_wrong for version in current):
            current = [v for v in history if v.since <= until and not v.is_wrong]
        return [version.policy for version in current if version.policy]

    def counting(self) -> list[Policy]:
        """Every row as it stands now. A wrong one keeps its VMs and acts on none, as far as one can be sure."""
        last = [history[-1].policy for history in self.versions.values()]
        return [policy for policy in last if policy]

    def machine_during(self, vm: str, since: datetime, until: datetime) -> Iterable[Machine]:
        """The VM with each of the tags that it had between the two."""
        return _during(self.tags.get(vm, []), since, until)

    def of_policy(self, key: PolicyKey) -> list[JobSeen]:
        """The policy's jobs."""
        return [job for job in self.jobs.values() if job.key == key]

    def name(self, vm: str) -> str:
        """What people call a VM."""
        return self.machines[vm].name


def _during(history: list[tuple[datetime, Any]], since: datetime, until: datetime) -> list[Any]:
    before = [what for at, what in history if at <= since][-1:]
    return before + [what for at, what in history if since < at <= until]
