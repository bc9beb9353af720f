"""What became of each request that starts something: operations and refusals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

REDEPLOY: Final = "Microsoft.Compute/virtualMachines/performMaintenance/action"
REDEPLOY_INSTANCE: Final = (
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/performMaintenance/action"
)
REDEPLOY_SET: Final = "Microsoft.Compute/virtualMachineScaleSets/performMaintenance/action"
ASSESS: Final = "Microsoft.Compute/virtualMachines/assessPatches/action"
INSTALL: Final = "Microsoft.Compute/virtualMachines/installPatches/action"


@dataclass(frozen=True, slots=True)
class Request:
    """The ids that Resource Manager gives one request, and the client's own."""

    request_id: str
    correlation_id: str
    client_request_id: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that was accepted.

    Attributes:
        vm: the id of the VM, or of the scale set, in its true casing.
        ends_at: when it ends; None for never.
        error: code and message where it ends Failed.
        action: the right that it needed.
        result: the body that it ends with, at Location; None for none.
    """

    id: str
    vm: str
    location: str
    started: datetime
    ends_at: datetime | None
    error: tuple[str, str] | None
    request: Request
    action: str = REDEPLOY
    result: Mapping[str, Any] | None = None

    def status(self, now: datetime) -> str:
        """``InProgress``, ``Succeeded`` or ``Failed`` at ``now``."""
        if self.ends_at is None or now < self.ends_at:
            return "InProgress"
        return "Failed" if self.error else "Succeeded"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request to start something, answered with an error."""

    vm: str
    at: datetime
    http_status: int
    code: str
    message: str
    request: Request
    action: str = REDEPLOY


def timestamp(at: datetime) -> str:
    """A time as most of Azure writes it: seven digits of a second, and Z."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}0Z"
