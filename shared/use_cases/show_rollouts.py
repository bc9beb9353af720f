"""Rollouts as they are shown: past, running and planned."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.domain.durations import format_duration
from shared.domain.job import Job, JobState
from shared.domain.ledger import Ledger
from shared.domain.mode import Mode
from shared.domain.pause import Pause, pause_of
from shared.domain.policy import Policy
from shared.domain.rules import is_approved, why_not_now
from shared.use_cases.look import Seen
from shared.use_cases.shown import (
    Kind,
    Phase,
    ShownApproval,
    ShownRollout,
    ShownSpan,
    ShownStage,
    kind_of,
)

_STAGES_MAX = 100
# Hours are drawn around a rollout's time, and nobody looks further than a maintenance lasts.
_AROUND, _HOURS_MAX = timedelta(days=1), timedelta(days=45)
_ORDER = {Phase.RUNNING: 0, Phase.PLANNED: 1, Phase.PAST: 2}
_LATE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Under:
    """What a rollout acts under."""

    policy: Policy | None
    pause: Pause | None
    mode: Mode

    @classmethod
    def of(cls, seen: Seen, ledger: Ledger, mode: Mode) -> "_Under":
        key = ledger.head.key
        return cls(seen.policy(key), pause_of(seen.pauses, *key), mode)


def rollouts(seen: Seen, mode: Mode, now: datetime) -> list[ShownRollout]:
    """Every rollout: running ones first, then planned ones by their start, then past ones, newest first."""
    shown = [
        _rollout(ledger, number, jobs, _Under.of(seen, ledger, mode), now)
        for ledger in seen.books.ledgers.values()
        for number, jobs in sorted(_by_number(ledger).items())
    ]
    return sorted(shown, key=_order)


def _order(one: ShownRollout) -> tuple[int, float, str, str, int]:
    at = (one.start or _LATE).timestamp()
    newest_first = -1 if one.phase is Phase.PAST else 1
    return _ORDER[one.phase], newest_first * at, one.team, one.policy, one.number


def span(job: Job, policy: Policy | None) -> tuple[datetime | None, datetime | None]:
    """When a job's VM was or will be away."""
    start = job.started_at or job.claimed_at
    if job.state.is_end:
        return (start, job.verified_at or job.ended_at) if start else (None, None)
    start = start or job.planned_start
    return start, start + policy.estimate if start and policy else start


def _by_number(ledger: Ledger) -> dict[int, list[Job]]:
    found: dict[int, list[Job]] = defaultdict(list)
    for job in ledger.jobs:
        found[job.rollout].append(job)
    return found


def _rollout(
    ledger: Ledger,
    number: int,
    jobs: Sequence[Job],
    under: "_Under",
    now: datetime,
) -> ShownRollout:
    policy = under.policy
    spans = [span(job, policy) for job in jobs]
    start = min((start for start, _ in spans if start), default=None)
    end = max((end for _, end in spans if end), default=None)
    opened = [job for job in jobs if not job.state.is_end]
    closes = min((job.closes for job in opened), default=None)
    counts = Counter(kind_of(job) for job in jobs)
    hours = policy.hours if policy else None
    since = (start or closes or now) - _AROUND
    until = min(max(end or since, closes or since) + _AROUND, since + _HOURS_MAX)
    return ShownRollout(
        team=ledger.head.team,
        policy=ledger.head.policy,
        number=number,
        phase=_phase(ledger, number, jobs),
        version=ledger.version(number),
        why=_why(ledger, opened, under, now),
        approval=_approval(ledger, number, now) if policy and policy.needs_approval else None,
        counts={str(kind): counts[kind] for kind in Kind},
        vms=len(jobs),
        start=start,
        end=end,
        deadline=closes,
        zone=hours.zone_name if hours else "UTC",
        windows=hours.text if hours else "",
        gap=format_duration(policy.gap) if policy else "",
        concurrency=policy.concurrency if policy else 0,
        hours=tuple(
            ShownSpan(start=opens, end=shuts)
            for opens, shuts in hours.without_freezes().intervals(since, until)
        )
        if hours and hours.has_windows
        else None,
        freezes=tuple(
            ShownSpan(start=freeze.start, end=freeze.end, text=freeze.text)
            for freeze in (hours.freezes if hours else ())
            if freeze.start < until and since < freeze.end
        ),
        stages=tuple(_stages(jobs, policy))[:_STAGES_MAX],
    )


def _phase(ledger: Ledger, number: int, jobs: Iterable[Job]) -> Phase:
    if all(job.state.is_end for job in jobs):
        return Phase.PAST
    began = number == ledger.rollout and any(job.state is not JobState.PLANNED for job in jobs)
    return Phase.RUNNING if began else Phase.PLANNED


def _approval(ledger: Ledger, number: int, now: datetime) -> ShownApproval:
    head = ledger.head
    if head.approved_rollout != number:
        return ShownApproval(approved=False, by="", at=None, until=None)
    return ShownApproval(
        approved=is_approved(head, number, now),
        by=head.approved_by,
        at=head.approved_at,
        until=head.approved_until,
    )


def _why(ledger: Ledger, opened: Iterable[Job], under: "_Under", now: datetime) -> str:
    """What the next of its VMs waits for; of one whose turn it is, nothing."""
    waiting = [job for job in opened if job.state is JobState.PLANNED]
    if not waiting:
        return ""
    # A rollout that is halted has no starts any more, and its next VM says so.
    first = min(waiting, key=lambda job: (job.planned_start or _LATE, job.stage, job.vm_key))
    wait = why_not_now(first, ledger, under.policy, under.mode, now, pause=under.pause)
    return f"{first.vm_name} is next: {wait.reason}" if wait else ""


def _stages(jobs: Iterable[Job], policy: Policy | None) -> Iterable[ShownStage]:
    found: dict[int, list[Job]] = defaultdict(list)
    for job in jobs:
        found[job.stage].append(job)
    for number, members in sorted(found.items()):
        spans = [span(job, policy) for job in members]
        yield ShownStage(
            number=number,
            vms=len(members),
            ended=sum(job.state.is_end for job in members),
            bad=sum(job.state.is_bad for job in members),
            start=min((start for start, _ in spans if start), default=None),
            end=max((end for _, end in spans if end), default=None),
        )
