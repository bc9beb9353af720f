"""Which VM a person means."""

from collections.abc import Iterable

from shared.domain.errors import InvalidInput, Problem, Unknown
from shared.domain.job import Job
from shared.domain.vm_ids import name_of

_NAMED_MAX = 10


def meant(name: str, ids: Iterable[str]) -> str | None:
    """The one id, lower-cased, that has this name or is this id; None if none is.

    Raises:
        InvalidInput: Several have the name; they are named.
    """
    wanted = name.strip().strip("/").lower()
    found = sorted(
        {each.lower() for each in ids if wanted in (each.strip("/").lower(), name_of(each).lower())}
    )
    if len(found) > 1:
        more = f" and {len(found) - _NAMED_MAX} more" if len(found) > _NAMED_MAX else ""
        expected = f"one of the ids {', '.join(found[:_NAMED_MAX])}{more}"
        raise InvalidInput("which VM", (Problem("VM", name, expected),))
    return found[0] if found else None


def job_of(name: str, jobs: Iterable[Job]) -> Job:
    """The open job of the VM that is meant, or else the one of it that ended last.

    Raises:
        InvalidInput: Several VMs have the name.
        Unknown: None of them has a job.
    """
    latest: dict[str, Job] = {}
    for job in sorted(jobs, key=lambda job: (not job.state.is_end, job.discovered_at, job.id)):
        latest[job.vm_key] = job
    key = meant(name, latest)
    if key is None:
        expected = f"the name or ARM id of one of the {len(latest)} VMs that have a job"
        raise Unknown("which VM", (Problem("VM", name, expected),))
    return latest[key]
