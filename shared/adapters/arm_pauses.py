"""What ARM asked to be left alone: until its time nobody of this process asks again.

Handlers that look at one VM at the same time would else each get their own 429, and each come back the
moment the wait is over. Nothing depends on this memory: another process learns the same by one 429.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from shared.adapters.arm_errors import Paused, answer_of
from shared.ports import Clock


class PausesPolicy(AsyncHTTPPolicy[Any, Any]):
    """Refuses what is paused, before it is sent.

    A 429 pauses the path that met it, or every read (every write) of its subscription, if it says so.
    """

    def __init__(self, clock: Clock) -> None:
        """`clock`: for when a pause is over."""
        self._clock = clock
        self._pauses: dict[str, tuple[datetime, timedelta]] = {}

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Sends it, or raises Paused."""
        now = self._clock.now()
        own, subscription = _subjects(request.http_request)
        left = max(self._left(own, now), self._left(subscription, now))
        if left > timedelta(0):
            raise Paused(left)
        response = await self.next.send(request)
        if response.http_response.status_code == 429:
            await response.http_response.read()  # the SDK leaves that for later where it polls
            self._learn(response.http_response, own, subscription)
        return response

    def _left(self, subject: str, now: datetime) -> timedelta:
        until, wait = self._pauses.get(subject, (now, timedelta(0)))
        # A clock that was set back must not make a pause longer than ARM asked.
        return until - now if until - now <= wait else timedelta(0)

    def _learn(self, response: Any, own: str, subscription: str) -> None:
        now = self._clock.now()
        answer = answer_of(HttpResponseError(response=response), now)
        wait = answer.retry_after if answer else None
        if wait:
            self._pauses = {
                subject: pause for subject, pause in self._pauses.items() if pause[0] > now
            }
            subject = subscription if _is_of_subscription(response) else own
            self._pauses[subject] = (now + wait, wait)


def _subjects(request: Any) -> tuple[str, str]:
    """What a request is about: its own path, and its subscription; reads and writes apart, as ARM counts."""
    kind = "read" if request.method == "GET" else "write"
    path = request.url.split("?", 1)[0].lower()
    found = re.search(r"/subscriptions/([^/]+)", path)
    return f"{kind} {path}", f"{kind} {found[1] if found else path}"


def _is_of_subscription(response: Any) -> bool:
    """Whether the bucket that is empty is the whole subscription's."""
    return any("subscription" in name.lower() for name in _buckets(response))


def _buckets(response: Any) -> Iterator[str]:
    """ARM's code, and the names of Compute's buckets where the body has them."""
    try:
        error = json.loads(response.text())["error"]
        yield str(error["code"])
        yield from (str(detail["target"]) for detail in error["details"])
    except (ValueError, KeyError, TypeError):  # ARM's front door gives no details, a proxy no JSON
        return
