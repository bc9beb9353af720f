"""What ARM's errors mean to Baton: wait, give up, or find out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from shared.adapters.arm_answers import error_of
from shared.domain.errors import (
    BatonError,
    Refused,
    Retryable,
    StartUnknown,
    Terminal,
    VmNotFound,
    shown,
)

CORRELATION_ID = "x-ms-correlation-request-id"
_BUSY = (408, 409, 425, 429)


class Paused(Exception):
    """Not sent: ARM asked for a wait that is not over, or Baton's share of a bucket is used up.

    No error of the SDK's, which its retry policy would try again.

    Attributes:
        wait: What is left of it.
    """

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        super().__init__(f"ARM is left alone for another {wait.total_seconds():.1f} s")


@dataclass(frozen=True, slots=True)
class ArmAnswer:
    """What an unwelcome answer of ARM says.

    Attributes:
        code: ARM's error code, `""` where the body is not ARM's.
        message: ARM's message, else the start of whatever came instead.
    """

    status: int
    code: str
    message: str
    retry_after: timedelta | None
    correlation_id: str

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.status, self.code, self.message) if part)


def read_error(error: Exception, *, what: str, right: str, now: datetime) -> BatonError:
    """What a failed read means.

    Args:
        error: As the SDK or the loop raised it.
        what: What was read, for people, with its scope.
        right: The right that such a read needs.
        now: For a Retry-After that is a date.
    """
    answer = answer_of(error, now)
    if answer is None:
        if isinstance(error, ClientAuthenticationError):
            return Terminal(f"{what}: no token for Azure: {error.message}")
        return Retryable(f"{what}: {_kind(error)}", retry_after=_pause_of(error))
    if answer.status in (401, 403):
        return Terminal(f"{what}: {answer}. The app's identity needs {right} there.")
    if answer.status in _BUSY or answer.status >= 500 or answer.status < 400:
        return Retryable(f"{what}: {answer}", retry_after=answer.retry_after)
    if answer.status == 404 and not answer.code:
        # Whatever answered, it was not ARM speaking of a resource.
        return Retryable(f"{what}: {answer}")
    return Terminal(f"{what}: {answer}")


def vm_error(error: Exception, *, what: str, right: str, now: datetime) -> BatonError:
    """As `read_error`, for one VM: a 404 of ARM means that it is gone."""
    answer = answer_of(error, now)
    if answer and answer.status == 404 and answer.code:
        return VmNotFound(f"{what}: {answer}")
    return read_error(error, what=what, right=right, now=now)


def is_unregistered(error: Exception, now: datetime) -> bool:
    """Whether the subscription never registered the resource provider, so that it has nothing of it."""
    answer = answer_of(error, now)
    return answer is not None and answer.code == "MissingSubscriptionRegistration"


def start_error(error: Exception, *, what: str, sent: bool, now: datetime) -> BatonError:
    """What a failed start means: refused for certain, or unknown.

    Args:
        error: As the SDK or the loop raised it.
        what: The start, for people.
        sent: Whether the request can have left this process.
        now: For a Retry-After that is a date.
    """
    answer = answer_of(error, now)
    if not sent:
        return Refused(
            status=0,
            code="NotSent",
            message=f"no token for Azure, or none in time: {_kind(error)}",
            may_pass=True,
            retry_after=_pause_of(error),
        )
    if answer is None or not 400 <= answer.status < 500 or answer.status == 408:
        return StartUnknown(f"{what}: {answer or _kind(error)}")
    if answer.status == 404:
        return VmNotFound(f"{what}: {answer}") if answer.code else StartUnknown(f"{what}: {answer}")
    # A conflict passes when the other operation ends; "not allowed" is said of the maintenance itself.
    not_allowed = answer.code.lower() == "operationnotallowed"
    return Refused(
        status=answer.status,
        code=answer.code,
        message=answer.message,
        may_pass=answer.status == 429 or (answer.status == 409 and not not_allowed),
        retry_after=answer.retry_after,
        correlation_id=answer.correlation_id,
    )


def answer_of(error: Exception, now: datetime) -> ArmAnswer | None:
    """ARM's answer in an SDK's error, whatever its body is; None where no answer came."""
    response: Any = error.response if isinstance(error, HttpResponseError) else None
    if response is None:
        return None
    try:
        body: str = response.text()
    except Exception:  # noqa: BLE001 - a body that cannot be read says nothing; the status still does
        body = ""
    code, message = _error_in(body)
    return ArmAnswer(
        status=response.status_code,
        code=code,
        message=message or body[:200].strip(),
        retry_after=retry_after(response.headers, now),
        correlation_id=response.headers.get(CORRELATION_ID) or "",
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Retry-After, in seconds or as a date; None where it is absent or unreadable."""
    text = (headers.get("Retry-After") or "").strip()
    try:
        wait = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        try:
            wait = parsedate_to_datetime(text) - now
        except (ValueError, TypeError, IndexError):
            return None
    return max(wait, timedelta(0))


def _pause_of(error: Exception) -> timedelta | None:
    return error.wait if isinstance(error, Paused) else None


def _error_in(body: str) -> tuple[str, str]:
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    return error_of(value)


def _kind(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    return f"{type(error).__name__}: {shown(error)}"
