"""The queues: wakes of jobs, and of the alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A message: look at this job. It carries nothing that is acted upon."""

    team: str
    policy: str
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """A wake and the instant before which it must not come.

    Attributes:
        cause: Part of the message id: the same job, instant and cause is the same message, and the bus
            drops the second; another instant is another message.
    """

    wake: Wake
    at: datetime
    cause: str = field(default="due")


class Bus(Protocol):
    """The two queues. A wake may come twice, late, or never; nothing may depend on one."""

    async def wake(self, wakes: Sequence[WakeAt], *, now: datetime) -> None:
        """Sends or schedules them, in as few requests as the bus allows."""
        ...

    async def wake_alerts(self, at: datetime, *, now: datetime) -> None:
        """Has the alerts looked at, not before `at`."""
        ...
