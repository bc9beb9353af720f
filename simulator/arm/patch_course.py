"""How a VM is patched at first, and the course of one accepted assessPatches."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.arm import patch_bodies
from simulator.arm.patches import (
    Patch,
    PatchState,
    Resolved,
    available,
)
from simulator.arm.state import Change, VmState
from simulator.patch_model import Patching, PatchWord
from simulator.scenario_table import resolve

ASSESS_ERROR: Final = {
    "code": "WindowsUpdateSearchFailed",
    "message": "Searching for updates failed with 0x8024402C.",
}


@dataclass(frozen=True, slots=True)
class PatchCourse:
    """Everything one accepted request leads to.

    Attributes:
        changes: in order of time.
        ends_at: when the operation ends; None for never.
        result: the body that it ends with.
    """

    changes: tuple[Change, ...]
    ends_at: datetime | None
    result: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class PatchStart:
    """An accepted request: what the course depends on.

    Attributes:
        vm: the lower-cased id of the VM.
        operation: the id that the operation will have.
        available: what the VM lacks at that moment.
        pending: whether a reboot was pending then.
    """

    vm: str
    operation: str
    at: datetime
    word: PatchWord
    spec: Patching
    available: tuple[Patch, ...]
    pending: bool

    def change(
        self, at: datetime, apply: Callable[[VmState], VmState], event: str = "", **details: Any
    ) -> Change:
        """A change of this VM, brought about by this request."""
        return Change(at, self.vm, apply, event, details={"operationId": self.operation, **details})


def assess_course(start: PatchStart) -> PatchCourse:
    """What an accepted assessPatches leads to."""
    ends_at = start.at + timedelta(seconds=start.spec.assess_seconds)
    status = status_of(start.word)
    result = patch_bodies.assessment_result(
        start.operation,
        start.available,
        status=status,
        at=start.at,
        reboot_pending=start.pending,
        error=ASSESS_ERROR if status == "Failed" else None,
    )

    def begun(patches: PatchState) -> PatchState:
        running = patch_bodies.in_progress("assessment", start.operation, start.at)
        return replace(patches, operation=start.operation, assessment=running)

    def done(patches: PatchState) -> PatchState:
        summary = patch_bodies.assessment_summary(result, ends_at)
        return replace(patches, operation="", assessment=summary)

    changes = [start.change(start.at, of_patches(begun))]
    if start.word is PatchWord.HANG:
        return PatchCourse(tuple(changes), None, None)
    changes.append(start.change(ends_at, of_patches(done), "assessed", status=status))
    return PatchCourse(tuple(changes), ends_at, result)


def initial_state(spec: Patching, releases: Resolved, t0: datetime, vm_key: str) -> PatchState:
    """How the scenario has a VM patched at T0."""
    patched_to = resolve(spec.patched_to, t0)
    state = PatchState(
        mode=spec.mode,
        hotpatching=spec.hotpatching,
        automatic_updates=spec.automatic_updates,
        agent=spec.agent,
        time_zone=spec.time_zone,
        assessment_mode=spec.assessment_mode,
        reboot_setting=spec.reboot_setting,
        configured_at=t0 if spec.mode == "AutomaticByPlatform" else None,
        installed=frozenset(one.kb for at, one in releases if at <= patched_to),
    )
    if spec.assessed is None:
        return state
    at = resolve(spec.assessed, t0)
    result = patch_bodies.assessment_result(
        f"{vm_key}#before",
        available(releases, state, at),
        status="Succeeded",
        at=at,
        reboot_pending=False,
        error=None,
    )
    return replace(state, assessment=patch_bodies.assessment_summary(result, at))


def status_of(word: PatchWord) -> str:
    """The status of a result."""
    return str(word) if word in {PatchWord.FAILED, PatchWord.WARNINGS} else "Succeeded"


def of_patches(apply: Callable[[PatchState], PatchState]) -> Callable[[VmState], VmState]:
    """A change of a VM that is one of its patches alone."""
    return lambda state: replace(state, patches=apply(state.patches))
