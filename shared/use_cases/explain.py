"""Explain: why one VM goes now, or does not, from the tables and from Azure."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.errors import BatonError, InvalidInput, Problem, VmNotFound
from shared.domain.job import Job
from shared.domain.ledger import Books
from shared.domain.maintenance import Vm
from shared.domain.mode import Mode
from shared.domain.pace import Pace
from shared.domain.pause import pause_of
from shared.domain.policy_row import standing
from shared.ports import Clock, JobStore, OutcomeStore, PauseStore, PolicyStore, VirtualMachines
from shared.use_cases.explanation import Explanation, Facts, explain_end, explain_job
from shared.use_cases.preview import Foresight, Preview
from shared.use_cases.which_vm import meant
from shared.use_cases.wording import utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain:
    """Explains a VM. One with an open job costs a few reads; any other as much as a discovery."""

    clock: Clock
    vms: VirtualMachines
    policies: PolicyStore
    jobs: JobStore
    pauses: PauseStore
    outcomes: OutcomeStore
    preview: Preview
    mode: Mode
    pace: Pace

    async def __call__(self, name: str) -> Explanation:
        """Explains it.

        Args:
            name: The VM's name or ARM id, in any case.

        Raises:
            InvalidInput: No VM is meant, or several are; they are named.
            Retryable: The tables are busy.
        """
        books = await self.jobs.books()
        jobs = {job.vm_key: job for job in books.jobs() if not job.state.is_end}
        key = meant(name, jobs)
        if key:
            facts = await self._facts(jobs[key], books)
            said = explain_job(facts, mode=self.mode, pace=self.pace, now=self.clock.now())
        else:
            said = explain_foreseen(name, await self.preview(), mode=self.mode, pace=self.pace)
            if said.job and not said.job.state.is_end:
                follows = ("It has no job yet: the next discovery makes it.", *said.follows)
                said = replace(said, follows=follows)
        return replace(said, outcomes=tuple(await self.outcomes.of(said.vm_id)))

    async def _facts(self, job: Job, books: Books) -> Facts:
        """What the handlers would read."""
        ledger = books.ledgers[job.team, job.policy]
        row = await self.policies.row(job.team, job.policy)
        vm: Vm | None = None
        unread = ""
        try:
            vm = await self.vms.get(job.vm_id)
        except VmNotFound:
            pass
        except BatonError as error:
            unread = f"Azure could not be asked about the VM now: {error}"
        return Facts(
            job=job,
            ledger=ledger,
            stands=standing(ledger.head.key, row.columns if row else None, ledger.head.columns),
            vm=vm,
            unread=unread,
            away=await self.jobs.away(job.domain_set) if job.domain_set else None,
            pause=pause_of(await self.pauses.all(), job.team, job.policy),
        )


def explain_foreseen(name: str, foresight: Foresight, *, mode: Mode, pace: Pace) -> Explanation:
    """Explains a VM by what the next discovery would decide.

    Raises:
        InvalidInput: No VM is meant, or several are.
    """
    jobs = {job.vm_key: job for job in foresight.jobs()}
    if key := meant(name, jobs):
        job = jobs[key]
        facts = Facts(
            job=job,
            ledger=foresight.ledgers[job.team, job.policy],
            stands=foresight.standings[job.team, job.policy],
            vm=foresight.sight.fleet.vms.get(key),
            pause=pause_of(foresight.pauses, job.team, job.policy),
        )
        return explain_job(facts, mode=mode, pace=pace, now=foresight.now)
    return _without_a_job(name, foresight)


def _without_a_job(name: str, foresight: Foresight) -> Explanation:
    sight, ended = foresight.sight, _ended(foresight)
    unreadable = {item.vm_id.lower(): item for item in sight.unreadable}
    ids = {key: job.vm_id for key, job in ended.items()}
    ids |= {key: item.vm_id for key, item in unreadable.items()}
    ids |= {key: vm.id for key, vm in sight.fleet.vms.items()}
    key = meant(name, ids)
    if key is None:
        why = f"; Azure could not be read: {sight.failed['']}" if "" in sight.failed else ""
        expected = f"the name or ARM id of one of the {len(ids)} VMs that Baton sees{why}"
        raise InvalidInput("explain", (Problem("VM", name, expected),))
    vm, job = sight.fleet.vms.get(key), ended.get(key)
    said = Explanation(
        now=foresight.now,
        vm_id=ids[key],
        maintenance=vm.maintenance if vm else None,
        job=job,
        policy=None,
        why="",
    )
    if vm is None and key in unreadable:
        return replace(
            said, why=f"Azure's answer about it cannot be used: {unreadable[key].problem}"
        )
    if key in foresight.plan.unmatched:
        return replace(said, why=foresight.plan.unmatched[key])
    why = _why_not_offered(vm, foresight.now) if vm else ""
    if job and (not why or job.maintenance is None):
        return explain_end(said, job)
    if why:
        return replace(said, why=why)
    failed = "; ".join(sight.failed.values())
    return replace(
        said, why=f"its subscription is not known whole, so no new job is made: {failed}"
    )


def _why_not_offered(vm: Vm, now: datetime) -> str:
    """Why there is nothing to redeploy; `""` if there is."""
    if vm.view is None:
        return (
            "its instance view could not be read, so that nobody knows whether it has a maintenance"
        )
    status = vm.maintenance
    if status is None:
        return "Azure announces no maintenance for it"
    if status.is_offered(now):
        return ""
    closes = status.pre_maintenance_window_end_time
    if now >= closes:
        return f"its self-service window closed at {utc(closes)}"
    return "Azure does not let it be redeployed (isCustomerInitiatedMaintenanceAllowed is false)"


def _ended(foresight: Foresight) -> dict[str, Job]:
    """VM key → the job of it that ended last."""
    jobs = [job for ledger in foresight.ledgers.values() for job in ledger.jobs]
    ended = [job for job in jobs if job.state.is_end and job.ended_at]
    return {job.vm_key: job for job in sorted(ended, key=lambda job: (job.ended_at, job.id))}
