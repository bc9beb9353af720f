"""The SDK's client of Communication Services Email, with our own chain of policies."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.communication.email.aio import EmailClient
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    HeadersPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport

from shared.adapters.arm_pipeline import StaticToken

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

_SCOPE = "https://communication.azure.com//.default"  # as the SDK spells it, with both slashes
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CONNECT_SECONDS = 5
_READ_SECONDS = 20


def open_client(host: str, credential: "AsyncTokenCredential", *, api: str) -> EmailClient:
    """A client that sends each request once: without the SDK's retries, redirects and waits.

    Args:
        host: With its port, if any; on loopback it is an emulator, by http and a static token.
        credential: The app's identity; shown only over https.
        api: The API version.
    """
    plain = urlsplit(f"//{host}").hostname in _LOOPBACK
    authentication: Any = (
        StaticToken("emulator") if plain else AsyncBearerTokenCredentialPolicy(credential, _SCOPE)
    )
    return EmailClient(
        f"{'http' if plain else 'https'}://{host}",
        credential,
        api_version=api,
        transport=AioHttpTransport(
            connection_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            # A proxy of the environment is for the outside, never for an emulator.
            use_env_settings=not plain,
        ),
        policies=[RequestIdPolicy(), HeadersPolicy(), UserAgentPolicy("baton"), authentication],
    )
