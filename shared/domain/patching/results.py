"""What `assessPatches` and `installPatches` answer, and what the latter is asked.

Source: Microsoft.Compute 2026-04-01, VirtualMachineAssessPatchesResult, VirtualMachineInstallPatchesResult.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.patching.model import PatchError, RebootSetting


class Classification(StrEnum):
    """Windows' classifications, as requests spell them."""

    CRITICAL = "Critical"
    SECURITY = "Security"
    UPDATE_ROLL_UP = "UpdateRollUp"
    FEATURE_PACK = "FeaturePack"
    SERVICE_PACK = "ServicePack"
    DEFINITION = "Definition"
    TOOLS = "Tools"
    UPDATES = "Updates"


# What Azure installs by itself, and so what makes a patch due.
AUTOMATIC = (Classification.CRITICAL, Classification.SECURITY)


class RebootBehavior(StrEnum):
    """`rebootBehavior`: what an installation of the patch asks of the VM."""

    UNKNOWN = "Unknown"
    NEVER_REBOOTS = "NeverReboots"
    ALWAYS_REQUIRES_REBOOT = "AlwaysRequiresReboot"
    CAN_REQUEST_REBOOT = "CanRequestReboot"


class RebootStatus(StrEnum):
    """`rebootStatus` of an installation."""

    UNKNOWN = "Unknown"
    NOT_NEEDED = "NotNeeded"
    REQUIRED = "Required"
    STARTED = "Started"
    FAILED = "Failed"
    COMPLETED = "Completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailablePatch:
    """One of `availablePatches`.

    Attributes:
        kb_id: Digits alone, such as `5034129`.
        classifications: As requests spell them; an unknown one as Azure gave it.
        reboot_behavior: `Unknown` where Azure gives none.
        published_date: None where Azure gives none, or none that can be read.
    """

    patch_id: str
    name: str = ""
    version: str = ""
    kb_id: str = ""
    classifications: tuple[str, ...] = ()
    reboot_behavior: str = RebootBehavior.UNKNOWN
    published_date: datetime | None = None
    assessment_state: str = ""

    @property
    def is_automatic(self) -> bool:
        """Whether Azure would install it by itself: it is critical or a security patch."""
        return any(one in AUTOMATIC for one in self.classifications)

    @property
    def may_reboot(self) -> bool:
        """Whether its installation may reboot the VM: anything but Azure's word that it never does."""
        return self.reboot_behavior != RebootBehavior.NEVER_REBOOTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The result of `assessPatches`."""

    status: str
    assessment_activity_id: str = ""
    reboot_pending: bool | None = None
    critical_and_security_patch_count: int | None = None
    other_patch_count: int | None = None
    start_date_time: datetime | None = None
    available_patches: tuple[AvailablePatch, ...] = ()
    error: PatchError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchInstalled:
    """One of the `patches` of an installation.

    Attributes:
        installation_state: `Installed`, `Failed`, `Excluded`, `NotSelected`, `Pending`, or another word.
    """

    patch_id: str
    name: str = ""
    version: str = ""
    kb_id: str = ""
    classifications: tuple[str, ...] = ()
    installation_state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The result of `installPatches`."""

    status: str
    installation_activity_id: str = ""
    reboot_status: str = RebootStatus.UNKNOWN
    maintenance_window_exceeded: bool | None = None
    excluded_patch_count: int | None = None
    not_selected_patch_count: int | None = None
    pending_patch_count: int | None = None
    installed_patch_count: int | None = None
    failed_patch_count: int | None = None
    start_date_time: datetime | None = None
    patches: tuple[PatchInstalled, ...] = ()
    error: PatchError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastInstallation:
    """An installation that ended, as Azure remembers it for 30 days.

    Attributes:
        started_by: Azure's word: `User`, `Platform`.
    """

    installation_activity_id: str
    status: str = ""
    reboot_status: str = ""
    started_by: str = ""
    start_date_time: datetime | None = None
    last_modified_date_time: datetime | None = None
    installed_patch_count: int | None = None
    failed_patch_count: int | None = None
    pending_patch_count: int | None = None
    error: PatchError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """What `installPatches` is asked.

    Attributes:
        maximum_duration: Azure begins no patch after it.
        classifications: At least one, or at least one KB in `kb_include`: else Azure refuses it.
        kb_include, kb_exclude: KB numbers, digits alone.
        exclude_kbs_requiring_reboot: Leaves out every patch that is not `NeverReboots`.
    """

    maximum_duration: timedelta
    reboot_setting: RebootSetting = RebootSetting.IF_REQUIRED
    classifications: tuple[str, ...] = AUTOMATIC
    kb_include: tuple[str, ...] = ()
    kb_exclude: tuple[str, ...] = ()
    exclude_kbs_requiring_reboot: bool = False


def classification_of(word: str) -> str:
    """A classification as requests spell it: results have display names, such as `Definition Updates`."""
    plain = _plain(word)
    return next((str(one) for one in Classification if _plain(one) == plain), word)


def _plain(word: str) -> str:
    letters = "".join(letter for letter in word.lower() if letter.isalpha())
    return letters if letters == "updates" else letters.removesuffix("updates").removesuffix("s")
