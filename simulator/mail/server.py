"""The mail sink's two servers: SMTP takes mails in, HTTP shows them, sets faults, and has ACS's wire."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from simulator import faults
from simulator.faults import FaultPlan, Kinds
from simulator.mail.acs import AcsEmail
from simulator.mail.mailbox import Mail, Mailbox

KINDS: Final[Kinds] = {
    "accept-then-drop": None,
    "busy": None,
    "deny": None,
    "down": None,
    "fail": None,
    "hang": timedelta(seconds=30),
    "late": timedelta(seconds=5),
    "refuse": None,
    "slow": timedelta(seconds=1),
    "throttle": timedelta(seconds=5),
}
"""What each strikes: README.md. `deny`, `fail`, `late` and `throttle` are Communication Services' alone."""

_SIZE_MAX = 30 * 1024 * 1024  # Azure Communication Services' own limit is below it


class MailSink:
    """Accepts every mail that a fault does not stop, and keeps it."""

    def __init__(self, mailbox: Mailbox, clock: Callable[[], datetime], plan: FaultPlan) -> None:
        """Keep mails in `mailbox`, stamped by `clock` (aware times)."""
        self._mailbox = mailbox
        self._clock = clock
        self._plan = plan
        self._acs = AcsEmail(mailbox, clock, plan)

    # --- SMTP: aiosmtpd calls these by name ---

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Refuse a recipient that is to be refused."""
        if self._plan.strike(address, "refuse"):
            return f"550 5.1.1 <{address}>: recipient rejected"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail and say so, unless a fault forbids the one or the other."""
        fault = self._plan.strike(
            f"mail {envelope.mail_from}", "accept-then-drop", "busy", "hang", "slow"
        )
        await asyncio.sleep(fault.seconds if fault else 0)
        kind = fault.kind if fault else ""
        if kind == "busy":
            return "451 4.3.0 Requested action aborted: error in processing"
        if kind == "hang":
            _abort(server)
            return "421 4.4.2 Connection dropped"
        mail = self._mailbox.add(
            envelope.mail_from or "",
            envelope.rcpt_tos,
            bytes(envelope.original_content or b""),
            self._clock(),
        )
        if kind == "accept-then-drop":
            _abort(server)
        return f"250 2.0.0 kept as number {mail.number}"

    def protocol(self) -> asyncio.Protocol:
        """The protocol of one new SMTP connection."""
        if self._plan.strike("connection", "down"):
            return _Unavailable()
        smtp: asyncio.Protocol = SMTP(
            self, hostname="localhost", ident="Baton mail sink", data_size_limit=_SIZE_MAX
        )
        return smtp

    # --- HTTP ---

    def http(self) -> web.Application:
        """The application that shows mails and takes faults."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/mails", self._list),
                web.delete("/mails", self._clear),
                web.get("/mails/{number:[0-9]+}/html", self._html),
                web.get("/mails/{number:[0-9]+}/raw", self._raw),
            ]
        )
        self._acs.add_routes(app)
        faults.add_routes(app, self._plan, "/faults")
        return app

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response(self._mailbox.listing())

    async def _clear(self, _request: web.Request) -> web.Response:
        self._mailbox.clear()
        self._acs.clear()
        return web.Response(status=204)

    async def _html(self, request: web.Request) -> web.Response:
        html = self._wanted(request).part("html")
        if not html:
            raise web.HTTPNotFound(text="this mail has no HTML part")
        return web.Response(text=html, content_type="text/html")

    async def _raw(self, request: web.Request) -> web.Response:
        body = self._wanted(request).raw.encode("latin-1")
        return web.Response(body=body, content_type="message/rfc822")

    def _wanted(self, request: web.Request) -> Mail:
        number = int(request.match_info["number"])
        mail = self._mailbox.find(number)
        if mail is None:
            raise web.HTTPNotFound(text=f"no mail has the number {number}")
        return mail


class _Unavailable(asyncio.Protocol):
    """A mail service that is down says so and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server's always is
        transport.write(b"421 4.3.2 Service not available\r\n")
        transport.close()


def _abort(server: SMTP) -> None:
    """End the connection with a reset: the client never learns what came of its mail."""
    assert isinstance(server.transport, asyncio.Transport)  # noqa: S101 - a TCP server's is
    server.transport.abort()
