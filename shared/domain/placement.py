"""Who may be away beside whom: promise P5 as functions of facts."""

from collections.abc import Iterable, Mapping

from shared.domain.job import Job
from shared.domain.ledger import Away
from shared.domain.places import Places
from shared.domain.planning.model import Place


def placement_conflict(job: Job, away: Iterable[Job]) -> str:
    """Why the VM must not be away together with others of its policy (P5); `""` if it may."""
    place = place_of_job(job)
    for other in away:
        there = place_of_job(other)
        if not place.clashes(there):
            continue
        if place.clashes_in_set(there):
            return set_conflict(job, with_away(Away(domain_set=""), other))
        if job.location in other.region_pairs or other.location in job.region_pairs:
            return (
                f"{other.vm_name} is away in {other.location}, the pair of {job.location}: "
                "never both regions of a pair"
            )
        return (
            f"{other.vm_name} of zone {other.zone} in {other.location} is away: one zone at a time"
        )
    return ""


def place_of_job(job: Job) -> Place:
    """Where the job's VM stands.

    A row without a zone key is older than the column; its zone then counts as its subscription's own.
    """
    return Place(
        zone=job.zone_key or Places().zone_of(job.subscription_id, job.location, job.zone),
        location=job.location,
        pairs=frozenset(job.region_pairs),
        domain_set=job.domain_set,
        domain=job.domain,
    )


def set_conflict(job: Job, away: Away) -> str:
    """Why the VM must not be away together with others of its set; `""` if it may.

    An unknown domain equals no other, so that it goes alone.
    """
    for other, domain in away.jobs.items():
        if other != job.id and (domain is None or domain != job.domain):
            shown = "unknown" if domain is None else domain
            return f"{other} of its set is away (domain {shown}): one domain at a time"
    return ""


def with_away(away: Away, job: Job) -> Away:
    """The placement row with the job in it."""
    return _replaced(away, {**away.jobs, job.id: job.domain})


def without_away(away: Away, job: Job) -> Away:
    """The placement row without the job."""
    return _replaced(away, {k: v for k, v in away.jobs.items() if k != job.id})


def _replaced(away: Away, jobs: Mapping[str, int | None]) -> Away:
    return Away(domain_set=away.domain_set, jobs=jobs, etag=away.etag)
