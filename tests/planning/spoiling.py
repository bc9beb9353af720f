"""A fleet whose serial plan is legal and places everybody, and how to spoil such a plan."""

from datetime import UTC, datetime, timedelta

from tests.planning import arm_shapes as arm
from tests.planning.checker import violations
from tests.planning.facts import instant

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)  # a Wednesday
HOURS = timedelta(hours=1)
OFFERED = arm.status(NOW - HOURS, NOW + 72 * HOURS, now=NOW)
SET = arm.set_id("set-a")
OTHER = arm.SUBSCRIPTIONS[1]

ROWS = [
    {"team": "erp", "policy": "all", "columns": {"match": "name:erp-*", "estimate": "40m"}},
    {
        "PartitionKey": "shop",
        "RowKey": "tiers",
        "match": "tag:owner=shop",
        "exclude": "name:shop-x-*",
        "sequence": "tag:tier=db; tag:tier=web",
        "concurrency": 2,
        "gap": "10m",
        "stageGap": "30m",
        "estimate": "20m",
        "lead": "1h",
        "windows": "12:00-20:00",
        "freezes": "2026-07-01T18:00/PT1H",
    },
    {
        "PartitionKey": "data",
        "RowKey": "all",
        "match": "rg:rg-data",
        "gap": "PT10M",
        "estimate": "PT20M",
        "sequence": "tag:order",
    },
    {"PartitionKey": "web", "RowKey": "one", "match": "name:tied-*", "priority": 7},
    {"PartitionKey": "web", "RowKey": "two", "match": "name:tied-*", "priority": 7},
    {"PartitionKey": "web", "RowKey": "wrong", "match": "name:frozen-*", "freeze": "2026-07-02"},
    {"PartitionKey": "web", "RowKey": "rest", "match": "name:frozen-*", "priority": 200},
    {"PartitionKey": "web", "RowKey": "off", "match": "name:lonely-*", "enabled": False},
]


def offered(name, **more):
    return arm.vm(name, **{"maintenance": OFFERED, **more})


def of_shop(name, tier, **more):
    return offered(name, tags={"owner": "shop", "tier": tier}, **more)


FLEET = [
    of_shop("shop-db-1", "db", availability_set=SET, update_domain=0),
    of_shop("shop-db-2", "db", availability_set=SET, update_domain=1),
    of_shop("shop-db-3", "db", availability_set=SET, update_domain=1),
    of_shop("shop-web-1", "web", zone="1"),
    of_shop("shop-web-2", "web", zone="2"),
    of_shop("shop-web-3", "web", zone="3", subscription=OTHER),  # physically the first's zone
    of_shop("shop-web-4", "web", location="northeurope"),
    of_shop("shop-web-5", "web", location="West Europe"),
    of_shop("shop-x-1", "web"),
    offered("data-1", group="RG-data", tags={"order": "5"}),
    offered("data-2", group="rg-data", tags={"order": "9"}),
    offered("data-3", group="rg-data", tags={"order": "9"}),
    offered("data-4", group="rg-data"),
    offered("erp-1", availability_set=SET),
    offered("tied-1"),
    offered("frozen-1"),
    offered("lonely-1"),
    arm.vm("idle-1"),
    offered("late-1", maintenance=arm.status(NOW - 9 * HOURS, NOW, now=NOW)),
    offered("erp-early", maintenance=arm.status(NOW + HOURS, NOW + 2 * HOURS, now=NOW)),
]
LOCATIONS = arm.locations([("westeurope", "northeurope"), ("northeurope", "")])


def broken(plan) -> list[str]:
    return violations(plan, rows=ROWS, fleet=FLEET, locations=LOCATIONS)


def job(plan, name):
    return next(each for each in plan["jobs"] if each["vmId"].endswith(f"/{name}"))


def start(plan, name, at: str | datetime, away: int = 20) -> None:
    """Let the VM start then, and be away for so many minutes. `3 13:00` is on the third of July."""
    if isinstance(at, str):
        at = datetime.strptime(f"2026-07-{at}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    job(plan, name)["start"] = at.isoformat()
    job(plan, name)["end"] = (at + timedelta(minutes=away)).isoformat()


def ended(plan, name, minutes: int = 0) -> datetime:
    """So many minutes after the VM is back."""
    return instant(job(plan, name)["end"]) + timedelta(minutes=minutes)


def unmatched(plan, name):
    return next(each for each in plan["unmatched"] if each["vmId"].endswith(f"/{name}"))
