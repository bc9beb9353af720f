"""ARM's JSON about patches → the domain.

Patching must not cost a VM its maintenance: what cannot be used is absent, and named beside the rest.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from shared.adapters.arm_fields import Fields, unless_odd, word
from shared.domain.errors import InvalidInput, Problem
from shared.domain.patching.model import (
    AvailablePatchSummary,
    ImageReference,
    LastPatchInstallationSummary,
    PatchError,
    PatchMode,
    PatchOperationStatus,
    PatchSettings,
    PatchStatus,
    RebootSetting,
    spelt_as,
)
from shared.domain.patching.results import (
    Assessment,
    AvailablePatch,
    Installation,
    PastInstallation,
    PatchInstalled,
    RebootBehavior,
    RebootStatus,
    classification_of,
)

_T = TypeVar("_T")

# Azure's word where an operation has no error, spelt as by its extensions.
_NO_ERROR = ("success", "0")
# A month has a handful; an answer with more is not read to its end.
_PATCHES_MAX = 2_000
_ERROR_MAX = 2**20  # a row keeps the beginning


def image_of(storage: Fields) -> ImageReference | None:
    """The image of a VM; None where it has none."""
    image = unless_odd(None, lambda: storage.object("imageReference", required=False))
    if image is None or not image.present:
        return None
    read = _Tolerant(image)
    own = (read.text("id"), read.text("sharedGalleryImageId"), read.text("communityGalleryImageId"))
    return ImageReference(
        publisher=read.text("publisher"),
        offer=read.text("offer"),
        sku=read.text("sku"),
        version=read.text("exactVersion") or read.text("version"),
        id=next(filter(None, own), ""),
    )


def settings_of(properties: Fields) -> PatchSettings | None:
    """A VM's patch settings; None where it has no Windows configuration."""
    profile = unless_odd(None, lambda: properties.object("osProfile", required=False))
    read = _Tolerant(profile) if profile else None
    windows = read.inside("windowsConfiguration") if read else None
    if windows is None or not windows.present:
        return None
    patches = windows.inside("patchSettings")
    platform = patches.inside("automaticByPlatformSettings")
    return PatchSettings(
        provision_vm_agent=windows.choice("provisionVMAgent"),
        enable_automatic_updates=windows.choice("enableAutomaticUpdates"),
        time_zone=windows.text("timeZone"),
        patch_mode=patches.word("patchMode", PatchMode),
        enable_hotpatching=bool(patches.choice("enableHotpatching")),
        assessment_mode=patches.word("assessmentMode", PatchMode),
        reboot_setting=platform.word("rebootSetting", RebootSetting),
        bypass_platform_safety_checks_on_user_schedule=bool(
            platform.choice("bypassPlatformSafetyChecksOnUserSchedule")
        ),
        problems=tuple(windows.problems),
    )


def status_of(view: Fields) -> PatchStatus | None:
    """`patchStatus` of an instance view; None where there is none."""
    status = _Tolerant(view).inside("patchStatus")
    if not status.present:
        return PatchStatus(problems=tuple(status.problems)) if status.problems else None
    available = status.inside("availablePatchSummary")
    last = status.inside("lastPatchInstallationSummary")
    codes = [word(one, "code") for one in status.values("configurationStatuses")]
    return PatchStatus(
        available_patch_summary=_available(available) if available.present else None,
        last_patch_installation_summary=_last(last) if last.present else None,
        configuration_statuses=tuple(code for code in codes if code),
        problems=tuple(status.problems),
    )


def assessment_of(item: object) -> Assessment:
    """The result of assessPatches."""
    read = _Tolerant(Fields("the assessment", "", item if isinstance(item, Mapping) else {}))
    patches = [_patch(one) for one in read.values("availablePatches")[:_PATCHES_MAX]]
    return Assessment(
        status=read.word("status", PatchOperationStatus),
        assessment_activity_id=read.text("assessmentActivityId"),
        reboot_pending=read.choice("rebootPending"),
        critical_and_security_patch_count=read.number("criticalAndSecurityPatchCount"),
        other_patch_count=read.number("otherPatchCount"),
        start_date_time=read.time("startDateTime"),
        available_patches=tuple(patches),
        error=read.error(),
    )


def installation_of(item: object) -> Installation:
    """The result of installPatches."""
    read = _Tolerant(Fields("the installation", "", item if isinstance(item, Mapping) else {}))
    patches = [_installed(one) for one in read.values("patches")[:_PATCHES_MAX]]
    return Installation(
        status=read.word("status", PatchOperationStatus),
        installation_activity_id=read.text("installationActivityId"),
        reboot_status=read.word("rebootStatus", RebootStatus) or RebootStatus.UNKNOWN,
        maintenance_window_exceeded=read.choice("maintenanceWindowExceeded"),
        **_counts(read),
        start_date_time=read.time("startDateTime"),
        patches=tuple(patches),
        error=read.error(),
    )


