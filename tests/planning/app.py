"""The app's planner as the tests and the benchmark see it: JSON in, JSON out. Nothing else calls it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from shared.adapters.arm_decode import vm_of
from shared.adapters.arm_locations import locations_of
from shared.domain.maintenance import Vm
from shared.domain.places import Places
from shared.domain.planning.fleet import FleetPlan, plan_fleet
from tests.planning.facts import Json
from tests.planning.instances import Instance

Columns = dict[tuple[str, str], dict[str, object]]


def plan_of_app(it: Instance) -> dict[str, Any]:
    """The plan of an instance, as `./baton plan --json` prints it."""
    vms = [vm_of(item) for item in it.fleet]
    return as_json(plan_vms(vms, columns_of(it.rows), it.locations, it.now))


def columns_of(rows: Iterable[Json]) -> Columns:
    """The rows by team and policy, as a table's reader has them."""
    keys = ("PartitionKey", "RowKey")
    return {
        (row[keys[0]], row[keys[1]]): {name: row[name] for name in row if name not in keys}
        for row in rows
    }


def plan_vms(
    vms: Sequence[Vm], rows: Columns, locations: Iterable[Json], now: datetime
) -> FleetPlan:
    """The app's plan."""
    return plan_fleet(vms, rows, places=Places.of(locations_of(list(locations))), now=now)


def as_json(plan: FleetPlan) -> dict[str, Any]:
    """The plan by the contract of `./baton plan --json`."""
    return {
        "now": plan.now.isoformat(),
        "jobs": [
            {
                "vmId": job.vm.id,
                "team": job.team,
                "policy": job.policy,
                "stage": job.stage,
                "start": job.start and job.start.isoformat(),
                "end": job.end and job.end.isoformat(),
                "reason": job.reason,
            }
            for job in plan.jobs
        ],
        "unmatched": [{"vmId": each.vm.id, "reason": each.reason} for each in plan.unmatched],
        "policyErrors": [
            {
                "team": error.team,
                "policy": error.policy,
                "column": error.column,
                "message": error.message,
            }
            for error in plan.policy_errors
        ],
    }
