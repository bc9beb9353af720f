"""Announcing: a policy's owners learn when their VMs go, when that moves, and how a rollout went."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.alert import Alert, Span, event_id
from shared.domain.durations import format_duration
from shared.domain.job import Job, JobState
from shared.domain.ledger import Books, Ledger, PolicyKey
from shared.domain.policy import Policy, Standing
from shared.domain.reconcile import Plan
from shared.ports import Clock
from shared.use_cases.tell import Tell
from shared.use_cases.wording import azure_acts, patches_of, utc

# A process that died before it told is made up for by the discoveries of this time.
_MADE_UP_FOR = timedelta(hours=1)
_LINES_MAX = 100
# More bars than this are no picture any more.
_DRAWN_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Tells the owners, each thing once. A policy without owners announces nothing."""

    clock: Clock
    tell: Tell

    async def __call__(
        self, plan: Plan, standings: Mapping[PolicyKey, Standing], books: Books
    ) -> None:
        """Announces a plan that was written, and the rollouts that were done before it."""
        now = self.clock.now()
        for (key, told_at), jobs in sorted(_told_lately(plan, now).items()):
            policy = standings[key].policy
            if policy and policy.owners:
                await self.tell(_planned(policy, jobs, told_at), everyone=False)
        for key, ledger in sorted(books.ledgers.items()):
            policy = standings[key].policy if key in standings else None
            if policy and policy.owners:
                for number, done in _done_lately(ledger, now):
                    await self.tell(_done(policy, number, done), everyone=False)


def _told_lately(plan: Plan, now: datetime) -> dict[tuple[PolicyKey, datetime], list[Job]]:
    """(policy, when its plan was made) → the jobs whose start was news then."""
    found: dict[tuple[PolicyKey, datetime], list[Job]] = defaultdict(list)
    for job in plan.planned:
        if job.told_at and job.planned_start and job.told_at > now - _MADE_UP_FOR:
            found[(job.team, job.policy), job.told_at].append(job)
    return found


def _done_lately(ledger: Ledger, now: datetime) -> Iterator[tuple[int, Sequence[Job]]]:
    for number in sorted({job.rollout for job in ledger.jobs}):
        jobs = ledger.in_rollout(number)
        is_done = all(job.state.is_end and not job.unsettled for job in jobs)
        ended = max((job.ended_at for job in jobs if job.ended_at), default=None)
        if is_done and ended and ended > now - _MADE_UP_FOR:
            yield number, jobs


def _planned(policy: Policy, jobs: Sequence[Job], told_at: datetime) -> Alert:
    """Told once for each plan that brought news."""
    name = "/".join(policy.key)
    going = sorted(jobs, key=lambda job: (job.planned_start or told_at, job.vm_key))
    closes = min(job.closes for job in jobs)
    first, last = going[0].planned_start or told_at, going[-1].planned_start or told_at
    back = last + policy.estimate
    return Alert(
        id=event_id("planned", name, told_at.isoformat()),
        kind="planned",
        subject=f"{_vms(len(jobs))} of {name}",
        reason=(
            f"Baton {_does(jobs)} {_vms(len(jobs))} of {name} between {utc(first)} and "
            f"{utc(back)}, each planned with {format_duration(policy.estimate)}."
        ),
        next_step=(
            "Nothing to do if that suits you; the calendar file holds the same. "
            f"./baton skip VM leaves one out, ./baton pause {name} stops all of them, and other hours in the "
            "policy move them. Whatever is not done when its window closes, Azure does by itself."
        ),
        raised_at=told_at,
        team=policy.team,
        policy=policy.name,
        facts=_lines([(job.vm_name, _when(job)) for job in going]),
        recipients=policy.owners,
        deadline=closes,
        zone=policy.hours.zone_name,
        spans=_drawn(going, policy),
    )


def _done(policy: Policy, number: int, jobs: Sequence[Job]) -> Alert:
    """Told once for each rollout."""
    name = "/".join(policy.key)
    counts = Counter(job.state for job in jobs)
    said = ", ".join(f"{counts[state]} {state}" for state in JobState if counts[state])
    ended = max(job.ended_at for job in jobs if job.ended_at)
    left = [job for job in jobs if job.state not in (JobState.COMPLETED, JobState.GONE)]
    away = [job.verified_at - job.started_at for job in jobs if job.verified_at and job.started_at]
    longest = f" The longest time away was {format_duration(_whole(max(away)))}." if away else ""
    rest = (
        "Nothing is left to do." if not left else "Azure does by itself what is left and still due."
    )
    return Alert(
        id=event_id("done", name, str(number)),
        kind="done",
        subject=f"{said}: rollout {number} of {name}",
        reason=f"Rollout {number} of {name} ended at {utc(ended)}: {said}.{longest}",
        next_step=rest,
        raised_at=ended,
        team=policy.team,
        policy=policy.name,
        facts=_lines([(job.vm_name, _how(job)) for job in sorted(left, key=lambda j: j.vm_key)]),
        recipients=policy.owners,
        zone=policy.hours.zone_name,
    )


def _when(job: Job) -> str:
    start = utc(job.planned_start) if job.planned_start else "none"
    more = "".join(f"; {each}" for each in (patches_of(job), job.reason) if each)
    return f"{start}, stage {job.stage}{more}"


def _does(jobs: Sequence[Job]) -> str:
    redeploys = ["redeploys"] if any(job.maintenance for job in jobs) else []
    return " and ".join([*redeploys, *(["patches"] if any(job.patches for job in jobs) else [])])


def _how(job: Job) -> str:
    acts = azure_acts(job)
    return f"{job.state}: {job.reason}; Azure's own turn is {acts}"


def _drawn(jobs: Sequence[Job], policy: Policy) -> tuple[Span, ...]:
    """A span for each VM; for many of them one for each stage."""
    starts = [(job, job.planned_start) for job in jobs if job.planned_start]
    if len(starts) <= _DRAWN_MAX:
        return tuple(Span(job.vm_name, at, at + policy.estimate) for job, at in starts)
    stages: dict[int, list[datetime]] = defaultdict(list)
    for job, at in starts:
        stages[job.stage].append(at)
    return tuple(
        Span(f"stage {number}, {_vms(len(ats))}", min(ats), max(ats) + policy.estimate)
        for number, ats in sorted(stages.items())
    )[:_DRAWN_MAX]


def _lines(lines: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    more = len(lines) - _LINES_MAX
    rest = [("And more", f"{more}; ./baton plan shows them all")] if more > 0 else []
    return (*lines[:_LINES_MAX], *rest)


def _whole(length: timedelta) -> timedelta:
    return timedelta(seconds=int(length.total_seconds()))


def _vms(count: int) -> str:
    return "1 VM" if count == 1 else f"{count} VMs"
