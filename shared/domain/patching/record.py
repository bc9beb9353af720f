"""How one VM stands in patching: a row of `BatonPatches`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.patching.model import AvailablePatchSummary, LastPatchInstallationSummary
from shared.domain.patching.results import AvailablePatch


class PatchState(StrEnum):
    """How a VM stands."""

    COMPLIANT = "compliant"  # enrolled, and nothing critical or of security is missing
    DUE = "due"  # something is missing, and Azure's 30 days last
    OVERDUE = "overdue"  # something is missing, and they are over
    REBOOT_PENDING = "rebootPending"  # installed, and not in force before a reboot
    NOT_ENROLLED = "notEnrolled"  # it could have Hotpatch
    NOT_ELIGIBLE = "notEligible"  # it cannot
    UNKNOWN = "unknown"  # not assessed, or too long ago


WORST_FIRST = (
    PatchState.OVERDUE,
    PatchState.UNKNOWN,
    PatchState.REBOOT_PENDING,
    PatchState.DUE,
    PatchState.NOT_ENROLLED,
    PatchState.NOT_ELIGIBLE,
    PatchState.COMPLIANT,
)
"""In the order in which a person should meet them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchRecord:
    """What is known of a VM's patches.

    Attributes:
        team, policy: The policy whose `patching` has it watched.
        image: `publisher:offer:sku`; the id of an image of one's own.
        power_state: The VM's, when it was last seen.
        assessment: The last one, whoever asked for it; None before the first.
        installation: The last one, whoever asked for it; None before the first.
        patches: What the last assessment that Baton asked for found available; counts are Azure's, and may
            be of a later one.
        patches_at: When that was found; None where no list is known.
        due_since: Since when a critical or security patch is missing, without a break; None if none is.
        azure_installs_by: Until when Azure installs by itself what is due; None where nothing is.
        compliant_at: When it was last seen to lack nothing; None if never.
        off_peak_since: From when the next two count: the newest release.
        off_peak_seen, off_peak_running: How often it was looked at in its off-peak hours; and ran.
        assessing_url: The operation of an assessment that Baton asked for and that has not ended.
        assessing_since: Since when one is under way; or when one was asked for last, in vain.
        assessment_failures: How many in a row came to nothing.
        assessment_problem: Why the last one came to nothing; `""` after one that succeeded.
        seen_at: When it was last looked at.
    """

    vm_id: str
    vm_name: str
    resource_group: str
    subscription_id: str
    location: str
    team: str
    policy: str
    state: PatchState = PatchState.UNKNOWN
    reason: str = ""
    image: str = ""
    enable_hotpatching: bool = False
    patch_mode: str = ""
    assessment_mode: str = ""
    reboot_setting: str = ""
    time_zone: str = ""
    power_state: str = ""
    assessment: AvailablePatchSummary | None = None
    installation: LastPatchInstallationSummary | None = None
    patches: tuple[AvailablePatch, ...] = ()
    patches_at: datetime | None = None
    due_since: datetime | None = None
    azure_installs_by: datetime | None = None
    compliant_at: datetime | None = None
    off_peak_since: datetime | None = None
    off_peak_seen: int = 0
    off_peak_running: int = 0
    assessing_url: str = ""
    assessing_since: datetime | None = None
    assessment_failures: int = 0
    assessment_problem: str = ""
    seen_at: datetime | None = None

    @property
    def key(self) -> str:
        """The VM's key."""
        return self.vm_id.lower()

    @property
    def due_patches(self) -> tuple[AvailablePatch, ...]:
        """The critical and security patches of the list."""
        return tuple(patch for patch in self.patches if patch.is_automatic)

    @property
    def due_count(self) -> int:
        """How many critical and security patches are missing, as Azure counts; 0 where it does not tell."""
        counted = self.assessment.critical_and_security_patch_count if self.assessment else None
        return counted or 0
