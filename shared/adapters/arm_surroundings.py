"""What stands around a subscription's VMs, read from two lists that the app may do without.

Public addresses name the network interface that has them, so that interfaces need no list of their own.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.adapters.arm_fields import Fields, word
from shared.adapters.arm_reads import READ_WITHIN, ArmReads
from shared.domain.errors import BatonError, InvalidInput
from shared.domain.preflight import Surroundings

log = logging.getLogger("baton.arm")


@dataclass(frozen=True, slots=True)
class _List:
    """A list of the subscription's; `read` takes (key, value) off an item, None if it has none to tell."""

    what: str
    path: str
    right: str
    read: Callable[[Fields], tuple[str, str] | None]


async def read_surroundings(
    reads: ArmReads, subscription_id: str, *, within: float = READ_WITHIN
) -> Surroundings:
    """Reads both lists at once. What cannot be read is said, and never an error.

    Args:
        reads: Where to read.
        subscription_id: Of which subscription.
        within: Seconds for a list with all its pages: nothing that matters more should wait for it.
    """
    (addresses, no_addresses), (shutdowns, no_shutdowns) = await asyncio.gather(
        _read(reads, subscription_id, _ADDRESSES, within),
        _read(reads, subscription_id, _SCHEDULES, within),
    )
    unread = tuple(sentence for sentence in (no_addresses, no_shutdowns) if sentence)
    return Surroundings(dynamic_addresses=addresses, shutdowns=shutdowns, unread=unread)


async def _read(
    reads: ArmReads, subscription_id: str, wanted: _List, within: float
) -> tuple[dict[str, str], str]:
    """What a list says as far as it could be read, and why not to its end."""
    what = f"{wanted.what} of subscription {subscription_id}"
    url = f"{reads.url}/subscriptions/{subscription_id}/providers/{wanted.path}"
    found: dict[str, str] = {}
    unread = ""
    try:
        async with asyncio.timeout(within):
            async for page in reads.pages(url, what=what, right=wanted.right):
                for item in page:
                    unread = _take(item, wanted, found) or unread
    except BatonError as error:
        unread = str(error)
    except TimeoutError:
        unread = f"{what}: no answer in time"
    if unread:
        extra = {"action": "surroundings_unread", "subscription": subscription_id}
        log.info("Preflight is incomplete: %s", unread, extra=extra)
    return found, unread


def _take(item: object, wanted: _List, found: dict[str, str]) -> str:
    """Adds what an item tells; returns why it is unusable, `""` if it is not."""
    where = word(item, "id") or f"{wanted.what}, one without an id"
    try:
        told = wanted.read(Fields(where, "", item if isinstance(item, Mapping) else {}))
    except InvalidInput as wrong:
        return str(wrong)
    if told:
        found[told[0]] = told[1]
    return ""


def _dynamic_address(item: Fields) -> tuple[str, str] | None:
    """Network interface id → its dynamic public address, or the name of one that is not given yet.

    An address of a load balancer outlives any redeploy.
    """
    properties = item.object("properties")
    holder = properties.object("ipConfiguration", required=False).text("id", required=False)
    nic, _, _ = holder.lower().partition("/ipconfigurations/")
    method = properties.text("publicIPAllocationMethod", required=False)
    if method.lower() != "dynamic" or "/networkinterfaces/" not in nic:
        return None
    return nic, properties.text("ipAddress", required=False) or item.text("name")


def _shutdown(item: Fields) -> tuple[str, str] | None:
    """VM key → when its auto-shutdown is, if that is switched on: `19:00 W. Europe Standard Time`."""
    properties = item.object("properties")
    is_on = properties.text("status", required=False).lower() == "enabled"
    task = properties.text("taskType", required=False)
    if not is_on or task.lower() != "computevmshutdowntask":
        return None
    time = properties.object("dailyRecurrence").text("time")
    # Azure's own spelling is 1900; some templates write 19:00.
    shown = f"{time[:2]}:{time[2:]}" if len(time) == 4 else time
    zone = properties.text("timeZoneId", required=False) or "UTC"
    return properties.text("targetResourceId").lower(), f"{shown} {zone}"


_ADDRESSES = _List(
    "public addresses",
    "Microsoft.Network/publicIPAddresses?api-version=2024-05-01",
    "Microsoft.Network/publicIPAddresses/read",
    _dynamic_address,
)
_SCHEDULES = _List(
    "auto-shutdown schedules",
    "Microsoft.DevTestLab/schedules?api-version=2018-09-15",
    "Microsoft.DevTestLab/schedules/read",
    _shutdown,
)
