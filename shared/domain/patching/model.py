"""What a VM's model and its instance view say of patching; they come with reads that are made anyway.

Azure's words are open sets: one that is known gets Azure's own spelling whatever its case, another is kept.
A value that cannot be used is absent here and named in `problems`: it must not cost a VM its maintenance.

Source: Microsoft.Compute 2026-04-01, PatchSettings and VirtualMachinePatchStatus.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.errors import Problem


class PatchMode(StrEnum):
    """`patchMode`: who installs patches."""

    MANUAL = "Manual"
    AUTOMATIC_BY_OS = "AutomaticByOS"
    AUTOMATIC_BY_PLATFORM = "AutomaticByPlatform"


class PatchOperationStatus(StrEnum):
    """The status of an assessment or an installation."""

    UNKNOWN = "Unknown"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    COMPLETED_WITH_WARNINGS = "CompletedWithWarnings"


class RebootSetting(StrEnum):
    """`rebootSetting`, of a VM and of an installation."""

    UNKNOWN = "Unknown"
    IF_REQUIRED = "IfRequired"
    NEVER = "Never"
    ALWAYS = "Always"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """The image of a VM; `""` where Azure gives none, as for an image of one's own, which has `id` instead."""

    publisher: str = ""
    offer: str = ""
    sku: str = ""
    version: str = ""
    id: str = ""

    def __str__(self) -> str:
        return f"{self.publisher}:{self.offer}:{self.sku}" if self.publisher else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSettings:
    """`osProfile.windowsConfiguration` as far as patching goes.

    Attributes:
        provision_vm_agent, enable_automatic_updates: None where Azure does not tell; its default is true.
        patch_mode, assessment_mode, reboot_setting: `""` where Azure gives none.
        time_zone: A Windows name; `""` is UTC.
        problems: What of it cannot be used.
    """

    provision_vm_agent: bool | None = None
    enable_automatic_updates: bool | None = None
    time_zone: str = ""
    patch_mode: str = ""
    enable_hotpatching: bool = False
    assessment_mode: str = ""
    reboot_setting: str = ""
    bypass_platform_safety_checks_on_user_schedule: bool = False
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchError:
    """Azure's error of an assessment or an installation, verbatim."""

    code: str = ""
    message: str = ""

    def __str__(self) -> str:
        """Without the full stop that Azure's messages end with: it stands inside a sentence."""
        return ": ".join(part for part in (self.code, self.message.rstrip(". ")) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailablePatchSummary:
    """`availablePatchSummary`: the last assessment. None where Azure does not tell."""

    status: str = ""
    assessment_activity_id: str = ""
    reboot_pending: bool | None = None
    critical_and_security_patch_count: int | None = None
    other_patch_count: int | None = None
    start_time: datetime | None = None
    last_modified_time: datetime | None = None
    error: PatchError | None = None

    @property
    def at(self) -> datetime | None:
        """When it was last told of."""
        return self.last_modified_time or self.start_time


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPatchInstallationSummary:
    """`lastPatchInstallationSummary`: the last installation, whoever asked for it."""

    status: str = ""
    installation_activity_id: str = ""
    maintenance_window_exceeded: bool | None = None
    not_selected_patch_count: int | None = None
    excluded_patch_count: int | None = None
    pending_patch_count: int | None = None
    installed_patch_count: int | None = None
    failed_patch_count: int | None = None
    start_time: datetime | None = None
    last_modified_time: datetime | None = None
    error: PatchError | None = None

    @property
    def at(self) -> datetime | None:
        """When it was last told of."""
        return self.last_modified_time or self.start_time


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchStatus:
    """`instanceView.patchStatus`, value for value.

    Attributes:
        available_patch_summary: None before the first assessment.
        last_patch_installation_summary: None before the first installation.
        configuration_statuses: Their codes, such as `PatchModeConfigurationState/Ready`.
        problems: What of it cannot be used; the rest stands.
    """

    available_patch_summary: AvailablePatchSummary | None = None
    last_patch_installation_summary: LastPatchInstallationSummary | None = None
    configuration_statuses: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def spelt_as(word: str, known: type[StrEnum]) -> str:
    """A word in Azure's own spelling where it is a known one, else as it stands."""
    plain = word.strip().lower()
    return next((str(one) for one in known if one.lower() == plain), word)
