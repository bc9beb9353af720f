"""What came of one try of a job: what `BatonOutcomes` keeps."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.due import NOT_INSTALLED, Installed, Work

BAD = frozenset({"failed", "aborted", "timedOut", "missed"})
"""The outcomes of which a person must be told (promise P7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one try: one row of `BatonOutcomes`, written once and never changed.

    Attributes:
        outcome: A JobState that is an end, or `retryLater`; `aborted` also of a try that is repeated, and
            any end also of an installation that a redeploy follows.
        terminal: Whether it is the job's last.
        reason: A sentence for people.
        work: What was tried, `redeploy` or `patch`.
        release: Of the patches, if it was those.
        started_at: When performMaintenance or installPatches was sent; None if it was not.
        verified_at: When the VM was seen running again; None if it was not.
    """

    number: int
    outcome: str
    terminal: bool
    reason: str
    ended_at: datetime
    started_at: datetime | None = None
    verified_at: datetime | None = None
    last_operation_result_code: str = ""
    last_operation_message: str = ""
    correlation_id: str = ""
    work: str = Work.REDEPLOY
    release: str = ""
    installed: Installed = NOT_INSTALLED

    @property
    def is_bad(self) -> bool:
        """Whether a person must be told (promise P7)."""
        is_last = self.terminal or self.work == Work.PATCH
        return is_last and self.outcome in BAD
