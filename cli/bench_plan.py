"""How fast the planner is, and how good: against seeded fleets, and against the proven optimum."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cli.paths import ROOT
from shared.adapters.arm_decode import vm_of
from tests.planning.app import columns_of, plan_of_app, plan_vms
from tests.planning.big import Big
from tests.planning.facts import read_facts
from tests.planning.instances import Instance, small
from tests.planning.plans import score

_SIZES = ((1_000, 1_000), (10_000, 1_000), (100_000, 1_000))
"""VMs and policies."""

_SMALL = ((12, 200), (24, 100), (40, 30))
"""The most VMs of an instance whose optimum is to be proven, and how many instances."""

_SEED = 1
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB

Json = Mapping[str, Any]


def measured() -> Iterator[Json]:
    """A line for each size, then one for each size of small instances."""
    for vms, policies in _SIZES:
        # A fresh process each, because a process never gives back the most memory it had.
        command = [sys.executable, "-m", "cli.bench_plan", str(vms), str(policies)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        yield json.loads(done.stdout)
    for vms_max, instances in _SMALL:
        seeds = range(_SEED, _SEED + instances)
        found = optimality(plan_of_app, (small(seed, vms_max) for seed in seeds))
        yield {"bench": "plan-optimality", "vmsMax": vms_max, **found}


def sized(vms: int, policies: int) -> Json:
    """How long the plan of a fleet takes in this process, and how much memory it ever had."""
    fleet = Big(vms, policies, _SEED)
    rows, locations = columns_of(fleet.rows), fleet.locations
    loading, loaded = 0.0, []
    for item in fleet.fleet:
        began = time.perf_counter()
        loaded.append(vm_of(item))
        loading += time.perf_counter() - began
    began = time.perf_counter()
    plan = plan_vms(loaded, rows, locations, fleet.now)
    seconds = time.perf_counter() - began
    return {
        "bench": "plan",
        "vms": vms,
        "policies": policies,
        "seconds": round(seconds, 3),
        "loadSeconds": round(loading, 3),
        "rssMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT >> 20,
        "unplaced": sum(job.start is None for job in plan.jobs),
    }


def optimality(plan_of: Callable[[Instance], Json], instances: Iterable[Instance]) -> Json:
    """How the plans compare with the best there are.

    `makespanRatio…` is of the sum over rollouts of the time from the earliest possible start to the
    last end, where as many VMs are placed. Instances whose optimum takes too long to prove are left out.
    """
    from tests.planning.optimum import NotProvenError, optimum  # noqa: PLC0415 - it loads OR-tools

    proven = as_many = unproven = 0
    ratios = []
    for it in instances:
        facts = read_facts(rows=it.rows, fleet=it.fleet, locations=it.locations, now=it.now)
        try:
            best, _ = optimum(facts)
        except NotProvenError:
            unproven += 1
            continue
        proven += 1
        found = score(facts, plan_of(it))
        if found.unplaced == best.unplaced:
            as_many += 1
            ratios.append(found.length / best.length if best.length else 1.0)
    return {
        "instances": proven,
        "unproven": unproven,
        "asManyPlaced": round(as_many / max(proven, 1), 4),
        "makespanRatioMean": round(sum(ratios) / max(len(ratios), 1), 4),
        "worst": round(max(ratios, default=1.0), 4),
    }


if __name__ == "__main__":
    print(json.dumps(sized(int(sys.argv[1]), int(sys.argv[2]))))
