"""The SDK's clients of one Resource Manager, over one connection pool and our own chain of policies.

Two policies of the SDK's default chain are left out because they send a POST again: the redirect policy,
and the one that registers a resource provider. The retry policy stays for reads; a start turns it off.
"""

import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    AsyncRetryPolicy,
    CustomHookPolicy,
    HeadersPolicy,
    RequestIdPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from shared.adapters.arm_buckets import HalfPolicy
from shared.adapters.arm_pauses import PausesPolicy
from shared.domain.errors import InvalidInput, Problem
from shared.ports import Clock

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.mgmt.compute.aio import ComputeManagementClient
    from azure.mgmt.resource.subscriptions.aio import SubscriptionClient

meter = logging.getLogger("baton.meter")

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PORTS = {"https": 443, "http": 80}
# Where a token's audience is not the endpoint's own host: azure-mgmt-core 1.6.0, get_arm_endpoints.
_AUDIENCES = {"management.usgovcloudapi.net": "https://management.core.usgovcloudapi.net"}
# A longer wait than this is not slept through: the handler leaves a message for then.
_RETRY_AFTER_MAX = 8.0
_ONE_THING = re.compile(r"/(virtualMachines|operations)/[^/?]+(\?|$)", re.IGNORECASE)
_CONNECT_SECONDS = 5
_READ_SECONDS = 20


class ArmClients:
    """Clients, each opened on first use and kept."""

    def __init__(self, url: str, credential: "AsyncTokenCredential | str", clock: Clock) -> None:
        """Opens nothing yet.

        Args:
            url: https, or plain http on loopback.
            credential: Of the app's identity; a static token with plain http, and only there.
            clock: For how long ARM is left alone where it asks for that.

        Raises:
            InvalidInput: The URL and the credential do not go together.
        """
        parts = urlsplit(url)
        plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not plain and (parts.scheme != "https" or isinstance(credential, str)):
            expected = "https with an identity, or http on loopback with a static token"
            raise InvalidInput("settings", (Problem("BATON_ARM_URL", url, expected),))
        self.url = url.rstrip("/")
        self._credential = credential
        # A proxy of the environment is for the outside, never for an emulator on this machine.
        self._transport = AioHttpTransport(
            connection_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            use_env_settings=not plain,
        )
        self._options: dict[str, Any] = {
            "base_url": self.url,
            "transport": self._transport,
            "policies": _policies(self.url, credential, clock),
        }
        self._compute: dict[str, ComputeManagementClient] = {}
        self._subscriptions: SubscriptionClient | None = None

    def compute(self, subscription_id: str) -> "ComputeManagementClient":
        """The client of a subscription's VMs."""
        if subscription_id not in self._compute:
            # A second and 130 MiB: only for who reads VMs.
            from azure.mgmt.compute.aio import ComputeManagementClient  # noqa: PLC0415 - see above

            self._compute[subscription_id] = ComputeManagementClient(
                self._unused_credential(), subscription_id, **self._options
            )
        return self._compute[subscription_id]

    def subscriptions(self) -> "SubscriptionClient":
        """The client of the subscriptions themselves."""
        if self._subscriptions is None:
            from azure.mgmt.resource.subscriptions.aio import (  # noqa: PLC0415 - as above
                SubscriptionClient,
            )

            self._subscriptions = SubscriptionClient(self._unused_credential(), **self._options)
        return self._subscriptions

    def owns(self, url: str) -> bool:
        """Whether an URL is this ARM's: the same scheme, host and port, and nobody's name in it."""
        return _same_origin(url, self.url)

    async def close(self) -> None:
        """Closes the pool."""
        await self._transport.close()

    def _unused_credential(self) -> Any:
        """What the clients' constructors insist on; the policies carry the real one."""
        return self._credential


class _Patience(AsyncRetryPolicy[Any, Any]):
    """Retries a read, but never sleeps for long: whoever asks is to be told then.

    A throttled read of one thing is not retried at all: whoever follows it looks again by a message.
    """

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        answer = response.http_response
        if answer.status_code == 429 and _ONE_THING.search(answer.request.url):
            return False
        if (self.get_retry_after(response) or 0) > _RETRY_AFTER_MAX:
            return False
        return super().is_retry(settings, response)


class _OnlyArm(SansIOHTTPPolicy[Any, Any]):
    """Shows the token to no other host, whatever a next link says."""

    def __init__(self, url: str) -> None:
        self._url = url

    def on_request(self, request: PipelineRequest[Any]) -> None:
        if not _same_origin(request.http_request.url, self._url):
            raise ValueError(f"an answer of ARM leads elsewhere: {request.http_request.url[:200]}")


class _Meter(SansIOHTTPPolicy[Any, Any]):
    """Measures every request that leaves, those that are repeated among them."""

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        self._count(request, response.http_response.status_code)

    def on_exception(self, request: PipelineRequest[Any]) -> None:
        self._count(request, 0)

    def _count(self, request: PipelineRequest[Any], status: int) -> None:
        method = request.http_request.method
        extra = {"action": "arm_called", "method": method, "status": status}
        meter.info("%s: %d", method, status, extra=extra)


class StaticToken(SansIOHTTPPolicy[Any, Any]):
    """For emulators: the SDK's own policy refuses plain http."""

    def __init__(self, token: str) -> None:
        """`token`: guards nothing."""
        self._token = token

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Sets the header."""
        request.http_request.headers["Authorization"] = f"Bearer {self._token}"


def _policies(url: str, credential: "AsyncTokenCredential | str", clock: Clock) -> list[Any]:
    authentication = (
        StaticToken(credential)
        if isinstance(credential, str)
        else AsyncARMChallengeAuthenticationPolicy(credential, scope_of(url))
    )
    return [
        RequestIdPolicy(),
        HeadersPolicy(),
        UserAgentPolicy("baton"),
        _OnlyArm(url),
        PausesPolicy(clock),
        _Patience(
            retry_total=3,
            retry_connect=2,
            retry_read=2,
            retry_status=2,
            retry_backoff_factor=0.4,
        ),
        HalfPolicy(clock),
        authentication,
        _Meter(),
        # After the token is there: its request hook means that the request leaves now.
        CustomHookPolicy(),
    ]


def scope_of(url: str) -> str:
    """The scope of tokens for an ARM endpoint, of a sovereign cloud too."""
    parts = urlsplit(url)
    audience = _AUDIENCES.get((parts.hostname or "").lower(), f"https://{parts.netloc}")
    return f"{audience}/.default"


def _same_origin(url: str, other: str) -> bool:
    try:
        return (
            _origin(urlsplit(url)) == _origin(urlsplit(other)) and "@" not in urlsplit(url).netloc
        )
    except ValueError:
        return False


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(scheme)
