"""What is offered to a VM beside a maintenance: the patches of a release that are due on it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Work(StrEnum):
    """What is done to a VM, as the column `work` of an outcome says."""

    REDEPLOY = "redeploy"
    PATCH = "patch"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePatches:
    """What is to be installed on a VM, and in which window: to an installation what a maintenance is to a redeploy.

    Attributes:
        release: The day on which the newest of them was published, as ISO 8601: a later release compares
            greater, and what is left over of an earlier one does not.
        since: When they were first seen due.
        until: When the 30 days end in which Azure installs them by itself; no start from then on.
        kbs: KB numbers, digits alone.
        needs_reboot: Whether one of them is not `NeverReboots`.
        may_reboot: Whether the policy's `rebootSetting` lets the installation reboot the VM.
    """

    release: str
    since: datetime
    until: datetime
    kbs: tuple[str, ...] = ()
    needs_reboot: bool = False
    may_reboot: bool = True

    @property
    def reboots(self) -> bool:
        """Whether their installation by itself takes the VM away."""
        return self.needs_reboot and self.may_reboot

    def is_open(self, now: datetime) -> bool:
        """Whether an installation may start."""
        return self.since <= now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What an installation came to, by Azure's own words; `""` and None where it did not tell."""

    installation_activity_id: str = ""
    reboot_status: str = ""
    installed_patch_count: int | None = None
    failed_patch_count: int | None = None


NOT_INSTALLED = Installed()
"""Of whatever is no installation, or one of which nothing is known."""
