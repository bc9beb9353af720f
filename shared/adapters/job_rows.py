"""The rows of `BatonJobs`: jobs, their policies' heads, and who is away of each set."""

import hashlib
from collections.abc import Mapping

from shared.adapters.cells import MAP, TEXT, TIME, Entity, key, plain, read_map, wrong
from shared.adapters.columns import ATTEMPT, HEAD, INSTALLED, JOB, MAINTENANCE, PATCHES
from shared.adapters.event_rows import JOBS, event_row
from shared.adapters.writes import (
    Write,
    check_key,
    check_version,
    fitted,
    removal,
    versioned,
    write_of,
)
from shared.domain.attempt import Attempt
from shared.domain.due import DuePatches, Installed, Work
from shared.domain.job import Job
from shared.domain.ledger import Away, Change, Head
from shared.domain.maintenance import MaintenanceStatus
from shared.domain.trace import trace_of
from shared.ports import Committed

GUARD = "!discovery"
_OF_ATTEMPTS = [column.name for shape in (ATTEMPT, INSTALLED) for column in shape.columns]


def policy_prefix(team: str, policy: str) -> str:
    """What the RowKeys of a policy's head and jobs begin with; the head's is exactly this.

    Raises:
        InvalidInput: A name that no policy may have.
    """
    for column, name in (("team", team), ("policy", policy)):
        if not name or "|" in name or name.startswith("!"):
            raise wrong(column, name, "a name without '|' that does not start with '!'")
    return key("RowKey", f"{team}|{policy}|")


def policy_range(team: str, policy: str) -> tuple[str, str]:
    """The first RowKey of a policy, and the first one behind its last."""
    prefix = policy_prefix(team, policy)
    return prefix, prefix[:-1] + chr(ord("|") + 1)


def job_key(team: str, policy: str, job_id: str) -> str:
    """RowKey of a job."""
    return key("RowKey", policy_prefix(team, policy) + key("jobId", job_id))


def away_key(domain_set: str) -> str:
    """RowKey of a set's placement row: a hash, since no key may hold an ARM id."""
    return "!set|" + hashlib.sha256(domain_set.encode()).hexdigest()[:24]


def job_row(job: Job) -> Entity:
    """A job as an entity."""
    entity = versioned(JOBS, job_key(job.team, job.policy, job.id))
    entity |= JOB.write(job) | MAINTENANCE.write(job.maintenance or _as_maintenance(job))
    # For people: the trace is computed from the id, and never read from here.
    entity |= {"work": ", ".join(job.works), "traceId": trace_of(job.id).trace_id}
    entity |= PATCHES.write(job.patches) if job.patches else {}
    if job.unsettled:
        entity |= ATTEMPT.write(job.unsettled) | INSTALLED.write(job.unsettled.installed)
    return entity


def job_of(entity: Mapping[str, object], etag: str) -> Job:
    """A job from its entity.

    Raises:
        InvalidInput: It was made by a later version, a column is missing or holds something else, or it
            was copied under another key; names the column.
    """
    check_version(entity)
    works = str(plain(entity.get("work", Work.REDEPLOY))).split(", ")
    job = Job(
        **JOB.read(entity),
        maintenance=MaintenanceStatus(**MAINTENANCE.read(entity))
        if Work.REDEPLOY in works
        else None,
        patches=DuePatches(**PATCHES.read(entity)) if Work.PATCH in works else None,
        unsettled=_unsettled(entity),
        etag=etag,
    )
    check_key(entity, job_key(job.team, job.policy, job.id))
    return job


def _unsettled(entity: Mapping[str, object]) -> Attempt | None:
    if entity.keys().isdisjoint(_OF_ATTEMPTS):
        return None
    return Attempt(**ATTEMPT.read(entity), installed=Installed(**INSTALLED.read(entity)))


def _as_maintenance(job: Job) -> MaintenanceStatus:
    """The window of patches, in the columns that a version before `work` reads: one in which nothing may start."""
    return MaintenanceStatus(
        is_customer_initiated_maintenance_allowed=False,
        pre_maintenance_window_start_time=job.opens,
        pre_maintenance_window_end_time=job.closes,
    )


def head_row(head: Head) -> Entity:
    """A policy's head as an entity."""
    entity = versioned(JOBS, policy_prefix(head.team, head.policy))
    entity |= HEAD.write(head)
    return entity | {"columns": MAP.write("columns", head.columns)}


def head_of(entity: Mapping[str, object], etag: str) -> Head:
    """A head from its entity.

    Raises:
        InvalidInput: As `job_of`.
    """
    check_version(entity)
    head = Head(**HEAD.read(entity), columns=read_map("columns", entity.get("columns")), etag=etag)
    check_key(entity, policy_prefix(head.team, head.policy))
    return head


def away_row(away: Away) -> Entity:
    """A placement row as an entity."""
    entity = versioned(JOBS, away_key(away.domain_set))
    entity |= {"availabilitySet": TEXT.write("availabilitySet", away.domain_set)}
    return entity | {"away": MAP.write("away", away.jobs)}


def away_of(entity: Mapping[str, object], etag: str) -> Away:
    """A placement row from its entity.

    Raises:
        InvalidInput: As `job_of`.
    """
    check_version(entity)
    name = TEXT.read("availabilitySet", entity.get("availabilitySet"))
    jobs = read_map("away", entity.get("away"))
    if not all(domain is None or type(domain) is int for domain in jobs.values()):
        raise wrong("away", entity.get("away"), "job id → update domain or null")
    return Away(domain_set=name, jobs=jobs, etag=etag)


def change_writes(change: Change) -> list[Write]:
    """The rows of one transaction.

    Raises:
        InvalidInput: A value does not fit its column.
        ValueError: More than 100 rows, one row twice, or a row to remove that was never read.
    """
    writes: list[Write] = []
    if change.guard is not None:
        at = TIME.write("at", change.at)
        writes.append(write_of(versioned(JOBS, GUARD) | {"at": at}, change.guard))
    writes += [write_of(head_row(head), head.etag) for head in change.heads]
    writes += [write_of(job_row(job), job.etag) for job in change.jobs]
    writes += [write_of(away_row(away), away.etag) for away in change.away]
    writes += [Write(verb="create", entity=event_row(event)) for event in change.events]
    for job in change.removed:
        if not job.etag:
            raise ValueError(f"{job.id} cannot be removed: it has no ETag")
        writes.append(removal(JOBS, job_key(job.team, job.policy, job.id), job.etag))
    return fitted(writes)


def committed(change: Change, etags: Mapping[str, str]) -> Committed:
    """What a transaction gave.

    Args:
        change: What was written.
        etags: RowKey → new ETag.
    """
    return Committed(
        guard=etags.get(GUARD, ""),
        heads={head.key: etags[policy_prefix(*head.key)] for head in change.heads},
        jobs={job.id: etags[job_key(job.team, job.policy, job.id)] for job in change.jobs},
    )
