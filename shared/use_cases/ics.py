"""An iCalendar document (RFC 5545), written by hand: a dozen properties need no library in the deployed app.

Instants are UTC, so that no time zone has to be described; every calendar shows them in its own.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

# SEQUENCE counts seconds from here: it grows with every change, and no counter has to be kept.
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_LINE_OCTETS = 75
_ASKED_EVERY = "PT15M"


class EventStatus(StrEnum):
    """How sure an event is."""

    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of a calendar.

    Attributes:
        uid: The same for as long as it means the same thing.
        changed: When any of it last changed.
        lines: What it says, a paragraph each.
    """

    uid: str
    changed: datetime
    start: datetime
    end: datetime
    status: EventStatus
    summary: str
    lines: tuple[str, ...]
    location: str
    category: str


def write_calendar(name: str, events: Iterable[Event]) -> str:
    """The document, with CRLF and no line above 75 octets."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Baton//planned maintenance//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{_ASKED_EVERY}",
        f"X-PUBLISHED-TTL:{_ASKED_EVERY}",
    ]
    for event in events:
        lines += _event(event)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(event: Event) -> Iterator[str]:
    changed = _instant(event.changed)
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.uid)}"
    yield f"DTSTAMP:{changed}"
    yield f"LAST-MODIFIED:{changed}"
    yield f"SEQUENCE:{max(0, (event.changed - _EPOCH) // timedelta(seconds=1))}"
    yield f"DTSTART:{_instant(event.start)}"
    yield f"DTEND:{_instant(max(event.end, event.start))}"
    yield f"STATUS:{event.status}"
    yield f"SUMMARY:{_text(event.summary)}"
    yield "DESCRIPTION:" + "\\n".join(_text(line) for line in event.lines)
    yield f"LOCATION:{_text(event.location)}"
    yield f"CATEGORIES:{_text(event.category)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """As a TEXT value: one line, without control characters, and with what separates values escaped."""
    line = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", value).strip()
    return re.sub(r"([\\;,])", r"\\\1", line)


def _folded(line: str) -> Iterator[str]:
    """Lines of at most 75 octets, none of them cut inside a character; each but the first begins with a space."""
    part, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > _LINE_OCTETS:
            yield part
            part, size = " ", 1
        part += character
        size += octets
    yield part
