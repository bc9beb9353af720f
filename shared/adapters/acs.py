"""Mailer over Azure Communication Services Email, by azure-communication-email.

A mail is sent once and never polled for: its operation id is computed from its own id, so whoever wonders
later what became of it asks `GET /emails/operations/ID`, which answers 404 where it was never taken (ADR 13).
That the service sends nothing twice for one Operation-Id is documented nowhere, and nothing relies on it.
Source: REST reference of Communication Services, Email, "Send" and "Get Send Result", 2025-09-01.
"""

import asyncio
import uuid
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.communication.email.aio import EmailClient
from azure.core.exceptions import ClientAuthenticationError
from azure.core.rest import HttpRequest

from shared.adapters.acs_client import open_client
from shared.adapters.arm_answers import error_of
from shared.adapters.arm_errors import answer_of, retry_after
from shared.domain.alert import Delivery, Mail
from shared.domain.errors import BatonError, Retryable, Terminal
from shared.ports import Clock

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

_API = "2025-09-01"
_ROLE = "Communication and Email Service Owner"
# One mail with all that belongs to it: less than its handler's lease, also by a clock a minute ahead.
_WITHIN = 45.0
# Azure's own limit for one mail (service-limits, Email, size limits).
_RECIPIENTS_MAX = 50
# Where the service does not say how long to wait.
_LOOK_AFTER = timedelta(seconds=30)
_THROTTLED = timedelta(minutes=1)
# What the mail itself is at fault for, such as "Invalid format for email address".
_OF_THE_MAIL = (400, 413, 422)
_OURS = uuid.UUID("5f1c7f0e-6f2b-4a53-9d6c-0d7d0f4b7a10")

_Answer = tuple[Any, Mapping[str, str]]


def connect_acs(
    url: str, sender: str, credential: "AsyncTokenCredential", *, clock: Clock
) -> "Acs":
    """Communication Services as Mailer; opens nothing yet.

    Args:
        url: `acs://NAME.communication.azure.com`; on loopback an emulator, by http and a static token.
        sender: An address of a domain that is linked to the resource.
        credential: The app's identity.
        clock: For how long the service is left alone where it asks for that.
    """
    return Acs(urlsplit(url).netloc, sender, credential, clock)


def operation_id(mail_id: str, recipients: tuple[str, ...]) -> str:
    """The operation of a mail to these recipients: always the same UUID."""
    return str(uuid.uuid5(_OURS, "\n".join((mail_id, *recipients))))


class _NotTaken(Terminal):
    """The service finds fault with a mail and did not take it."""


