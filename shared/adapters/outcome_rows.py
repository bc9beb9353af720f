"""Attempts ⇄ rows of `BatonOutcomes`."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from shared.adapters.cells import Entity, key, plain, utc
from shared.adapters.columns import (
    ATTEMPT,
    INSTALLED,
    JOB,
    MAINTENANCE,
    OUTCOME_CELLS,
    OUTCOME_OF_JOB,
    OUTCOME_OF_PATCHES,
    UNSETTLED,
)
from shared.domain.attempt import Attempt
from shared.domain.due import Work
from shared.domain.job import Job

_LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)


def outcome_row(job: Job, attempt: Attempt) -> Entity:
    """The one row of an attempt. The same job and attempt number give the same key."""
    ended_at = utc("endedAt", attempt.ended_at)
    left = (_LAST - ended_at) // timedelta(microseconds=1)
    row_key = f"{left:020d}-{job.id}-{attempt.number}"
    cells: Entity = {
        "PartitionKey": key("PartitionKey", job.subscription_id),
        "RowKey": key("RowKey", row_key),
    }
    of_attempt = ATTEMPT.write(attempt) | INSTALLED.write(attempt.installed)
    of_patches = OUTCOME_OF_PATCHES if attempt.work == Work.PATCH else ()
    cells |= {
        name[:1].lower() + name[1:]: of_attempt[UNSETTLED + name]
        for name in (*OUTCOME_CELLS, *of_patches)
        if UNSETTLED + name in of_attempt
    }
    of_job = JOB.write(job) | (MAINTENANCE.write(job.maintenance) if job.maintenance else {})
    return cells | {name: of_job[name] for name in OUTCOME_OF_JOB if name in of_job}


def outcomes_of(vm_id: str, entities: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Those of a VM, whatever the case of its id; its name may be another VM's too."""
    return [
        {name: plain(cell) for name, cell in entity.items()}
        for entity in entities
        if str(entity.get("vmId")).lower() == vm_id.lower()
    ]
