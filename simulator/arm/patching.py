"""What the cloud does about patches: assessments, installations, settings, and what Microsoft releases."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.arm import errors
from simulator.arm.cloud import Cloud
from simulator.arm.errors import ArmError
from simulator.arm.operations import ASSESS, INSTALL, Operation, Refusal, Request
from simulator.arm.patch_course import PatchCourse, PatchStart, assess_course
from simulator.arm.patch_install import install_course
from simulator.arm.patches import available
from simulator.arm.records import NAMESPACE, VmRecord
from simulator.arm.verdict import Verdict
from simulator.patch_model import PatchWord, Release
from simulator.scenario_table import resolve

_MODES: Final = ("Manual", "AutomaticByOS", "AutomaticByPlatform")
_REBOOTS: Final = ("IfRequired", "Never", "Always")
# Without enableAutomaticUpdates there is no way to AutomaticByOS, with it none to Manual: it is set for good
# when a VM is created (automatic-vm-guest-patching).
_CLOSED: Final = {True: "Manual", False: "AutomaticByOS"}


def assess(cloud: Cloud, record: VmRecord, now: datetime, request: Request) -> Verdict:
    """Answer one assessPatches: Azure's rules first, then the scenario's script."""
    return _begin(cloud, record, now, request, ASSESS, None)


def install(
    cloud: Cloud, record: VmRecord, now: datetime, request: Request, asked: Mapping[str, Any]
) -> Verdict:
    """Answer one installPatches.

    Raises:
        ArmError: 400 for a body that says too little, or something unknown.
    """
    windows = asked.get("windowsParameters") or {}
    setting = asked.get("rebootSetting")
    if setting not in _REBOOTS:
        raise errors.invalid_parameter("rebootSetting", str(setting), "Use IfRequired.")
    if not windows.get("classificationsToInclude") and not windows.get("kbNumbersToInclude"):
        why = "At least one classification or KB number must be included."
        raise errors.invalid_parameter("installPatchesInput.windowsParameters", str(windows), why)
    return _begin(cloud, record, now, request, INSTALL, asked)


def update_settings(record: VmRecord, body: Mapping[str, Any], now: datetime) -> None:
    """PATCH of a VM, as far as it is about patches.

    Raises:
        ArmError: 400 or 409 for a change that Azure does not take.
    """
    profile = (body.get("properties") or {}).get("osProfile") or {}
    windows = profile.get("windowsConfiguration") or {}
    settings = windows.get("patchSettings") or {}
    state = record.state.patches
    mode = settings.get("patchMode", state.mode)
    hotpatching = settings.get("enableHotpatching", state.hotpatching)
    if mode not in _MODES:
        raise errors.invalid_parameter("patchMode", str(mode), f"Use one of {', '.join(_MODES)}.")
    if windows.get("enableAutomaticUpdates", state.automatic_updates) != state.automatic_updates:
        name = "osProfile.windowsConfiguration.enableAutomaticUpdates"
        raise errors.property_change_not_allowed(name)
    if mode != state.mode and mode == _CLOSED[state.automatic_updates]:
        raise errors.property_change_not_allowed("osProfile.windowsConfiguration.patchSettings")
    if hotpatching and (mode != "AutomaticByPlatform" or not state.agent):
        why = "It needs provisionVMAgent true and patchMode AutomaticByPlatform."
        raise errors.invalid_parameter("enableHotpatching", "true", why)
    platform = settings.get("automaticByPlatformSettings") or {}
    changed = replace(
        state,
        mode=mode,
        hotpatching=hotpatching,
        assessment_mode=settings.get("assessmentMode", state.assessment_mode),
        reboot_setting=platform.get("rebootSetting", state.reboot_setting),
        configured_at=now,
    )
    record.state = replace(record.state, patches=changed)


def release(cloud: Cloud, one: Release, now: datetime) -> None:
    """Microsoft releases a patch, now or at the moment that it names."""
    at = resolve(one.at, cloud.t0)
    cloud.releases = sorted([*cloud.releases, (at, one)], key=lambda pair: pair[0])
    cloud.journal.event("released", max(at, now), kb=one.kb, release=one.kind)


def _begin(
    cloud: Cloud,
    record: VmRecord,
    now: datetime,
    request: Request,
    action: str,
    asked: Mapping[str, Any] | None,
) -> Verdict:
    refusal = _refusal_of_state(record)
    if refusal is not None:
        return _refused(cloud, record, now, request, action, Verdict(*refusal))
    spec = record.spec.patching
    script = spec.assess if action == ASSESS else spec.install
    step = record.patch_steps.get(action, 0)
    record.patch_steps[action] = step + 1
    word = script[min(step, len(script) - 1)]
    if not word.is_accepted:
        reason, error = _refusal_of_word(word)
        return _refused(cloud, record, now, request, action, Verdict(reason, error, word))
    identity = str(uuid.uuid5(NAMESPACE, f"{record.key}#operation{len(cloud.operations)}"))
    start = PatchStart(
        vm=record.key,
        operation=identity,
        at=now,
        word=word,
        spec=spec,
        available=available(cloud.releases, record.state.patches, now),
        pending=bool(record.state.patches.pending),
    )
    course = assess_course(start) if asked is None else install_course(start, asked)
    operation = Operation(
        id=identity,
        vm=record.id,
        location=record.spec.location,
        started=now,
        ends_at=course.ends_at,
        error=None,
        request=request,
        action=action,
        result=course.result,
    )
    _follow(cloud, operation, course, now)
    return Verdict(word=word, operation=operation)


def _follow(cloud: Cloud, operation: Operation, course: PatchCourse, now: datetime) -> None:
    cloud.operations[operation.id] = operation
    for change in course.changes:
        cloud.schedule(change.at, change)
    cloud.advance(now)


def _refusal_of_state(record: VmRecord) -> tuple[str, ArmError] | None:
    """Why Azure's own rules refuse it; the texts are not known from Azure: nothing may depend on them."""
    state = record.state
    if state.operation or state.patches.operation:
        return "operationInProgress", errors.conflict()
    if state.power != "running":
        return "notRunning", errors.patch_not_allowed(record.spec.name, "the VM is not running")
    if not state.is_agent_ready:
        why = "the VM agent is not reporting its status"
        return "agentNotReady", errors.patch_not_allowed(record.spec.name, why)
    if not record.spec.image.lower().startswith("microsoftwindowsserver:"):
        why = "the image of this VM is not supported"
        return "imageNotSupported", errors.patch_not_allowed(record.spec.name, why)
    return None


def _refusal_of_word(word: PatchWord) -> tuple[str, ArmError | None]:
    if word is PatchWord.REFUSE_409:
        return "refused", errors.patch_not_allowed("this VM", "the platform does not allow it now")
    if word is PatchWord.BUSY_409:
        return "busy", errors.another_operation()
    return "dropped", None


def _refused(
    cloud: Cloud,
    record: VmRecord,
    now: datetime,
    request: Request,
    action: str,
    verdict: Verdict,
) -> Verdict:
    if verdict.error is not None:
        error = verdict.error
        cloud.refusals.append(
            Refusal(record.id, now, error.status, error.code, error.message, request, action)
        )
    return verdict


def history_of(record: VmRecord, now: datetime) -> list[dict[str, Any]]:
    """The VM's installations of the last 30 days, as Resource Graph keeps them, the newest first."""
    since = now - timedelta(days=30)
    ended = (
        (datetime.fromisoformat(str(one["endedAt"])), one) for one in record.state.patches.history
    )
    return [dict(one) for at, one in reversed(list(ended)) if at >= since]
