"""`python -m simulator.mail`: a mail service that keeps mails instead of sending them."""

import argparse
import asyncio
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from simulator import faults
from simulator.faults import FaultError, FaultPlan
from simulator.mail.mailbox import Mailbox
from simulator.mail.server import KINDS, MailSink

_HOST = "127.0.0.1"


def main() -> int:
    """Serve until SIGTERM or SIGINT; the exit code: 2 for arguments that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m simulator.mail", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="SMTP; 0 picks a free one")
    parser.add_argument("--http-port", type=int, default=0, help="HTTP; 0 picks a free one")
    parser.add_argument("--store", type=Path, help="folder that keeps mails across restarts")
    faults.add_options(parser)
    options = parser.parse_args()
    try:
        plan = FaultPlan(KINDS, options.faults, options.seed)
    except FaultError as error:
        print(error, file=sys.stderr)
        return 2
    sink = MailSink(Mailbox(options.store), _now, plan)
    asyncio.run(_serve(sink, options.port, options.http_port))
    return 0


async def _serve(sink: MailSink, port: int, http_port: int) -> None:
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
    sys.exit(main())
