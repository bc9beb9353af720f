"""Administration over HTTP, as far as one queue's properties: what `get_queue` of the SDK reads, as Atom.

Service Bus has one host name for AMQP and for this; here both share the port.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from simulator.servicebus.namespace import Namespace
from simulator.servicebus.options import QueueOptions

_ATOM: Final = 'xmlns="http://www.w3.org/2005/Atom"'
_CONNECT: Final = 'xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"'
_AT: Final = "2026-01-01T00:00:00Z"


async def serve(
    namespace: Namespace,
    begin: bytes,
    reader: asyncio.StreamReader,
    write: Callable[[bytes], None],
) -> None:
    """Answers one request, of which `begin` was read already; the connection ends with it."""
    head = (begin + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lines = head.split("\r\n")
    name = unquote(urlsplit(lines[0].split(" ")[1]).path.strip("/"))
    has_token = any(line.lower().startswith("authorization: ") for line in lines)
    status, body = _answer(namespace, name) if has_token else ("401 Unauthorized", "")
    data = body.encode()
    headers = (
        f"Content-Type: application/atom+xml\r\nContent-Length: {len(data)}\r\nConnection: close"
    )
    write(f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n".encode("latin-1") + data)


def _answer(namespace: Namespace, name: str) -> tuple[str, str]:
    options = namespace.options(name)
    if options is None:  # Azure's way of saying that there is none
        return "200 OK", f"<feed {_ATOM}><title>Publicly Listed Services</title></feed>"
    description = "".join(f"<{key}>{value}</{key}>" for key, value in _properties(options).items())
    return "200 OK", (
        f'<entry {_ATOM}><title type="text">{escape(options.name)}</title>'
        f"<published>{_AT}</published><updated>{_AT}</updated>"
        f'<content type="application/xml"><QueueDescription {_CONNECT}>{description}'
        "</QueueDescription></content></entry>"
    )


def _properties(options: QueueOptions) -> dict[str, str]:
    """In Azure's order, which matters to strict readers."""
    return {
        "LockDuration": _span(options.lock_duration),
        "MaxSizeInMegabytes": "1024",
        "RequiresDuplicateDetection": _flag(options.requires_duplicate_detection),
        "RequiresSession": _flag(options.requires_session),
        "DefaultMessageTimeToLive": _span(options.default_message_time_to_live),
        "DeadLetteringOnMessageExpiration": _flag(options.dead_lettering_on_message_expiration),
        "DuplicateDetectionHistoryTimeWindow": _span(
            options.duplicate_detection_history_time_window
        ),
        "MaxDeliveryCount": str(options.max_delivery_count),
        "EnableBatchedOperations": "true",
        "Status": "Active",
    }


def _span(span: timedelta) -> str:
    return f"P{span.days}DT{span.seconds}S"


def _flag(value: bool) -> str:
    return str(value).lower()
