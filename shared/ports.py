"""Everything Baton needs of the outside, as contracts. Adapters keep them; tests hold every adapter to them.

All datetimes are aware UTC. Every method may raise `Retryable` when the service is busy or silent, after
the adapter's own short retries; other errors are named.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.alert import Alert
from shared.domain.attempt import Attempt
from shared.domain.heartbeat import Heartbeat, LeftAlone
from shared.domain.job import Job
from shared.domain.ledger import Away, Books, Change, Ledger, PolicyKey
from shared.domain.maintenance import ListedStatus, Subscription, Unreadable, Vm
from shared.domain.places import Location
from shared.domain.preflight import Surroundings
from shared.domain.scale_sets import ScaleSet


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...


# --- Azure Resource Manager ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """ARM took performMaintenance.

    Attributes:
        operation_url: Azure-AsyncOperation, else Location; `""` where ARM gave none.
        retry_after: When ARM wants to be asked; None if it does not say.
    """

    operation_url: str
    correlation_id: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """State of a long-running operation.

    Attributes:
        status: `inProgress`, `succeeded`, `failed`, or `unknown` (expired, forbidden, unreadable).
        code, message: ARM's error where it failed, verbatim.
    """

    status: str
    code: str = ""
    message: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One event of Azure's activity log about a performMaintenance.

    Attributes:
        status: Azure's word: `Accepted`, `Started`, `Succeeded`, `Failed`.
    """

    at: datetime
    status: str
    request_id: str
    correlation_id: str


class VirtualMachines(Protocol):
    """The subscriptions' VMs. Reads retry by themselves; the start never does."""

    async def subscriptions(self) -> Sequence[Subscription]:
        """The configured subscriptions, or else every one that the identity can see and that is not deleted."""
        ...

    def models(self, subscription_id: str) -> AsyncIterator[Vm | Unreadable]:
        """Every VM's model (tags, zone, set; no instance view), page by page.

        Raises:
            Retryable, Terminal: From the middle of the iteration too, when a page fails.
        """
        ...

    def statuses(self, subscription_id: str) -> AsyncIterator[ListedStatus | Unreadable]:
        """The status list (`statusOnly=true`). An item may lack its view or its maintenance."""
        ...

    def scale_sets(self, subscription_id: str) -> AsyncIterator[ScaleSet | Unreadable]:
        """Every scale set, page by page.

        Raises:
            Retryable, Terminal: As for `models`.
        """
        ...

    def instances(self, scale_set: ScaleSet) -> AsyncIterator[Vm | Unreadable]:
        """Every instance of a set with Uniform orchestration, model and instance view, page by page.

        Raises:
            Retryable, Terminal: As for `models`. A set that is gone has no instances.
        """
        ...

    async def get(self, vm_id: str) -> Vm:
        """One VM, or an instance of a uniform scale set: model and instance view, read now.

        An instance without tags of its own has its set's, which may be a minute old.

        Raises:
            VmNotFound: ARM answers 404.
            InvalidInput: The answer cannot be used; names the field.
        """
        ...

    async def start_maintenance(
        self, vm_id: str, *, request_id: str, within: timedelta
    ) -> Accepted:
        """Sends performMaintenance exactly once, with no retries of any kind.

        Args:
            vm_id: The VM's ARM id.
            request_id: Sent as x-ms-client-request-id.
            within: How long to wait for the answer.

        Raises:
            Refused: ARM refused it; nothing was started.
            StartUnknown: No answer, or a 5xx: it may have been taken.
            VmNotFound: ARM answers 404.
        """
        ...

    async def operation(self, url: str) -> Operation:
        """Asks once for an operation's state. Never follows an URL of another host than ARM's.

        A 404, 403 or unreadable answer is `unknown`, not an error.
        """
        ...

    async def activities(self, vm_id: str, *, since: datetime) -> Sequence[Activity]:
        """What the activity log has of performMaintenance on this VM; empty where it may not be read.

        Raises:
            Retryable: It was too busy to tell anything.
        """
        ...

    async def locations(self, subscription_id: str) -> Sequence[Location]:
        """The regions as the subscription sees them: their pairs, and its own numbering of their zones."""
        ...

    async def surroundings(self, subscription_id: str) -> Surroundings:
        """What stands around the subscription's VMs, for preflight. Costs two lists; ask where it matters.

        Never an error: what cannot be read is in `unread`, with the right that is missing.
        """
        ...


