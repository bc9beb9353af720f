"""A team's calendar: each of its redeploys as an event that moves, or is cancelled, with the plan."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.errors import Problem, Unknown
from shared.domain.job import Job, JobState
from shared.domain.ledger import Ledger
from shared.domain.policy import Policy
from shared.domain.rules import its_window
from shared.ports import Clock, JobStore
from shared.use_cases.ics import Event, EventStatus, write_calendar
from shared.use_cases.settle import good_policy
from shared.use_cases.wording import azure_acts, patches_of, utc

# What is over stays for a while, so that whoever looks finds what happened.
_KEPT = timedelta(days=60)
_ESTIMATE = timedelta(minutes=25)  # a policy's default, where its row cannot be read


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamCalendar:
    """Writes it, from the tables alone."""

    clock: Clock
    jobs: JobStore

    async def __call__(self, team: str) -> str:
        """The document; the same as long as nothing changes.

        Raises:
            Unknown: No policy of such a team ever had a job; those that there are are named.
            Retryable: The tables are busy.
        """
        books = await self.jobs.books()
        ledgers = [ledger for key, ledger in sorted(books.ledgers.items()) if key[0] == team]
        if not ledgers:
            names = ", ".join(sorted({key[0] for key in books.ledgers})) or "none yet"
            raise Unknown("calendar", (Problem("TEAM", team, f"a team with policies: {names}"),))
        now = self.clock.now()
        events = [event for ledger in ledgers for event in _events(ledger, now)]
        name = f"Planned redeploys of {team}"
        return write_calendar(name, sorted(events, key=lambda event: (event.start, event.uid)))


def _events(ledger: Ledger, now: datetime) -> Iterator[Event]:
    policy = good_policy(ledger)
    for job in ledger.jobs:
        if job.planned_at and not (job.ended_at and job.ended_at < now - _KEPT):
            yield event_of(job, policy, job.planned_at)


def event_of(job: Job, policy: Policy | None, planned_at: datetime) -> Event:
    """A job that was ever told a start."""
    start, end = _when(job, policy.estimate if policy else _ESTIMATE)
    is_off = job.planned_start is None or (job.state.is_end and not job.started_at)
    changed = max(filter(None, (planned_at, job.started_at, job.ended_at)))
    return Event(
        uid=f"{job.id}@baton",
        changed=changed,
        start=start,
        end=end,
        status=EventStatus.CANCELLED
        if is_off and not job.state.is_begun
        else EventStatus.CONFIRMED,
        summary=_summary(job),
        lines=tuple(_lines(job, policy, start)),
        location=f"{job.resource_group}, {job.location}",
        category=f"{job.team}/{job.policy}",
    )


def _when(job: Job, estimate: timedelta) -> tuple[datetime, datetime]:
    """From its start, planned or real, until it is back, as far as that is known."""
    start = job.started_at or job.planned_start or job.opens
    end = job.verified_at or job.ended_at if job.started_at else None
    return start, end or start + estimate


def _summary(job: Job) -> str:
    match job.state:
        case JobState.PLANNED:
            said = "" if job.planned_start else " (has no start any more)"
        case JobState.STARTING | JobState.REDEPLOYING:
            said = " (under way)"
        case JobState.COMPLETED:
            said = " (done)"
        case _:
            said = f" ({job.state})"
    what = "Redeploy" if job.maintenance else "Patch"
    return f"{what} {job.vm_name}{said}"


def _lines(job: Job, policy: Policy | None, start: datetime) -> Iterator[str]:
    if job.maintenance:
        yield f"{job.vm_name} is redeployed by Baton for a planned maintenance of Azure's, and is away meanwhile."
    if what := patches_of(job):
        yield f"{job.vm_name} gets {what}."
    if job.planned_start:
        zone = policy.hours.zone_name if policy else "UTC"
        local = (
            f" ({start.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone})" if zone != "UTC" else ""
        )
        yield f"Start: {utc(start)}{local}."
    if job.reason:
        yield f"{job.reason[:1].upper()}{job.reason[1:]}."
    closes = job.closes
    yield f"{its_window(job).capitalize()} closes at {utc(closes)}; then Azure acts by itself {azure_acts(job)}."
    yield f"Policy {job.team}/{job.policy}, rollout {job.rollout}, stage {job.stage}."
