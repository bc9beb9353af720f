"""Domain ⇄ table entity, for every table; the columns themselves stand in `columns`."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.adapters import event_rows
from shared.adapters.cells import (
    MAP,
    TEXT,
    TIME,
    Entity,
    as_written,
    cut,
    key,
    plain,
    read_map,
    wrong,
)
from shared.adapters.columns import (
    ALERT,
    ATTEMPT,
    HEAD,
    HEARTBEAT,
    INSTALLED,
    JOB,
    LEFT_ALONE,
    MAINTENANCE,
    PATCHES,
    SENTENCES,
)
from shared.domain.alert import Alert
from shared.domain.attempt import Attempt
from shared.domain.due import DuePatches, Installed, Work
from shared.domain.heartbeat import Heartbeat, LeftAlone
from shared.domain.job import Job
from shared.domain.ledger import Away, Change, Head
from shared.domain.maintenance import MaintenanceStatus
from shared.domain.trace import trace_of
from shared.ports import Committed, PolicyRow

JOBS = event_rows.JOBS
"""The one partition of the jobs' table, so that a transaction can hold the rows of several policies."""
ALERTS = "alerts"
HEARTBEAT_KEY = ("heartbeat", "discovery")
ALONE = "leftAlone"
GUARD = "!discovery"

_VERSION = 1
_OF_ATTEMPTS = [column.name for shape in (ATTEMPT, INSTALLED) for column in shape.columns]
ROWS_MAX = 100  # of an entity-group transaction
# A transaction's request is refused above 4 MiB; the rest is left for its headers.
_BYTES_MAX = 3_500_000
_SHORTER = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One row of a transaction.

    Attributes:
        entity: With its keys; for a deletion nothing else.
        etag: What a replaced or deleted row must still have.
    """

    verb: Literal["create", "replace", "delete"]
    entity: Entity
    etag: str = ""

    @property
    def row_key(self) -> str:
        """The row's key in its partition."""
        return str(self.entity["RowKey"])


# --- jobs ------------------------------------------------------------------------------------------


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
    entity = _row(JOBS, job_key(job.team, job.policy, job.id))
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
    _check_version(entity)
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
    _check_key(entity, job_key(job.team, job.policy, job.id))
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
    entity = _row(JOBS, policy_prefix(head.team, head.policy))
    entity |= HEAD.write(head)
    return entity | {"columns": MAP.write("columns", head.columns)}


def head_of(entity: Mapping[str, object], etag: str) -> Head:
    """A head from its entity.

    Raises:
        InvalidInput: As `job_of`.
    """
    _check_version(entity)
    head = Head(**HEAD.read(entity), columns=read_map("columns", entity.get("columns")), etag=etag)
    _check_key(entity, policy_prefix(head.team, head.policy))
    return head


def away_row(away: Away) -> Entity:
    """A placement row as an entity."""
    entity = _row(JOBS, away_key(away.domain_set))
    entity |= {"availabilitySet": TEXT.write("availabilitySet", away.domain_set)}
    return entity | {"away": MAP.write("away", away.jobs)}


def away_of(entity: Mapping[str, object], etag: str) -> Away:
    """A placement row from its entity.

    Raises:
        InvalidInput: As `job_of`.
    """
    _check_version(entity)
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
        writes.append(_write(_row(JOBS, GUARD) | {"at": at}, change.guard))
    writes += [_write(head_row(head), head.etag) for head in change.heads]
    writes += [_write(job_row(job), job.etag) for job in change.jobs]
    writes += [_write(away_row(away), away.etag) for away in change.away]
    writes += [Write(verb="create", entity=event_rows.event_row(event)) for event in change.events]
    for job in change.removed:
        if not job.etag:
            raise ValueError(f"{job.id} cannot be removed: it has no ETag")
        keys = {"PartitionKey": JOBS, "RowKey": job_key(job.team, job.policy, job.id)}
        writes.append(Write(verb="delete", entity=keys, etag=job.etag))
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


# --- alerts ----------------------------------------------------------------------------------------


def alert_row(alert: Alert) -> Entity:
    """An alert as an entity."""
    return _row(ALERTS, key("RowKey", alert.id)) | ALERT.write(alert)


def alert_of(entity: Mapping[str, object], etag: str) -> Alert:
    """An alert from its entity.

    Raises:
        InvalidInput: As `job_of`.
    """
    _check_version(entity)
    return Alert(id=str(entity["RowKey"]), **ALERT.read(entity), etag=etag)


def alert_writes(alerts: Iterable[Alert]) -> list[Write]:
    """The rows of one transaction, which replaces alerts.

    Raises:
        ValueError: More than 100 alerts, one twice, or one that was never read.
    """
    writes = [_write(alert_row(alert), alert.etag) for alert in alerts]
    unread = [write.row_key for write in writes if not write.etag]
    if unread:
        raise ValueError(f"alerts without an ETag cannot be replaced: {unread}")
    return fitted(writes)


