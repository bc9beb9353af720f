"""Seeded fleets of the size that planners are measured by: a company's, with a thousand policies."""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from tests.planning import arm_shapes as arm

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
_SUBSCRIPTIONS = tuple(f"{number:08}-0000-4000-8000-000000000000" for number in range(1, 21))
_REGIONS = (
    ("westeurope", "northeurope"),
    ("northeurope", "westeurope"),
    ("eastus", "westus"),
    ("westus", "eastus"),
    ("swedencentral", ""),
)
_ZONES = ("UTC", "Europe/Amsterdam", "America/New_York", "Asia/Kolkata")
_NIGHTS = (
    ("22:00-04:00", 50),
    ("Mon-Fri 22:00-05:00; Sat,Sun 00:00-24:00", 20),
    ("Sat 20:00-06:00; Sun 20:00-06:00", 5),
    ("Tue#2 23:00+5h; 01:00-05:00", 10),
    ("", 15),
)
_VMS_PER_SLOT = 40
_SET_SIZE = 5


@dataclass(frozen=True)
class Big:
    """Rows and regions; the VMs are made one by one while they are read, each time the same."""

    vms: int
    policies: int
    seed: int
    now: datetime = NOW

    @property
    def locations(self) -> list[dict[str, Any]]:
        """The regions as each subscription sees them."""
        return arm.locations(_REGIONS, _SUBSCRIPTIONS)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A third of the policies match by tag, a third by resource group, a third by name."""
        pick = Random(self.seed)
        return [_row(pick, number, self._share(number)) for number in range(self.policies)]

    @property
    def fleet(self) -> Iterator[dict[str, Any]]:
        """The VMs; a few have a window in which nothing can be done, a few are in no maintenance."""
        pick = Random(self.seed + 1)
        upto = list(accumulate(_weight(number) for number in range(self.policies)))
        for number in range(self.vms):
            policy = bisect(upto, pick.random() * upto[-1])
            yield _vm(pick, number, min(policy, self.policies - 1), self.policies)

    def _share(self, policy: int) -> float:
        """How many VMs the policy has, more or less."""
        weights = (_weight(number) for number in range(self.policies))
        return self.vms * _weight(policy) / sum(weights)


def _weight(policy: int) -> float:
    """A few policies are twenty times as large as most."""
    return 20.0 if policy % 97 == 0 else 1.0 + policy % 7


def _row(pick: Random, number: int, vms: float) -> dict[str, Any]:
    app = f"app-{number:04}"
    row = {
        "PartitionKey": f"team-{number % 50:02}",
        "RowKey": app,
        "match": (f"tag:app={app}", f"rg:rg-{app}-*", f"name:{app}-*")[number % 3],
        "windows": pick.choices(*zip(*_NIGHTS, strict=True))[0],
        "timeZone": pick.choice(_ZONES),
        "concurrency": max(1, min(20, round(vms / _VMS_PER_SLOT))),
        "gap": pick.choice(("5m", "PT10M", "15m")),
        "estimate": pick.choice(("15m", "PT25M")),
        "owners": f"{app}@example.com",
    }
    if pick.random() < 0.6:
        row["sequence"] = pick.choice(
            ("tag:tier=db; tag:tier=app; tag:tier=web", "tag:order", "tag:tier=db")
        )
    if pick.random() < 0.1:
        row["freezes"] = "2026-07-10/2026-07-12; 2026-12-24"
    return row


def _vm(pick: Random, number: int, policy: int, policies: int) -> dict[str, Any]:
    app, subscription = f"app-{policy:04}", _SUBSCRIPTIONS[policy % len(_SUBSCRIPTIONS)]
    group = f"rg-{app}-{pick.choice(('prod', 'prod', 'test'))}"
    home, pair = _REGIONS[policy % len(_REGIONS)]
    placed: dict[str, Any] = {}
    kind = pick.random()
    if kind < 0.5:
        # One set in a hundred is shared with the next policy.
        lender = (policy + 1) % policies if pick.random() < 0.01 else policy
        name = f"set-{lender}-{number % (10 * _SET_SIZE) // _SET_SIZE}"
        placed["availability_set"] = arm.set_id(name, group="rg-sets", subscription=subscription)
        placed["update_domain"] = pick.randrange(_SET_SIZE)
    elif kind < 0.8:
        placed["zone"] = pick.choice(("1", "2", "3"))
    return arm.vm(
        f"{app}-{number:06}",
        group=group,
        subscription=subscription,
        location=pair if pair and pick.random() < 0.02 else home,
        tags={
            "app": app,
            "tier": pick.choice(("db", "app", "web", "web")),
            "order": str(pick.randrange(1, 4)),
            "env": group[-4:],
        },
        maintenance=_maintenance(pick),
        **placed,
    )


def _maintenance(pick: Random) -> dict[str, Any] | None:
    chance = pick.random()
    if chance < 0.02:
        return None
    if chance < 0.023:  # by day, for less than the shortest night needs
        return arm.status(NOW - timedelta(hours=1), NOW + timedelta(minutes=30), now=NOW)
    opens = NOW + timedelta(hours=6 * pick.randrange(-12, 20))
    return arm.status(opens, opens + timedelta(days=pick.choice((21, 28, 35))), now=NOW)
