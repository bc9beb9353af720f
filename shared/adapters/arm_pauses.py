"""What ARM asked to be left alone: until its time nobody of this process asks again.

Handlers that look at one VM at the same time would else each get their own 429, and each come back the
moment the wait is over. Nothing depends on this memory: another process learns the same by one 429.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy

from shared.adapters.arm_buckets import subject_of
from shared.adapters.arm_errors import Paused, answer_of
from shared.ports import Clock


class PausesPolicy(AsyncHTTPPolicy[Any, Any]):
    """Refuses what is paused, before it is sent.

    A 429 pauses the path that met it; where it says so, all that the same bucket of Compute counts in
    its subscription, or every read (every write) there.
    """

    def __init__(self, clock: Clock) -> None:
        """`clock`: for when a pause is over."""
        self._clock = clock
        self._pauses: dict[str, tuple[datetime, timedelta]] = {}

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Sends it, or raises Paused."""
        now = self._clock.now()
        subjects = _subjects(request.http_request)
        left = max(self._left(subject, now) for subject in subjects)
        if left > timedelta(0):
            raise Paused(left)
        response = await self.next.send(request)
        if response.http_response.status_code == 429:
            await response.http_response.read()  # the SDK leaves that for later where it polls
            self._learn(response.http_response, subjects)
        return response

    def _left(self, subject: str, now: datetime) -> timedelta:
        until, wait = self._pauses.get(subject, (now, timedelta(0)))
        # A clock that was set back must not make a pause longer than ARM asked.
        return until - now if until - now <= wait else timedelta(0)

    def _learn(self, response: Any, subjects: tuple[str, str, str]) -> None:
        now = self._clock.now()
        answer = answer_of(HttpResponseError(response=response), now)
        wait = answer.retry_after if answer else None
        if wait:
            self._pauses = {
                subject: pause for subject, pause in self._pauses.items() if pause[0] > now
            }
            self._pauses[subjects[_reach(response)]] = (now + wait, wait)


def _subjects(request: Any) -> tuple[str, str, str]:
    """What a request is about: its own path, its bucket of Compute, its subscription's reads or writes."""
    kind = "read" if request.method == "GET" else "write"
    path = request.url.split("?", 1)[0].lower()
    bucket, subscription = subject_of(request.method, request.url)
    return (
        f"{kind} {path}",
        f"{kind} {bucket} of {subscription or path}",
        f"{kind} all of {subscription or path}",
    )


def _reach(response: Any) -> int:
    """Which of a request's subjects the empty bucket counts.

    Compute names its bucket in the details; Resource Manager's front door counts a whole subscription.
    """
    code, targets = _names(response)
    if "subscription" in code.lower():
        return 2
    return 1 if any("subscription" in target.lower() for target in targets) else 0


def _names(response: Any) -> tuple[str, list[str]]:
    """ARM's code, and the names of Compute's buckets where the body has them."""
    try:
        error = json.loads(response.text())["error"]
        code = str(error["code"])
    except (ValueError, KeyError, TypeError):  # a proxy answers no JSON
        return "", []
    try:
        return code, [str(detail["target"]) for detail in error["details"]]
    except (KeyError, TypeError):  # the front door gives no details
        return code, []
