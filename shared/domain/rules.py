"""Whether a job may start, and which jobs start next: promises P2 to P4 as functions of facts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.domain.durations import format_duration
from shared.domain.go_ahead import deadline
from shared.domain.job import Job, JobState
from shared.domain.ledger import Head, Ledger
from shared.domain.mode import Mode
from shared.domain.pause import Pause
from shared.domain.placement import place_of_job, placement_conflict
from shared.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a job does not start now.

    Attributes:
        reason: A sentence for people.
        until: When to look again; None where whoever is in the way wakes it.
    """

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A job that starts next, and the first instant at which it may."""

    job: Job
    at: datetime


def next_turns(ledger: Ledger, policy: Policy, now: datetime) -> tuple[Turn, ...]:
    """The jobs that take the free slots, or need none, each with its first legal instant, soonest first.

    Everything else waits for one of these, or for a VM that is away, and is woken by it.
    """
    rollout = ledger.in_rollout(ledger.rollout)
    if ledger.unread or not rollout or halted_by(rollout, policy):
        return ()
    stage = min(job.stage for job in rollout if not job.state.is_end)
    opens = _stage_opens(ledger, rollout, stage, policy)
    waiting = sorted(
        (
            job
            for job in rollout
            if job.stage == stage and job.state is JobState.PLANNED and job.planned_start
        ),
        key=lambda job: (_ready(job, policy, now), job.planned_start, job.vm_key),
    )
    away = [job for job in ledger.jobs if job.is_away]
    slots = iter(_slots(rollout, stage, policy, away=len(away), now=now))
    turns = [
        Turn(job, at)
        for job in waiting
        if not job.takes_slot
        and (at := _first_legal(job, policy, max(opens, _ready(job, policy, now))))
    ]
    together = {place_of_job(job) for job in away}
    slot = next(slots, None)
    for job in waiting:
        if slot is None:
            break
        if not job.takes_slot:
            continue
        # Those that go together must be allowed to: the next one whose placement fits takes the slot.
        # One that fits none fits no later one either.
        place = place_of_job(job)
        at = _first_legal(job, policy, max(slot, opens, _ready(job, policy, now)))
        if at is None or any(place.clashes(other) for other in together):
            continue
        # One that asked for a go-ahead keeps its turn, and nobody is asked for another in its place.
        turns.append(Turn(job, max(at, deadline(job, policy.go_ahead) or at)))
        together.add(place)
        slot = next(slots, None)
    return tuple(sorted(turns, key=lambda turn: (turn.at, turn.job.vm_key)))


def why_not_now(
    job: Job,
    ledger: Ledger,
    policy: Policy | None,
    mode: Mode,
    now: datetime,
    *,
    pause: Pause | None,
) -> Wait | None:
    """Why by rule a planned job may not start now; None if only the VM itself can be in the way.

    Args:
        job: PLANNED.
        ledger: Its policy's.
        policy: As its row counts now; None if none counts.
        mode: BATON_MODE.
        now: The instant of the decision.
        pause: What holds the policy; None if nothing does.
    """
    name = f"{job.team}/{job.policy}"
    if policy is None:
        return Wait(f"the row of policy {name} is gone, or wrong and never was right")
    if not policy.enabled:
        return Wait(f"policy {name} is disabled")
    if mode is Mode.PAUSED:
        return Wait("Baton is paused (BATON_MODE)")
    if pause:
        return Wait(f"{pause}; ./baton resume {pause.scope}".rstrip())
    wait = why_wait(job, ledger, policy, now)
    unapproved = policy.needs_approval and not is_approved(ledger.head, job.rollout, now)
    if unapproved and (wait is None or now >= job.closes):
        return Wait(f"rollout {job.rollout} of {name} waits for approval: ./baton approve {name}")
    return wait


def is_approved(head: Head, rollout: int, now: datetime) -> bool:
    """Whether somebody approved the rollout, and the approval still counts."""
    return head.approved_rollout == rollout and (
        head.approved_until is None or now < head.approved_until
    )


def why_wait(job: Job, ledger: Ledger, policy: Policy, now: datetime) -> Wait | None:
    """Why a planned job may not start now by order, slots, gaps and hours; None if it may."""
    if job.unsettled:
        return Wait("its last attempt is still being recorded", now + timedelta(seconds=5))
    if ledger.unread:
        row = ledger.unread[0]
        return Wait(
            f"row {row} of the jobs table cannot be read, so nobody knows who is away; mend it or delete it"
        )
    turn = next((turn for turn in next_turns(ledger, policy, now) if turn.job.id == job.id), None)
    if turn and turn.at <= now:
        return None
    return _why_not_its_turn(job, ledger, policy, turn, now)


def _why_not_its_turn(
    job: Job, ledger: Ledger, policy: Policy, turn: Turn | None, now: datetime
) -> Wait:
    rollout = ledger.in_rollout(ledger.rollout)
    if job.rollout != ledger.rollout:
        if job.planned_start is None and job.reason:
            return Wait(job.reason)  # why no rollout has room for it says more than that it waits
        return Wait(f"rollout {job.rollout} begins when rollout {ledger.rollout} is done")
    if halting := halted_by(rollout, policy):
        return Wait(
            f"the rollout is halted: {halting.vm_name} ended {halting.state}; "
            "onFailure 'continue' in the policy lets it go on"
        )
    if job.planned_start is None:
        return Wait(job.reason or "it has no start in the plan yet; the next discovery plans it")
    before = [other for other in rollout if other.stage < job.stage and not other.state.is_end]
    if before:
        return Wait(f"stage {job.stage} waits for {_names(before)}")
    if turn:
        return Wait(_why_later(job, policy, turn.at, now), turn.at)
    return _why_no_turn(job, ledger, policy, now)


def _why_no_turn(job: Job, ledger: Ledger, policy: Policy, now: datetime) -> Wait:
    """Why the job is not among the next of its stage."""
    away = [other for other in ledger.jobs if other.is_away] if job.takes_slot else []
    if conflict := placement_conflict(job, away):
        return Wait(conflict)
    if len(away) >= policy.concurrency:
        return Wait(f"{_names(away)} is away, and concurrency is {policy.concurrency}")
    if now >= job.closes:
        return Wait("its turn came too late")
    if _first_legal(job, policy, _ready(job, policy, now)) is None:
        closed = policy.hours.why_closed(now, policy.estimate)
        return Wait(f"no start is left before {its_window(job)} closes: {closed}")
    return Wait("others of its stage go first")


def halted_by(rollout: Iterable[Job], policy: Policy) -> Job | None:
    """The job that halts the rollout, if its policy says that failures do, and nobody asked to try it again."""
    failed = (job for job in rollout if job.state.halts and not job.retried_at)
    return next(failed, None) if policy.halts else None


def its_window(job: Job) -> str:
    """What people know the job's window as."""
    return "its self-service window" if job.maintenance else "its window for patches"


