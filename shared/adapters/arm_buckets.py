"""Compute's throttle buckets, and Baton's own half of each: so that nobody else in a subscription is hurt.

Of a single VM's buckets Baton stays below half by how seldom it looks (BATON_CHECK_INTERVAL); what adds
up is the whole fleet, and that is paced here. Each process paces itself.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from shared.adapters.arm_errors import Paused
from shared.ports import Clock

# A handler has seconds: a longer wait is left to a later message.
_WAIT_MAX = timedelta(seconds=5)
_SHARE = 0.5


class Bucket(StrEnum):
    """A bucket of Compute, by Azure's name of what it counts; OTHER is not Compute's."""

    LOW_COST_GET = "LowCostGet"
    HIGH_COST_GET = "HighCostGet"
    GET_OPERATION = "GetOperation"
    UPDATE_VM = "UpdateVM"
    VM_GUEST_PATCH = "VMGuestPatch"
    LOW_COST_GET_SET = "LowCostGetVMScaleSet"
    HIGH_COST_GET_SET = "HighCostGetVMScaleSet"
    GET_SET_VM = "GetVMScaleSetVM"
    UPDATE_SET_VM = "UpdateVMScaleSetVM"
    OTHER = ""


# Per subscription: refill a minute, size. learn.microsoft.com: compute-throttling-limits (May 2024).
_PUBLISHED = {
    Bucket.LOW_COST_GET: (8_000, 24_000),
    Bucket.HIGH_COST_GET: (300, 900),
    Bucket.GET_OPERATION: (5_000, 15_000),
    Bucket.UPDATE_VM: (500, 1_500),
    Bucket.VM_GUEST_PATCH: (200, 600),
    Bucket.LOW_COST_GET_SET: (800, 2_400),
    Bucket.HIGH_COST_GET_SET: (360, 1_080),
    Bucket.GET_SET_VM: (2_000, 6_000),
    Bucket.UPDATE_SET_VM: (500, 1_500),
}
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)")


def subject_of(method: str, url: str) -> tuple[Bucket, str]:
    """The bucket that a request is counted in, and whose: the subscription's id, lower-cased."""
    path = url.split("?", 1)[0].lower()
    found = _SUBSCRIPTION.search(path)
    subscription = found[1] if found else ""
    if "/providers/microsoft.compute/" not in path:
        return Bucket.OTHER, subscription
    if "/virtualmachinescalesets" in path:
        return _of_scale_sets(method, path), subscription
    if method != "GET":
        is_patch = path.rstrip("/").endswith(("/assesspatches", "/installpatches"))
        return Bucket.VM_GUEST_PATCH if is_patch else Bucket.UPDATE_VM, subscription
    if "/operations/" in path:
        return Bucket.GET_OPERATION, subscription
    is_list = path.rstrip("/").endswith("/virtualmachines")
    return Bucket.HIGH_COST_GET if is_list else Bucket.LOW_COST_GET, subscription


def _of_scale_sets(method: str, path: str) -> Bucket:
    """Theirs are apart from the VMs'. A list of instances is in no table; throttled callers name this bucket."""
    if method != "GET":
        return Bucket.UPDATE_SET_VM
    if path.rstrip("/").endswith(("/virtualmachinescalesets", "/virtualmachines")):
        return Bucket.HIGH_COST_GET_SET
    return Bucket.GET_SET_VM if "/virtualmachines/" in path else Bucket.LOW_COST_GET_SET


@dataclass(frozen=True, slots=True)
class _Level:
    tokens: float
    at: datetime


class HalfPolicy(AsyncHTTPPolicy[Any, Any]):
    """Lets at most half of what Compute allows be sent, every retry counted.

    A read waits its turn where that is soon; what would wait longer, and any write, is refused unsent.
    """

    def __init__(
        self, clock: Clock, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        """`sleep`: how a read waits, in seconds."""
        self._clock = clock
        self._sleep = sleep
        self._levels: dict[tuple[Bucket, str], _Level] = {}

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Sends it in its turn, or raises Paused."""
        method = request.http_request.method
        bucket, subscription = subject_of(method, request.http_request.url)
        if bucket is not Bucket.OTHER:
            wait = self._take(bucket, subscription, may_wait=method == "GET")
            if wait:
                await self._sleep(wait.total_seconds())
        return await self.next.send(request)

    def _take(self, bucket: Bucket, subscription: str, *, may_wait: bool) -> timedelta:
        """Takes a token, perhaps one that is yet to come; returns the wait for it."""
        refill, size = (_SHARE * figure for figure in _PUBLISHED[bucket])
        now = self._clock.now()
        level = self._levels.get((bucket, subscription), _Level(size, now))
        # A clock that was set back must not cost tokens.
        passed = max((now - level.at).total_seconds(), 0.0)
        left = min(size, level.tokens + passed * refill / 60) - 1
        wait = timedelta(minutes=max(-left, 0.0) / refill)
        if wait > (_WAIT_MAX if may_wait else timedelta(0)):
            raise Paused(wait)
        self._levels[bucket, subscription] = _Level(left, now)
        return wait
