"""`python -m simulator.tables_proxy`: stands before Azurite and lets things go wrong, by plan.

Azurite itself has no faults to ask for, and loses everything when it is killed. Whoever talks to it
through here signs as before: a table request's signature covers no host.
"""

import argparse
import asyncio
import json
import signal
import sys
from datetime import timedelta
from typing import Final

from aiohttp import ClientSession, DummyCookieJar, web
from yarl import URL

from simulator import faults
from simulator.faults import FaultError, FaultPlan, Kinds

KINDS: Final[Kinds] = {
    "busy": None,
    "drop-after": None,
    "drop-before": None,
    "hang": timedelta(seconds=30),
    "slow": timedelta(milliseconds=500),
    "timed-out": None,
}
"""They strike `METHOD TABLE`, a transaction as `POST $batch`."""

_CONTROL: Final = "/_emulator/faults"
_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_BODY_MAX: Final = 8 * 1024 * 1024  # twice what the service itself takes


def main() -> int:
    """Serve until SIGTERM or SIGINT; the exit code: 2 for arguments that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m simulator.tables_proxy", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument(
        "--tables", required=True, help="Azurite, for example http://127.0.0.1:10002"
    )
    faults.add_options(parser)
    options = parser.parse_args()
    try:
        plan = FaultPlan(KINDS, options.faults, options.seed)
    except FaultError as error:
        print(error, file=sys.stderr)
        return 2
    asyncio.run(_serve(plan, options.tables, options.port))
    return 0


async def _serve(plan: FaultPlan, tables: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # The answer's bytes are passed on as they are: decompressed, they would belie their headers.
    async with ClientSession(auto_decompress=False, cookie_jar=DummyCookieJar()) as session:
        runner = web.AppRunner(
            make_app(plan, session, tables), access_log=None, shutdown_timeout=0.5
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print(f"ready {json.dumps({'port': runner.addresses[0][1]})}", flush=True)
        await stop.wait()
        await runner.cleanup()


def make_app(plan: FaultPlan, session: ClientSession, tables: str) -> web.Application:
    """The proxy of the table service at `tables`, and beside it the control of its faults."""

    async def forward(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        # Everything as it came: the signature is over the path's very bytes and the content type.
        url = URL(f"{tables}{request.raw_path}", encoded=True)
        async with session.request(
            request.method, url, data=body, headers=headers, skip_auto_headers=("Content-Type",)
        ) as answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def serve(request: web.Request) -> web.Response:
        subject = f"{request.method} {_table(request.path)}"
        fault = plan.strike(subject, *KINDS)
        await asyncio.sleep(fault.seconds if fault else 0)
        match fault.kind if fault else "":
            case "busy":
                return _error(503, "ServerBusy", "The server is busy.")
            case "drop-before" | "hang":
                return _drop(request)
            case "drop-after":
                await forward(request)
                return _drop(request)
            case "timed-out":
                await forward(request)
                return _error(
                    500, "OperationTimedOut", "The operation could not be completed in time."
                )
            case _:
                return await forward(request)

    app = web.Application(client_max_size=_BODY_MAX)
    faults.add_routes(app, plan, _CONTROL)
    app.router.add_route("*", "/{path:.*}", serve)
    return app


def _table(path: str) -> str:
    """What a path of the table service is about: `/account/Jobs(PartitionKey=...)` → `Jobs`."""
    return path.strip("/").partition("/")[2].partition("(")[0]


def _error(status: int, code: str, text: str) -> web.Response:
    body = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": text}}}
    return web.json_response(body, status=status, headers={"x-ms-error-code": code})


def _drop(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


if __name__ == "__main__":
    sys.exit(main())
