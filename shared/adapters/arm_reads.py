"""Reads of ARM, each bounded in time, with errors that say what was read and which right it needs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from shared.adapters import arm_errors
from shared.adapters.arm_answers import page_of
from shared.adapters.arm_pipeline import ArmClients
from shared.domain.errors import BatonError, Retryable, Terminal
from shared.domain.vm_ids import VmId
from shared.ports import Clock

# One read, or one page, with all its retries.
READ_WITHIN = 30.0
# 100,000 VMs at 50 a page; a list that never ends must end somewhere.
_PAGES_MAX = 2_000

_READ_OPERATIONS = "Microsoft.Compute/locations/operations/read"

_T = TypeVar("_T")

log = logging.getLogger("baton.arm")


class ArmReads:
    """Lists of the SDK's clients, and GETs that no client here has a method for."""

    def __init__(self, clients: ArmClients, clock: Clock) -> None:
        """`clock`: for Retry-After dates."""
        self._clients = clients
        self._clock = clock

    @property
    def url(self) -> str:
        """ARM's endpoint, without a slash at its end."""
        return self._clients.url

    async def items(
        self,
        pages: Any,
        *,
        what: str,
        right: str,
        meaning: Callable[..., BatonError] = arm_errors.read_error,
    ) -> AsyncIterator[object]:
        """The items of a list of the SDK's, each page read within its time.

        Args:
            pages: By the SDK.
            what: The list, for people.
            right: The right that reading it needs.
            meaning: Of an error: `read_error`, or `vm_error` where what has the list may be gone.
        """
        for _ in range(_PAGES_MAX):
            try:
                async with asyncio.timeout(READ_WITHIN):
                    items = [item async for item in await anext(pages)]
            except StopAsyncIteration:
                return
            except Exception as error:
                raise meaning(error, what=what, right=right, now=self._clock.now()) from error
            for item in items:
                yield item
        raise Terminal(f"{what}: more than {_PAGES_MAX} pages")

    async def pages(
        self,
        url: str,
        *,
        what: str,
        right: str,
        pages_max: int = _PAGES_MAX,
        garbled: type[BatonError] = Terminal,
    ) -> AsyncIterator[list[Any]]:
        """The items of each page of a list at a URL; `garbled`: what a page is that cannot be used.

        Raises:
            Retryable, Terminal: A page cannot be read, or there are too many; those before it stand.
        """
        for _ in range(pages_max):
            response = await self.send(url, what=what, right=right)
            if response.status_code != 200:
                error = HttpResponseError(response=response)
                now = self._clock.now()
                if arm_errors.is_unregistered(error, now):
                    return
                raise arm_errors.read_error(error, what=what, right=right, now=now)
            try:
                items, url = page_of(response.text(), what=what)
            except Terminal as error:
                raise garbled(str(error)) from error
            yield items
            if not url:
                return
        raise Terminal(f"{what}: more than {pages_max} pages")

    async def send(
        self, url: str, *, what: str, right: str, method: str = "GET", body: Any = None
    ) -> Any:
        """A request through the clients' chain; any status is an answer.

        It is sent again where that may help: only what does no harm twice may be sent so.
        """
        request = HttpRequest(method, url, json=body)
        try:
            async with asyncio.timeout(READ_WITHIN):
                return await self._clients.subscriptions().send_request(request)
        except Exception as error:
            raise arm_errors.read_error(
                error, what=what, right=right, now=self._clock.now()
            ) from error

    async def operation(self, url: str) -> tuple[int, str, timedelta | None] | None:
        """Status, body and Retry-After of an operation's URL, asked once; None for one that is not ARM's.

        Raises:
            Retryable: ARM is busy.
        """
        if not self._clients.owns(url):
            extra = {"action": "operation_url_refused", "url": url[:200]}
            log.warning("An operation's URL is not ARM's; it is not followed", extra=extra)
            return None
        what = f"operation {url.split('?', 1)[0]}"
        response = await self.send(url, what=what, right=_READ_OPERATIONS)
        wait = arm_errors.retry_after(response.headers, self._clock.now())
        if response.status_code in (408, 429) or response.status_code >= 500:
            raise Retryable(f"{what}: {response.status_code}", retry_after=wait)
        return response.status_code, response.text(), wait


def parsed(vm_id: str) -> VmId:
    """What a VM's id says.

    Raises:
        Terminal: It is not the id of a virtual machine.
    """
    try:
        return VmId.parse(vm_id)
    except ValueError as error:
        raise Terminal(str(error)) from error


def parsed_own(vm_id: str) -> VmId:
    """What the id of a VM of its own says.

    Raises:
        Terminal: It is not the id of one; an instance of a uniform scale set has neither patches nor settings.
    """
    found = parsed(vm_id)
    if found.scale_set:
        raise Terminal(f"Azure offers this for no instance of a uniform scale set: {vm_id[:300]!r}")
    return found


class Kept(Generic[_T]):
    """Answers that are good for a while, by subscription."""

    def __init__(self, clock: Clock, span: timedelta) -> None:
        """`span`: how long an answer is good."""
        self._clock = clock
        self._span = span
        self._held: dict[str, tuple[datetime, _T]] = {}

    def get(self, key: str) -> _T | None:
        """The answer, if there is one and it is still good."""
        kept_at, value = self._held.get(key, (None, None))
        return value if kept_at and self._clock.now() - kept_at < self._span else None

    def keep(self, key: str, value: _T) -> _T:
        """Keeps an answer from now on; returns it."""
        self._held[key] = (self._clock.now(), value)
        return value
