"""The ids of jobs: the same for whoever computes them."""

import hashlib
import re
from datetime import datetime

from shared.domain.vm_ids import name_of


def job_id(vm_key: str, offer: datetime | str, generation: int = 1) -> str:
    """The id of the job for what a VM is offered: the same for whoever computes it.

    Args:
        vm_key: Lower-cased ARM id.
        offer: Of a maintenance `preMaintenanceWindowStartTime` as first seen (a later move keeps the id); of
            patches their release.
        generation: 2 and up where an earlier job of the same offer ended without a start.

    Returns:
        `NAME-YYYYMMDD-HASH`, with `-N` behind it from the second generation; at most 90 characters
        that are legal in table keys and message ids.
    """
    stamp = offer if isinstance(offer, str) else offer.isoformat()
    day = re.sub(r"[^0-9]", "", stamp)[:8]
    digest = hashlib.sha256(f"{vm_key}\n{stamp}".encode()).hexdigest()[:10]
    suffix = f"-{generation}" if generation > 1 else ""
    return f"{job_name(vm_key)}-{day}-{digest}{suffix}"


def job_name(vm_key: str) -> str:
    """The VM's name as its jobs' ids begin with it."""
    return re.sub(r"[^a-z0-9._-]", "-", name_of(vm_key))[:64]
