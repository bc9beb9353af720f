"""What Azure makes of one request that starts something, and why it refuses a performMaintenance."""

from dataclasses import dataclass
from datetime import datetime

from simulator.arm import errors
from simulator.arm.errors import ArmError
from simulator.arm.operations import Operation
from simulator.arm.state import VmState
from simulator.patch_model import PatchWord
from simulator.scenario_model import Step, Word

Refused = tuple[str, ArmError | None]
"""Why, for the log, and the answer; no answer at all where the connection is dropped."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one performMaintenance, assessPatches or installPatches.

    Attributes:
        reason: why it was refused; empty when it was accepted.
        error: the answer to a refused one; None where the connection is dropped instead.
        word: the script entry it used up; None where Azure's own rules refused it.
        operation: what was begun; None when refused.
        maintenance: the id of the maintenance it was about, empty for none.
    """

    reason: str = ""
    error: ArmError | None = None
    word: Word | PatchWord | None = None
    operation: Operation | None = None
    maintenance: str = ""


def refusal_of_state(vm_name: str, state: VmState, now: datetime) -> Refused | None:
    """Why Azure's own rules refuse a performMaintenance at ``now``; None where they let it pass.

    The texts but the first are not known from Azure: nothing may depend on them.
    """
    maintenance = state.maintenance
    if state.operation or state.patches.is_installing:
        return "operationInProgress", errors.conflict()
    if maintenance is None or now >= maintenance.end:
        why = "the Subscription of this VM is not eligible"
        return "noMaintenance", errors.not_allowed(vm_name, why)
    if state.power == "deallocated":
        return "deallocated", errors.not_allowed(vm_name, "the VM is deallocated")
    if maintenance.is_closed:
        why = "the maintenance of this VM was already attempted"
        return "alreadyAttempted", errors.not_allowed(vm_name, why)
    if not maintenance.pre_start <= now < maintenance.pre_end:
        why = "the VM is not in its self-service maintenance window"
        return "outsideWindow", errors.not_allowed(vm_name, why)
    return None


def refusal_of_script(vm_name: str, step: Step) -> Refused:
    """The refusal that a script entry asks for.

    Raises:
        ValueError: the entry is one that is accepted.
    """
    match step.word:
        case Word.REFUSE_409:
            why = "the platform does not allow it at this time"
            return "refused", errors.not_allowed(vm_name, why)
        case Word.BUSY_409:
            return "busy", errors.another_operation()
        case Word.THROTTLE_429:
            wait = step.delay.total_seconds()
            return "throttled", errors.compute_throttled("UpdateVMResource", wait)
        case Word.ERROR_503:
            return "unavailable", errors.unavailable()
        case Word.DROP_BEFORE:
            return "dropped", None
        case _:
            raise ValueError(f"{step.word} is accepted, so that there is no refusal of it")
