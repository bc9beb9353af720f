"""Which patches a VM lacks, which an installation selects, and what both leave behind."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from simulator.patch_model import Release

_CUMULATIVE: Final = ("baseline", "hotpatch")


@dataclass(frozen=True, slots=True)
class Patch:
    """A release as one VM is offered it."""

    kb: str
    name: str
    classification: str
    reboot: str
    published: datetime

    @property
    def is_automatic(self) -> bool:
        """Whether Azure counts it as critical or security."""
        return self.classification in {"Critical", "Security"}


@dataclass(frozen=True, slots=True)
class PatchState:
    """What is known of a VM's patches.

    Attributes:
        mode, hotpatching, ...: ``patchSettings`` as they are now.
        installed: KBs in force.
        pending: KBs installed that wait for a reboot.
        assessment, installation: the summaries of ``patchStatus`` as Azure writes them; None before
            the first.
        operation: the id of the assessment or installation that has not ended, or empty.
        is_installing: whether that is an installation.
    """

    mode: str = "AutomaticByOS"
    hotpatching: bool = False
    automatic_updates: bool = True
    agent: bool = True
    time_zone: str = ""
    assessment_mode: str = "ImageDefault"
    reboot_setting: str = ""
    bypass: bool = False
    configured_at: datetime | None = None
    installed: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    assessment: Mapping[str, Any] | None = None
    installation: Mapping[str, Any] | None = None
    operation: str = ""
    is_installing: bool = False
    history: tuple[Mapping[str, Any], ...] = field(default=())

    def rebooted(self) -> "PatchState":
        """After a reboot, whoever caused it: what waited for one is in force."""
        summary = dict(self.assessment or {})
        if summary:
            summary["rebootPending"] = False
        return replace(
            self,
            installed=self.installed | self.pending,
            pending=frozenset(),
            assessment=summary or None,
        )


Resolved = Sequence[tuple[datetime, Release]]


def available(releases: Resolved, state: PatchState, now: datetime) -> tuple[Patch, ...]:
    """What a VM lacks at ``now``, of releases in order of time."""
    out = [(at, release) for at, release in releases if at <= now]
    done = state.installed | state.pending
    cumulative = [pair for pair in out if pair[1].kind in _CUMULATIVE]
    found = [_cumulative(cumulative, state)] if cumulative else []
    found += [
        Patch(one.kb, one.name, one.classification, one.reboot, at)
        for at, one in out
        if one.kind == "other"
    ]
    return tuple(patch for patch in found if patch and patch.kb not in done)


def _cumulative(releases: Resolved, state: PatchState) -> Patch | None:
    """The one cumulative patch that a VM is offered; None while its baseline waits for a reboot."""
    baseline = next((it for it in reversed(releases) if it[1].kind == "baseline"), None)
    at, newest = releases[-1]
    on_baseline = baseline is None or baseline[1].kb in state.installed
    if not state.hotpatching or state.mode != "AutomaticByPlatform":
        return Patch(newest.kb, newest.name, newest.classification, "AlwaysRequiresReboot", at)
    if baseline and baseline[1].kb in state.pending:
        return None
    if baseline and not on_baseline:
        at, newest = baseline
    reboot = "AlwaysRequiresReboot" if newest.kind == "baseline" else "NeverReboots"
    return Patch(newest.kb, newest.name, newest.classification, reboot, at)


def selected(patches: Iterable[Patch], windows: Mapping[str, Any]) -> tuple[Patch, ...]:
    """What an installation's ``windowsParameters`` choose of what is available."""
    classifications = {str(it).lower() for it in windows.get("classificationsToInclude") or ()}
    included = set(map(str, windows.get("kbNumbersToInclude") or ()))
    excluded = set(map(str, windows.get("kbNumbersToExclude") or ()))
    calm = bool(windows.get("excludeKbsRequiringReboot"))
    return tuple(
        patch
        for patch in patches
        if (patch.classification.lower() in classifications or patch.kb in included)
        and patch.kb not in excluded
        and not (calm and patch.reboot != "NeverReboots")
    )


def unknown_kbs(patches: Iterable[Patch], windows: Mapping[str, Any]) -> list[str]:
    """The KBs that a request names and that the VM is not offered."""
    known = {patch.kb for patch in patches}
    return [str(kb) for kb in windows.get("kbNumbersToInclude") or () if str(kb) not in known]