def past_installation_of(item: object) -> PastInstallation:
    """A row of Resource Graph's `patchinstallationresources`."""
    row = Fields("an installation", "", item if isinstance(item, Mapping) else {})
    read = _Tolerant(row).inside("properties")
    return PastInstallation(
        installation_activity_id=read.text("installationActivityId") or word(item, "name"),
        status=read.word("status", PatchOperationStatus),
        reboot_status=read.word("rebootStatus", RebootStatus),
        started_by=read.text("startedBy"),
        start_date_time=read.time("startDateTime"),
        last_modified_date_time=read.time("lastModifiedDateTime"),
        installed_patch_count=read.number("installedPatchCount"),
        failed_patch_count=read.number("failedPatchCount"),
        pending_patch_count=read.number("pendingPatchCount"),
        error=read.error("errorDetails"),
    )


def _available(read: "_Tolerant") -> AvailablePatchSummary:
    return AvailablePatchSummary(
        status=read.word("status", PatchOperationStatus),
        assessment_activity_id=read.text("assessmentActivityId"),
        reboot_pending=read.choice("rebootPending"),
        critical_and_security_patch_count=read.number("criticalAndSecurityPatchCount"),
        other_patch_count=read.number("otherPatchCount"),
        start_time=read.time("startTime"),
        last_modified_time=read.time("lastModifiedTime"),
        error=read.error(),
    )


def _last(read: "_Tolerant") -> LastPatchInstallationSummary:
    return LastPatchInstallationSummary(
        status=read.word("status", PatchOperationStatus),
        installation_activity_id=read.text("installationActivityId"),
        maintenance_window_exceeded=read.choice("maintenanceWindowExceeded"),
        **_counts(read),
        start_time=read.time("startTime"),
        last_modified_time=read.time("lastModifiedTime"),
        error=read.error(),
    )


def _counts(read: "_Tolerant") -> dict[str, int | None]:
    return {
        "excluded_patch_count": read.number("excludedPatchCount"),
        "not_selected_patch_count": read.number("notSelectedPatchCount"),
        "pending_patch_count": read.number("pendingPatchCount"),
        "installed_patch_count": read.number("installedPatchCount"),
        "failed_patch_count": read.number("failedPatchCount"),
    }


def _patch(item: object) -> AvailablePatch:
    read = _Tolerant(Fields("a patch", "", item if isinstance(item, Mapping) else {}))
    return AvailablePatch(
        patch_id=read.text("patchId"),
        name=read.text("name"),
        version=read.text("version"),
        kb_id=_kb(read.text("kbId")),
        classifications=read.classifications(),
        reboot_behavior=read.word("rebootBehavior", RebootBehavior) or RebootBehavior.UNKNOWN,
        published_date=read.time("publishedDate"),
        assessment_state=read.text("assessmentState"),
    )


def _installed(item: object) -> PatchInstalled:
    read = _Tolerant(Fields("a patch", "", item if isinstance(item, Mapping) else {}))
    return PatchInstalled(
        patch_id=read.text("patchId"),
        name=read.text("name"),
        version=read.text("version"),
        kb_id=_kb(read.text("kbId")),
        classifications=read.classifications(),
        installation_state=read.text("installationState"),
    )


def _kb(text: str) -> str:
    """Digits alone; Azure gives them so, and its neighbours write `KB` before them."""
    return text.strip().lower().removeprefix("kb")


class _Tolerant:
    """Fields of which an unusable one is absent; the problems of one tree are kept together."""

    def __init__(self, fields: Fields, problems: list[Problem] | None = None) -> None:
        self._fields = fields
        self.present = fields.present
        self.problems = [] if problems is None else problems

    def inside(self, name: str) -> "_Tolerant":
        """The object by a name; an empty one where there is none."""
        nothing = Fields("", "", None)
        found = self._or(nothing, lambda: self._fields.object(name, required=False))
        return _Tolerant(found, self.problems)

    def text(self, name: str) -> str:
        return self._or("", lambda: self._fields.text(name, required=False))

    def word(self, name: str, known: type[StrEnum]) -> str:
        return spelt_as(self.text(name), known)

    def choice(self, name: str) -> bool | None:
        return self._or(None, lambda: self._fields.choice(name))

    def number(self, name: str) -> int | None:
        return self._or(None, lambda: self._fields.number(name))

    def time(self, name: str) -> datetime | None:
        return self._or(None, lambda: self._fields.time(name))

    def values(self, name: str) -> tuple[Any, ...]:
        return tuple(self._or((), lambda: self._fields.values(name)))

    def classifications(self) -> tuple[str, ...]:
        words = (one for one in self.values("classifications") if isinstance(one, str))
        return tuple(dict.fromkeys(classification_of(one) for one in words))

    def error(self, name: str = "error") -> PatchError | None:
        held = self._or(None, lambda: self._fields.object(name, required=False))
        if held is None or not held.present:
            return None
        code = self._or("", lambda: held.text("code", required=False))
        message = self._or("", lambda: held.text("message", required=False, at_most=_ERROR_MAX))
        is_none = code.lower() in _NO_ERROR or not (code or message)
        return None if is_none else PatchError(code=code, message=message)

    def _or(self, unknown: _T, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except InvalidInput as wrong:
            self.problems += wrong.problems
            return unknown
