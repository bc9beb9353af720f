"""The course of one accepted installPatches: what happens to the VM, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.arm import patch_bodies
from simulator.arm.patch_course import PatchCourse, PatchStart, of_patches, status_of
from simulator.arm.patches import Patch, PatchState, selected, unknown_kbs
from simulator.arm.state import Change, VmState
from simulator.patch_model import PatchWord

ERROR: Final = {
    "code": "PatchInstallationFailed",
    "message": "Installing the patch failed with 0x80070643: Fatal error during installation.",
}


def install_course(start: PatchStart, asked: Mapping[str, Any]) -> PatchCourse:
    """What an accepted installPatches leads to, by its body."""
    chosen = selected(start.available, asked.get("windowsParameters") or {})
    install = _Install(start, asked, chosen)
    if start.word is PatchWord.HANG:
        return PatchCourse((install.begins(),), None, None)
    return PatchCourse(tuple(install.changes()), install.ends_at, install.result())


@dataclass(frozen=True, slots=True)
class _Install:
    """One installation.

    A reboot leaves ``PowerState/running``, as a guest's own does; only its agent is away.
    """

    start: PatchStart
    asked: Mapping[str, Any]
    chosen: tuple[Patch, ...]

    @property
    def fails(self) -> bool:
        return self.start.word is PatchWord.FAILED

    @property
    def waiting(self) -> frozenset[str]:
        """What is in force only after a reboot."""
        return frozenset(patch.kb for patch in self.chosen if patch.reboot != "NeverReboots")

    @property
    def reboots(self) -> bool:
        setting = self.asked.get("rebootSetting")
        wants = setting == "Always" or (bool(self.waiting) and setting != "Never")
        return bool(self.chosen) and not self.fails and wants

    @property
    def patched_at(self) -> datetime:
        return self.start.at + timedelta(seconds=self.start.spec.install_seconds)

    @property
    def ends_at(self) -> datetime:
        away = self.start.spec.reboot_seconds if self.reboots else 0
        return self.patched_at + timedelta(seconds=away)

    @property
    def kbs(self) -> list[str]:
        return sorted(patch.kb for patch in self.chosen)

    def begins(self) -> Change:
        begun = of_patches(self._begun)
        return self.start.change(self.start.at, begun, "installing", kbs=self.kbs)

    def changes(self) -> list[Change]:
        change = self.start.change
        found = [self.begins(), change(self.patched_at, of_patches(self._patched))]
        if self.reboots:
            found += [
                change(self.patched_at, self._away, "rebooting", kbs=self.kbs),
                change(self.ends_at, self._back, "rebooted", kbs=self.kbs),
            ]
        event = "installFailed" if self.fails else "installed"
        return [*found, change(self.ends_at, of_patches(self._done), event, kbs=self.kbs)]

    def result(self) -> dict[str, Any]:
        """The body that it ends with."""
        windows = self.asked.get("windowsParameters") or {}
        status, error = status_of(self.start.word), ERROR if self.fails else None
        if missing := unknown_kbs(self.start.available, windows):
            message = f"Not found among the available updates: {', '.join(missing)}."
            status = "CompletedWithWarnings" if status == "Succeeded" else status
            error = error or {"code": "PatchesNotFound", "message": message}
        needed = "Required" if self.waiting and not self.fails else "NotNeeded"
        return patch_bodies.installation_result(
            self.start.operation,
            {patch: self._became(patch, windows) for patch in self.start.available},
            status=status,
            reboot="Completed" if self.reboots else needed,
            at=self.start.at,
            error=error,
        )

    def _became(self, patch: Patch, windows: Mapping[str, Any]) -> str:
        if patch not in self.chosen:
            excluded = map(str, windows.get("kbNumbersToExclude") or ())
            return "Excluded" if patch.kb in excluded else "NotSelected"
        if self.fails:
            return "Failed"
        return "Pending" if patch.kb in self.waiting and not self.reboots else "Installed"

    def _begun(self, patches: PatchState) -> PatchState:
        operation = self.start.operation
        running = patch_bodies.in_progress("installation", operation, self.start.at)
        return replace(patches, operation=operation, is_installing=True, installation=running)

    def _patched(self, patches: PatchState) -> PatchState:
        if self.fails:
            return patches
        summary = dict(patches.assessment or {})
        if summary and self.waiting:
            summary["rebootPending"] = True
        return replace(
            patches,
            installed=patches.installed | (frozenset(self.kbs) - self.waiting),
            pending=patches.pending | self.waiting,
            assessment=summary or None,
        )

    def _away(self, state: VmState) -> VmState:
        return replace(state, is_agent_ready=False, agent_since=self.patched_at)

    def _back(self, state: VmState) -> VmState:
        return replace(
            state,
            is_agent_ready=self.start.word is not PatchWord.AGENT_LOST,
            agent_since=self.ends_at,
            patches=state.patches.rebooted(),
        )

    def _done(self, patches: PatchState) -> PatchState:
        result = self.result()
        summary = patch_bodies.installation_summary(result, self.ends_at)
        ended = summary["lastModifiedTime"]
        return replace(
            patches,
            operation="",
            is_installing=False,
            installation=summary,
            assessment=self._assessed_anew(patches, ended),
            history=(*patches.history, {**result, "endedAt": ended}),
        )

    def _assessed_anew(self, patches: PatchState, ended: str) -> Mapping[str, Any] | None:
        """The assessment as an installation leaves it: without what it installed."""
        if patches.assessment is None or self.fails:
            return patches.assessment
        left = [patch for patch in self.start.available if patch not in self.chosen]
        automatic = sum(patch.is_automatic for patch in left)
        counts = {
            "criticalAndSecurityPatchCount": automatic,
            "otherPatchCount": len(left) - automatic,
        }
        return {**patches.assessment, **counts, "lastModifiedTime": ended}
