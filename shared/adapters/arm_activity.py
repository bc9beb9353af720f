"""Azure's activity log of one VM: a witness among others, which an identity may well not be shown."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from shared.adapters import arm_answers
from shared.adapters.arm_reads import ArmReads
from shared.domain.errors import BatonError, Retryable
from shared.ports import Activity

log = logging.getLogger("baton.arm")

_API = "2015-04-01"
# One VM has a handful of such events; a log of more pages than this is not about it.
_PAGES_MAX = 5
_READ = "Microsoft.Insights/eventtypes/values/read"


async def read_activities(
    reads: ArmReads, vm_id: str, *, operation: str, since: datetime
) -> Sequence[Activity]:
    """The events of one operation on a VM, oldest first; empty where the log may not be read.

    Args:
        reads: Where to read.
        vm_id: The VM's ARM id.
        operation: As `arm_answers` names it.
        since: From when on.

    Raises:
        Retryable: It was too busy to tell anything.
    """
    subscription = vm_id.strip("/").split("/")[1]
    query = {
        "api-version": _API,
        "$filter": f"eventTimestamp ge '{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'"
        f" and resourceUri eq '{vm_id.replace(chr(39), chr(39) * 2)}'",
        "$select": "eventTimestamp,operationName,status,correlationId,httpRequest,resourceId",
    }
    url = (
        f"{reads.url}/subscriptions/{subscription}/providers/Microsoft.Insights"
        f"/eventtypes/management/values?{urlencode(query, quote_via=quote)}"
    )
    pages = reads.pages(url, what=f"activity log of {vm_id}", right=_READ, pages_max=_PAGES_MAX)
    events: list[Activity] = []
    try:
        async for page in pages:
            found = (arm_answers.activity_of(item, operation) for item in page)
            events += [event for event in found if event]
    except Retryable:
        # It may have it on the next page. Only where it has told nothing is there something to wait for.
        if not events:
            raise
    except BatonError as error:
        # What it said before it broke off is true all the same.
        extra = {"action": "activity_log_unread", "vm": vm_id}
        log.warning("The activity log was not read: %s", error, extra=extra)
    return tuple(sorted(events, key=lambda event: event.at))
