"""What `./baton doctor` asks Resource Manager, beyond what the app does: who asks, what it may, what time it is."""

import base64
import json
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ClientAuthenticationError

from shared.adapters.arm_pipeline import ArmClients, scope_of
from shared.adapters.arm_reads import ArmReads
from shared.domain.errors import Retryable, Terminal
from shared.domain.rights import Permission
from shared.ports import Clock

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

_API = "2022-04-01"
_SUBSCRIPTIONS_API = "2022-12-01"
_READ_PERMISSIONS = "Microsoft.Authorization/permissions/read"
# What a token says of its owner, the best first: a person's name, an application's id, an object's id.
_NAMES = ("upn", "unique_name", "xms_mirid", "appid", "oid")


class ArmProbe:
    """Resource Manager, looked at."""

    def __init__(self, url: str, credential: "AsyncTokenCredential | str", *, clock: Clock) -> None:
        """As `connect_arm`; opens nothing yet."""
        self._url = url
        self._credential = credential
        self._clients = ArmClients(url, credential, clock)
        self._reads = ArmReads(self._clients, clock)

    async def caller(self) -> str:
        """Who asks.

        Raises:
            Terminal: There is no token to be had.
        """
        if isinstance(self._credential, str):
            return "the static token of an emulator"
        try:
            token = await self._credential.get_token(scope_of(self._url))
        except ClientAuthenticationError as error:
            raise Terminal(_first_line(error)) from error
        return _owner(token.token)

    async def time(self) -> datetime:
        """Azure's clock, to the second.

        Raises:
            Retryable, Terminal: It cannot be read.
        """
        url = f"{self._url}/subscriptions?api-version={_SUBSCRIPTIONS_API}"
        response = await self._reads.send(url, what="Azure's clock", right="any right")
        try:
            return parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError) as error:
            raise Retryable(f"{self._url} answers without a Date") from error

    async def permissions(self, scope: str) -> tuple[Permission, ...]:
        """What the caller may do in a subscription or a resource group.

        Raises:
            Retryable, Terminal: It cannot be read.
        """
        url = f"{self._url}{scope}/providers/Microsoft.Authorization/permissions?api-version={_API}"
        pages = self._reads.pages(url, what=f"permissions in {scope}", right=_READ_PERMISSIONS)
        return tuple([_permission(item) async for page in pages for item in page])

    async def close(self) -> None:
        """Closes the connections."""
        await self._clients.close()


def _permission(item: Any) -> Permission:
    held = item if isinstance(item, dict) else {}
    return Permission(actions=_texts(held, "actions"), not_actions=_texts(held, "notActions"))


def _texts(held: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(str(one) for one in held.get(name) or ())


def _owner(token: str) -> str:
    """The name in a token, which nobody needs to verify here."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return next(str(claims[name]) for name in _NAMES if claims.get(name))
    except (IndexError, ValueError, TypeError, AttributeError, StopIteration):
        return "an identity that does not tell its name"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:300]
