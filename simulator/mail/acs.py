"""Communication Services Email's wire beside SMTP: the same mailbox, the same faults, on the HTTP port.

Source: REST reference of Communication Services, Email, "Send" and "Get Send Result", 2025-09-01.
"""

import asyncio
import math
import re
import uuid
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from json import JSONDecodeError
from typing import Any

from aiohttp import web

from simulator.faults import Fault, FaultPlan
from simulator.mail.mailbox import Mailbox

_RECIPIENTS_MAX = 50
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Operation:
    """A mail that was taken: until when it is `Running`, and whether it is dropped then."""

    until: datetime
    is_dropped: bool


class AcsEmail:
    """`POST /emails:send` and `GET /emails/operations/ID`, for whoever shows any bearer token."""

    def __init__(self, mailbox: Mailbox, clock: Callable[[], datetime], plan: FaultPlan) -> None:
        """Keep mails in `mailbox`, stamped by `clock` (aware times)."""
        self._mailbox = mailbox
        self._clock = clock
        self._plan = plan
        self._operations: dict[str, _Operation] = {}

    def add_routes(self, app: web.Application) -> None:
        """Serve both requests."""
        app.router.add_post("/emails:send", self._send)
        app.router.add_get("/emails/operations/{id}", self._ask)

    def clear(self) -> None:
        """Forget every operation."""
        self._operations.clear()

    async def _send(self, request: web.Request) -> web.Response:
        if refusal := self._turned_away(request):
            return refusal
        try:
            message = await request.json()
            sender = str(message["senderAddress"])
            recipients = [str(one["address"]) for one in message["recipients"]["to"]]
            raw = _raw(message, recipients, self._clock())
        except (JSONDecodeError, KeyError, TypeError) as error:
            return _error(400, "BadRequest", f"The request is not valid: {error!r}")
        if len(recipients) > _RECIPIENTS_MAX:
            return _error(400, "BadRequest", "Too many recipients")
        if any(self._plan.strike(recipient, "refuse") for recipient in recipients):
            return _error(400, "BadRequest", "Invalid format for email address")
        operation = request.headers.get("Operation-Id") or str(uuid.uuid4())
        if not _UUID.fullmatch(operation):
            return _error(400, "BadRequest", "Operation-Id is not a UUID")
        fault = self._plan.strike(
            f"mail {sender}", *("accept-then-drop", "busy", "hang", "slow", "throttle")
        )
        if fault and (refusal := _busy(fault)):
            return refusal
        await asyncio.sleep(fault.seconds if fault and fault.kind in ("hang", "slow") else 0)
        if fault and fault.kind == "hang":
            return _drop(request)
        # A repeat is kept as one more mail: nobody promises anything else.
        self._mailbox.add(sender, recipients, raw, self._clock())
        late, dropped = self._plan.strike(operation, "late"), self._plan.strike(sender, "fail")
        ends = self._clock() + late.length if late else self._clock()
        self._operations[operation] = _Operation(ends, dropped is not None)
        if fault and fault.kind == "accept-then-drop":
            return _drop(request)
        location = f"{request.url.origin()}/emails/operations/{operation}?{request.query_string}"
        headers = {"Operation-Location": location, "Retry-After": "1"}
        return web.json_response(_body(operation, "Running"), status=202, headers=headers)

    async def _ask(self, request: web.Request) -> web.Response:
        if refusal := self._turned_away(request):
            return refusal
        name = request.match_info["id"]
        fault = self._plan.strike(f"ask {name}", "busy", "throttle")
        if fault and (refusal := _busy(fault)):
            return refusal
        operation = self._operations.get(name)
        if operation is None:
            return _error(404, "NotFound", "The operation is not found")
        if self._clock() < operation.until:
            return web.json_response(_body(name, "Running"), headers={"Retry-After": "1"})
        if operation.is_dropped:
            error = {
                "code": "EmailDroppedAllRecipientsSuppressed",
                "message": "Message dropped because all recipients were suppressed",
            }
            return web.json_response(_body(name, "Failed") | {"error": error})
        return web.json_response(_body(name, "Succeeded"))

    def _turned_away(self, request: web.Request) -> web.Response | None:
        if self._plan.strike("connection", "down"):
            return _error(503, "ServiceUnavailable", "The service is unavailable")
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return _error(401, "Denied", "Denied by the resource provider.")
        if self._plan.strike("identity", "deny"):
            return _error(403, "Forbidden", "The identity may not send mail here.")
        if "api-version" not in request.query:
            return _error(400, "MissingApiVersionParameter", "api-version is missing")
        return None


def _busy(fault: Fault) -> web.Response | None:
    if fault.kind == "busy":
        return _error(503, "ServiceUnavailable", "The service is busy")
    if fault.kind == "throttle":
        answer = _error(429, "TooManyRequests", "Rate limit is exceeded")
        answer.headers["Retry-After"] = str(math.ceil(fault.seconds))
        return answer
    return None


def _body(operation: str, status: str) -> dict[str, Any]:
    return {"id": operation, "status": status, "error": None}


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


def _raw(message: dict[str, Any], recipients: list[str], now: datetime) -> bytes:
    """The mail as its recipients would get it."""
    content = message["content"]
    mail = EmailMessage()
    mail["Subject"] = content["subject"]
    mail["From"] = message["senderAddress"]
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(now)
    for name, value in message.get("headers", {}).items():
        mail[name] = value
    mail.set_content(content["plainText"])
    mail.add_alternative(content["html"], subtype="html")
    for file in message.get("attachments") or ():
        kind, _, subtype = file["contentType"].partition("/")
        body = b64decode(file["contentInBase64"], validate=True)
        mail.add_attachment(body, maintype=kind, subtype=subtype, filename=file["name"])
    return mail.as_bytes()


def _drop(request: web.Request) -> web.Response:
    """End the connection with a reset: the client never learns what came of its mail."""
    assert request.transport is not None  # noqa: S101 - it is being served
    request.transport.abort()
    return web.Response(status=503)
