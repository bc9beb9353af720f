"""What the table SDK's errors mean to Baton."""

import re
from datetime import timedelta

from aiohttp import ClientConnectorError
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from shared.domain.errors import BatonError, Retryable, Stale, Terminal

_ROLE = "Storage Table Data Contributor"
_STALE = (404, 409, 412)
_BUSY = (408, 429, 500, 502, 503, 504)
_NOT_DONE = (429, 503)  # refused at the door, so that a write may be sent again
# A table that is being deleted or was only just made, whatever the status.
_NOT_YET = ("TableBeingDeleted", "TableNotFound")


def our_error(raised: Exception, table: str, endpoint: str) -> BatonError:
    """What an error of the SDK means to the caller.

    The SDK stumbles (AttributeError, KeyError, ValueError) over an answer that broke off or is not the
    service's, and over an identity without a token; what it was handling then is the error.
    """
    error = raised if isinstance(raised, AzureError) else raised.__context__
    if not isinstance(error, AzureError):
        return Retryable(f"{table} at {endpoint}: an answer that cannot be read: {raised!r}")
    status = _status(error)
    said = f"{table} at {endpoint}: {_said(error)}"
    refused = isinstance(error, ClientAuthenticationError) and status not in _BUSY
    if status in (401, 403) or refused:
        return Terminal(
            f"No access to {said}. The identity needs the role {_ROLE} on the storage account, and "
            "the account's firewall must let it in"
        )
    if status is None or is_busy(error):
        return Retryable(said, retry_after=_retry_after(error))
    if status in _STALE:
        return Stale(said)
    return Terminal(f"{status}, {said}") if 400 <= status < 500 else Retryable(said)


def is_busy(error: Exception) -> bool:
    """Whether the same request may be answered soon."""
    return _status(error) in _BUSY or _code(error) in _NOT_YET


def did_nothing(error: Exception) -> bool:
    """Whether the request surely changed nothing. The SDK's word for "not sent" counts a lost answer too."""
    unsent = isinstance(getattr(error, "inner_exception", None), ClientConnectorError)
    return unsent or _status(error) in _NOT_DONE


def misses_table(error: Exception) -> bool:
    """Whether the service says that there is no such table."""
    return _status(error) == 404 and _code(error) == "TableNotFound"


def _status(error: Exception) -> int | None:
    return error.status_code if isinstance(error, HttpResponseError) else None


def _code(error: Exception) -> str:
    """The service's word for it. The SDK puts it into the error after most requests, but not after all."""
    code = getattr(error, "error_code", None)
    if code or not isinstance(error, HttpResponseError) or error.response is None:
        return str(getattr(code, "value", code) or "")
    try:
        found = re.search(r'"code":\s*"(\w+)"', error.response.text())
    except (AzureError, ValueError):  # the answer broke off, or is no text
        return ""
    return found[1] if found else ""


def _said(error: AzureError) -> str:
    text = " ".join(f"{_code(error)} {error.message or type(error).__name__}".split())
    return text if len(text) <= 400 else text[:399] + "…"


def _retry_after(error: AzureError) -> timedelta | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    text = str(headers.get("Retry-After") or "").strip()
    # The service gives seconds; a date would need a clock, and a guess is as good.
    return timedelta(seconds=min(int(text), 86_400)) if re.fullmatch(r"[0-9]{1,9}", text) else None
