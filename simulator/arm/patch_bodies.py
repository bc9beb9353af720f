"""The JSON of patches, as the compute provider writes it."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from simulator.arm.operations import timestamp
from simulator.arm.patches import Patch, PatchState
from simulator.arm.records import NAMESPACE
from simulator.patch_model import CLASSIFICATIONS

Json = dict[str, Any]

_COUNTS: Final = (
    "notSelectedPatchCount",
    "excludedPatchCount",
    "pendingPatchCount",
    "installedPatchCount",
    "failedPatchCount",
)


def windows_configuration(state: PatchState) -> Json:
    """``osProfile.windowsConfiguration``."""
    settings: Json = {"patchMode": state.mode, "assessmentMode": state.assessment_mode}
    if state.hotpatching:
        settings["enableHotpatching"] = True
    if state.mode == "AutomaticByPlatform" and (state.reboot_setting or state.bypass):
        settings["automaticByPlatformSettings"] = {
            **({"rebootSetting": state.reboot_setting} if state.reboot_setting else {}),
            "bypassPlatformSafetyChecksOnUserSchedule": state.bypass,
        }
    body: Json = {
        "provisionVMAgent": state.agent,
        "enableAutomaticUpdates": state.automatic_updates,
        "patchSettings": settings,
    }
    if state.time_zone:
        body["timeZone"] = state.time_zone
    return body


def patch_status(state: PatchState) -> Json | None:
    """``instanceView.patchStatus``; None before anything is known."""
    body: Json = {}
    if state.assessment is not None:
        body["availablePatchSummary"] = dict(state.assessment)
    if state.installation is not None:
        body["lastPatchInstallationSummary"] = dict(state.installation)
    if state.configured_at is not None:
        body["configurationStatuses"] = [
            {
                "code": "PatchModeConfigurationState/Ready",
                "level": "Info",
                "displayStatus": "Status_PatchModeConfigurationState_Ready",
                "time": timestamp(state.configured_at),
            }
        ]
    return body or None


def activity_id(operation: str) -> str:
    """The activity of an operation: another id than its own, as with Azure."""
    return str(uuid.uuid5(NAMESPACE, f"activity {operation}"))


def assessment_result(
    operation: str,
    patches: Iterable[Patch],
    *,
    status: str,
    at: datetime,
    reboot_pending: bool,
    error: Json | None,
) -> Json:
    """The body that assessPatches ends with."""
    found = [] if status == "Failed" else list(patches)
    activity = activity_id(operation)
    automatic = sum(patch.is_automatic for patch in found)
    return {
        "status": status,
        "assessmentActivityId": activity,
        "rebootPending": reboot_pending,
        "criticalAndSecurityPatchCount": automatic,
        "otherPatchCount": len(found) - automatic,
        "startDateTime": timestamp(at),
        "availablePatches": [
            {
                **_identity(patch),
                "rebootBehavior": patch.reboot,
                "activityId": activity,
                "publishedDate": f"{patch.published:%Y-%m-%dT%H:%M:%SZ}",
                "lastModifiedDateTime": timestamp(at),
                "assessmentState": "Available",
            }
            for patch in found
        ],
        "error": error,
    }


def assessment_summary(result: Mapping[str, Any], ended: datetime) -> Json:
    """What ``patchStatus`` shows of an assessment that ended."""
    kept = (
        "status",
        "assessmentActivityId",
        "rebootPending",
        "criticalAndSecurityPatchCount",
        "otherPatchCount",
    )
    return {
        **{name: result[name] for name in kept},
        "startTime": result["startDateTime"],
        "lastModifiedTime": timestamp(ended),
        "error": result["error"],
    }


def installation_result(
    operation: str,
    states: Mapping[Patch, str],
    *,
    status: str,
    reboot: str,
    at: datetime,
    error: Json | None,
) -> Json:
    """The body that installPatches ends with; ``states`` is what became of each available patch."""
    counts = dict.fromkeys(_COUNTS, 0)
    for became in states.values():
        counts[f"{became[0].lower()}{became[1:]}PatchCount"] += 1
    return {
        "status": status,
        "installationActivityId": activity_id(operation),
        "rebootStatus": reboot,
        "maintenanceWindowExceeded": False,
        **counts,
        "startDateTime": timestamp(at),
        "patches": [
            {**_identity(patch), "installationState": became} for patch, became in states.items()
        ],
        "error": error,
    }


def installation_summary(result: Mapping[str, Any], ended: datetime) -> Json:
    """What ``patchStatus`` shows of an installation that ended."""
    kept = ("status", "installationActivityId", "maintenanceWindowExceeded", *_COUNTS)
    return {
        **{name: result[name] for name in kept},
        "startTime": result["startDateTime"],
        "lastModifiedTime": timestamp(ended),
        "error": result["error"],
    }


def in_progress(name: str, operation: str, at: datetime) -> Json:
    """What ``patchStatus`` shows of one that is under way; ``name`` is assessment or installation."""
    counts = dict.fromkeys(_COUNTS, 0) if name == "installation" else {}
    return {
        "status": "InProgress",
        f"{name}ActivityId": activity_id(operation),
        **counts,
        "startTime": timestamp(at),
        "lastModifiedTime": timestamp(at),
        "error": None,
    }


def _identity(patch: Patch) -> Json:
    return {
        "patchId": str(uuid.uuid5(NAMESPACE, patch.kb)),
        "name": patch.name,
        "version": "",
        "kbId": patch.kb,
        "classifications": [CLASSIFICATIONS[patch.classification]],
    }
