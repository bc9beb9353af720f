"""Seeded instances for planners: small ones full of conflicts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.planning import arm_shapes as arm

Row = dict[str, Any]

MINUTES = timedelta(minutes=1)
_NOWS = (
    "2026-07-01T12:00",  # a Wednesday
    "2026-03-28T20:00",  # the night Europe's clocks are put forward
    "2026-10-24T20:00",  # and back
    "2026-10-31T22:00",  # America's
    "2026-12-30T09:30",
)
_REGIONS = (("westeurope", "northeurope"), ("northeurope", ""), ("uksouth", ""))
_HOMES = ("shop", "erp", "data", "web")
_ZONES = (
    "",
    "UTC",
    "Europe/Amsterdam",
    "W. Europe Standard Time",
    "America/New_York",
    "Asia/Kathmandu",
)
_SEQUENCES = (
    "tag:tier=db; tag:tier=app",
    'name:*-?; tag:tier="db"',
    "tag:order",
    "TAG:order",
    "tag:order=1,2;zone:1;",
)
ODD = timedelta(seconds=97)
"""Added to everything that is measured from now, it takes an instance off the grid."""


@dataclass(frozen=True)
class Instance:
    """What a planner is given, as files and Resource Manager give it."""

    now: datetime
    rows: list[Row]
    fleet: list[dict[str, Any]]
    locations: list[dict[str, Any]] = field(default_factory=list)


def small(seed: int, vms_max: int = 12, odd: timedelta = timedelta()) -> Instance:
    """An instance of 1 to 4 policies, in which much of what can go wrong does.

    Every time and length of it lies on a grid of five minutes, but for what is `odd`.
    """
    pick = Random(seed)
    now = datetime.fromisoformat(pick.choice(_NOWS)).replace(tzinfo=UTC)
    now += 5 * MINUTES * pick.randrange(12) + odd
    homes = _HOMES[: pick.choice((1, 1, 2, 2, 3, 4))]
    rows = [_row(pick, home, now) for home in homes]
    if odd:
        rows[0] |= {"gap": "90s", "estimate": "PT7M30S", "stageGap": "2m5s"}
    if pick.random() < 0.3:
        rows.append(_overlapping(pick, now))
    pick.shuffle(rows)
    fleet = [_vm(pick, number, homes, now) for number in range(pick.randint(2, vms_max))]
    locations = arm.locations(_REGIONS) if pick.random() < 0.8 else []
    return Instance(now, rows, fleet, locations)


def _row(pick: Random, home: str, now: datetime) -> Row:
    row: Row = {"PartitionKey": home, "RowKey": "tiers"}
    row["match"] = pick.choice(
        (
            f"tag:owner={home}",
            f"rg:rg-{home}*",
            f"NAME:{home}-* !tag:none",
            f'tag:"owner"="{home}",nobody',
            f"tag:owner={home.upper()} !location:francecentral",
        )
    )
    for column, chance, values in (
        ("sequence", 0.7, _SEQUENCES),
        ("gap", 0.9, ("0s", "5m", "PT10M", "15m", "30m")),
        ("stageGap", 0.4, ("0s", "PT5M", "20m", "45m")),
        ("concurrency", 0.9, (1, 2, 3, 4)),
        ("estimate", 0.9, ("5m", "10m", "PT25M", "40m", "1h")),
        ("lead", 0.2, ("30m", "PT2H")),
        ("timeZone", 0.6, _ZONES),
        ("onFailure", 0.2, ("halt", "continue")),
        ("approval", 0.1, ("required", "none")),
        ("priority", 0.2, (90, 100, 110)),
        ("exclude", 0.15, ("tag:tier=app", "name:*-3")),
        ("owners", 0.2, ("oncall@example.com",)),
        ("enabled", 0.1, (False, True)),
    ):
        if pick.random() < chance:
            row[column] = pick.choice(values)
    if pick.random() < 0.7:
        row["windows"] = _windows(pick, now)
    if pick.random() < 0.25:
        row["freezes"] = _freezes(pick, now)
    if pick.random() < 0.08:
        row |= pick.choice(({"freeze": "2026-12-24"}, {"windows": "at night"}, {"gap": "15"}))
    return row


def _overlapping(pick: Random, now: datetime) -> Row:
    """A policy that means VMs of the others too: behind them, before them, or in a tie."""
    match = pick.choice(
        ("*", "tag:tier=db", "zone:1,2", "!tag:tier=db", 'location:"North Europe"', "tag:order,x")
    )
    priority = pick.choice((50, 100, 200, 200))
    return _row(pick, "rest", now) | {"match": match, "priority": priority}


def _windows(pick: Random, now: datetime) -> str:
    """Often just after now, and often too short for everybody."""
    start = now + timedelta(hours=pick.randrange(-2, 14)) + 5 * MINUTES * pick.randrange(12)
    length = 5 * pick.choice((9, 12, 18, 24, 36, 48, 72))
    end = start + length * MINUTES
    return pick.choice(
        (
            f"{start:%H:%M}-{end:%H:%M}",
            f"{start:%H:%M}+{length}m",
            f"{start:%a} {start:%H:%M}-{end:%H:%M}; {end:%a} {end:%H:%M}+PT1H",
            f"Mon-Fri {start:%H:%M}-{end:%H:%M}; Sat,Sun 00:00-24:00",
            f"{start:%a}#{(start.day - 1) // 7 + 1} {start:%H:%M}+PT{length}M; 03:00-03:30",
        )
    )


def _freezes(pick: Random, now: datetime) -> str:
    start = now + 5 * MINUTES * pick.randrange(200)
    end = start + 5 * MINUTES * pick.choice((6, 24, 100))
    return pick.choice(
        (
            f"{start:%Y-%m-%d}",
            f"{start:%Y-%m-%dT%H:%M}/{end:%Y-%m-%dT%H:%M}",
            f"2026-01-01; {start:%Y-%m-%dT%H:%M}Z/PT3H",
        )
    )


def _vm(pick: Random, number: int, homes: tuple[str, ...], now: datetime) -> dict[str, Any]:
    home = pick.choice(homes)
    tags = {"owner": home, "tier": pick.choice(("db", "app", "web"))}
    if pick.random() < 0.8:
        tags["order"] = pick.choice(("1", "2", "02", "10", "-3", "x", ""))
    group = pick.choice((f"rg-{home}", f"RG-{home}-2"))
    subscription = pick.choices(arm.SUBSCRIPTIONS[:2], (6, 1))[0]
    placed: dict[str, Any] = {}
    if pick.random() < 0.5:
        name = pick.choices(("set-a", "set-b"), (4, 1))[0]
        placed["availability_set"] = arm.set_id(name, group="rg-sets", subscription=subscription)
        if pick.random() < 0.9:
            placed["update_domain"] = pick.randrange(3)
    elif pick.random() < 0.7:
        placed["zone"] = pick.choice(("1", "2", "3"))
    return arm.vm(
        f"{home}-{number}",
        group=group,
        subscription=subscription,
        location=pick.choices(("westeurope", "northeurope", "uksouth"), (7, 2, 1))[0],
        tags=tags if pick.random() < 0.97 else {},
        maintenance=_maintenance(pick, now),
        **placed,
    )


def _maintenance(pick: Random, now: datetime) -> dict[str, Any] | None:
    hours = pick.choices((-24, 0, 1, 5, 12), (12, 2, 2, 2, 1))[0]
    opens = now + timedelta(hours=hours) + 5 * MINUTES * pick.randrange(12)
    closes = max(now, opens) + 5 * MINUTES * pick.choice((6, 36, 100, 200, 400, 900))
    what = pick.random()
    if what < 0.03:
        return None
    if what < 0.06:  # begun, and taken back
        return arm.status(now - 60 * MINUTES, closes, now=now, allowed=False)
    if what < 0.09:  # over
        return arm.status(now - 600 * MINUTES, now - pick.randrange(2) * MINUTES, now=now)
    return arm.status(opens, closes, now=now)
