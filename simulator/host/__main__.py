"""`python -m simulator.host`: serves a function app as the Functions host and the Python worker do."""

import argparse
import asyncio
import json
import logging
import os
import sys
import traceback
from pathlib import Path

from simulator.host.host import Host
from simulator.host.host_json import load_host_options
from simulator.host.index import HostError, as_metadata, check, load_functions

log = logging.getLogger("host")


def main() -> int:
    """Runs the host until SIGTERM or SIGINT; returns the exit code."""
    options = _options()
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("azure").setLevel(logging.WARNING)
    try:
        functions = load_functions(options.app)
    except HostError as error:
        log.error("%s", error)  # noqa: TRY400 - the message is the whole story
        return 1
    except Exception as error:  # noqa: BLE001 - in Azure such an app's functions vanish without a word
        traceback.print_exc()
        log.error("%s cannot be indexed, nothing is served: %r", options.app, error)  # noqa: TRY400
        return 1
    if options.index:
        print(json.dumps([as_metadata(function) for function in functions], indent=2))
        return 0
    try:
        check(functions)
        host = Host(
            functions,
            load_host_options(options.host_json),
            state=options.state,
            key=options.key,
        )
        asyncio.run(host.serve(options.port))
    except (HostError, OSError) as error:
        log.error("%s", error)  # noqa: TRY400 - the message is the whole story
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator.host", description=__doc__)
    parser.add_argument("--port", type=int, default=7071, help="0 takes a free one")
    parser.add_argument("--app", default="function_app", help="module with the function app")
    parser.add_argument("--host-json", type=Path, default=Path("host.json"))
    parser.add_argument("--key", help="function and master key; random if not given")
    parser.add_argument(
        "--state", type=Path, default=Path(".baton/host"), help="folder of the timers' status"
    )
    parser.add_argument("--index", action="store_true", help="print the functions and exit")
    return parser.parse_args()


if __name__ == "__main__":
    code = main()
    # A sync function that still runs in its thread would be waited for; the real host kills its worker.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