# --- tables ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """A row of `BatonPolicies` as people wrote it.

    Attributes:
        columns: Every column but the keys, `status` and `statusMessage`; values as the table has them.
        status, status_message: As Baton last wrote them.
    """

    team: str
    policy: str
    columns: Mapping[str, object]
    status: str = ""
    status_message: str = ""
    etag: str = ""


class PolicyStore(Protocol):
    """Table `BatonPolicies`: written by people, by hand or with `./baton policy`, and read by Baton."""

    async def rows(self) -> Sequence[PolicyRow]:
        """Every row, sorted by team and policy."""
        ...

    async def row(self, team: str, policy: str) -> PolicyRow | None:
        """One row, read now; None if there is none."""
        ...

    async def write(self, row: PolicyRow) -> None:
        """Writes a row for a person, as a whole: a column that is not in it is gone.

        A row with an ETag replaces the one that was read; one without is new.

        Raises:
            Stale: The row changed or vanished meanwhile, or there is one already.
            InvalidInput: A key or a value that no table takes; names the column.
        """
        ...

    async def delete(self, row: PolicyRow) -> None:
        """Deletes a row for a person.

        Raises:
            Stale: The row changed or vanished meanwhile.
        """
        ...

    async def write_status(self, row: PolicyRow, *, status: str, message: str) -> None:
        """Merges the two status columns into the row and touches nothing else.

        Raises:
            Stale: The row changed or vanished meanwhile.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The ETags that a transaction gave, for a next one after it.

    Attributes:
        guard: `""` if the change had none.
        jobs: Job id → ETag.
    """

    guard: str = ""
    heads: Mapping[PolicyKey, str] = field(default_factory=dict)
    jobs: Mapping[str, str] = field(default_factory=dict)


class JobStore(Protocol):
    """Table `BatonJobs`."""

    async def books(self) -> Books:
        """Everything. The guard is read before the rest, so that a commit under it saw all."""
        ...

    async def ledger(self, team: str, policy: str, *, known: Ledger | None = None) -> Ledger | None:
        """One policy's head and jobs, the head read first; None if the policy has no head.

        Args:
            team: The policy's.
            policy: Its name.
            known: As it was read or written before. While the head is the same it is given back, and its
                jobs are not read: no slot and no planned job's state changes but under the head.
        """
        ...

    async def job(self, team: str, policy: str, job_id: str) -> Job | None:
        """One job, read now."""
        ...

    async def away(self, domain_set: str) -> Away:
        """The placement row of a set; an empty one with no ETag if there is none.

        Raises:
            InvalidInput: It cannot be read. Nothing of the set may start then: who is away is unknown.
        """
        ...

    async def commit(self, change: Change) -> Committed:
        """Writes all of it or nothing, in one transaction of at most 100 rows.

        A row with an ETag is replaced (or removed) only if it still has that ETag; a row without is
        created only if there is none.

        Raises:
            Stale: Some row was not as expected; nothing was written.
            ValueError: More than 100 rows.
        """
        ...


class OutcomeStore(Protocol):
    """Table `BatonOutcomes`: one row per attempt, never changed."""

    async def of(self, vm_id: str) -> Sequence[Mapping[str, object]]:
        """A VM's rows, newest first, with the columns of the table."""
        ...

    async def add(self, job: Job, attempt: Attempt) -> None:
        """Writes the row. The same job and attempt number again changes nothing."""
        ...


class AlertStore(Protocol):
    """Table `BatonAlerts`."""

    async def add(self, alert: Alert) -> bool:
        """Writes it if its id is new; whether it was."""
        ...

    async def unsent(self) -> Sequence[Alert]:
        """Every alert that is RAISED or MAILING, oldest first."""
        ...

    async def tried_since(self, since: datetime) -> Sequence[Alert]:
        """Every alert whose mail was last given to the mail service after that, in any state."""
        ...

    async def raised_since(self, since: datetime) -> Sequence[Alert]:
        """Every alert raised after that, in any state, newest first."""
        ...

    async def replace(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Replaces at most 100 alerts in one transaction, each only if it still has its ETag.

        Returns:
            The alerts with their new ETags.

        Raises:
            Stale: Some alert changed meanwhile; nothing was written.
        """
        ...

    async def heartbeat(self) -> Heartbeat | None:
        """The last that was kept; None if there is none, or none that can be read."""
        ...

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Keeps a heartbeat in the place of the last, whatever that was. One of many at once is kept."""
        ...

    async def left_alone(self) -> Sequence[LeftAlone]:
        """The VMs that the last discovery found a maintenance and no policy for, by VM id."""
        ...

    async def keep_left_alone(self, found: Sequence[LeftAlone]) -> None:
        """Makes that list these VMs. Not in one transaction: half a list is mended by the next discovery."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A message: look at this job. It carries nothing that is acted upon."""

    team: str
    policy: str
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """A wake and the instant before which it must not come.

    Attributes:
        cause: Part of the message id: the same job, instant and cause is the same message, and the bus
            drops the second; another instant is another message.
    """

    wake: Wake
    at: datetime
    cause: str = field(default="due")


class Bus(Protocol):
    """The two queues. A wake may come twice, late, or never; nothing may depend on one."""

    async def wake(self, wakes: Sequence[WakeAt], *, now: datetime) -> None:
        """Sends or schedules them, in as few requests as the bus allows."""
        ...

    async def wake_alerts(self, at: datetime, *, now: datetime) -> None:
        """Has the alerts looked at, not before `at`."""
        ...
