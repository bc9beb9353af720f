"""Receiver over HTTP: CloudEvents 1.0 to an Event Grid topic, or to a webhook.

Sources: the CloudEvents HTTP protocol binding and JSON format, v1.0.2 (structured mode for one event, batched
mode for many); Event Grid, "Post to custom topic" (`api-version=2018-01-01`) and azure-eventgrid's publisher
(`application/cloudevents-batch+json`, scope `https://eventgrid.azure.net/.default`, role `EventGrid Data
Sender`); Standard Webhooks 1.0.0, "Verifying webhook authenticity".

The OPTIONS handshake of the CloudEvents webhook specification protects strangers from who lets anybody
register an address ("Delivery targets SHOULD support" it); this address is a setting of the one who deploys.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    HeadersPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from shared.adapters.arm_errors import retry_after
from shared.domain.errors import BatonError, Retryable, Terminal
from shared.domain.lifecycle import Event
from shared.ports import Clock

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

_TOPICS = ".eventgrid.azure.net"
_SCOPE = "https://eventgrid.azure.net/.default"
_API = "api-version=2018-01-01"
_ROLE = "EventGrid Data Sender"
_TYPE = "com.baton.vm."
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CONNECT_SECONDS, _READ_SECONDS = 5, 15
_WITHIN = 30.0
# A topic takes 1 MiB in one request; an event has at most some 5 KiB.
_BATCH_MAX = 50
# What a webhook finds fault with in the event itself.
_OF_THE_EVENT = (400, 413, 422)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a receiver is spoken to.

    Attributes:
        batch: Events go as an array, many at once.
        right: What an identity lacks where access is denied.
    """

    media_type: str
    batch: bool
    right: str


TOPIC = Kind(
    media_type="application/cloudevents-batch+json; charset=utf-8",
    batch=True,
    right=f"The app's identity needs the role '{_ROLE}' on the topic",
)
WEBHOOK = Kind(
    media_type="application/cloudevents+json; charset=utf-8",
    batch=False,
    right="It refuses Baton: is BATON_EVENTS_URL whole, and BATON_EVENTS_SECRET the one it knows?",
)


def connect_events(
    url: str, secret: str, credential: "AsyncTokenCredential", *, clock: Clock
) -> "CloudEvents":
    """The receiver of an address; opens nothing yet.

    Args:
        url: https, of an Event Grid topic or of a webhook; http on loopback.
        secret: By which a webhook knows that Baton sent it, `whsec_...`; `""` signs nothing.
        credential: The app's identity, shown to topics alone.
        clock: For signatures.
    """
    host = (urlsplit(url).hostname or "").lower()
    if host.endswith(_TOPICS):
        policy = AsyncBearerTokenCredentialPolicy(credential, _SCOPE)
        address = url if "?" in url else f"{url}?{_API}"
        return CloudEvents(address, kind=TOPIC, secret="", clock=clock, authentication=policy)
    return CloudEvents(url, kind=WEBHOOK, secret=secret, clock=clock)


class CloudEvents:
    """Receiver; see the port."""

    def __init__(
        self, url: str, *, kind: Kind, secret: str, clock: Clock, authentication: Any = None
    ) -> None:
        """Use `connect_events`."""
        parts = urlsplit(url)
        self._url = url
        self._kind = kind
        self._secret = secret
        self._clock = clock
        self._authentication = authentication
        self._client: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] | None = None
        self._plain = parts.hostname in _LOOPBACK
        self.name = parts.hostname or ""
        self.at_once = _BATCH_MAX if kind.batch else 1

    async def send(self, events: Sequence[Event]) -> None:
        """See the port."""
        documents = [cloud_event(event) for event in events]
        body = documents if self._kind.batch else documents[0]
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(
            errors="replace"
        )
        headers = {"Content-Type": self._kind.media_type, **self._signed(events[0].id, content)}
        status, sent = await self._ask(
            HttpRequest("POST", self._url, content=content, headers=headers)
        )
        if not 200 <= status < 300:
            raise self._refusal(status, sent)

    async def check(self) -> None:
        """See the port: an empty batch to a topic, which judges the token first; OPTIONS to a webhook."""
        request = HttpRequest("OPTIONS", self._url)
        if self._kind.batch:
            headers = {"Content-Type": self._kind.media_type}
            request = HttpRequest("POST", self._url, content=b"[]", headers=headers)
        status, sent = await self._ask(request)
        if status in (401, 403, 404) or status >= 500:
            raise self._refusal(status, sent)

    async def close(self) -> None:
        """Closes the connections."""
        client, self._client = self._client, None
        if client:
            await client.close()

    async def _ask(self, request: HttpRequest) -> tuple[int, Mapping[str, str]]:
        """Sends a request once; returns status and headers. Whatever else is answered is not read.

        Raises:
            Retryable: There was no answer.
        """
        try:
            async with asyncio.timeout(_WITHIN):
                response = await self._open().send_request(request, stream=True)
                await response.close()
        except ClientAuthenticationError as error:
            raise Retryable(f"{self.name}: no token for it: {error.message[:300]}") from error
        except (AzureError, OSError, TimeoutError) as error:
            # By its kind alone: its text may hold the address.
            raise Retryable(f"{self.name}: no answer ({type(error).__name__})") from error
        return response.status_code, response.headers

    def _refusal(self, status: int, headers: Mapping[str, str]) -> BatonError:
        said = f"{self.name} answered {status}"
        if status in _OF_THE_EVENT and not self._kind.batch:
            return Terminal(said)
        if status in (401, 403):
            said = f"{said}. {self._kind.right}"
        return Retryable(said, retry_after=retry_after(headers, self._clock.now()))

    def _signed(self, identity: str, content: bytes) -> Mapping[str, str]:
        """Standard Webhooks: who has the secret knows that this is Baton's, whole, and new."""
        if not self._secret:
            return {}
        at = str(int(self._clock.now().timestamp()))
        key = base64.b64decode(self._secret.removeprefix("whsec_"))
        said = f"{identity}.{at}.".encode() + content
        signature = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
        return {
            "webhook-id": identity,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{signature}",
        }

    def _open(self) -> "AsyncPipelineClient[HttpRequest, AsyncHttpResponse]":
        """A client that sends each request once: no retries, no redirects, nothing logged."""
        if self._client is None:
            policies: list[Any] = [HeadersPolicy(), UserAgentPolicy("baton")]
            policies += [self._authentication] if self._authentication else []
            transport = AioHttpTransport(
                connection_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                # A proxy of the environment is for the outside, never for an emulator on this machine.
                use_env_settings=not self._plain,
            )
            self._client = AsyncPipelineClient(self._url, policies=policies, transport=transport)
        return self._client


def cloud_event(event: Event) -> dict[str, object]:
    """An event as CloudEvents 1.0 has it; docs/events.md describes it."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/baton/{quote(event.team, safe='')}/{quote(event.policy, safe='')}",
        "type": _TYPE + event.kind,
        "subject": event.vm_id,
        "time": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": event.data,
    }
