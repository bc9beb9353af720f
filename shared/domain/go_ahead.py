"""The go-ahead: a job whose turn came asks for it, and waits for an answer until a deadline.

It keeps its turn while it waits, and holds no slot: nothing is taken away, and nothing is asked for another
VM in its place. An answer counts for a while only, since what it was about may have changed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from shared.domain.job import Job, JobState

# An answer counts at least so long, also where the wait for it is short: messages may come late.
_COUNTS_MIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoAhead:
    """What a policy says of it.

    Attributes:
        wait: How long an answer is waited for (`goAhead`).
        starts: Whether the VM starts without an answer; else it is skipped (`goAheadDefault`).
    """

    wait: timedelta
    starts: bool

    @property
    def default(self) -> str:
        """As the column has it."""
        return "start" if self.starts else "skip"

    @property
    def counts_for(self) -> timedelta:
        """How long an answer counts, and the silence after a deadline."""
        return max(self.wait, _COUNTS_MIN)


class Question(Enum):
    """How a job stands whose turn came."""

    ASK = "ask"  # nobody was asked yet, or the answer is too old
    WAIT = "wait"
    START = "start"
    SKIP = "skip"


def deadline(job: Job, go_ahead: GoAhead | None) -> datetime | None:
    """Until when the job waits for an answer; None where it does not."""
    if go_ahead is None or job.asked_at is None or job.allowed_at or not job.takes_slot:
        return None
    return job.asked_at + go_ahead.wait


def question(job: Job, go_ahead: GoAhead | None, now: datetime) -> Question:
    """What a PLANNED job does that nothing else is in the way of.

    Args:
        job: With what was asked and answered.
        go_ahead: Its policy's; None where none is wanted.
        now: The instant of the decision.
    """
    if go_ahead is None or not job.takes_slot:
        return Question.START
    if job.asked_at is None:
        return Question.ASK
    if job.allowed_at:
        return Question.START if now < job.allowed_at + go_ahead.counts_for else Question.ASK
    until = job.asked_at + go_ahead.wait
    if now < until:
        return Question.WAIT
    if now >= until + go_ahead.counts_for:
        return Question.ASK
    return Question.START if go_ahead.starts else Question.SKIP


def is_asking(job: Job) -> bool:
    """Whether an answer is wanted of somebody."""
    return job.asked_at is not None and job.allowed_at is None and not why_not_answered(job)


def version(job: Job) -> str:
    """The question's: the same until the job asks anew; `""` where it never asked."""
    return f"{job.asked_at:%Y%m%dT%H%M%S.%fZ}" if job.asked_at else ""


def why_not_answered(job: Job) -> str:
    """Why there is nothing to answer; `""` where there is."""
    if job.unsettled:
        return "its last attempt is still being recorded; ask again in a minute"
    if job.state.is_begun:
        return "it has started: a start cannot be taken back, and what runs is finished"
    if job.state is not JobState.PLANNED:
        return f"its job ended {job.state}: {job.reason}"
    if job.asked_at is None:
        return "it asked for none: its turn has not come, or its policy has no goAhead"
    return ""
