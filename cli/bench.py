"""`./baton bench`: the benchmarks. Each prints JSON lines, so that runs can be compared by a machine."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cli import bench_discovery, bench_page, bench_plan

BENCHES: Mapping[str, Callable[[], Iterator[Mapping[str, Any]]]] = {
    "discovery": bench_discovery.measured,
    "plan": bench_plan.measured,
    "page": bench_page.measured,
}


def run_benches(names: Sequence[str]) -> int:
    """Run them one after another, all where none is named; the exit code."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        known = ", ".join(BENCHES)
        print(f"no benchmark {', '.join(unknown)}; there is: {known}", file=sys.stderr)
        return 2
    for name in names or BENCHES:
        for line in BENCHES[name]():
            print(json.dumps(line), flush=True)
    return 0
