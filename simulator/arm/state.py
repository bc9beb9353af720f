"""What a VM and its maintenance are at one moment, and how one change makes the next state."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from simulator.arm.patches import PatchState


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One maintenance Azure announced for a VM.

    Attributes:
        id: the emulator's own name for the occurrence; Azure shows none.
        pre_start: the self-service window opens.
        pre_end: the self-service window closes; this instant is outside.
        start: the scheduled window opens.
        end: the scheduled window closes and the announcement with it.
        code: ``lastOperationResultCode``; the string "None" before any attempt ended.
        message: ``lastOperationMessage``.
        is_closed: whether no further attempt is offered, whatever the windows say.
        accepted: how many performMaintenance requests were accepted for it.
    """

    id: str
    pre_start: datetime
    pre_end: datetime
    start: datetime
    end: datetime
    code: str = "None"
    message: str | None = None
    is_closed: bool = False
    accepted: int = 0

    def moved_to(self, windows: Mapping[str, datetime]) -> "Maintenance":
        """The same maintenance with other instants, by name: those not given stay."""
        return replace(
            self,
            pre_start=windows.get("pre_start", self.pre_start),
            pre_end=windows.get("pre_end", self.pre_end),
            start=windows.get("start", self.start),
            end=windows.get("end", self.end),
        )


@dataclass(frozen=True, slots=True)
class VmState:
    """A VM at one moment.

    Attributes:
        power: as in ``PowerState/…``: running, stopping, stopped, starting, deallocated.
        is_agent_ready: whether the VM agent reports.
        agent_since: when it began or ceased to.
        provisioning: ``provisioningState``: Succeeded, Updating, Failed.
        provisioning_since: when it became so.
        operation: the id of the operation that has not ended, or empty.
        moves: how often the VM moved to another node; each loses the temporary disk and changes
            the dynamic address.
    """

    power: str
    is_agent_ready: bool
    agent_since: datetime
    provisioning_since: datetime
    provisioning: str = "Succeeded"
    operation: str = ""
    moves: int = 0
    maintenance: Maintenance | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    patches: PatchState = field(default_factory=PatchState)

    def is_offered(self, now: datetime) -> bool:
        """``isCustomerInitiatedMaintenanceAllowed`` at ``now``."""
        return (
            self.maintenance is not None
            and not self.maintenance.is_closed
            and not self.operation
            and self.maintenance.pre_start <= now < self.maintenance.pre_end
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a VM at one instant.

    Attributes:
        at: the instant; the log carries it even if nobody asked at that moment.
        vm: the lower-cased id of the VM.
        apply: makes the state after from the state before.
        event: how the log calls it; empty for what only a reader of the VM sees.
        maintenance: the id of the maintenance whose attempt brings it about.
        details: what else the log is to know.
    """

    at: datetime
    vm: str
    apply: Callable[[VmState], VmState]
    event: str = ""
    maintenance: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
