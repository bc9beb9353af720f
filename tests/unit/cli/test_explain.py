"""`./baton explain` from files: the first discovery's word on one VM."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli import explain, plan, say
from cli.given import Given
from tests.builders import a_vm_id

CLOCK = datetime(2026, 12, 1, 21, 30, tzinfo=UTC)
POLICIES = """
shop:
  tiers:
    match: name:web-*
    windows: 22:00-04:00
    timeZone: Europe/Amsterdam
"""


def resource(name: str, group: str = "shop") -> dict[str, Any]:
    status = {
        "isCustomerInitiatedMaintenanceAllowed": True,
        "preMaintenanceWindowStartTime": "2026-12-01T00:00:00Z",
        "preMaintenanceWindowEndTime": "2026-12-08T00:00:00Z",
        "lastOperationResultCode": "None",
    }
    return {
        "id": a_vm_id(name, group=group),
        "location": "westeurope",
        "properties": {"instanceView": {"maintenanceRedeployStatus": status}},
    }


@pytest.fixture
def given(tmp_path: Path) -> Given:
    policies, fleet = tmp_path / "policies.yaml", tmp_path / "vms.json"
    policies.write_text(POLICIES)
    names = ("web-1", "web-2", "db-1")
    twins = [resource("twin-1"), resource("twin-1", "other")]
    fleet.write_text(json.dumps([*(resource(name) for name in names), *twins]))
    return Given(policies=policies, fleet=fleet)


def run(name: str, given: Given, capsys, *, as_json: bool = True) -> tuple[int, str, str]:
    code = say.run(lambda: explain.run(name, given, CLOCK, as_json=as_json))
    return (code, *capsys.readouterr())


def test_the_json_says_where_it_stands_and_why(given, capsys):
    code, out, _ = run("WEB-2", given, capsys)
    said = json.loads(out)

    assert code == 0
    assert said["vmId"] == a_vm_id("web-2")
    assert [said[key] for key in ("state", "team", "policy", "rollout", "stage", "attempt")] == [
        "planned",
        "shop",
        "tiers",
        1,
        1,
        1,
    ]
    assert said["now"] == "2026-12-01T21:30:00Z"
    assert said["why"] == "others of its stage go first"
    assert said["maintenance"]["preMaintenanceWindowEndTime"] == "2026-12-08T00:00:00Z"
    assert (said["outcomes"], said["until"]) == ([], None)


def test_it_agrees_with_the_plan(given, capsys):
    said = [json.loads(run(name, given, capsys)[1]) for name in ("web-1", "web-2")]
    say.run(lambda: plan.run(given, CLOCK, as_json=True, html=None))
    planned = json.loads(capsys.readouterr().out)["jobs"]

    assert [one["plannedStart"] for one in said] == [job["start"] for job in planned]


def test_a_vm_without_a_policy_has_no_state(given, capsys):
    said = json.loads(run("db-1", given, capsys)[1])

    assert (said["state"], said["plannedStart"], said["why"]) == (
        None,
        None,
        "no enabled policy matches it",
    )


def test_people_read_local_times_and_azures_own_words(given, capsys):
    _, out, _ = run("web-2", given, capsys, as_json=False)
    lines = [" ".join(line.split()) for line in out.splitlines()]

    assert lines[0] == "web-2"
    assert "planned start Tue 1 Dec 23:10 (Europe/Amsterdam), 2026-12-01 22:10 UTC" in lines
    assert "isCustomerInitiatedMaintenanceAllowed true" in lines
    assert any(line.startswith("next Its self-service window closes at") for line in lines)


@pytest.mark.parametrize(
    ("name", "says"), [("twin-1", "expected one of the ids /sub"), ("nope", "one of the 5 VMs")]
)
def test_a_name_that_means_no_vm_or_several_is_2(given, capsys, name, says):
    code, out, err = run(name, given, capsys)

    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
