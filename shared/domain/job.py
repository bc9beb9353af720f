"""A job: one VM in a rollout, from its plan to its one outcome, and the table of moves it may make."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.attempt import BAD, Attempt
from shared.domain.due import NOT_INSTALLED, DuePatches, Installed, Work
from shared.domain.maintenance import MaintenanceStatus
from shared.domain.trace import trace_of


class JobState(StrEnum):
    """Where a job stands. The last eight are ends, spelt as their outcome."""

    PLANNED = "planned"
    STARTING = "starting"
    REDEPLOYING = "redeploying"
    COMPLETED = "completed"
    ABORTED = "aborted"
    FAILED = "failed"
    TIMED_OUT = "timedOut"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"
    GONE = "gone"
    SKIPPED = "skipped"

    @property
    def is_end(self) -> bool:
        """Whether nothing follows."""
        return not LEADS_TO[self]

    @property
    def is_begun(self) -> bool:
        """Whether a start is on its way or was accepted: of a redeploy, or of an installation."""
        return self in (JobState.STARTING, JobState.REDEPLOYING)

    @property
    def is_bad(self) -> bool:
        """Whether a person must be told (promise P7)."""
        return self in BAD

    @property
    def halts(self) -> bool:
        """Whether it stops a rollout whose policy says `halt`: something was done to the VM."""
        return self in (JobState.FAILED, JobState.ABORTED, JobState.TIMED_OUT)


_NEVER_STARTED = {JobState.MISSED, JobState.WITHDRAWN, JobState.GONE, JobState.SKIPPED}
_NOTHING: frozenset[JobState] = frozenset()

# The state machine. docs/state-machine.md draws it, and a test holds the two together.
LEADS_TO: Mapping[JobState, frozenset[JobState]] = {
    # A planned job is claimed for its start, or ends without one.
    JobState.PLANNED: frozenset({JobState.STARTING, *_NEVER_STARTED}),
    # The intent is written, and performMaintenance or installPatches may or may not have reached Azure.
    # Back to planned: Azure did not take it, now or for certain.
    JobState.STARTING: frozenset(
        {JobState.REDEPLOYING, JobState.PLANNED, JobState.FAILED, JobState.WITHDRAWN, JobState.GONE}
    ),
    # Azure took it, and redeploys the VM or installs its patches. Back to planned: RetryLater, an abort
    # that the policy says to repeat, or patches that are installed before the VM's redeploy.
    JobState.REDEPLOYING: frozenset(
        {
            JobState.PLANNED,
            JobState.COMPLETED,
            JobState.ABORTED,
            JobState.FAILED,
            JobState.TIMED_OUT,
            JobState.GONE,
        }
    ),
    JobState.COMPLETED: _NOTHING,
    JobState.ABORTED: _NOTHING,
    JobState.FAILED: _NOTHING,
    JobState.TIMED_OUT: _NOTHING,
    JobState.MISSED: _NOTHING,
    JobState.WITHDRAWN: _NOTHING,
    JobState.GONE: _NOTHING,
    JobState.SKIPPED: _NOTHING,
}


class IllegalMove(AssertionError):
    """Code asked for a move that the table does not have: a bug, never an input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One VM of a rollout, with a maintenance, with patches that are due, or with both.

    Of both the patches come first: they are installed without a reboot, and the redeploy's own finishes them.

    Attributes:
        id: Derived from the VM and the maintenance or release (see `job_id`); never reused.
        domain_set, domain: The set whose domains are kept apart, and its VM's; see `Vm.domain_set`.
        team, policy: The policy row it follows.
        rollout: Number of the policy's rollout, from 1.
        stage: From 1.
        sequence_number: The number in the VM's sequence tag, as last seen: stages are ranks among those of
            a whole rollout, and must not shift because a VM is not seen for once.
        maintenance: The status as last read; None where only patches are due.
        patches: Those that are still to be installed; None where there are none.
        tried_release: The release whose installation Azure accepted, or refused for good, for this job: it
            is never tried again. `""` if there is none.
        installations: How many of its attempts were installations.
        zone: Its number in the subscription, as Azure shows it; `""` without one.
        zone_key: By which zones are compared, across subscriptions.
        findings: What a person should know before the start, a sentence each.
        region_pairs: Lower-cased names of the regions that Azure pairs with `location`.
        attempt: Number of the try that runs or comes next, from 1.
        refusals: Refusals that may pass, in a row; they lengthen the wait.
        not_before: No start before this (a wait after RetryLater or a refusal).
        planned_start: The start that people are told, and none comes before it; None where none fits.
        planned_at: When that was last decided; None where it never had a start.
        told_start, told_at: The start that the policy's owners were last told, and when that was planned.
        reason: Why it stands as it does, for people.
        asked_at: When it asked for a go-ahead, for the start that comes next.
        allowed_by, allowed_at: Who gave it, and when.
        claimed_at: When the intent to start was written.
        started_at: When the start was sent and accepted.
        expected_at: When its VM is expected back, as its claim knew; None where nobody did.
        freed_at: When it last gave its slot back; the gap counts from here.
        code_before: `lastOperationResultCode` as it was before the start.
        was_running, was_ready: What must be true again for `completed`.
        operation_url: ARM's URL of the running operation, `""` if none is known.
        request_id: The x-ms-client-request-id of the start, by which Azure's activity log knows it.
        skipped_because: For `skipped`: `dryRun` or `unmatched`, and a job may follow when that ends; `person`,
            and none follows for this maintenance until somebody asks for it.
        retried_by, retried_at: Who asked, after its end, to try the maintenance again, and when.
        accepted: Whether Azure ever accepted a redeploy of it.
        unsettled: An attempt that ended and is not yet recorded, mailed and followed up.
    """

    id: str
    vm_id: str
    vm_name: str
    resource_group: str
    subscription_id: str
    location: str
    team: str
    policy: str
    rollout: int
    stage: int
    maintenance: MaintenanceStatus | None
    discovered_at: datetime
    patches: DuePatches | None = None
    tried_release: str = ""
    installations: int = 0
    state: JobState = JobState.PLANNED
    zone: str = ""
    zone_key: str = ""
    findings: tuple[str, ...] = ()
    domain_set: str = ""
    domain: int | None = None
    region_pairs: tuple[str, ...] = ()
    attempt: int = 1
    refusals: int = 0
    not_before: datetime | None = None
    planned_start: datetime | None = None
    planned_at: datetime | None = None
    told_start: datetime | None = None
    told_at: datetime | None = None
    reason: str = ""
    asked_at: datetime | None = None
    allowed_by: str | None = None
    allowed_at: datetime | None = None
    claimed_at: datetime | None = None
    started_at: datetime | None = None
    expected_at: datetime | None = None
    verified_at: datetime | None = None
    ended_at: datetime | None = None
    freed_at: datetime | None = None
    code_before: str = ""
    was_running: bool = True
    was_ready: bool = True
    operation_url: str = ""
    correlation_id: str = ""
    request_id: str = ""
    skipped_because: str = ""
    retried_by: str | None = None
    retried_at: datetime | None = None
    sequence_number: int | None = None
    accepted: bool = False
    unsettled: Attempt | None = None
    etag: str = ""

    @property
    def vm_key(self) -> str:
        """The VM's id, lower-cased."""
        return self.vm_id.lower()

    @property
    def work(self) -> Work:
        """What is done to the VM now, or next."""
        return Work.PATCH if self.patches else Work.REDEPLOY

    @property
    def works(self) -> tuple[Work, ...]:
        """All that is still to be done, in its order."""
        patches = (Work.PATCH,) if self.patches else ()
        return (*patches, Work.REDEPLOY) if self.maintenance else patches

    @property
    def disrupts(self) -> bool:
        """Whether the job takes the VM away at some time: all do but an installation without a reboot."""
        return self.maintenance is not None or self._only_patches.reboots

    @property
    def takes_slot(self) -> bool:
        """Whether what is done now, or next, takes the VM away; patches before a redeploy do not."""
        return self.disrupts and not (self.maintenance and self.patches)

    @property
    def is_away(self) -> bool:
        """Whether the VM may be away, and so holds a slot."""
        return self.state.is_begun and self.takes_slot

    @property
    def expected_back(self) -> datetime | None:
        """When Azure is expected to be done with the VM; None where it is not at it, or nobody knows."""
        is_away = self.state is JobState.REDEPLOYING and self.work is Work.REDEPLOY
        return self.expected_at if is_away else None

    @property
    def has_begun(self) -> bool:
        """Whether anything was ever done to the VM for this job, or may be about to be."""
        return self.accepted or bool(self.tried_release) or self.state.is_begun

    @property
    def tries(self) -> int:
        """The number of this try of its redeploy, from 1."""
        return self.attempt - self.installations

    @property
    def opens(self) -> datetime:
        """The first instant at which Azure lets it start."""
        if self.maintenance:
            return self.maintenance.pre_maintenance_window_start_time
        return self._only_patches.since

    @property
    def closes(self) -> datetime:
        """It must start before this; then Azure acts by itself."""
        if self.maintenance:
            return self.maintenance.pre_maintenance_window_end_time
        return self._only_patches.until

    @property
    def _only_patches(self) -> DuePatches:
        if self.patches is None:
            raise IllegalMove(f"{self.id}: neither a maintenance nor patches")
        return self.patches

    def having(self, **fields: object) -> "Job":
        """The job with these values: itself where it has them, for that is most of a fleet at most times."""
        if all(getattr(self, name) == value for name, value in fields.items()):
            return self
        return replace(self, **fields)  # type: ignore[arg-type] # fields by name

    def moved(self, to: JobState, **changes: object) -> "Job":
        """The job in its next state.

        Raises:
            IllegalMove: `LEADS_TO` has no such move.
        """
        if to not in LEADS_TO[self.state]:
            raise IllegalMove(f"{self.id}: {self.state} does not lead to {to}")
        return replace(self, state=to, **changes)  # type: ignore[arg-type] # fields by name

    def ended(self, outcome: JobState, *, now: datetime, reason: str, **changes: object) -> "Job":
        """The job at its end, with the attempt that must now be recorded."""
        ended = self.moved(outcome, ended_at=now, reason=reason, not_before=None, **changes)
        return replace(
            ended,
            unsettled=_attempt(ended, str(outcome), terminal=True),
            freed_at=now if self.is_away else self.freed_at,
        )

    def to_retry(
        self, *, outcome: str, now: datetime, not_before: datetime, reason: str, **changes: object
    ) -> "Job":
        """The job planned again after an attempt with this outcome, which must now be recorded.

        Args:
            outcome: What came of the attempt.
            now: When it ended.
            not_before: No start before this.
            reason: For people.
            changes: Fields that the attempt is recorded with.
        """
        after = replace(self, ended_at=now, reason=reason, **changes)  # type: ignore[arg-type]
        record = _attempt(after, outcome, terminal=False)
        return after.moved(
            JobState.PLANNED,
            attempt=self.attempt + 1,
            refusals=0,
            not_before=not_before,
            freed_at=now if self.is_away else self.freed_at,
            claimed_at=None,
            started_at=None,
            verified_at=None,
            ended_at=None,
            operation_url="",
            correlation_id="",
            request_id="",
            unsettled=record,
        )

    def accepted_at(self, at: datetime, **changes: object) -> "Job":
        """The job once Azure took its start."""
        job = replace(self, started_at=at)
        if job.patches:
            job = replace(job, tried_release=job.patches.release)
        else:
            job = replace(job, accepted=True)
        return job.moved(JobState.REDEPLOYING, **changes)

    def after_installation(
        self,
        outcome: JobState,
        *,
        now: datetime,
        reason: str,
        installed: Installed = NOT_INSTALLED,
        verified: bool = False,
    ) -> "Job":
        """The job once its patches are installed or never will be: at its end, or on to its redeploy."""
        job = replace(
            self, installations=self.installations + 1, tried_release=self._only_patches.release
        )
        verified_at = now if verified else None
        if job.maintenance is None or outcome is JobState.GONE:
            ended = job.ended(outcome, now=now, reason=reason, verified_at=verified_at)
        else:
            said = f"{reason}; its redeploy follows"
            again = job.to_retry(
                outcome=str(outcome), now=now, not_before=now, reason=said, verified_at=verified_at
            )
            ended = replace(again, patches=None)
        if ended.unsettled is None:
            return ended
        return replace(ended, unsettled=replace(ended.unsettled, installed=installed))

    def log_context(self) -> dict[str, object]:
        """What every log line about this job carries."""
        return {
            "job": self.id,
            "vm": self.vm_id,
            "team": self.team,
            "policy": self.policy,
            "rollout": self.rollout,
            "stage": self.stage,
            "attempt": self.attempt,
            "work": str(self.work),
            "state": str(self.state),
            "correlationId": self.correlation_id,
            "traceId": trace_of(self.id).trace_id,
        }


def _attempt(job: Job, outcome: str, *, terminal: bool) -> Attempt:
    if job.ended_at is None:
        raise IllegalMove(f"{job.id}: an attempt ends at a time")
    status = job.maintenance
    return Attempt(
        number=job.attempt,
        work=str(job.work),
        release=job.patches.release if job.patches else "",
        outcome=outcome,
        terminal=terminal,
        reason=job.reason,
        ended_at=job.ended_at,
        started_at=job.started_at,
        verified_at=job.verified_at,
        last_operation_result_code=status.last_operation_result_code if status else "",
        last_operation_message=status.last_operation_message if status else "",
        correlation_id=job.correlation_id,
    )
