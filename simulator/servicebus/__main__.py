"""`python -m simulator.servicebus`: a Service Bus namespace on loopback."""

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from pathlib import Path

from aiohttp import web

from simulator import faults
from simulator.faults import FaultError, FaultPlan
from simulator.servicebus.config import ConfigError, load_config
from simulator.servicebus.connection import Connection
from simulator.servicebus.faults import KINDS, FaultyGate
from simulator.servicebus.namespace import Namespace
from simulator.servicebus.options import QueueOptions

log = logging.getLogger("servicebus")

_CONFIG = Path(__file__).with_name("default-config.json")
_KEY = "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE"


def main() -> int:
    """Serves until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulator.servicebus", description=__doc__)
    parser.add_argument("--port", type=int, default=5672, help="AMQP; 0 takes a free one")
    parser.add_argument("--admin-port", type=int, default=0, help="HTTP: /health, /queues, /faults")
    parser.add_argument("--config", type=Path, default=_CONFIG, help="as the official emulator's")
    faults.add_options(parser)
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        queues = load_config(options.config)
        plan = FaultPlan(KINDS, options.faults, options.seed)
    except (ConfigError, FaultError) as error:
        print(error, file=sys.stderr)
        return 2
    asyncio.run(_serve(queues, plan, options.port, options.admin_port))
    return 0


async def _serve(
    queues: tuple[QueueOptions, ...], plan: FaultPlan, port: int, admin_port: int
) -> None:
    namespace, gate = Namespace(queues, _now), FaultyGate(plan)
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
    admin = web.AppRunner(_admin(namespace, plan), access_log=None, shutdown_timeout=0.5)
    await admin.setup()
    await web.TCPSite(admin, "127.0.0.1", admin_port).start()
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    listens = bus.sockets[0].getsockname()[1]
    facts = {
        "port": listens,
        "adminPort": admin.addresses[0][1],
        "connectionString": f"Endpoint=sb://127.0.0.1:{listens};{_KEY};UseDevelopmentEmulator=true;",
    }
    print(f"ready {json.dumps(facts)}", flush=True)
    await stop.wait()
    bus.close()
    await admin.cleanup()
    namespace.close()
    for task in open_now:
        task.cancel()
    await asyncio.gather(*open_now, return_exceptions=True)


def _admin(namespace: Namespace, plan: FaultPlan) -> web.Application:
    """GET /health and /queues; GET and PUT /faults."""

    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"status": "healthy"})

    async def queues(_request: web.Request) -> web.Response:
        return web.json_response(namespace.counts())

    app = web.Application()
    app.router.add_get("/health", health)
    app.router.add_get("/queues", queues)
    faults.add_routes(app, plan, "/faults")
    return app


def _now() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
