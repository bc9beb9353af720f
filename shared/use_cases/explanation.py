"""Why a VM stands where it stands: a pure function of what the handlers would read, by their own rules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.durations import format_duration
from shared.domain.job import Job, JobState
from shared.domain.ledger import Away, Ledger
from shared.domain.maintenance import MaintenanceStatus, Vm
from shared.domain.mode import Mode
from shared.domain.pace import Pace
from shared.domain.pause import Pause
from shared.domain.placement import set_conflict
from shared.domain.policy import Policy, Standing
from shared.domain.readiness import end_without_start, vm_in_the_way, with_time_for_both
from shared.domain.rules import Wait, its_window, why_not_now
from shared.domain.vm_ids import name_of
from shared.use_cases.wording import azure_acts, done_to, utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What there is to say of a VM now.

    Attributes:
        job: Its open job, or the one that ended last; None if it has none.
        policy: What the job acts under, for its time zone; None where that is not known.
        why: Why it goes now, or does not; a sentence.
        until: When Baton looks again by itself; None where something else wakes it, or nothing does.
        follows: What comes next; sentences.
        findings: What to know before it starts, and what is wrong with its policy's row.
        outcomes: Its rows of `BatonOutcomes`, newest first.
    """

    now: datetime
    vm_id: str
    maintenance: MaintenanceStatus | None
    job: Job | None
    policy: Policy | None
    why: str
    until: datetime | None = None
    follows: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    outcomes: tuple[Mapping[str, object], ...] = ()

    @property
    def vm(self) -> str:
        """The VM's name."""
        return name_of(self.vm_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a step of a job reads before it decides.

    Attributes:
        stands: Its policy's row as it counts.
        vm: As read now; None if Azure says that it does not exist.
        unread: Why the VM was not read, a sentence; `""` if it was.
        away: Its set's placement row; None without a set.
        pause: What holds its policy; None if nothing does.
    """

    job: Job
    ledger: Ledger
    stands: Standing
    vm: Vm | None
    unread: str = ""
    away: Away | None = None
    pause: Pause | None = None


def explain_job(facts: Facts, *, mode: Mode, pace: Pace, now: datetime) -> Explanation:
    """Explains an open job."""
    job, vm = facts.job, facts.vm
    said = Explanation(
        now=now,
        vm_id=job.vm_id,
        maintenance=(vm.maintenance if vm else None) or job.maintenance,
        job=job,
        policy=facts.stands.policy,
        why="",
        findings=_findings(facts),
    )
    match job.state:
        case JobState.PLANNED:
            return _planned(said, facts, mode, pace)
        case JobState.STARTING:
            return replace(
                said,
                why=f"its start was sent at {utc(job.claimed_at or now)}, and Azure has not answered yet",
                follows=(f"Baton looks every {format_duration(pace.check_interval)}.",),
            )
        case JobState.REDEPLOYING:
            return replace(said, why=_since(job), follows=_while_away(job, facts, pace))
        case _:
            return explain_end(said, job)


def explain_end(said: Explanation, job: Job) -> Explanation:
    """Explains a job that has its outcome."""
    why = f"it ended {job.state} at {utc(job.ended_at or said.now)}: {job.reason}"
    if job.retried_at:
        asked = f"{job.retried_by} asked at {utc(job.retried_at)} to try it again"
        follows = f"{asked}: the next discovery gives it a new job, if Azure still offers it."
        return replace(said, job=job, why=why, follows=(follows,))
    offer = "maintenance" if job.maintenance else "release of patches"
    follows = f"Baton does nothing more with it for this {offer}."
    if job.state in (JobState.MISSED, JobState.FAILED, JobState.ABORTED, JobState.TIMED_OUT):
        follows += f" Azure may do it by itself {azure_acts(job)}."
    return replace(said, job=job, why=why, follows=(follows,))


def _planned(said: Explanation, facts: Facts, mode: Mode, pace: Pace) -> Explanation:
    """By the rules of `StartVm`, in its order."""
    now = said.now
    wait = why_not_now(facts.job, facts.ledger, facts.stands.policy, mode, now, pause=facts.pause)
    if wait and now < facts.job.closes:
        return _waits(said, wait, _what_azure_changed(facts))
    if facts.unread:
        return _waits(said, Wait(facts.unread))
    job, policy = facts.job, facts.stands.policy
    if job.maintenance:
        job = replace(job, maintenance=said.maintenance)
    alone = with_time_for_both(job, facts.vm, policy, pace, now)
    if alone != job:
        job, ledger = alone, facts.ledger.with_job(alone)
        wait = wait or why_not_now(job, ledger, policy, mode, now, pause=facts.pause)
    ended = end_without_start(job, facts.vm, wait, now)
    if ended:
        follows = (f"The next look at it records the outcome {ended.state}.",)
        return replace(said, why=ended.reason, follows=follows)
    wait = wait or vm_in_the_way(job, facts.vm, policy, pace, now)
    conflict = set_conflict(job, facts.away) if facts.away and job.takes_slot else ""
    wait = wait or (Wait(conflict) if conflict else None)
    if wait:
        return _waits(said, wait)
    return replace(said, why="nothing is in its way", follows=_when_it_may(job, mode, pace))


def _what_azure_changed(facts: Facts) -> tuple[str, ...]:
    """What the next discovery makes of it, whatever waits until then."""
    if facts.unread:
        return ()
    if facts.vm is None:
        return ("Azure no longer knows the VM: the next discovery ends the job as gone.",)
    if facts.job.maintenance and facts.vm.maintenance is None:
        return ("Azure no longer announces it: the next discovery ends the job as withdrawn.",)
    return ()


def _when_it_may(job: Job, mode: Mode, pace: Pace) -> tuple[str, ...]:
    if mode is Mode.DRY_RUN:
        return (f"Dry run: Baton records now that it would have {done_to(job)}, and does not.",)
    within = format_duration(pace.sweep_interval)
    return (f"Its message starts it now; the sweep sends a lost one anew within {within}.",)


def _waits(said: Explanation, wait: Wait, more: tuple[str, ...] = ()) -> Explanation:
    follows = list(more)
    planned = said.job.planned_start if said.job else None
    if planned and planned > said.now:
        follows.append(f"It is planned to start at {utc(planned)}.")
    closed = said.policy.hours.why_closed(said.now, said.policy.estimate) if said.policy else ""
    if closed and closed != wait.reason:
        follows.append(f"Its policy's hours are closed now: {closed}.")
    if wait.until and wait.until != planned:
        follows.append(f"Baton looks at it again at {utc(wait.until)}.")
    if said.job:
        job = said.job
        if job.maintenance:
            job = replace(job, maintenance=said.maintenance)
        then = (
            f"then Azure does it by itself {azure_acts(job)}"
            if job.maintenance
            else "until then Azure may install them by itself"
        )
        window = its_window(job).capitalize()
        follows.append(f"{window} closes at {utc(job.closes)}; {then}.")
    return replace(said, why=wait.reason, until=wait.until, follows=tuple(follows))


def _since(job: Job) -> str:
    began = job.started_at or job.claimed_at
    since = f" since {utc(began)}" if began else ""
    if job.patches:
        return f"Azure installs its patches{since}, attempt {job.attempt}"
    return f"it is away{since}, attempt {job.attempt}: Azure redeploys it"


def _while_away(job: Job, facts: Facts, pace: Pace) -> tuple[str, ...]:
    began, policy = job.started_at or job.claimed_at, facts.stands.policy
    end = "they are installed" if job.patches else "it runs again"
    every = f"every {format_duration(pace.check_interval)} until {end}"
    told = [f"Baton looks {every}."]
    if job.expected_back:
        told = [
            f"Others of its policy were back by then: from {utc(job.expected_back)} on Baton looks {every}."
        ]
    if began and policy:
        told.append(f"By the policy's estimate it is back at {utc(began + policy.estimate)}.")
    if began:
        told.append(f"At {utc(began + pace.redeploy_timeout)} it counts as timed out.")
    return tuple(told)


def _findings(facts: Facts) -> tuple[str, ...]:
    name = "/".join(facts.stands.key)
    wrong = (f"Policy {name} is wrong: {problem}" for problem in facts.stands.problems)
    return (*wrong, *facts.job.findings)
