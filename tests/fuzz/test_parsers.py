"""Whatever is read, it is a value or a named error: no other exception, no hang, no flood of memory."""

import json
import time
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.fleet_files import read_fleet
from cli.policy_files import read_policies
from shared.adapters import (
    alert_rows,
    arm_answers,
    arm_decode,
    arm_locations,
    job_rows,
    policy_rows,
)
from shared.adapters.arm_fields import Fields
from shared.adapters.arm_surroundings import _dynamic_address, _shutdown
from shared.adapters.messages import decode
from shared.domain.errors import BatonError, InvalidInput
from shared.domain.policy_columns import COLUMNS
from shared.domain.policy_row import parse_policy
from shared.domain.selector import parse_selector
from tests.builders import NOW, a_head, a_job, a_vm, a_vm_id, an_alert, an_attempt, an_away
from tests.fuzz.hostile import cells, deep, json_values, spoilt, texts, words

CPU_SECONDS = 2.0
MEMORY = 64 * 2**20
STATUS = {
    "isCustomerInitiatedMaintenanceAllowed": True,
    "preMaintenanceWindowStartTime": "2026-03-02T12:00:00+00:00",
    "preMaintenanceWindowEndTime": "2026-03-09T12:00:00Z",
    "maintenanceWindowStartTime": "2026-03-09T12:00:00Z",
    "maintenanceWindowEndTime": None,
    "lastOperationResultCode": "None",
    "lastOperationMessage": "text",
}
VM = {
    "id": a_vm_id(),
    "location": "westeurope",
    "zones": ["1"],
    "tags": {"tier": "web"},
    "properties": {
        "provisioningState": "Succeeded",
        "availabilitySet": {"id": "/set"},
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "storageProfile": {"osDisk": {"diffDiskSettings": {"option": "Local"}}},
        "networkProfile": {"networkInterfaces": [{"id": "/nic"}]},
        "scheduledEventsPolicy": {"userInitiatedRedeploy": {"automaticallyApprove": True}},
        "instanceView": {
            "platformUpdateDomain": 1,
            "statuses": [{"code": "PowerState/running"}],
            "vmAgent": {"statuses": [{"code": "ProvisioningState/succeeded"}]},
            "maintenanceRedeployStatus": STATUS,
        },
    },
}
LOCATION = {
    "id": "/subscriptions/s/locations/westeurope",
    "name": "westeurope",
    "metadata": {"pairedRegion": [{"name": "northeurope"}]},
    "availabilityZoneMappings": [{"logicalZone": "1", "physicalZone": "westeurope-az1"}],
}
ACTIVITY = {
    "operationName": {"value": "Microsoft.Compute/virtualMachines/performMaintenance/action"},
    "eventTimestamp": "2026-03-02T12:00:00Z",
    "status": {"value": "Accepted"},
    "httpRequest": {"clientRequestId": "r"},
    "correlationId": "c",
}
BESIDE = {
    "id": "/thing",
    "name": "thing",
    "properties": {
        "ipConfiguration": {"id": "/networkinterfaces/n/ipconfigurations/c"},
        "publicIPAllocationMethod": "Dynamic",
        "ipAddress": "20.1.2.3",
        "status": "Enabled",
        "taskType": "ComputeVmShutdownTask",
        "dailyRecurrence": {"time": "1900"},
        "timeZoneId": "UTC",
        "targetResourceId": "/vm",
    },
}


def value_or_named(read, *given):
    """The value, or None where it was refused by name."""
    try:
        return read(*given)
    except InvalidInput as wrong:
        assert wrong.problems
        assert all(problem.expected for problem in wrong.problems)
        assert len(str(wrong)) < 3_000 * len(wrong.problems)


@pytest.mark.parametrize("column", COLUMNS)
@given(data=st.data())
def test_a_column_of_anything_is_a_policy_or_named(column, data):
    policy = value_or_named(parse_policy, ("shop", "web"), {column: data.draw(cells)})

    if policy:
        policy.match.matches(a_vm())
        policy.hours.next_start(NOW, policy.estimate, NOW + timedelta(days=90))


@given(windows=texts, zone=words, freezes=texts, sequence=texts, team=words, extra=words)
def test_a_whole_row_of_anything_is_a_policy_or_named(
    windows, zone, freezes, sequence, team, extra
):
    columns = {
        "windows": windows,
        "timeZone": zone,
        "freezes": freezes,
        "sequence": sequence,
        extra: "x",
    }
    value_or_named(parse_policy, (team, "web"), columns)


@given(selector=texts, name=words, tag=words)
def test_a_selector_of_anything_fits_a_vm_or_not(selector, name, tag):
    parsed = value_or_named(lambda text: parse_selector(text, field="match"), selector)

    if parsed:
        assert parsed.matches(a_vm(id=a_vm_id(name.replace("/", "") or "a"), tags={tag: name})) in (
            True,
            False,
        )


@given(st.binary(max_size=200) | spoilt({"v": 1, "team": "t", "policy": "p", "job": "j"}))
def test_a_message_of_anything_is_a_wake_or_named(body):
    value_or_named(decode, body if isinstance(body, bytes) else json.dumps(body).encode())


