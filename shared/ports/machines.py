"""The VMs of Azure Resource Manager, and the start of their maintenance."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.maintenance import ListedStatus, Subscription, Unreadable, Vm
from shared.domain.places import Location
from shared.domain.preflight import Surroundings
from shared.domain.scale_sets import ScaleSet


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
