"""`./baton cost`: what a month of Baton costs, from counted operations and a dated table of prices."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from cli import say
from cli.cost_count import Counted, count_idle, count_redeploy

_FILE = Path(__file__).with_name("prices.json")
# What a discovery reads at once: `use_cases.own_views`.
_READS_AT_ONCE = 24
Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to compute the cost of.

    Attributes:
        vms: In the fleet.
        redeploys: In the month.
        gigabytes: Memory of an instance; None: as assumed.
        minutes: That a VM is away; None: as assumed.
    """

    vms: int
    redeploys: int
    gigabytes: float | None = None
    minutes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One kind of cost.

    Attributes:
        counted: What was counted or assumed, in words.
        idle, redeploys: A month's cost of each.
    """

    name: str
    counted: str
    idle: float
    redeploys: float


def run(asked: Asked, *, as_json: bool) -> int:
    """Counts, computes and prints; 0."""
    table = price_table()
    prices, assumed = table["prices"], table["assumptions"]
    redeploy = count_redeploy(asked.minutes or assumed["redeployMinutes"])
    lines = list(costs(asked, count_idle(asked.vms), redeploy, prices, assumed))
    if as_json:
        print(json.dumps(_as_json(asked, lines, table), indent=2))
    else:
        _print(asked, lines, table)
    return 0


def price_table() -> dict[str, Any]:
    """prices.json."""
    table: dict[str, Any] = json.loads(_FILE.read_text())
    return table


def costs(
    asked: Asked, idle: Counted, redeploy: Counted, prices: Numbers, assumed: Numbers
) -> Iterator[Line]:
    """The lines of a month's bill, idle and on top.

    Args:
        asked: For what.
        idle: Counted over some idle hours of such a fleet.
        redeploy: Counted of one redeploy, on top.
        prices: As in prices.json.
        assumed: As in prices.json.
    """
    idle = idle.times(assumed["hoursPerMonth"] / idle.hours)
    top = redeploy.times(asked.redeploys)
    yield from _functions(idle, top, asked.gigabytes or assumed["instanceGb"], prices, assumed)
    yield _bus(idle, top, prices, assumed)
    yield Line(
        name="tables",
        counted=f"{_n(idle.requests['tables'])} + {_n(top.requests['tables'])} transactions",
        idle=idle.requests["tables"] / 10_000 * prices["tablesPer10000"],
        redeploys=top.requests["tables"] / 10_000 * prices["tablesPer10000"],
    )
    yield _logs(idle, top, prices, assumed)
    yield _host_blobs(idle, prices, assumed)
    yield _alerts(prices, assumed)


def _functions(
    idle: Counted, top: Counted, gigabytes: float, prices: Numbers, assumed: Numbers
) -> Iterator[Line]:
    """Executions and seconds, those of the free grant left out; idle takes of the grant first."""
    gbs = [_seconds(each, assumed) * gigabytes for each in (idle, top)]
    runs = [sum(each.executions.values()) for each in (idle, top)]
    for name, used, free, price in (
        ("functions: GB-s", gbs, prices["functionsFreeGbSeconds"], prices["functionsPerGbSecond"]),
        (
            "functions: executions",
            runs,
            prices["functionsFreeExecutions"],
            prices["functionsPerMillionExecutions"] / 1e6,
        ),
    ):
        paid = max(used[0] - free, 0.0), max(sum(used) - free, 0.0)
        yield Line(
            name=name,
            counted=f"{_n(used[0])} + {_n(used[1])}; {_n(free)} free a month and subscription",
            idle=paid[0] * price,
            redeploys=(paid[1] - paid[0]) * price,
        )


def _seconds(counted: Counted, assumed: Numbers) -> float:
    """Paid seconds: those of discoveries by their requests, every other execution the least that is paid."""
    least, runs = assumed["secondsPerExecutionMin"], counted.executions
    discoveries = runs["discover"]
    reading = (
        counted.requests["armList"] * assumed["armListSeconds"]
        + counted.requests["armRead"] * assumed["armReadSeconds"] / _READS_AT_ONCE
    )
    others = sum(runs.values()) - discoveries
    return max(reading, discoveries * least) + others * least


def _bus(idle: Counted, top: Counted, prices: Numbers, assumed: Numbers) -> Line:
    per_message, hours = assumed["busOperationsPerMessage"], assumed["hoursPerMonth"]
    operations = idle.messages * per_message + assumed["busIdleOperationsPerHour"] * hours
    more = top.messages * per_message
    paid = [
        max(used - prices["busFreeOperations"], 0.0) for used in (operations, operations + more)
    ]
    price = prices["busPerMillionOperations"] / 1e6
    return Line(
        name="bus",
        counted=f"base charge, {_n(operations)} + {_n(more)} operations; "
        f"{_n(prices['busFreeOperations'])} included",
        idle=hours * prices["busPerHour"] + paid[0] * price,
        redeploys=(paid[1] - paid[0]) * price,
    )


def _logs(idle: Counted, top: Counted, prices: Numbers, assumed: Numbers) -> Line:
    idle_gb, top_gb = (_ingested(each, assumed) / 1e9 for each in (idle, top))
    return Line(
        name="logs, metrics, spans",
        counted=f"{idle_gb * 1000:.0f} + {top_gb * 1000:.1f} MB",
        idle=idle_gb * prices["logsPerGb"],
        redeploys=top_gb * prices["logsPerGb"],
    )


def _ingested(counted: Counted, assumed: Numbers) -> float:
    lines = counted.line_bytes + counted.lines * assumed["logLineOverheadBytes"]
    measured = counted.points * assumed["metricPointBytes"] + counted.spans * assumed["spanBytes"]
    return lines + measured


def _host_blobs(idle: Counted, prices: Numbers, assumed: Numbers) -> Line:
    """What the Functions host keeps in its storage account: the timers' status, and leases."""
    writes = idle.executions["discover"] + idle.executions["sweep"]
    leases = assumed["blobLeasesPerHour"] * assumed["hoursPerMonth"]
    return Line(
        name="blobs of the host",
        counted=f"{_n(writes)} writes, {_n(leases)} leases",
        idle=writes / 1e4 * prices["blobWritesPer10000"]
        + leases / 1e4 * prices["blobOtherPer10000"],
        redeploys=0.0,
    )


