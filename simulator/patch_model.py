"""What a scenario file says of patches, as frozen data."""

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from simulator.scenario_table import Moment


class PatchWord(enum.StrEnum):
    """What a scenario makes of one assessPatches or installPatches that Azure would let pass."""

    SUCCEEDED = "Succeeded"
    WARNINGS = "CompletedWithWarnings"
    FAILED = "Failed"
    HANG = "Hang"
    AGENT_LOST = "AgentLost"
    DROP_AFTER = "DropAfter"
    DROP_BEFORE = "DropBefore"
    REFUSE_409 = "Refuse409"
    BUSY_409 = "Busy409"

    @property
    def is_accepted(self) -> bool:
        """Whether Azure takes the request on."""
        return self not in _NOT_ACCEPTED


_NOT_ACCEPTED: Final = frozenset({PatchWord.REFUSE_409, PatchWord.BUSY_409, PatchWord.DROP_BEFORE})

CLASSIFICATIONS: Final = {
    "Critical": "Critical Updates",
    "Security": "Security Updates",
    "UpdateRollUp": "Update Rollups",
    "FeaturePack": "Feature Packs",
    "ServicePack": "Service Packs",
    "Definition": "Definition Updates",
    "Tools": "Tools",
    "Updates": "Updates",
}
"""As a request spells them, and as a result shows them."""

REBOOTS: Final = ("NeverReboots", "AlwaysRequiresReboot", "CanRequestReboot", "Unknown")


@dataclass(frozen=True, slots=True)
class Release:
    """A patch that Microsoft releases.

    Attributes:
        kind: ``baseline`` and ``hotpatch`` are cumulative: each takes the place of those before it. A
            VM with Hotpatch on the newest baseline gets a hotpatch without a reboot; every other
            VM gets either with one. ``other`` stands for itself, on every VM.
        reboot: of ``other`` alone.
    """

    kb: str
    at: Moment
    kind: str
    name: str
    classification: str = "Security"
    reboot: str = "CanRequestReboot"


@dataclass(frozen=True, slots=True)
class Patching:
    """How a VM is patched at T0.

    Attributes:
        assessed: when it was last assessed; None for never.
        patched_to: what was released until then is installed.
        assess, install: what each request in turn leads to; the last repeats.
    """

    mode: str = "AutomaticByOS"
    hotpatching: bool = False
    automatic_updates: bool = True
    agent: bool = True
    time_zone: str = ""
    assessment_mode: str = "ImageDefault"
    reboot_setting: str = ""
    assessed: Moment | None = None
    patched_to: Moment = timedelta(0)
    assess: tuple[PatchWord, ...] = (PatchWord.SUCCEEDED,)
    install: tuple[PatchWord, ...] = (PatchWord.SUCCEEDED,)
    assess_seconds: float = 0.5
    install_seconds: float = 2.0
    reboot_seconds: float = 1.0
