"""How many operations a redeploy takes, on top of the idle app, and what a thousand of them cost."""

from collections.abc import Iterator

from cli.bench_aims import Line, aimed, at_most
from cli.cost import Asked, costs, price_table
from cli.cost_count import count_idle, count_redeploy

# One that is found done by the look that falls due then: docs/performance.md tells of others.
MINUTES = 7.75
_ROLLOUTS = (40, 100)
_REDEPLOYS = 1_000


def measured() -> Iterator[Line]:
    """A line for a small rollout, whose first VMs weigh more, and for a larger one."""
    table = price_table()
    idle = count_idle(_REDEPLOYS)
    for vms in _ROLLOUTS:
        each = count_redeploy(MINUTES, vms=vms)
        asked = Asked(vms=_REDEPLOYS, redeploys=_REDEPLOYS)
        lines = costs(asked, idle, each, table["prices"], table["assumptions"])
        line = {
            "bench": "operations",
            "vms": vms,
            "awayMinutes": MINUTES,
            "tableOperations": round(each.requests["tables"], 2),
            "messages": round(each.messages, 2),
            "executions": round(each.executions["redeploy"], 2),
            "usdPerThousand": round(sum(line.redeploys for line in lines), 4),
        }
        yield aimed(line, tableOperations=at_most(12), messages=at_most(5))
