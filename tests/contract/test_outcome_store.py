"""OutcomeStore: what every implementation promises, down to the columns that people read."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.due import Installed
from shared.ports import OutcomeStore
from tests.builders import NOW, SUBSCRIPTION, a_job, a_release, a_status, a_vm, a_vm_id, an_attempt
from tests.contract.conftest import People


async def test_an_outcome_has_the_columns_of_the_contract(
    outcomes: OutcomeStore, people: People
) -> None:
    soon, message = NOW + timedelta(microseconds=1_234_567), 'It\'s 100% "done"\n✔'
    job = a_job(planned_start=soon, maintenance=a_status(opens=NOW, closes=NOW + timedelta(days=3)))

    await outcomes.add(job, an_attempt(last_operation_message=message, ended_at=soon))

    (row,) = await people.outcomes()
    assert row.pop("PartitionKey") == SUBSCRIPTION
    assert row.pop("RowKey").endswith(f"-{job.id}-1")
    assert row == {
        "jobId": job.id,
        "vmId": job.vm_id,
        "vmName": "web-1",
        "resourceGroup": "shop",
        "location": "westeurope",
        "team": "shop",
        "policy": "web",
        "stage": 1,
        "attempt": 1,
        "outcome": "completed",
        "terminal": True,
        "reason": an_attempt().reason,
        "lastOperationResultCode": "MaintenanceCompleted",
        "lastOperationMessage": message,
        "plannedStart": soon,
        "startedAt": NOW - timedelta(minutes=20),
        "verifiedAt": NOW,
        "endedAt": soon,
        "preMaintenanceWindowStartTime": NOW,
        "preMaintenanceWindowEndTime": NOW + timedelta(days=3),
        "correlationId": "correlation-1",
        "work": "redeploy",
    }
    assert type(row["terminal"]) is bool


async def test_an_installation_has_its_release_and_azures_numbers_and_no_maintenance(
    outcomes: OutcomeStore, people: People
) -> None:
    installed = Installed(
        installation_activity_id="i", reboot_status="Completed", installed_patch_count=2
    )
    attempt = an_attempt(work="patch", release="2026-02-10", installed=installed)

    await outcomes.add(a_job(patches=a_release()), attempt)

    (row,) = await people.outcomes()
    added = {name: row.get(name) for name in ("work", "release", "installationActivityId")}
    assert added == {"work": "patch", "release": "2026-02-10", "installationActivityId": "i"}
    assert (row["rebootStatus"], row["installedPatchCount"]) == ("Completed", 2)
    absent = {"failedPatchCount", "preMaintenanceWindowStartTime", "preMaintenanceWindowEndTime"}
    assert not absent & row.keys()


async def test_times_that_never_came_are_absent_and_codes_empty(
    outcomes: OutcomeStore, people: People
) -> None:
    never = an_attempt(
        outcome="missed",
        started_at=None,
        verified_at=None,
        last_operation_result_code="",
        correlation_id="",
    )

    await outcomes.add(a_job(planned_start=None), never)

    (row,) = await people.outcomes()
    assert not {"startedAt", "verifiedAt", "plannedStart"} & row.keys()
    assert row["lastOperationResultCode"] == row["lastOperationMessage"] == ""
    assert row["correlationId"] == ""


async def test_the_same_attempt_again_is_one_row_and_the_first_stays(
    outcomes: OutcomeStore, people: People
) -> None:
    job, attempt = a_job(), an_attempt(reason="first")

    await outcomes.add(job, attempt)
    await outcomes.add(replace(job, stage=9), replace(attempt, reason="second"))

    assert [(row["reason"], row["stage"]) for row in await people.outcomes()] == [("first", 1)]


async def test_each_attempt_is_a_row_and_the_newest_comes_first(
    outcomes: OutcomeStore, people: People
) -> None:
    for number in (2, 1, 10, 3):
        ended_at = NOW + timedelta(microseconds=number)
        await outcomes.add(a_job(attempt=number), an_attempt(number=number, ended_at=ended_at))

    assert [row["attempt"] for row in await people.outcomes()] == [10, 3, 2, 1]


async def test_a_vms_outcomes_are_found_by_its_id_in_any_case_newest_first(
    outcomes: OutcomeStore,
) -> None:
    job, other = a_job("web-1"), a_job(vm=a_vm("web-1", resource_group="other"))
    for number in (1, 2):
        ended = NOW + number * timedelta(minutes=1)
        await outcomes.add(job, an_attempt(number=number, ended_at=ended))
    await outcomes.add(other, an_attempt())
    await outcomes.add(a_job("web-2"), an_attempt())

    found = await outcomes.of(a_vm_id("web-1", group="SHOP"))

    assert [(row["attempt"], row["outcome"]) for row in found] == [
        (2, "completed"),
        (1, "completed"),
    ]
    assert found[0]["endedAt"] == NOW + timedelta(minutes=2)
    assert list(await outcomes.of(a_vm_id("web-3"))) == []