@given(spoilt(VM))
def test_a_vm_of_anything_is_one_that_every_table_takes_or_named(item):
    vm = value_or_named(arm_decode.vm_of, item)
    value_or_named(arm_decode.listed_status_of, item)

    if vm and vm.maintenance:
        job_rows.job_row(a_job(vm=vm))


@given(place=spoilt(LOCATION), event=spoilt(ACTIVITY), beside=spoilt(BESIDE))
def test_what_is_around_a_vm_is_read_or_named(place, event, beside):
    arm_locations.location_of(place, "s")
    value_or_named(arm_locations.locations_of, [place])
    value_or_named(arm_locations.locations_of, place)
    arm_answers.activity_of(event)
    arm_answers.subscription_of(event)
    for read in (_dynamic_address, _shutdown):
        value_or_named(read, Fields("x", "", beside if isinstance(beside, dict) else {}))


@given(status=st.integers(100, 599), body=texts | json_values.map(json.dumps))
def test_an_answer_of_anything_has_a_state_and_is_a_page_or_named(status, body):
    operation = arm_answers.operation_of(status, body, None)
    assert operation.status in ("unknown", "inProgress", "succeeded", "failed")
    try:
        arm_answers.page_of(body, what="a list")
    except BatonError as named:
        assert "a list" in str(named)


@pytest.mark.parametrize(
    ("row", "read"),
    [
        (job_rows.job_row(a_job(unsettled=an_attempt())), job_rows.job_of),
        (job_rows.head_row(a_head()), job_rows.head_of),
        (job_rows.away_row(an_away()), job_rows.away_of),
        (alert_rows.alert_row(an_alert()), alert_rows.alert_of),
        ({"PartitionKey": "shop", "RowKey": "web", "match": "*"}, policy_rows.policy_of),
    ],
)
@given(data=st.data())
def test_a_row_with_a_spoilt_cell_is_read_or_named(row, read, data):
    column = data.draw(st.sampled_from(sorted(row.keys() - {"PartitionKey", "RowKey"})))
    value = data.draw(cells | json_values.map(json.dumps) | st.datetimes() | st.binary())

    value_or_named(read, row | {column: value}, "etag")


@pytest.mark.parametrize("name", ["rows.yaml", "rows.json"])
@given(text=texts | json_values.map(json.dumps))
def test_a_policy_file_of_anything_is_rows_or_named(tmp_path_factory, name, text):
    path = written(tmp_path_factory, name, text)

    for row in value_or_named(read_policies, path) or ():
        value_or_named(parse_policy, row.key, row.columns)


@given(text=texts | spoilt([VM]).map(json.dumps))
def test_a_fleet_file_of_anything_is_vms_or_named(tmp_path_factory, text):
    value_or_named(read_fleet, written(tmp_path_factory, "fleet.json", text))


def written(factory, name: str, text: str) -> Path:
    path: Path = factory.getbasetemp() / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


LONG = 31_000  # as much as a row may hold


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("windows", "9" * LONG),
        ("windows", "0 " * (LONG // 2)),
        ("windows", "0" + "-" * LONG),
        ("windows", "00:00" + " " * LONG + "-"),
        ("windows", "Mon 00:00-01:00;" * (LONG // 16)),
        ("windows", "Mon," * (LONG // 4) + " 00:00-01:00"),
        ("freezes", "2026-01-01/" + "9" * LONG + "D"),
        ("freezes", ";" * LONG),
        ("gap", "P" + "9" * LONG + "W"),
        ("timeZone", "Europe/" * (LONG // 7)),
        ("match", "name:" + "*a" * (LONG // 2)),
        ("match", "name:" + "?*" * (LONG // 2)),
        ("match", "tag:" + "a," * (LONG // 2)),
        ("sequence", "name:a;" * (LONG // 7)),
        ("sequence", " " * LONG + "tag:a x"),
        ("owners", "a@" * (LONG // 2)),
        ("priority", "9" * LONG),
        ("windws", "x" * 10 * LONG),
    ],
)
def test_the_longest_cells_take_little_time_and_memory(column, text):
    def read():
        policy = value_or_named(parse_policy, ("shop", "web"), {column: text})
        if policy:
            policy.match.matches(a_vm(id=a_vm_id("a" * 64)))

    frugal(read)


@pytest.mark.parametrize(
    "body",
    [b"[" * 4_096, json.dumps({"v": deep(400)}).encode(), b"x" * 10**6, b'{"v":' + b"1" * 4_000],
)
def test_the_worst_messages_take_little_time_and_memory(body):
    frugal(lambda: value_or_named(decode, body))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1_000,
        "- " * 2_000,
        "&a [*a]",
        "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n" * 20,
        '{"a":' * 5_000,
        "9" * 100_000,
    ],
)
@pytest.mark.parametrize("read", [read_policies, read_fleet])
def test_the_worst_files_take_little_time_and_memory(tmp_path, read, text):
    path = tmp_path / "file.yaml"
    path.write_text(text)

    frugal(lambda: value_or_named(read, path), seconds=10)


def frugal(work, *, seconds: float = CPU_SECONDS) -> None:
    """Does the work, within processor time and memory; a deadline by the clock would judge the machine."""
    began = time.process_time()
    work()
    assert time.process_time() - began < seconds
    tracemalloc.start()
    try:
        work()
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