def heartbeat_row(heartbeat: Heartbeat) -> Entity:
    """A heartbeat as an entity."""
    return _row(*HEARTBEAT_KEY) | HEARTBEAT.write(heartbeat)


def heartbeat_of(entity: Mapping[str, object], _: str = "") -> Heartbeat:
    """A heartbeat from its entity.

    Raises:
        InvalidInput: As `job_of`.
    """
    _check_version(entity)
    return Heartbeat(**HEARTBEAT.read(entity))


def left_alone_row(vm: LeftAlone) -> Entity:
    """A VM without a policy as an entity; its key is a hash, since no key may hold an ARM id."""
    digest = hashlib.sha256(vm.vm_id.lower().encode()).hexdigest()[:24]
    return _row(ALONE, digest) | LEFT_ALONE.write(vm)


def left_alone_of(entity: Mapping[str, object], _: str = "") -> LeftAlone:
    """A VM without a policy from its entity.

    Raises:
        InvalidInput: As `job_of`.
    """
    _check_version(entity)
    return LeftAlone(**LEFT_ALONE.read(entity))


# --- policies --------------------------------------------------------------------------------------

_OF_BATON = ("status", "statusMessage")


def policy_of(entity: Mapping[str, object], etag: str) -> PolicyRow:
    """A policy's row as people wrote it; whatever they wrote, it can be read."""
    cells = {name: as_written(value) for name, value in entity.items() if value is not None}
    team, policy = str(cells.pop("PartitionKey")), str(cells.pop("RowKey"))
    cells.pop("Timestamp", None)
    status, message = (str(cells.pop(name, "")) for name in _OF_BATON)
    return PolicyRow(
        team=team, policy=policy, columns=cells, status=status, status_message=message, etag=etag
    )


def policy_write(row: PolicyRow) -> Write:
    """A policy's whole row: what people wrote, and Baton's two columns as they were.

    Raises:
        InvalidInput: A key or a value that no table takes.
    """
    entity: Entity = {"PartitionKey": key("PartitionKey", row.team)}
    entity |= {"RowKey": key("RowKey", row.policy)}
    for name, value in row.columns.items():
        entity[name] = TEXT.write(name, value) if isinstance(value, str) else value
    if row.status:
        entity |= status_row(row, status=row.status, message=row.status_message)
    return _write(entity, row.etag)


def status_row(row: PolicyRow, *, status: str, message: str) -> Entity:
    """What is merged into a policy's row."""
    keys = {"PartitionKey": row.team, "RowKey": row.policy}
    return keys | {"status": cut(status), "statusMessage": cut(message)}


# --- all -------------------------------------------------------------------------------------------


def fitted(writes: list[Write]) -> list[Write]:
    """The writes if they fit one transaction, with long texts cut shorter where that is needed.

    Raises:
        ValueError: More than 100 rows, or one row twice.
    """
    if len(writes) > ROWS_MAX:
        raise ValueError(f"a transaction takes at most {ROWS_MAX} rows, not {len(writes)}")
    if len({write.row_key for write in writes}) < len(writes):
        raise ValueError(f"one row twice in a transaction: {[w.row_key for w in writes]}")
    if _size(writes) <= _BYTES_MAX:
        return writes
    return [
        Write(verb=write.verb, etag=write.etag, entity=_shortened(write.entity)) for write in writes
    ]


def _size(writes: Iterable[Write]) -> int:
    """About how many bytes the SDK will send; it escapes every character that is not ASCII."""
    texts = [cell for write in writes for cell in write.entity.values() if isinstance(cell, str)]
    most = sum(map(len, texts)) * 6
    return most if most <= _BYTES_MAX else sum(len(json.dumps(text)) for text in texts)


def _shortened(entity: Entity) -> Entity:
    return {
        name: cut(cell, _SHORTER) if name in SENTENCES else cell for name, cell in entity.items()
    }


def _write(entity: Entity, etag: str) -> Write:
    return Write(verb="replace" if etag else "create", entity=entity, etag=etag)


def keys_of(entity: Mapping[str, object]) -> Entity:
    """Its keys alone, for a deletion."""
    return {"PartitionKey": entity["PartitionKey"], "RowKey": entity["RowKey"]}


def _row(partition: str, row_key: str) -> dict[str, Any]:
    return {"PartitionKey": partition, "RowKey": row_key, "v": _VERSION}


def _check_version(entity: Mapping[str, object]) -> None:
    if plain(entity.get("v")) != _VERSION:
        raise wrong("v", entity.get("v"), f"{_VERSION}, the version that this Baton reads")


def _check_key(entity: Mapping[str, object], expected: str) -> None:
    if entity.get("RowKey") != expected:
        raise wrong("RowKey", entity.get("RowKey"), f"{expected!r}, as its columns say")
