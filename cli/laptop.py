"""`./baton up` and `down`: the laptop cloud left running, on ports that stay the same.

A lock tells whether it still runs, so nobody has to guess that from a process id.
"""

import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Any

from cli.paths import ROOT, STATE
from simulator import azurite
from simulator.laptop import NODE, WELL_KNOWN, LaptopCloud, in_use
from simulator.processes import Child, ProcessError, python
from simulator.scenario import load_scenario
from simulator.scenario_table import ScenarioError

_FACTS = STATE / "up.json"
_FOLDER = STATE / "up"
_READY_SECONDS_MAX = 120.0
_DOWN_SECONDS_MAX = 20.0
_LOOK_SECONDS = 0.05


def up(scenario: str, *, host: bool) -> int:
    """Start the cloud in the background and tell where everything is; the exit code."""
    log = STATE / "up.log"
    options = ("--scenario", scenario, "--host" if host else "--no-host")
    started = time.perf_counter()
    if in_use(_FOLDER):
        return _fail("It is up already: ./baton down ends it.")
    log.unlink(missing_ok=True)
    try:
        load_scenario(scenario)
        azurite.install(NODE, _say)  # here, so that its half minute is announced on this terminal
        program = python(
            *("up", "cli", "up", "--foreground", *options),
            ready_seconds_max=_READY_SECONDS_MAX,
        )
        facts = Child(program, log, None).await_ready()
    except (ProcessError, ScenarioError) as error:
        return _fail(error)
    seconds = time.perf_counter() - started
    print(f"The laptop cloud is up after {seconds:.1f} s; ./baton down ends it.")
    _tell(facts)
    return 0


def serve(scenario: str, *, host: bool) -> int:
    """Run the cloud until SIGTERM or Ctrl-C; the exit code. Prints a `ready {...}` line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with LaptopCloud(_FOLDER, scenario=scenario, ports=WELL_KNOWN, say=_say) as cloud:
            if host:
                cloud.start_host()
            facts = _facts(cloud)
            _FACTS.write_text(json.dumps(facts, indent=2))
            try:
                print(f"ready {json.dumps(facts)}", flush=True)
                signal.pause()
            finally:
                _FACTS.unlink(missing_ok=True)
    except KeyboardInterrupt:
        return 0
    except (ProcessError, ScenarioError) as error:
        return _fail(error)
    return 0


def down() -> int:
    """End the cloud and wait until it is gone; the exit code."""
    if not in_use(_FOLDER):
        print("Nothing is up.")
        return 0
    if not _FACTS.exists():
        return _fail("It is just starting or ending; try again in a moment.")
    process = int(json.loads(_FACTS.read_text())["pid"])
    os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_SECONDS_MAX
    while in_use(_FOLDER):
        if time.monotonic() > deadline:
            return _fail(f"Process {process} does not end; its log: {STATE / 'up.log'}")
        time.sleep(_LOOK_SECONDS)  # noqa: TID251 - a person waits for another process
    print("The laptop cloud is down.")
    return 0


def _fail(why: object) -> int:
    print(why, file=sys.stderr)
    return 1


def _facts(cloud: LaptopCloud) -> dict[str, Any]:
    """What people and tools need to use the cloud."""
    host = cloud.host.facts if cloud.host else {}
    of_host = {}
    if cloud.host:
        # The part behind # stays in the browser, so that no log has the key.
        page = f"{cloud.host_url}/api/page#key={host['key']}"
        of_host = {"host": cloud.host_url, "page": page}
    return {
        "pid": os.getpid(),
        "endpoints": {
            "Resource Manager": cloud.arm_url,
            "bus counts": f"{cloud.bus_admin_url}/queues",
            "mails": f"{cloud.mail_url}/mails",
            **of_host,
        },
        "hostKey": host.get("key", ""),
        "logs": str(cloud.folder / "logs"),
        "settings": cloud.settings,
    }


def _tell(facts: dict[str, Any]) -> None:
    for name, url in facts["endpoints"].items():
        print(f"  {name:<17} {url}")
    logs = Path(facts["logs"])
    print(f"  {'logs':<17} {logs.relative_to(ROOT) if logs.is_relative_to(ROOT) else logs}")
    if facts["hostKey"]:
        print(f"  {'host key':<17} {facts['hostKey']}")
    print("For a host or tools of your own:")
    for name, value in facts["settings"].items():
        print(f"export {name}={shlex.quote(value)}")


def _say(text: str) -> None:
    print(f"baton: {text}", file=sys.stderr, flush=True)
