"""What a team's own tools are told of a VM: planned, asking, starting, away, back, failed, done.

An event is made of a job as one write leaves it, and written in the same transaction (ADR 17). What
`starting` begins, `back`, `failed` or `done` ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from shared.domain.alert import event_id
from shared.domain.attempt import BAD, Attempt
from shared.domain.due import Work
from shared.domain.job import Job, JobState

# An event is for tools that act at once: nobody drains a load balancer a day later.
COUNTS_FOR = timedelta(hours=24)
_REASON_MAX = 1_000


class EventKind(StrEnum):
    """What happened."""

    PLANNED = "planned"  # it has a start, or another one
    ASKING = "asking"  # its turn came, and its policy wants a go-ahead first
    STARTING = "starting"  # the intent is written; the start is sent now
    AWAY = "away"  # Azure took the start
    BACK = "back"  # it is away no longer, or never went
    FAILED = "failed"  # its job ended badly
    DONE = "done"  # its job ended otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event, as it is delivered.

    Attributes:
        id: Derived from the job and what happened to it: the same at every delivery.
        data: Its facts as JSON has them, in Azure's own field names.
    """

    id: str
    kind: EventKind
    at: datetime
    vm_id: str
    team: str
    policy: str
    data: Mapping[str, object] = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who delivers now, and how that goes.

    Attributes:
        until: Nobody else delivers before this; None: it is free.
        tries: How often in a row nothing could be delivered.
    """

    until: datetime | None = None
    tries: int = 0
    etag: str = ""

    def held(self, until: datetime | None, *, tries: int) -> "Lease":
        """The lease as it goes on."""
        return replace(self, tries=tries, until=until)


def planned(before: Job | None, job: Job) -> tuple[Event, ...]:
    """That a job has a start, or one that differs so much that its owners are told too.

    Args:
        before: As it was; None if it is new.
        job: As it is to be.
    """
    told = job.told_at
    if job.state is not JobState.PLANNED or not told or (before and before.told_at == told):
        return ()
    return (_event(EventKind.PLANNED, job, told, told.isoformat()),)


def asking(job: Job, *, until: datetime, default: str) -> tuple[Event, ...]:
    """That a job asked for a go-ahead.

    Args:
        job: With `asked_at`.
        until: The answer is waited for so long.
        default: What then happens without one: `start` or `skip`.
    """
    at = job.asked_at or until
    said = {"deadline": _instant(until), "default": default}
    return (_event(EventKind.ASKING, job, at, at.isoformat(), goAhead=said),)


def starting(job: Job) -> tuple[Event, ...]:
    """That the intent to start is written; nothing of an installation that leaves the VM where it is."""
    if not job.takes_slot:
        return ()
    return (_event(EventKind.STARTING, job, job.claimed_at or job.discovered_at, job.request_id),)


def away(job: Job, now: datetime) -> tuple[Event, ...]:
    """That Azure took the start."""
    return (_event(EventKind.AWAY, job, now, job.request_id),) if job.takes_slot else ()


def not_away(before: Job, job: Job, now: datetime) -> tuple[Event, ...]:
    """That a start came to nothing, and is tried again later.

    Args:
        before: STARTING.
        job: As it is to be, PLANNED.
        now: When that was decided.
    """
    if not before.is_away or job.state is not JobState.PLANNED:
        return ()
    return (_event(EventKind.BACK, job, now, before.request_id),)


def ended(job: Job, attempt: Attempt) -> tuple[Event, ...]:
    """What an attempt came to: of one that is repeated, that the VM is not away; of the last, the end."""
    was_away = attempt.work == Work.REDEPLOY or (attempt.terminal and job.takes_slot)
    facts = {
        "attempt": attempt.number,
        "work": attempt.work,
        "outcome": attempt.outcome,
        "reason": attempt.reason[:_REASON_MAX],
        "startedAt": _instant(attempt.started_at),
        "verifiedAt": _instant(attempt.verified_at),
        "lastOperationResultCode": attempt.last_operation_result_code,
        "lastOperationMessage": attempt.last_operation_message[:_REASON_MAX],
    }
    at, of = attempt.ended_at, str(attempt.number)
    back = was_away and (attempt.outcome == JobState.COMPLETED or not attempt.terminal)
    events = (_event(EventKind.BACK, job, at, of, **facts),) if back else ()
    if not attempt.terminal:
        return events
    kind = EventKind.FAILED if attempt.outcome in BAD else EventKind.DONE
    return (*events, _event(kind, job, at, of, **facts))


def _event(kind: EventKind, job: Job, at: datetime, of: str, **facts: object) -> Event:
    """`of`: what tells it from other events of its kind and job."""
    return Event(
        id=event_id(kind, job.id, of),
        kind=kind,
        at=at,
        vm_id=job.vm_id,
        team=job.team,
        policy=job.policy,
        data=_facts(job) | facts,
    )


def _facts(job: Job) -> dict[str, object]:
    return {
        "jobId": job.id,
        "vmId": job.vm_id,
        "vmName": job.vm_name,
        "resourceGroup": job.resource_group,
        "subscriptionId": job.subscription_id,
        "location": job.location,
        "team": job.team,
        "policy": job.policy,
        "rollout": job.rollout,
        "stage": job.stage,
        "attempt": job.attempt,
        "work": str(job.work),
        "reason": job.reason[:_REASON_MAX],
        "plannedStart": _instant(job.planned_start),
        "preMaintenanceWindowStartTime": _instant(job.opens if job.maintenance else None),
        "preMaintenanceWindowEndTime": _instant(job.closes if job.maintenance else None),
    }


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
