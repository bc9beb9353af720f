"""Discovery: read the policies and the fleet, decide what the jobs should be, write it, wake them."""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from shared.domain import lifecycle
from shared.domain.errors import Stale
from shared.domain.heartbeat import Heartbeat
from shared.domain.job import Job, JobState
from shared.domain.ledger import Books, Change, Head, PolicyKey
from shared.domain.mode import Mode
from shared.domain.policy import Standing
from shared.domain.policy_row import held, standing
from shared.domain.reconcile import Plan, reconcile
from shared.domain.vm_ids import name_of
from shared.ports import AlertStore, Bus, Clock, JobStore, PolicyRow, PolicyStore, Wake, WakeAt
from shared.use_cases.announce import Announce
from shared.use_cases.beat import Beat
from shared.use_cases.first_contact import FirstContact
from shared.use_cases.herald import Herald
from shared.use_cases.report_findings import ReportFindings
from shared.use_cases.report_plan import ReportPlan
from shared.use_cases.see_fleet import SeeFleet, Sight

log = logging.getLogger("baton.discover")
meter = logging.getLogger("baton.meter")

# Another discovery or a running rollout may write first; then decide again on what is there now.
_TRIES_MAX = 8
# One transaction takes 100 rows; two are the discovery's guard and the policy's head.
_ROWS_PER_CHANGE = 98


@dataclass(frozen=True, slots=True, kw_only=True)
class Discover:
    """Finds maintenance and keeps the jobs in step with it. Running it twice changes nothing more."""

    clock: Clock
    policies: PolicyStore
    jobs: JobStore
    alerts: AlertStore
    bus: Bus
    see: SeeFleet
    report: ReportFindings
    report_plan: ReportPlan
    announce: Announce
    first_contact: FirstContact
    beat: Beat
    herald: Herald
    mode: Mode

    async def __call__(self, *, asks_all: bool = False) -> None:
        """Discovers once.

        Args:
            asks_all: Whether every VM is asked of which no list tells, also those whose turn it is not.

        Raises:
            Retryable: The tables are busy; the next run starts anew.
        """
        books = await self.jobs.books()
        sight = await self.see(
            books.jobs(),
            last=None if asks_all else await self.alerts.heartbeat(),
            left_alone=await self.alerts.left_alone(),
            keeps=lambda _: False,
        )
        rows = await self.policies.rows()
        for attempt in range(_TRIES_MAX):
            if attempt:
                books = await self.jobs.books()
            standings, heads = standings_of(rows, books)
            plan = self._decide(books, standings, heads, sight)
            try:
                await self._write(plan, books)
                break
            except Stale:
                log.info("Somebody wrote first; deciding again", extra={"action": "discover_again"})
        else:
            log.warning("Left to the next run", extra={"action": "discover_gave_way"})
            return
        await self._wake(plan)
        await self.report(rows, standings, sight, plan)
        await self.report_plan(plan, standings, sight.fleet)
        await self.announce(plan, standings, books)
        await self.first_contact(plan, sight)
        heartbeat = _heartbeat(sight, plan, self.clock.now())
        await self.beat(heartbeat)
        _log(sight, plan, heartbeat)
        _count(books, plan)

    def _decide(
        self,
        books: Books,
        standings: Mapping[PolicyKey, Standing],
        heads: Mapping[PolicyKey, Head],
        sight: Sight,
    ) -> Plan:
        is_dry = self.mode is Mode.DRY_RUN
        now = self.clock.now()
        return reconcile(books, standings, heads, sight.fleet, dry_run=is_dry, now=now)

    async def _write(self, plan: Plan, books: Books) -> None:
        """Writes the plan, one transaction after the other, each guarded by the one before.

        Within a policy earlier stages are written first, and VMs that come from another policy last. A crash
        half way can leave a stage without one of those that go before it; until the next discovery mends
        that, its planned start, which lies behind theirs, holds it back.
        """
        now = self.clock.now()
        guard = books.guard
        heads = {key: ledger.head for key, ledger in books.ledgers.items()}
        heads |= {
            key: replace(head, etag=heads[key].etag if key in heads else "")
            for key, head in plan.heads.items()
        }
        was = {job.id: job for job in books.jobs()}
        most = _ROWS_PER_CHANGE // 2 if self.herald.is_on else _ROWS_PER_CHANGE
        for keys, removed, jobs in _changes(plan, most):
            told = (lifecycle.planned(was.get(job.id), job) for job in jobs)
            committed = await self.jobs.commit(
                Change(
                    heads=tuple(heads[key] for key in keys),
                    jobs=tuple(jobs),
                    events=tuple(chain.from_iterable(told)) if self.herald.is_on else (),
                    removed=removed,
                    guard=guard,
                    at=now,
                )
            )
            guard = committed.guard
            for key, etag in committed.heads.items():
                heads[key] = replace(heads[key], etag=etag)

    async def _wake(self, plan: Plan) -> None:
        """One message per job that is new or changed, not before its start; ends are settled at once."""
        now = self.clock.now()
        changed = [job for jobs in plan.jobs.values() for job in jobs]
        wakes = [
            WakeAt(
                wake=Wake(team=job.team, policy=job.policy, job_id=job.id),
                at=now if job.unsettled else job.planned_start or now,
                cause="plan",
            )
            for job in (*changed, *(job for _, job in plan.moved))
            if job.unsettled or (job.state is JobState.PLANNED and job.planned_start)
        ]
        await self.bus.wake(wakes, now=now)
        if changed or plan.moved:
            await self.herald()


