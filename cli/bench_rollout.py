"""How long a rollout takes on the laptop cloud, how late its starts are, and what a redeploy costs in requests.

Everything is the real thing but Azure: the app in its host, Azurite, and the emulators of Service Bus and
Resource Manager. Time is scaled, and all of them share this machine, so that a figure is a bound from above.
"""

import math
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from cli.bench_aims import Line, aimed, at_most, below
from cli.evidence import first_edits, gather
from cli.watch import get_json
from simulator.laptop import LaptopCloud
from simulator.processes import ProcessError
from simulator.promises import judge

_LOOK_SECONDS = 2.0
_SECONDS_MAX = 1_200
_SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
_REQUEST = re.compile(r'"(?:GET|POST|PUT|PATCH|MERGE|DELETE) /devstoreaccount1/(\$batch|Baton\w+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A rollout, in seconds.

    Attributes:
        away: What a redeploy takes; a second before a look, as a mean between none and a check interval.
        estimate: What the policy plans with: a redeploy, the look that finds it done, and some of the time in
            which this machine starts all VMs of a round.
        check: Between two looks.
    """

    vms: int
    concurrency: int
    away: int
    gap: int
    estimate: int
    check: int = 2

    def least(self, slots: int) -> int:
        """No order ends sooner: VMs are alike, and each slot is away or cooling from the first start on."""
        return math.ceil(self.vms / slots) * (self.away + self.gap) - self.gap


_SIZES = (
    Size(vms=300, concurrency=60, away=59, gap=31, estimate=62),
    Size(vms=1_000, concurrency=250, away=119, gap=61, estimate=124, check=4),
)


def measured() -> Iterator[Line]:
    """A line for each size."""
    small, large = _SIZES
    yield aimed(rollout(small), ratio=at_most(1.05), lagP99Seconds=below(2))
    yield aimed(rollout(large), ratio=at_most(1.05))


def rollout(size: Size) -> Line:
    """One rollout on a laptop cloud of its own.

    Raises:
        ProcessError: It did not end.
    """
    with tempfile.TemporaryDirectory() as name:
        scenario = Path(name) / "rollout.toml"
        scenario.write_text(_scenario(size), encoding="utf-8")
        with LaptopCloud(Path(name) / "cloud", scenario=scenario, log_requests=True) as cloud:
            cloud.start_host()
            _await_end(cloud, size)
            cloud.stop_host()
            return _told(cloud, size)


def _scenario(size: Size) -> str:
    return f"""
title = "{size.vms} VMs, {size.concurrency} at once"
[settings]
BATON_MODE = "live"
BATON_CHECK_INTERVAL = "{size.check}s"
BATON_DISCOVERY_SCHEDULE = "*/20 * * * * *"
BATON_SWEEP_SCHEDULE = "*/10 * * * * *"
BATON_REDEPLOY_TIMEOUT = "5m"
[arm]
throttle_scale = 0
[[subscription]]
id = "{_SUBSCRIPTION}"
name = "bench"
[[vm]]
name = "vm"
count = {size.vms}
resource_group = "rg"
subscription = "{_SUBSCRIPTION}"
location = "westeurope"
maintenance = {{ pre_start = "-1m", pre_end = "+60m", start = "+70m", end = "+90m" }}
redeploy_seconds = {size.away}
[[policy]]
PartitionKey = "bench"
RowKey = "all"
gap = "{size.gap}s"
estimate = "{size.estimate}s"
concurrency = {size.concurrency}
[expect]
completed = {size.vms}
"""


def _await_end(cloud: LaptopCloud, size: Size) -> None:
    """Reads Azurite's log for that, so that no request to the tables is ours."""
    ends = time.monotonic() + _SECONDS_MAX
    while (done := _table_requests(cloud)["BatonOutcomes"]) < size.vms:
        if time.monotonic() > ends or not (cloud.host and cloud.host.running):
            raise ProcessError(f"{done} of {size.vms} VMs had an outcome in time")
        time.sleep(_LOOK_SECONDS)  # noqa: TID251 - other processes do the work
    # The last ones are settled.
    time.sleep(_LOOK_SECONDS)  # noqa: TID251 - as above


def _told(cloud: LaptopCloud, size: Size) -> Line:
    """Counts first, then reads: these requests are not the app's."""
    requests = _table_requests(cloud).total()
    queue = get_json(f"{cloud.bus_admin_url}/queues")["redeploy-jobs"]
    rows = [row for row in cloud.outcomes() if row["terminal"]]
    t0 = datetime.fromisoformat(cloud.services["arm"].facts["t0"])
    held = all(verdict.held for verdict in judge(gather(cloud, t0, first_edits(cloud, t0))))
    began = min(_instant(row["plannedStart"]) for row in rows)
    makespan = (max(_instant(row["verifiedAt"]) for row in rows) - began).total_seconds()
    lags = lags_of(rows, size)
    return {
        "bench": "rollout",
        "vms": size.vms,
        "concurrency": size.concurrency,
        "completed": sum(row["outcome"] == "completed" for row in rows),
        "promisesHeld": held,
        "makespanSeconds": round(makespan, 1),
        "lowerBoundSeconds": size.least(size.concurrency),
        "oneAtATimeSeconds": size.least(1),
        "ratio": round(makespan / size.least(size.concurrency), 3),
        "lagP50Seconds": round(median(lags), 2),
        "lagP99Seconds": round(_p99(lags), 2),
        "tableRequestsEach": round(requests / size.vms, 1),
        "messagesEach": round(queue["sent"] / size.vms, 1),
    }


def lags_of(rows: Sequence[Mapping[str, Any]], size: Size) -> list[float]:
    """How many seconds each start came after its earliest legal instant.

    That is the start that people were told, and no sooner than a slot had cooled: the k-th start takes that
    of the (k - concurrency)-th VM that came back.

    Args:
        rows: Of the outcomes.
        size: Of their rollout.
    """
    starts = sorted((_instant(row["startedAt"]), _instant(row["plannedStart"])) for row in rows)
    gap = timedelta(seconds=size.gap)
    cooled = sorted(_instant(row["verifiedAt"]) + gap for row in rows)
    legal = [planned for _, planned in starts[: size.concurrency]]
    for (_, planned), slot in zip(starts[size.concurrency :], cooled, strict=False):
        legal.append(max(planned, slot))
    pairs = zip(starts, legal, strict=True)
    return [(start - earliest).total_seconds() for (start, _), earliest in pairs]


def _table_requests(cloud: LaptopCloud) -> Counter[str]:
    """By table, those of transactions as `$batch`: Azurite's log has a line for each, as Azure bills them."""
    log = (cloud.folder / "logs" / "azurite.log").read_text(encoding="utf-8")
    return Counter(_REQUEST.findall(log))


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def _instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
