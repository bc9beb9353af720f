"""Patching: what Resource Manager offers of it, and what is kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from shared.domain.patching.model import PatchSettings
from shared.domain.patching.record import PatchRecord
from shared.domain.patching.results import (
    Assessment,
    Installation,
    InstallRequest,
    PastInstallation,
)
from shared.ports.machines import Accepted, Activity, Operation

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchOperation(Generic[_T]):
    """State of an assessment or an installation.

    Attributes:
        operation: `failed` too where Azure gives a result that says Failed, with the error of that.
        result: None until there is one, and where Azure gives none.
    """

    operation: Operation
    result: _T | None = None


class Patches(Protocol):
    """The patching of VMs that ARM offers. Nothing that starts something is ever sent twice."""

    async def start_assessment(self, vm_id: str, *, request_id: str, within: timedelta) -> Accepted:
        """Sends assessPatches exactly once. Its operation's URL is for `assessment`.

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

    async def start_installation(
        self, vm_id: str, *, request: InstallRequest, request_id: str, within: timedelta
    ) -> Accepted:
        """Sends installPatches exactly once; otherwise as `start_assessment`.

        Its operation's URL is for `installation`.
        """
        ...

    async def assessment(self, url: str) -> PatchOperation[Assessment]:
        """Asks once how an assessment stands. Never follows an URL of another host than ARM's.

        A 404, 403 or unreadable answer is `unknown`, not an error.

        Raises:
            Retryable: ARM is busy.
        """
        ...

    async def installation(self, url: str) -> PatchOperation[Installation]:
        """Asks once how an installation stands; otherwise as `assessment`."""
        ...

    async def installation_activities(self, vm_id: str, *, since: datetime) -> Sequence[Activity]:
        """What the activity log has of installPatches on this VM; empty where it may not be read.

        Raises:
            Retryable: It was too busy to tell anything.
        """
        ...


class PatchStore(Protocol):
    """Table `BatonPatches`: one row per VM that a policy has watched. A look at the VM makes it anew."""

    async def records(self) -> Sequence[PatchRecord]:
        """Every record that can be read; another is named in the log, and made anew by the next look."""
        ...

    async def record(self, vm_id: str) -> PatchRecord | None:
        """A VM's, read now; None if there is none that can be read."""
        ...

    async def keep(self, record: PatchRecord) -> None:
        """Keeps a record in the place of the VM's last, whatever that was.

        Raises:
            InvalidInput: A value fits no table; names the column.
        """
        ...

    async def forget(self, vm_id: str) -> None:
        """Removes a VM's record, if there is one."""
        ...


class Enrolment(Protocol):
    """What people ask of Azure about Hotpatch by hand. Each of it may be asked twice without harm.

    Every method raises Terminal where the identity lacks a right, which it names.
    """

    async def feature(self, subscription_id: str, name: str) -> str:
        """The state of a preview feature of Microsoft.Compute: `Registered`, `Registering`, ...

        `""` where Azure does not know such a feature, or not any more.
        """
        ...

    async def register_feature(self, subscription_id: str, name: str) -> str:
        """Asks for the registration of a preview feature; its state then, `""` as for `feature`."""
        ...

    async def provider(self, subscription_id: str) -> str:
        """The registration state of Microsoft.Compute."""
        ...

    async def register_provider(self, subscription_id: str) -> str:
        """Registers Microsoft.Compute anew, which takes features into force; its state then."""
        ...

    async def change_settings(self, vm_id: str, settings: PatchSettings) -> None:
        """Writes a VM's patch settings; whether its agent and automatic updates are on stays as it is.

        Raises:
            VmNotFound: ARM answers 404.
            Terminal: ARM refuses the change, with its words.
        """
        ...

    async def history(self, vm_id: str) -> Sequence[PastInstallation]:
        """The VM's installations of the last 30 days, the newest first, whoever asked for them."""
        ...
