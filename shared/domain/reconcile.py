"""Discovery's decision: what the jobs should be, given what Azure shows and what the policies say.

A pure function of (books, standings, fleet, mode, now). The same input twice gives nothing the second time.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.assignment import Assigner, Assignment
from shared.domain.dated import dated
from shared.domain.fleet import Fleet
from shared.domain.job import Job, JobState
from shared.domain.job_ids import job_id, job_name
from shared.domain.ledger import Books, Head, PolicyKey, UnreadRow
from shared.domain.maintenance import Vm
from shared.domain.offers import Offer, Offers, taken_back
from shared.domain.own_mechanism import own_mechanism
from shared.domain.patching.columns import Patching
from shared.domain.policy import Policy, Standing
from shared.domain.rollouts import NOT_YET, InNeed, schedule
from shared.domain.rules import is_approved


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
        self._offers = Offers(fleet.available, dry_run=dry_run, now=now)
        self._now = now
        self._plan = Plan(unread=books.unread)
        self._unread_policies = {row.key for row in books.unread}
        # Every job as it should be; the books keep how it is.
        self._was = {job.id: job for job in books.jobs()}
        self._target: dict[PolicyKey, dict[str, Job]] = {}
        self._where: dict[str, PolicyKey] = {}
        for job in self._was.values():
            self._set(job)
        # Each VM's jobs in the order of time; one that is open comes last.
        self._of_vm: dict[str, list[Job]] = defaultdict(list)
        for job in sorted(self._was.values(), key=_open_last):
            self._of_vm[job.vm_key].append(job)

    def plan(self) -> Plan:
        for key, head in self._heads.items():
            ledger = self._books.ledgers.get(key)
            if ledger is None or ledger.head.version != head.version:
                self._plan.heads[key] = head
        for vm in sorted(self._fleet.vms.values(), key=lambda vm: vm.key):
            if vm.maintenance and vm.maintenance.is_offered(self._now) and own_mechanism(vm):
                self._plan.unmatched[vm.key] = own_mechanism(vm)
            job = self._latest(vm.key)
            if job and not job.state.is_end:
                self._follow(job, vm)
            else:
                self._offer(vm)
        for vm_key in self._fleet.absent:
            job = self._latest(vm_key)
            if job and job.state is JobState.PLANNED and not job.unsettled:
                self._end(job, JobState.GONE, "the VM was deleted")
        self._schedule()
        self._compare()
        return self._plan

    # --- one VM -----------------------------------------------------------------------------------

    def _follow(self, job: Job, vm: Vm) -> None:
        """An open job follows its VM, what it is offered and its policy, until it is claimed."""
        busy = job.state is not JobState.PLANNED or job.unsettled
        if busy or (job.freed_at and job.freed_at >= self._fleet.seen_at) or vm.view is None:
            return
        if reason := taken_back(job, vm.maintenance, self._now):
            maintenance = vm.maintenance or job.maintenance
            self._end(job, JobState.WITHDRAWN, reason, maintenance=maintenance)
            return
        if job.maintenance and (reason := own_mechanism(vm)):
            self._end(job, JobState.SKIPPED, reason, skipped_because="unmatched")
            return
        shown = job.having(maintenance=vm.maintenance) if job.maintenance else job
        if self._now >= shown.closes:
            # The redeploy handler looks once more and records it; it knows what was in the way.
            self._set(shown)
            return
        assignment = self._assigner(vm)
        self._note_tie(vm, assignment)
        if assignment.policy is None:
            if not assignment.held_by:
                self._end(job, JobState.SKIPPED, assignment.reason, skipped_because="unmatched")
            return
        policy = assignment.policy
        offer = self._offers.still(job, vm, policy, self._of_vm[vm.key])
        if not offer:
            self._end_patches(job, policy)
            return
        job = self._placed(job, vm, offer, policy)
        moves = policy.key != (job.team, job.policy) and policy.key not in self._unread_policies
        self._set(_moved_to(policy, job) if moves else job)

    def _end_patches(self, job: Job, policy: Policy) -> None:
        """A job of patches that nobody wants or needs any more."""
        if policy.patching is Patching.INSTALL:
            reason = "the patches were installed outside Baton, or others took their place"
            self._end(job, JobState.WITHDRAWN, reason)
            return
        reason = f"patching of policy {'/'.join(policy.key)} is {policy.patching}"
        self._end(job, JobState.SKIPPED, reason, skipped_because="unmatched")

    def _offer(self, vm: Vm) -> None:
        """A VM without an open job gets one if it is offered something that is new to Baton."""
        if vm.subscription_id.lower() not in self._fleet.whole:
            return
        if vm.maintenance is None and vm.key not in self._fleet.available:
            return
        assignment = self._assigner(vm)
        offer = self._offers.new(vm, assignment.policy, self._of_vm[vm.key])
        if not offer:
            return
        self._note_tie(vm, assignment)
        policy = assignment.policy
        if policy is None:
            self._plan.unmatched[vm.key] = assignment.reason
            return
        if unread := self._unread_of(vm, policy):
            reason = f"row {unread} of the jobs table cannot be read; mend it or delete it"
            if offer.maintenance:
                self._plan.unmatched[vm.key] = reason
            return
        job = _new_job(self._new_id(vm, offer), vm, offer, policy, self._now)
        self._set(self._placed(job, vm, offer, policy))

    def _unread_of(self, vm: Vm, policy: Policy) -> UnreadRow | None:
        """The unreadable row that may be the VM's own job, or stands among its policy's."""
        mine = job_name(vm.key) + "-"
        for row in self._books.unread:
            if row.key == policy.key or row.job_id.startswith(mine):
                return row
        return None

    def _note_tie(self, vm: Vm, assignment: Assignment) -> None:
        for key in assignment.tied:
            self._plan.tied[key] = f"{vm.name}: {assignment.reason}"

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

    def _placed(self, job: Job, vm: Vm, offer: Offer, policy: Policy) -> Job:
        """The job with what Azure offers now, its place and its surroundings."""
        is_told = vm.key in self._fleet.told  # no list tells of its domain, or what was found at it
        job = job.having(maintenance=offer.maintenance, patches=offer.patches, zone=vm.zone)
        if vm.subscription_id.lower() in self._fleet.whole:
            # Where its locations and sets were not read, the job keeps the place that it has (P5).
            places = self._fleet.places
            job = job.having(
                domain_set=job.domain_set if is_told else vm.domain_set,
                domain=job.domain if is_told else vm.domain,
                zone_key=places.zone_of(vm.subscription_id, vm.location, vm.zone),
                region_pairs=tuple(sorted(places.pairs(vm.location))),
            )
        if is_told:
            return job
        return job.having(findings=self._fleet.to_know(vm, offer, gap=policy.gap))

    def _new_id(self, vm: Vm, offer: Offer) -> str:
        generation = 1
        while True:
            new = job_id(vm.key, offer.identity, generation)
            if new not in self._where:
                return new
            generation += 1

    def _end(self, job: Job, outcome: JobState, reason: str, **changes: object) -> None:
        self._set(job.ended(outcome, now=self._now, reason=reason, **changes))

    def _latest(self, vm_key: str) -> Job | None:
        """The VM's open job, or else the one that ended last."""
        jobs = self._of_vm.get(vm_key)
        return jobs[-1] if jobs else None

    def _jobs_of(self, key: PolicyKey) -> list[Job]:
        return list(self._target.get(key, {}).values())

    def _set(self, job: Job) -> None:
        key = (job.team, job.policy)
        if self._where.get(job.id, key) != key:
            del self._target[self._where[job.id]][job.id]
        self._where[job.id] = key
        self._target.setdefault(key, {})[job.id] = job


def _new_job(new_id: str, vm: Vm, offer: Offer, policy: Policy, now: datetime) -> Job:
    return Job(
        id=new_id,
        vm_id=vm.id,
        vm_name=vm.name,
        resource_group=vm.resource_group,
        subscription_id=vm.subscription_id,
        location=vm.location,
        team=policy.team,
        policy=policy.name,
        rollout=NOT_YET,
        stage=1,
        maintenance=offer.maintenance,
        patches=offer.patches,
        discovered_at=now,
    )


def _moved_to(policy: Policy, job: Job) -> Job:
    """The job in another policy: of its rollouts it knows nothing yet."""
    return replace(
        job,
        team=policy.team,
        policy=policy.name,
        rollout=NOT_YET,
        stage=1,
        planned_start=None,
        reason="",
        etag="",
    )


def _open_last(job: Job) -> tuple[object, ...]:
    return not job.state.is_end, job.discovered_at, job.id
