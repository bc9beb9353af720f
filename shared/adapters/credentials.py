"""Who Baton is to Azure: a managed identity there, whatever azure-identity finds elsewhere."""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
    from azure.identity.aio import DefaultAzureCredential


def client_id(environment: Mapping[str, str], connection: str) -> str:
    """The user-assigned identity that the settings name for a connection.

    Args:
        environment: The settings.
        connection: `BATON_BUS`, `BATON_TABLES`, ...: the Functions host reads `<connection>__clientId`,
            and so does Baton, so that triggers and app are one identity.

    Returns:
        `""` where none is named: the system-assigned identity then, or the developer's own.
    """
    named = environment.get(f"{connection}__clientId", "").strip()
    return named or environment.get("AZURE_CLIENT_ID", "").strip()


class Identity:
    """An AsyncTokenCredential that builds the real one when the first token is asked for.

    azure-identity costs half a second to import, and nothing on a laptop's emulators needs it.
    """

    def __init__(self, managed_identity_client_id: str = "") -> None:
        """`managed_identity_client_id`: of a user-assigned identity, `""` if none is meant."""
        self._client_id = managed_identity_client_id
        self._credential: DefaultAzureCredential | None = None

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,
    ) -> "AccessToken":
        """A token for the scopes; see azure.core.credentials_async.AsyncTokenCredential."""
        return await self._real().get_token(
            *scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae, **kwargs
        )

    async def get_token_info(
        self, *scopes: str, options: "TokenRequestOptions | None" = None
    ) -> "AccessTokenInfo":
        """The same for newer policies, which ask this way where they can."""
        return await self._real().get_token_info(*scopes, options=options)

    async def close(self) -> None:
        """Closes the real credential's connections."""
        credential, self._credential = self._credential, None
        if credential:
            await credential.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    def _real(self) -> "DefaultAzureCredential":
        if self._credential is None:
            from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - see the class

            self._credential = (
                DefaultAzureCredential(managed_identity_client_id=self._client_id)
                if self._client_id
                else DefaultAzureCredential()
            )
        return self._credential
