"""Mailer over SMTP: a relay of the team's own."""

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from shared.domain.alert import Delivery, Mail
from shared.domain.errors import Retryable, Terminal

_SECONDS = 20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_T = TypeVar("_T")


def connect_smtp(url: str, sender: str) -> "Smtp":
    """The relay of the settings; opens nothing yet.

    Args:
        url: `smtp://host:port` or `smtps://user:password@host:port`.
        sender: The From address.
    """
    parts = urlsplit(url)
    tls = parts.scheme == "smtps"
    return Smtp(
        host=parts.hostname or "",
        port=parts.port or (465 if tls else 25),
        tls=tls,
        login=(unquote(parts.username or ""), unquote(parts.password or "")),
        sender=sender,
    )


class Smtp:
    """Mailer; see the port. Its repr, its errors and its logs never show the password."""

    def __init__(
        self, *, host: str, port: int, tls: bool, login: tuple[str, str], sender: str
    ) -> None:
        """Use `connect_smtp`."""
        self._host = host
        self._port = port
        self._tls = tls
        self._login = login
        self._sender = sender

    async def send(self, mail: Mail, *, again: bool) -> Delivery:  # noqa: ARG002 - see below
        """See the port. SMTP has no way to ask; a repeat has the same Message-ID, and that is all."""
        message, recipients = self._message(mail), list(mail.recipients)
        refused = await asyncio.to_thread(
            self._talk, lambda server: server.send_message(message, self._sender, recipients)
        )
        return Delivery(refused=_told(refused))

    async def check(self) -> None:
        """See the port."""
        await asyncio.to_thread(self._talk, lambda server: server.noop())

    async def close(self) -> None:
        """Nothing stays open between mails."""

    def _talk(self, say: Callable[[smtplib.SMTP], _T]) -> _T:
        relay = f"{self._host}:{self._port}"
        try:
            with self._connected() as server:
                return say(server)
        except smtplib.SMTPAuthenticationError as error:
            # A password can be mended; the mails wait for it. The chain may show it, so it ends here.
            raise Retryable(
                f"{relay} refused the login of BATON_EMAIL_URL ({error.smtp_code})"
            ) from None
        except smtplib.SMTPRecipientsRefused as error:
            told = _told(error.recipients)
            if any(400 <= code < 500 for code, _ in error.recipients.values()):
                raise Retryable(f"{relay} takes nobody now: {'; '.join(told)}") from error
            raise Terminal(f"{relay} refused every recipient: {'; '.join(told)}") from error
        except smtplib.SMTPResponseException as error:
            said = f"{relay} answered {error.smtp_code} {_text(error.smtp_error)}"
            # 4xx passes, and so does a 5xx to the greeting or to STARTTLS; a refused sender never does.
            if (
                isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError)
                and error.smtp_code >= 500
            ):
                raise Terminal(said) from error
            raise Retryable(said) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Retryable(f"{relay} is away: {error}") from error

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if self._tls:
            server = smtplib.SMTP_SSL(self._host, self._port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=_SECONDS)
        try:
            server.ehlo_or_helo_if_needed()
            if not self._tls and self._host not in _LOOPBACK and server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            if self._login[0]:
                server.login(*self._login)
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, mail: Mail) -> EmailMessage:
        """The mail, with the same Message-ID at every try.

        EmailMessage refuses line breaks in headers; they become spaces before it has to.
        """
        message = EmailMessage()
        message["Subject"] = " ".join(mail.subject.split())
        message["From"] = self._sender
        message["To"] = ", ".join(mail.recipients)
        message["Date"] = format_datetime(mail.at)
        message["Message-ID"] = f"<{mail.id}@{self._sender.rsplit('@', 1)[-1]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        for name, text in mail.calendars:
            message.add_attachment(
                text.encode(), maintype="text", subtype="calendar", filename=name
            )
        return message


def _told(refused: "smtplib._SendErrs") -> list[str]:
    return [f"{address}: {code} {_text(said)}" for address, (code, said) in refused.items()]


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:200]