class Acs:
    """Mailer; see the port."""

    def __init__(
        self, host: str, sender: str, credential: "AsyncTokenCredential", clock: Clock
    ) -> None:
        """Use `connect_acs`."""
        self._host = host
        self._sender = sender
        self._credential = credential
        self._clock = clock
        self._client: EmailClient | None = None
        self._pause: tuple[datetime, timedelta] | None = None

    async def send(self, mail: Mail, *, again: bool) -> Delivery:
        """See the port."""
        try:
            async with asyncio.timeout(_WITHIN):
                return await self._send(mail, again=again)
        except TimeoutError as error:
            raise Retryable(f"{self._host}: no answer in time") from error

    async def check(self) -> None:
        """See the port: asks for a mail that there never was."""
        await self._ask(operation_id("check", ()))

    async def close(self) -> None:
        """Closes the connections."""
        client, self._client = self._client, None
        if client:
            await client.close()

    async def _send(self, mail: Mail, *, again: bool) -> Delivery:
        everybody = mail.recipients
        parts = [
            await self._to(mail, everybody[start : start + _RECIPIENTS_MAX], again=again)
            for start in range(0, len(everybody), _RECIPIENTS_MAX)
        ]
        delivery = _joined(parts)
        if len(delivery.refused) == len(everybody):
            raise Terminal("; ".join(delivery.refused))
        return delivery

    async def _to(self, mail: Mail, recipients: tuple[str, ...], *, again: bool) -> Delivery:
        """One mail. A bad address has all of it refused: then one to each half, until it is alone."""
        try:
            return await self._give(mail, recipients, again=again)
        except Terminal as never:
            if len(recipients) == 1 or not isinstance(never, _NotTaken):
                return Delivery(refused=[f"{recipient}: {never}" for recipient in recipients])
        middle = len(recipients) // 2
        halves = recipients[:middle], recipients[middle:]
        return _joined([await self._to(mail, half, again=again) for half in halves])

    async def _give(self, mail: Mail, recipients: tuple[str, ...], *, again: bool) -> Delivery:
        """One operation: what became of it if it was begun before, else it begins."""
        operation = operation_id(mail.id, recipients)
        answer = await self._ask(operation) if again else None
        if answer is None:
            answer = await self._begin(self._message(mail, recipients, operation), operation)
        return self._delivery(*answer)

    async def _begin(self, message: dict[str, Any], operation: str) -> _Answer:
        self._heed_pause()
        try:
            # polling=False: whoever looks later asks once; here nothing waits.
            poller = await self._open().begin_send(
                message, operation_id=operation, polling=False, cls=_with_headers
            )
            answer: _Answer = await poller.result()  # type: ignore[assignment]  # what cls made of it
        except Exception as error:
            raise self._meaning(error) from error
        return answer

    async def _ask(self, operation: str) -> _Answer | None:
        """What the service says of an operation; None where it never took it."""
        self._heed_pause()
        query = {"api-version": _API}
        request = HttpRequest("GET", f"/emails/operations/{operation}", params=query)
        try:
            response = await self._open().send_request(request)
            if response.status_code == 404:
                return None
            response.raise_for_status()
            return response.json(), response.headers
        except Exception as error:
            meaning = self._meaning(error)
            if isinstance(meaning, Retryable):
                raise meaning from error
            # Whatever is wrong with the question, it says nothing of the mail.
            raise Retryable(str(meaning)) from error

    def _delivery(self, body: Any, headers: Mapping[str, str]) -> Delivery:
        status = body.get("status") if isinstance(body, Mapping) else None
        if status == "Succeeded":
            return Delivery()
        if status in ("Failed", "Canceled"):
            said = " ".join(error_of(body)).strip() or status
            raise Terminal(f"{self._host} dropped the mail: {said}")
        return Delivery(look_after=retry_after(headers, self._clock.now()) or _LOOK_AFTER)

    def _message(self, mail: Mail, recipients: tuple[str, ...], operation: str) -> dict[str, Any]:
        domain = self._sender.rsplit("@", 1)[-1]
        return {
            "senderAddress": self._sender,
            "recipients": {"to": [{"address": recipient} for recipient in recipients]},
            "content": {
                "subject": " ".join(mail.subject.split()),
                "plainText": mail.text,
                "html": mail.html,
            },
            "attachments": [
                {
                    "name": name,
                    "contentType": "text/calendar",
                    "contentInBase64": b64encode(text.encode()).decode(),
                }
                for name, text in mail.calendars
            ],
            # The same at every try; the service replaces one that it does not like.
            "headers": {"Message-ID": f"<{operation}@{domain}>"},
            "userEngagementTrackingDisabled": True,
        }

    def _meaning(self, error: Exception) -> BatonError:
        """What a failed request means. Only what is wrong with the mail itself is final."""
        answer = answer_of(error, self._clock.now())
        if answer is None:
            no_token = isinstance(error, ClientAuthenticationError)
            said = f"no token for it: {error}" if no_token else f"{type(error).__name__}: {error}"
            return Retryable(f"{self._host}: {said[:300]}")
        said = f"{self._host} answered {answer}"
        if answer.status in _OF_THE_MAIL:
            return _NotTaken(said)
        if answer.status == 429:
            wait = answer.retry_after or _THROTTLED
            self._pause = (self._clock.now() + wait, wait)
            return Retryable(said, retry_after=wait)
        if answer.status in (401, 403):
            said = f"{said}. The app's identity needs the role '{_ROLE}' on the resource."
        elif answer.status == 404:
            said = f"{said}. Is the sender's domain linked to the resource?"
        return Retryable(said, retry_after=answer.retry_after)

    def _heed_pause(self) -> None:
        """Sends nothing while the service wants none, whatever mail it was that met its limit.

        Raises:
            Retryable: With what is left of the wait.
        """
        until, wait = self._pause or (self._clock.now(), timedelta(0))
        left = until - self._clock.now()
        # A clock that was set back must not make a pause longer than was asked for.
        if timedelta(0) < left <= wait:
            raise Retryable(f"{self._host} asked to be left alone", retry_after=left)

    def _open(self) -> EmailClient:
        if self._client is None:
            self._client = open_client(self._host, self._credential, api=_API)
        return self._client


def _with_headers(response: Any, body: Any, _headers: Any) -> _Answer:
    return body, response.http_response.headers


def _joined(parts: Sequence[Delivery]) -> Delivery:
    return Delivery(
        refused=[one for part in parts for one in part.refused],
        look_after=max((part.look_after for part in parts if part.look_after), default=None),
    )