def standings_of(
    rows: Sequence[PolicyRow], books: Books
) -> tuple[dict[PolicyKey, Standing], dict[PolicyKey, Head]]:
    """How each row counts, and the head that each good row should have."""
    standings: dict[PolicyKey, Standing] = {}
    heads: dict[PolicyKey, Head] = {}
    headless = {row.key for row in books.unread if not row.job_id}
    for row in rows:
        key = (row.team, row.policy)
        if key in headless:
            standings[key] = held(key, row.columns)
            continue
        ledger = books.ledgers.get(key)
        standings[key] = standing(key, row.columns, ledger.head.columns if ledger else None)
        if not standings[key].problems:
            head = ledger.head if ledger else Head(team=row.team, policy=row.policy)
            version = _version(row.columns)
            heads[key] = replace(head, columns=row.columns, version=version, etag="")
    return standings, heads


def _version(columns: Mapping[str, object]) -> str:
    text = json.dumps(columns, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _changes(
    plan: Plan, most: int
) -> Iterator[tuple[tuple[PolicyKey, ...], tuple[Job, ...], Sequence[Job]]]:
    """The plan as transactions of at most so many jobs: (heads, removed, written)."""
    for key in plan.heads:
        if key not in plan.jobs:
            yield (key,), (), ()
    for key, jobs in plan.jobs.items():
        for start in range(0, len(jobs), most):
            yield (key,), (), jobs[start : start + most]
    for before, after in plan.moved:
        yield ((before.team, before.policy), (after.team, after.policy)), (before,), (after,)


def _heartbeat(sight: Sight, plan: Plan, now: datetime) -> Heartbeat:
    return Heartbeat(
        at=now,
        vms=sight.count,
        changed=sum(len(jobs) for jobs in plan.jobs.values()) + len(plan.moved),
        unmatched=len(plan.unmatched),
        unreadable=len(sight.unreadable),
        failed_subscriptions=len(sight.behind.keys() | sight.failed.keys() & {""}),
        seen_at=sight.fleet.seen_at,
        behind=sight.behind,
    )


def _count(books: Books, plan: Plan) -> None:
    """Measures the jobs as they now are, by state."""
    changed = [*chain.from_iterable(plan.jobs.values()), *(after for _, after in plan.moved)]
    states = {job.id: str(job.state) for job in (*books.jobs(), *changed)}
    for state, jobs in Counter(states.values()).items():
        extra = {"action": "jobs_counted", "state": state, "jobs": jobs}
        meter.info("%d jobs are %s", jobs, state, extra=extra)


def _log(sight: Sight, plan: Plan, heartbeat: Heartbeat) -> None:
    log.info(
        "Saw %d VMs; %d jobs are new or changed",
        heartbeat.vms,
        heartbeat.changed,
        extra={
            "action": "discovered",
            "vms": heartbeat.vms,
            "changed": heartbeat.changed,
            "unmatched": heartbeat.unmatched,
            "unreadable": heartbeat.unreadable,
            "failedSubscriptions": sorted({*sight.failed, *sight.behind}),
        },
    )
    for job in chain.from_iterable(plan.jobs.values()):
        if not job.etag:
            extra = {
                "action": "job_planned",
                **job.log_context(),
                "plannedStart": job.planned_start,
            }
            log.info("%s has a maintenance and a job", job.vm_name, extra=extra)
    for vm, reason in sorted(plan.unmatched.items()):
        extra = {"action": "vm_unmatched", "vm": vm, "reason": reason}
        log.info("%s has a maintenance and no policy: %s", name_of(vm), reason, extra=extra)
