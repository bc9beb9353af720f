"""Discovery's decision: what the jobs should be, given what Azure shows and what the policies say.

A pure function of (books, standings, fleet, mode, now). The same input twice gives nothing the second time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.assignment import Assigner, Assignment
from shared.domain.dated import dated
from shared.domain.fleet import Fleet
from shared.domain.job import Job, JobState, job_id, job_name
from shared.domain.ledger import Books, Head, PolicyKey, UnreadRow
from shared.domain.maintenance import MaintenanceStatus, Vm
from shared.domain.policy import Policy, Standing
from shared.domain.rollouts import NOT_YET, InNeed, schedule
from shared.domain.rules import is_approved
from shared.domain.steering import BY_A_PERSON


@dataclass(slots=True, kw_only=True)
class Plan:
    """What should be written.

    Attributes:
        heads: New or changed heads.
        jobs: Per policy, new and changed jobs.
        moved: Jobs that change their policy: (as it was, as it is to be).
        planned: Every planned job of a policy that can be read.
        no_fit: Those of them that no rollout has room for.
        unapproved: Policy → its rollout that waits for approval.
        unmatched: VM key → why no policy has it.
        tied: The rows that tie for some VM, with the reason.
        unread: Rows of the books that cannot be read.
    """

    heads: dict[PolicyKey, Head] = field(default_factory=dict)
    jobs: dict[PolicyKey, list[Job]] = field(default_factory=dict)
    moved: list[tuple[Job, Job]] = field(default_factory=list)
    planned: list[Job] = field(default_factory=list)
    no_fit: list[Job] = field(default_factory=list)
    unapproved: dict[PolicyKey, InNeed] = field(default_factory=dict)
    unmatched: dict[str, str] = field(default_factory=dict)
    tied: dict[PolicyKey, str] = field(default_factory=dict)
    unread: tuple[UnreadRow, ...] = ()


def reconcile(
    books: Books,
    standings: Mapping[PolicyKey, Standing],
    heads: Mapping[PolicyKey, Head],
    fleet: Fleet,
    *,
    dry_run: bool,
    now: datetime,
) -> Plan:
    """What discovery should write.

    Args:
        books: The open books.
        standings: Every policy row as it counts now.
        heads: Heads as they should be: each good row's columns.
        fleet: What Azure shows.
        dry_run: Whether nothing will act on the jobs.
        now: The instant of the decision.
    """
    return _Reconciler(books, standings, heads, fleet, dry_run=dry_run, now=now).plan()


class _Reconciler:
    def __init__(
        self,
        books: Books,
        standings: Mapping[PolicyKey, Standing],
        heads: Mapping[PolicyKey, Head],
        fleet: Fleet,
        *,
        dry_run: bool,
        now: datetime,
    ) -> None:
        self._books = books
        self._standings = standings
        self._assigner = Assigner(standings.values())
        self._heads = heads
        self._fleet = fleet
        self._dry_run = dry_run
        self._now = now
        self._plan = Plan(unread=books.unread)
        self._unread_policies = {row.key for row in books.unread}
        # Every job as it should be; the books keep how it is.
        self._was = {job.id: job for job in books.jobs()}
        self._target: dict[PolicyKey, dict[str, Job]] = {}
        self._where: dict[str, PolicyKey] = {}
        for job in self._was.values():
            self._set(job)
        self._latest = _latest(self._was.values())

    def plan(self) -> Plan:
        for key, head in self._heads.items():
            ledger = self._books.ledgers.get(key)
            if ledger is None or ledger.head.version != head.version:
                self._plan.heads[key] = head
        for vm in sorted(self._fleet.vms.values(), key=lambda vm: vm.key):
            job = self._latest.get(vm.key)
            if job and not job.state.is_end:
                self._follow(job, vm)
            else:
                self._offer(vm, job)
        for vm_key in self._fleet.absent:
            job = self._latest.get(vm_key)
            if job and job.state is JobState.PLANNED and not job.unsettled:
                self._end(job, JobState.GONE, "the VM was deleted")
        self._schedule()
        self._compare()
        return self._plan

    # --- one VM -----------------------------------------------------------------------------------

    def _follow(self, job: Job, vm: Vm) -> None:
        """An open job follows its VM, its maintenance and its policy, until it is claimed."""
        busy = job.state is not JobState.PLANNED or job.unsettled
        if busy or (job.freed_at and job.freed_at >= self._fleet.seen_at) or vm.view is None:
            return
        status = vm.maintenance
        if status is None:
            self._end(job, JobState.WITHDRAWN, "Azure no longer announces the maintenance")
            return
        if status.last_operation_result_code == "MaintenanceCompleted" and not status.is_offered(
            self._now
        ):
            reason = "the maintenance was completed outside Baton"
            self._end(job, JobState.WITHDRAWN, reason, maintenance=status)
            return
        if self._now >= status.pre_maintenance_window_end_time:
            # The redeploy handler looks once more and records it; it knows what was in the way.
            self._set(replace(job, maintenance=status))
            return
        assignment = self._assign(vm)
        if assignment.policy is None:
            if not assignment.held_by:
                self._end(job, JobState.SKIPPED, assignment.reason, skipped_because="unmatched")
            return
        policy = assignment.policy
        job = self._placed(job, vm, status, policy)
        if policy.key != (job.team, job.policy) and policy.key not in self._unread_policies:
            job = replace(
                job,
                team=policy.team,
                policy=policy.name,
                rollout=NOT_YET,
                stage=1,
                planned_start=None,
                reason="",
                etag="",
            )
        self._set(job)

    def _offer(self, vm: Vm, last: Job | None) -> None:
        """A VM without an open job gets one if Azure offers it a maintenance that is new to Baton."""
        status = vm.maintenance
        if status is None or not status.is_offered(self._now):
            return
        if vm.subscription_id.lower() not in self._fleet.whole:
            return
        if last and not self._may_follow(last, status):
            return
        assignment = self._assign(vm)
        if assignment.policy is None:
            self._plan.unmatched[vm.key] = assignment.reason
            return
        policy = assignment.policy
        if unread := self._unread_of(vm, policy):
            reason = f"row {unread} of the jobs table cannot be read; mend it or delete it"
            self._plan.unmatched[vm.key] = reason
            return
        job = Job(
            id=self._new_id(vm, status),
            vm_id=vm.id,
            vm_name=vm.name,
            resource_group=vm.resource_group,
            subscription_id=vm.subscription_id,
            location=vm.location,
            team=policy.team,
            policy=policy.name,
            rollout=NOT_YET,
            stage=1,
            maintenance=status,
            discovered_at=self._now,
        )
        self._set(self._placed(job, vm, status, policy))

    def _unread_of(self, vm: Vm, policy: Policy) -> UnreadRow | None:
        """The unreadable row that may be the VM's own job, or stands among its policy's."""
        mine = job_name(vm.key) + "-"
        for row in self._books.unread:
            if row.key == policy.key or row.job_id.startswith(mine):
                return row
        return None

    def _may_follow(self, last: Job, status: MaintenanceStatus) -> bool:
        """Whether a new job may follow one that has its outcome.

        After a start, only another maintenance counts: a moved window of the same one does not, so that
        no VM is redeployed twice for one maintenance (P1); after `completed`, another start is another one. Without a start, or where Azure answered it
        RetryLater, there is nothing to repeat. People's word goes before: whoever was skipped by one stays
        out, and one is tried again where somebody asked and P1 allows it (`steering`).
        """
        if last.unsettled:
            return False
        if last.retried_at:
            return True
        if last.skipped_because == BY_A_PERSON:
            return not last.maintenance.overlaps(status)
        code = last.maintenance.last_operation_result_code
        postponed = last.state is JobState.SKIPPED and code == "RetryLater"
        if last.state.halts or (last.accepted and not postponed):
            if not last.maintenance.overlaps(status):
                return True
            moved = (
                last.maintenance.pre_maintenance_window_start_time
                != status.pre_maintenance_window_start_time
            )
            return last.state is JobState.COMPLETED and moved
        return not (last.skipped_because == "dryRun" and self._dry_run)

    def _assign(self, vm: Vm) -> Assignment:
        assignment = self._assigner(vm)
        for key in assignment.tied:
            self._plan.tied[key] = f"{vm.name}: {assignment.reason}"
        return assignment

    def _schedule(self) -> None:
        """Plans the open rollouts."""
        said = schedule(
            {key: self._jobs_of(key) for key in self._target},
            {key: stands.policy for key, stands in self._standings.items() if stands.policy},
            self._fleet.vms,
            self._plan.heads,
            self._now,
        )
        jobs = [dated(self._was.get(job.id), job, self._now) for job in said.jobs.values()]
        for job in jobs:
            self._set(job)
        self._plan.planned = [job for job in jobs if job.state is JobState.PLANNED]
        self._plan.no_fit = said.no_fit
        for key, need in said.in_need.items():
            ledger = self._books.ledgers.get(key)
            head = ledger.head if ledger else Head(team=key[0], policy=key[1])
            if need.vms and not is_approved(head, need.rollout, self._now):
                mine = head.approved_rollout == need.rollout
                lapsed = head.approved_until if mine else None
                self._plan.unapproved[key] = replace(need, lapsed=lapsed)

    # --- writing down -----------------------------------------------------------------------------

    def _compare(self) -> None:
        """What differs from the books, per policy, earlier stages first."""
        jobs = [job for key in self._target for job in self._jobs_of(key)]
        for job in sorted(jobs, key=lambda job: (job.rollout, job.stage, job.vm_key, job.id)):
            before = self._was.get(job.id)
            if before == job:
                continue
            if before and (before.team, before.policy) != (job.team, job.policy):
                self._plan.moved.append((before, job))
            else:
                self._plan.jobs.setdefault((job.team, job.policy), []).append(job)

    def _placed(self, job: Job, vm: Vm, status: MaintenanceStatus, policy: Policy) -> Job:
        """The job with what Azure shows now of its maintenance, its place and its surroundings."""
        if vm.subscription_id.lower() in self._fleet.whole:
            # Where its locations were not read, no pair is known, and the job keeps those it has (P5).
            places = self._fleet.places
            job = replace(
                job,
                zone_key=places.zone_of(vm.subscription_id, vm.location, vm.zone),
                region_pairs=tuple(sorted(places.pairs(vm.location))),
            )
        return replace(
            job,
            maintenance=status,
            zone=vm.zone,
            availability_set=vm.availability_set,
            update_domain=vm.view.update_domain if vm.view else None,
            findings=tuple(each.text for each in self._fleet.findings(vm, gap=policy.gap)),
        )

    def _new_id(self, vm: Vm, status: MaintenanceStatus) -> str:
        generation = 1
        while True:
            new = job_id(vm.key, status.pre_maintenance_window_start_time, generation)
            if new not in self._where:
                return new
            generation += 1

    def _end(self, job: Job, outcome: JobState, reason: str, **changes: object) -> None:
        self._set(job.ended(outcome, now=self._now, reason=reason, **changes))

    def _jobs_of(self, key: PolicyKey) -> list[Job]:
        return list(self._target.get(key, {}).values())

    def _set(self, job: Job) -> None:
        key = (job.team, job.policy)
        if self._where.get(job.id, key) != key:
            del self._target[self._where[job.id]][job.id]
        self._where[job.id] = key
        self._target.setdefault(key, {})[job.id] = job


def _latest(jobs: Iterable[Job]) -> dict[str, Job]:
    """Each VM's open job, or else the one that ended last."""
    latest: dict[str, Job] = {}
    for job in sorted(jobs, key=lambda job: (not job.state.is_end, job.discovered_at, job.id)):
        latest[job.vm_key] = job
    return latest
