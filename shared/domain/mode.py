"""What Baton does with its plans (BATON_MODE)."""

from enum import StrEnum


class Mode(StrEnum):
    """The values of BATON_MODE."""

    LIVE = "live"
    DRY_RUN = "dryRun"  # plan, record and announce; never act
    PAUSED = "paused"  # finish what runs; start nothing
