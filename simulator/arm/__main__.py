"""``python -m simulator.arm``: the emulator as a process."""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from aiohttp import web

from simulator import faults
from simulator.arm.cloud import Cloud
from simulator.arm.faults import KINDS
from simulator.arm.journal import Journal
from simulator.arm.server import make_app
from simulator.faults import FaultError, FaultPlan
from simulator.scenario import load_scenario
from simulator.scenario_model import Scenario
from simulator.scenario_table import ScenarioError

SHUTDOWN_SECONDS: Final = 0.5
"""A request still running then is cut off; the process must be gone within two seconds."""


def main(argv: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code: 2 for arguments that cannot be used."""
    options = _parser().parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    try:
        scenario = load_scenario(options.scenario)
        plan = FaultPlan(KINDS, options.faults, options.seed)
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(options.log.open("a")) if options.log else None
            asyncio.run(_run(options, scenario, plan, file))
    except (ScenarioError, FaultError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _run(
    options: argparse.Namespace, scenario: Scenario, plan: FaultPlan, file: TextIO | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with socket.create_server(("127.0.0.1", options.port)) as listener:
        cloud = Cloud(scenario, options.t0 or _clock(), Journal(file))
        app = make_app(cloud, _clock, checks_token=options.authorization == "on", plan=plan)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            port = listener.getsockname()[1]
            ready = {"port": port, "url": f"http://127.0.0.1:{port}", "t0": cloud.t0.isoformat()}
            print(f"ready {json.dumps(ready)}", flush=True)
            await stop.wait()
        finally:
            # What fell due since the last request belongs in the log file too.
            cloud.advance(_clock())
            await runner.cleanup()


def _clock() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one clock of this process


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no offset from UTC; append Z")
    return instant


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator.arm", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--scenario", default="default", help="a name or a path to a .toml file")
    parser.add_argument("--t0", type=_instant, help="the scenario's start; default: now")
    parser.add_argument("--log", type=Path, help="append every record as a JSON line")
    parser.add_argument("--token-check", choices=("on", "off"), default="on", dest="authorization")
    faults.add_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
