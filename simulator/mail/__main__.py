"""`python -m simulator.mail`: a mail service that keeps mails instead of sending them."""

import argparse
import asyncio
import json
import signal
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from simulator.mail.mailbox import Mailbox
from simulator.mail.server import MailSink

_HOST = "127.0.0.1"


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m simulator.mail", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="SMTP; 0 picks a free one")
    parser.add_argument("--http-port", type=int, default=0, help="HTTP; 0 picks a free one")
    parser.add_argument("--store", type=Path, help="folder that keeps mails across restarts")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.port, arguments.http_port, arguments.store))


async def _serve(port: int, http_port: int, store: Path | None) -> None:
    sink = MailSink(Mailbox(store), _now)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    smtp = await loop.create_server(sink.protocol, _HOST, port)
    runner = web.AppRunner(sink.http(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, _HOST, http_port)
    await site.start()
    ready = {"port": _port(smtp.sockets), "httpPort": runner.addresses[0][1]}
    print(f"ready {json.dumps(ready)}", flush=True)
    await stop.wait()
    smtp.close()
    await runner.cleanup()


def _port(sockets: tuple[object, ...]) -> int:
    return int(sockets[0].getsockname()[1])  # type: ignore[attr-defined]  # a TransportSocket


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one clock of this process


if __name__ == "__main__":
    main()
