"""`./baton bench`: the benchmarks. JSON lines on stdout for programs, then a table on stderr for people."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from cli import (
    bench_discovery,
    bench_emulators,
    bench_operations,
    bench_page,
    bench_plan,
    bench_rollout,
    bench_start,
)
from cli.bench_aims import Line

BENCHES: Mapping[str, Callable[[], Iterator[Line]]] = {
    "discovery": bench_discovery.measured,
    "rollout": bench_rollout.measured,
    "operations": bench_operations.measured,
    "plan": bench_plan.measured,
    "start": bench_start.measured,
    "emulators": bench_emulators.measured,
    "page": bench_page.measured,
}
_ABOUT = (
    "who",
    "fleet",
    "when",
    "vms",
    "subscriptions",
    "policies",
    "vmsMax",
    "concurrency",
    "start",
)
"""What a line is about, beside `bench` and `what`; the rest are figures."""


def run_benches(names: Sequence[str]) -> int:
    """Run them one after another, all where none is named; the exit code. A missed aim is no failure."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        known = ", ".join(BENCHES)
        print(f"no benchmark {', '.join(unknown)}; there is: {known}", file=sys.stderr)
        return 2
    lines: list[Line] = []
    for name in names or BENCHES:
        began = time.monotonic()
        for line in BENCHES[name]():
            print(json.dumps(line), flush=True)
            lines.append(line)
        lines.append({"bench": name, "seconds in all": round(time.monotonic() - began)})
    console = Console(stderr=True, highlight=False, width=120)
    console.print(as_table(lines))
    console.print(
        f"Load of this machine: {os.getloadavg()[0]:.1f}, on {os.cpu_count()} processors."
    )
    return 0


def as_table(lines: Sequence[Line]) -> Table:
    """A row for each figure, with its aim and whether it is met."""
    table = Table("", "figure", "", "aim", box=None)
    for line in lines:
        about = ", ".join(_about(key, line[key]) for key in _ABOUT if line.get(key))
        title = ": ".join(part for part in (line["bench"], line.get("what"), about) if part)
        for name, figure in line.items():
            if name in ("bench", "what", "aims", *_ABOUT):
                continue
            aim = line.get("aims", {}).get(name)
            met = f"{aim['aim']}  {'met' if aim['met'] else 'MISSED'}" if aim else ""
            table.add_row(title, name, str(figure), met)
            title = ""
    return table


def _about(key: str, value: object) -> str:
    return value if isinstance(value, str) else f"{value} {key}"
