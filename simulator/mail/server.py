"""The mail sink's two servers: SMTP takes mails in, HTTP shows them and sets faults."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from simulator.mail.faults import FaultError, Faults
from simulator.mail.mailbox import Mail, Mailbox

_SIZE_MAX = 30 * 1024 * 1024  # Azure Communication Services' own limit is below it


class MailSink:
    """Accepts every mail that a fault does not stop, and keeps it."""

    def __init__(self, mailbox: Mailbox, clock: Callable[[], datetime]) -> None:
        """Keep mails in `mailbox`, stamped by `clock` (aware times)."""
        self._mailbox = mailbox
        self._clock = clock
        self._faults = Faults()

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
        if address.lower() in self._faults.refuse:
            return f"550 5.1.1 <{address}>: recipient rejected"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail; then answer, unless the answer is to get lost."""
        mail = self._mailbox.add(
            envelope.mail_from or "",
            envelope.rcpt_tos,
            bytes(envelope.original_content or b""),
            self._clock(),
        )
        if self._faults.accept_then_drop:
            left = self._faults.accept_then_drop - 1
            self._faults = replace(self._faults, accept_then_drop=left)
            assert isinstance(server.transport, asyncio.Transport)  # noqa: S101 - a TCP server's is
            server.transport.abort()
        return f"250 2.0.0 kept as number {mail.number}"

    def protocol(self) -> asyncio.Protocol:
        """The protocol of one new SMTP connection."""
        if self._faults.down:
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
                web.get("/faults", self._show_faults),
                web.post("/faults", self._set_faults),
            ]
        )
        return app

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response(self._mailbox.listing())

    async def _clear(self, _request: web.Request) -> web.Response:
        self._mailbox.clear()
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

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return web.json_response(self._faults.as_json())

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            wish = json.loads(await request.text())
            if not isinstance(wish, dict):
                raise FaultError("the body is not a JSON object")
            self._faults = self._faults.changed(wish)
        except ValueError as error:  # FaultError is one, and so is what json raises
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response(self._faults.as_json())


class _Unavailable(asyncio.Protocol):
    """A mail service that is down says so and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server's always is
        transport.write(b"421 4.3.2 Service not available\r\n")
        transport.close()