def _alerts(prices: Numbers, assumed: Numbers) -> Line:
    fast, slow = assumed["logAlertsEvery5Minutes"], assumed["logAlertsEvery15Minutes"]
    series = assumed["metricAlertSeries"]
    return Line(
        name="alert rules",
        counted=f"{fast:.0f} every 5 minutes, {slow:.0f} every 15, {series:.0f} on a metric",
        idle=fast * prices["logAlertEvery5Minutes"]
        + slow * prices["logAlertEvery15Minutes"]
        + series * prices["metricAlertSeries"],
        redeploys=0.0,
    )


def _print(asked: Asked, lines: list[Line], table: Mapping[str, object]) -> None:
    console = say.console()
    shown = Table("", "idle", f"{asked.redeploys} redeploys", "counted", box=None)
    for line in lines:
        shown.add_row(line.name, f"{line.idle:.2f}", f"{line.redeploys:.3f}", line.counted)
    idle, top = sum(line.idle for line in lines), sum(line.redeploys for line in lines)
    shown.add_row(
        "[bold]together[/bold]", f"[bold]{idle:.2f}[/bold]", f"[bold]{top:.3f}[/bold]", ""
    )
    console.print(f"A month of {asked.vms} VMs, in {table['currency']}:")
    console.print(shown)
    console.print(f"Prices of {table['region']}, as of {table['date']}; cli/prices.json has them, ")
    console.print("their sources, and what is assumed where nothing could be counted.")


def _as_json(asked: Asked, lines: list[Line], table: Mapping[str, object]) -> object:
    return {
        "vms": asked.vms,
        "redeploys": asked.redeploys,
        "currency": table["currency"],
        "pricesOf": table["date"],
        "idle": round(sum(line.idle for line in lines), 4),
        "redeploysOnTop": round(sum(line.redeploys for line in lines), 4),
        "lines": [
            {
                "name": line.name,
                "counted": line.counted,
                "idle": round(line.idle, 4),
                "redeploys": round(line.redeploys, 4),
            }
            for line in lines
        ],
    }


def _n(number: float) -> str:
    return f"{number:,.0f}"