def by_itself(job: Job, policy: Policy) -> datetime:
    """The first instant at which the job could start if it were alone and always open."""
    noticed = job.discovered_at + policy.lead
    opens = max(job.opens, noticed)
    return max(opens, job.not_before) if job.not_before else opens


def backoff(base: timedelta, refusals: int, *, jitter: float) -> timedelta:
    """The wait after the n-th refusal in a row: doubles each time, up to 16 times the base.

    Args:
        base: BATON_RETRY_DELAY.
        refusals: From 1.
        jitter: 0 to 1; adds up to a tenth, so that VMs refused together do not come back together.
    """
    doubled: int = min(2 ** min(refusals - 1, 4), 16)
    return base * doubled * (1 + jitter / 10)


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _ready(job: Job, policy: Policy, now: datetime) -> datetime:
    """The first instant at which the job by itself could start: never before people were told."""
    return max(now, by_itself(job, policy), job.planned_start or now)


def _first_legal(job: Job, policy: Policy, at: datetime) -> datetime | None:
    """The first start from `at` on with the whole time away inside the policy's hours; None if none is left."""
    closes = job.closes
    return policy.hours.next_start(at, policy.estimate, closes) if at < closes else None


def _slots(
    rollout: Iterable[Job], stage: int, policy: Policy, *, away: int, now: datetime
) -> list[datetime]:
    """When each free slot may be used: at once, or a gap after its last VM was verified back.

    Between stages `stageGap` replaces the gap, so only this stage's VMs cool a slot.
    """
    cooling = sorted(
        job.freed_at + policy.gap
        for job in rollout
        if job.stage == stage and job.freed_at and job.freed_at + policy.gap > now
    )
    free = policy.concurrency - away
    # The slots that cool longest are counted first: what is left over is free at once.
    cooling = cooling[-free:] if free > 0 else []
    return [now] * max(0, free - len(cooling)) + cooling


def _stage_opens(ledger: Ledger, rollout: Iterable[Job], stage: int, policy: Policy) -> datetime:
    """The stage gap after the last VM before this stage was verified back or given up."""
    ends = [
        job.ended_at + policy.stage_gap for job in rollout if job.stage < stage and job.ended_at
    ]
    number = ledger.rollout  # asked once: it looks at every job
    ends += [
        job.freed_at + policy.gap for job in ledger.jobs if job.rollout < number and job.freed_at
    ]
    return max(ends, default=_LONG_AGO)


def _names(jobs: Iterable[Job]) -> str:
    names = sorted(job.vm_name for job in jobs)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _why_later(job: Job, policy: Policy, at: datetime, now: datetime) -> str:
    wait = format_duration(at - now)
    if policy.go_ahead and at == deadline(job, policy.go_ahead):
        silent = "starts" if policy.go_ahead.starts else "is skipped"
        return (
            f"it asked for a go-ahead (./baton go-ahead {job.vm_name}); "
            f"without an answer it {silent} in {wait}"
        )
    if job.opens >= at:
        return f"{its_window(job)} opens in {wait}"
    if job.not_before and job.not_before >= at:
        return f"it is tried again in {wait}"
    if job.planned_start and job.planned_start >= at:
        return f"its planned start is in {wait}"
    if closed := policy.hours.why_closed(now, policy.estimate):
        return closed
    return f"the gap ({format_duration(policy.gap)}, between stages {format_duration(policy.stage_gap)}) ends in {wait}"
