"""`python -m simulator.servicebus`: a Service Bus namespace on loopback."""

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from simulator.servicebus.config import ConfigError, load_config
from simulator.servicebus.connection import Connection
from simulator.servicebus.gate import Gate
from simulator.servicebus.namespace import Namespace
from simulator.servicebus.options import QueueOptions

log = logging.getLogger("servicebus")

_CONFIG = Path(__file__).with_name("default-config.json")
_KEY = "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE"


def main() -> int:
    """Serves until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulator.servicebus", description=__doc__)
    parser.add_argument("--port", type=int, default=5672, help="AMQP; 0 takes a free one")
    parser.add_argument("--admin-port", type=int, default=0, help="HTTP: /health and /queues")
    parser.add_argument("--config", type=Path, default=_CONFIG, help="as the official emulator's")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        queues = load_config(options.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    asyncio.run(_serve(queues, options.port, options.admin_port))
    return 0


async def _serve(queues: tuple[QueueOptions, ...], port: int, admin_port: int) -> None:
    namespace, gate = Namespace(queues, _now), Gate()
    open_now: set[asyncio.Task[None]] = set()

    async def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            open_now.add(task)
            task.add_done_callback(open_now.discard)
        try:
            await Connection(namespace, gate, reader, writer).run()
        except Exception:
            log.exception("A connection ended by a fault of the emulator")

    bus = await asyncio.start_server(on_client, "127.0.0.1", port)
    admin = await asyncio.start_server(_admin(namespace), "127.0.0.1", admin_port)
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    listens = bus.sockets[0].getsockname()[1]
    facts = {
        "port": listens,
        "adminPort": admin.sockets[0].getsockname()[1],
        "connectionString": f"Endpoint=sb://127.0.0.1:{listens};{_KEY};UseDevelopmentEmulator=true;",
    }
    print(f"ready {json.dumps(facts)}", flush=True)
    await stop.wait()
    bus.close()
    admin.close()
    namespace.close()
    for task in open_now:
        task.cancel()
    await asyncio.gather(*open_now, return_exceptions=True)


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _admin(namespace: Namespace) -> Answer:
    """GET /health and GET /queues, one request a connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            writer.close()
            return
        path = request.split(" ")[1].partition("?")[0] if request.startswith("GET ") else ""
        known = {"/health": lambda: {"status": "healthy"}, "/queues": namespace.counts}
        status = "200 OK" if path in known else "404 Not Found"
        body = json.dumps(known[path]() if path in known else {"error": "GET /health or /queues"})
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    return answer


def _now() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
