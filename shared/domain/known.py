"""What earlier discoveries know of a VM's maintenance."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.heartbeat import LeftAlone
from shared.domain.job import Job
from shared.domain.maintenance import InstanceView, MaintenanceStatus


@dataclass(frozen=True, slots=True)
class Known:
    """One VM that has a job, or was left alone.

    Attributes:
        vm_id: As it was spelt then.
        closes: When the maintenance ends that is known.
        job: The VM's open job, or the one that ended last; None if it was left alone.
    """

    vm_id: str
    closes: datetime
    job: Job | None = None

    @property
    def is_open(self) -> bool:
        """Whether its job is open: such a VM is looked for even where no list has it."""
        return self.job is not None and not self.job.state.is_end

    def is_told_by(self, view: InstanceView) -> bool:
        """Whether a list's item tells just what an open job knows already.

        Then the VM need not be asked itself: what no list tells, its domain and its agent, the job keeps as its
        own view said, and that is read once more before anything starts.
        """
        return (
            self.job is not None
            and not self.job.state.is_end
            and self.job.maintenance == view.maintenance
        )


def known_of(
    jobs: Iterable[Job], left_alone: Iterable[LeftAlone], now: datetime
) -> dict[str, Known]:
    """VM key → what is known of it, where its job is open or its maintenance is not over."""
    found = {
        one.vm_id.lower(): Known(one.vm_id, one.closes) for one in left_alone if one.closes > now
    }
    for job in sorted(jobs, key=lambda job: (not job.state.is_end, job.discovered_at, job.id)):
        if not job.state.is_end or (job.maintenance and job.closes > now):
            found[job.vm_key] = Known(job.vm_id, job.closes, job)
    return found


def is_new(status: MaintenanceStatus, known: Known | None, now: datetime) -> bool:
    """Whether a maintenance is offered that no earlier discovery knows."""
    if not status.is_offered(now):
        return False
    return known is None or status.pre_maintenance_window_end_time > known.closes
