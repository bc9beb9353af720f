"""Requests that start something in Azure: each is sent once, and whatever is no clear answer is StartUnknown."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from shared.adapters import arm_errors
from shared.ports import Accepted, Clock


async def post_once(
    begin: Callable[..., Awaitable[object]],
    *,
    what: str,
    request_id: str,
    within: timedelta,
    clock: Clock,
    url_headers: tuple[str, ...] = ("Azure-AsyncOperation", "Location"),
) -> Accepted:
    """Sends one of the SDK's `begin_...` requests exactly once, with no retries of any kind.

    Args:
        begin: The SDK's method, its positional arguments bound.
        what: The start, for people.
        request_id: Sent as x-ms-client-request-id.
        within: How long to wait for the answer.
        clock: For Retry-After dates.
        url_headers: Where the operation's URL may be, the first wins.

    Raises:
        Refused, StartUnknown, VmNotFound: As the ports say.
    """
    seconds = within.total_seconds()
    sent: list[Any] = []
    answers: list[Any] = []
    failure: Exception = RuntimeError("the SDK gave neither an answer nor an error")
    try:
        async with asyncio.timeout(seconds):
            # polling=False: whoever looks later asks the URL once; here nothing waits or polls.
            await begin(
                polling=False,
                retry_total=0,
                connection_timeout=seconds,
                read_timeout=seconds,
                request_id=request_id,
                raw_request_hook=sent.append,
                raw_response_hook=answers.append,
            )
    except Exception as error:  # noqa: BLE001 - whatever it was, the start may have been taken
        failure = error
    response = answers[-1].http_response if answers else None
    if response is not None and response.status_code in (200, 202):
        # The status alone counts: a body that broke off or an odd header takes nothing back.
        headers = response.headers
        return Accepted(
            operation_url=next(filter(None, map(headers.get, url_headers)), ""),
            correlation_id=headers.get(arm_errors.CORRELATION_ID) or "",
            retry_after=arm_errors.retry_after(headers, clock.now()),
        )
    raise arm_errors.start_error(failure, what=what, sent=bool(sent), now=clock.now()) from failure
