"""The mails that came in, as files that survive a restart, and as what a person would read."""

import itertools
import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default as modern
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Mail:
    """One accepted mail: the envelope, and the text as it came over the wire (Latin-1 keeps bytes)."""

    number: int
    received: str
    envelope_from: str
    envelope_to: tuple[str, ...]
    raw: str

    def message(self) -> EmailMessage:
        """The parsed mail. Broken ones parse too, with defects: a sink judges nothing."""
        return message_from_bytes(self.raw.encode("latin-1"), policy=modern)

    def part(self, subtype: str) -> str:
        """The first text part of that subtype; empty where there is none."""
        body: MIMEPart | None = self.message().get_body((subtype,))
        return str(body.get_content()) if body else ""


class Mailbox:
    """All mails in the order they came. With a folder, each is a file there before it is accepted."""

    def __init__(self, folder: Path | None) -> None:
        """Take up what an earlier process left in `folder`."""
        self._folder = folder
        self._mails: list[Mail] = []
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            self._mails = [_load(path) for path in sorted(folder.glob("*.json"))]
        last = self._mails[-1].number if self._mails else 0
        self._numbers = itertools.count(last + 1)

    def add(self, sender: str, recipients: list[str], raw: bytes, now: datetime) -> Mail:
        """Keep a mail; it is on disk when this returns."""
        mail = Mail(
            number=next(self._numbers),
            received=now.isoformat(),
            envelope_from=sender,
            envelope_to=tuple(recipients),
            raw=raw.decode("latin-1"),
        )
        if self._folder:
            path = self._folder / f"{mail.number:06}.json"
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps(asdict(mail)), encoding="utf-8")
            partial.replace(path)
        self._mails.append(mail)
        return mail

    def clear(self) -> None:
        """Forget every mail. Numbers go on."""
        self._mails.clear()
        for path in self._folder.glob("*.json") if self._folder else ():
            path.unlink()

    def find(self, number: int) -> Mail | None:
        """The mail of that number."""
        return next((mail for mail in self._mails if mail.number == number), None)

    def listing(self) -> list[dict[str, Any]]:
        """What people and checkers ask for; `copies` counts all mails of one Message-ID."""
        ids = [str(mail.message()["Message-ID"] or "") for mail in self._mails]
        copies = Counter(ids)
        return [
            _described(mail, message_id, copies[message_id] if message_id else 1)
            for mail, message_id in zip(self._mails, ids, strict=True)
        ]


def _described(mail: Mail, message_id: str, copies: int) -> dict[str, Any]:
    message = mail.message()
    return {
        "number": mail.number,
        "messageId": message_id,
        "from": str(message["From"] or ""),
        "to": str(message["To"] or ""),
        "subject": str(message["Subject"] or ""),
        "date": str(message["Date"] or ""),
        "envelopeFrom": mail.envelope_from,
        "envelopeTo": list(mail.envelope_to),
        "text": mail.part("plain"),
        "html": mail.part("html"),
        "files": [part.get_filename() or "" for part in message.iter_attachments()],
        "size": len(mail.raw),
        "received": mail.received,
        "copies": copies,
    }


def _load(path: Path) -> Mail:
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Mail(**{**kept, "envelope_to": tuple(kept["envelope_to"])})
