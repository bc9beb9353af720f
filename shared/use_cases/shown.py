"""What the API and the page show, as data; docs/openapi.json is made from these types."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from shared.domain.go_ahead import is_asking
from shared.domain.job import Job, JobState
from shared.domain.mode import Mode
from shared.use_cases.shown_patches import ShownPatches

T = TypeVar("T")


class Kind(StrEnum):
    """What a person looks for among the VMs."""

    ASKING = "asking"  # for a go-ahead
    AWAY = "away"
    BAD = "bad"
    NO_START = "noStart"
    PLANNED = "planned"
    COMPLETED = "completed"
    ENDED = "ended"


class Phase(StrEnum):
    """Where a rollout stands."""

    RUNNING = "running"
    PLANNED = "planned"
    PAST = "past"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A part of a list.

    Attributes:
        skip: How many stand before it.
        total: How many there are in all.
    """

    skip: int
    total: int
    items: tuple[T, ...]

    @classmethod
    def of(cls, everything: list[T], skip: int, limit: int) -> "Page[T]":
        """The part of `limit` items behind the first `skip`."""
        return cls(skip=skip, total=len(everything), items=tuple(everything[skip : skip + limit]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownGoAhead:
    """A go-ahead that a VM asks for.

    Attributes:
        version: Of the question; an answer that names it is refused where the VM asked anew since.
        deadline: Until then an answer is waited for.
        default: What is done without one, as its policy's `goAheadDefault` says: `start` or `skip`.
    """

    version: str
    deadline: datetime
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVm:
    """A VM of a rollout.

    Attributes:
        start: When it went away, or is planned to; None where no start fits.
        end: When it was back, or should be by its policy's estimate.
        work: What is still to be done: `redeploy`, `patch`, or `patch, redeploy`.
        closes: The end of the window in which it can be done: of a redeploy `preMaintenanceWindowEndTime`.
        reason: Why it stands as it does; for one without a start, what would free it.
        go_ahead: None where none is asked for.
    """

    vm_id: str
    vm: str
    resource_group: str
    subscription_id: str
    location: str
    team: str
    policy: str
    rollout: int
    stage: int
    attempt: int
    work: str
    state: JobState
    kind: Kind
    start: datetime | None
    end: datetime | None
    closes: datetime
    reason: str
    go_ahead: ShownGoAhead | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSpan:
    """From an instant to another. `text` is what a person wrote; `""` for a window."""

    start: datetime
    end: datetime
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStage:
    """A stage: how many VMs, and when the first goes and the last is back."""

    number: int
    vms: int
    ended: int
    bad: int
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownApproval:
    """Whether a rollout is approved now, and by whom it was."""

    approved: bool
    by: str
    at: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRollout:
    """A rollout.

    Attributes:
        version: Changes when other VMs are in it or its policy changed; an approval names it.
        why: What holds it up; `""` where nothing does.
        approval: None where its policy asks for none.
        counts: Kind → how many of its VMs.
        deadline: When the first self-service window closes of a VM that has not ended.
        windows, zone, gap, concurrency: Of its policy, as a person would say it.
        hours: When its policy is open, around its time; None: always.
        stages: The first hundred.
    """

    team: str
    policy: str
    number: int
    phase: Phase
    version: str
    why: str
    approval: ShownApproval | None
    counts: Mapping[str, int]
    vms: int
    start: datetime | None
    end: datetime | None
    deadline: datetime | None
    zone: str
    windows: str
    gap: str
    concurrency: int
    hours: tuple[ShownSpan, ...] | None
    freezes: tuple[ShownSpan, ...]
    stages: tuple[ShownStage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPolicy:
    """A policy's row: what is written, what is wrong with it, and how many VMs follow it.

    Attributes:
        acts: What it acts under: `row`, `lastGood` while the row is wrong, or `nothing`.
    """

    team: str
    policy: str
    enabled: bool
    columns: Mapping[str, str]
    acts: str
    problems: tuple[str, ...]
    vms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLeftAlone:
    """A VM with a maintenance that no policy has."""

    vm_id: str
    vm: str
    location: str
    closes: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAlert:
    """What people were told, or will be."""

    id: str
    kind: str
    subject: str
    team: str
    policy: str
    reason: str
    next_step: str
    raised_at: datetime
    state: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownHeartbeat:
    """The last discovery that went through.

    Attributes:
        not_read: Subscription id → why it could not be read whole, as many as are kept.
    """

    at: datetime
    vms: int
    changed: int
    unmatched: int
    unreadable: int
    failed_subscriptions: int
    not_read: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPause:
    """A pause that holds: of everything (no team), a team (no policy), or a policy.

    Attributes:
        text: It as a sentence.
    """

    team: str
    policy: str
    by: str
    at: datetime | None
    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of an action: a sentence, and whether it had been so before."""

    said: str
    already: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Who asks, `""` where only a key is known, and whether they may act."""

    name: str
    may_act: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStatus:
    """How Baton itself is.

    Attributes:
        problems: What a person should see to; nothing: all is well.
        counts: Kind → how many VMs.
        policies: By team, so that a reader can choose.
    """

    version: str
    mode: Mode
    problems: tuple[str, ...]
    heartbeat: ShownHeartbeat | None
    counts: Mapping[str, int]
    policies: Mapping[str, tuple[str, ...]]
    wrong_policies: int
    waiting_alerts: int
    pauses: tuple[ShownPause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStory:
    """A VM's whole story.

    Attributes:
        job: Its open job, or the one that ended last; None if it has none.
        why: Why it stands as it does.
        follows: What comes next.
        findings: What to know before it starts, and what is wrong with its policy.
        zone: Of its policy.
        maintenance: Azure's own fields, as last read.
        outcomes: Its rows of `BatonOutcomes`, newest first.
        alerts: What people were told of it, newest first.
        patches: How it stands in patching; None where no policy watches that.
    """

    vm_id: str
    vm: str
    job: ShownVm | None
    why: str
    follows: tuple[str, ...]
    findings: tuple[str, ...]
    zone: str
    maintenance: Mapping[str, str]
    outcomes: tuple[Mapping[str, str], ...]
    alerts: tuple[ShownAlert, ...]
    patches: ShownPatches | None


def kind_of(job: Job) -> Kind:
    """Where a job belongs."""
    if job.state is not JobState.PLANNED:
        return _KINDS[job.state]
    if is_asking(job):
        return Kind.ASKING
    return Kind.PLANNED if job.planned_start else Kind.NO_START


def _kind_of(state: JobState) -> Kind:
    if state is JobState.COMPLETED:
        return Kind.COMPLETED
    return Kind.AWAY if state.is_begun else Kind.BAD if state.is_bad else Kind.ENDED


# Looked up, for a view asks it of every job several times.
_KINDS = {state: _kind_of(state) for state in JobState if state is not JobState.PLANNED}
