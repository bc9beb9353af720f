"""From what emulators and tables give to facts."""

from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.promises.model import PolicyEdit
from simulator.promises.reading import read_evidence
from simulator.scenario import load_scenario

T0 = datetime(2026, 12, 1, 12, tzinfo=UTC)
VM = (
    "/subscriptions/11111111-1111-4111-8111-111111111111/resourcegroups/rg-shop"
    "/providers/microsoft.compute/virtualmachines/shop-db-01"
)


def stamp(seconds: float) -> str:
    return (T0 + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def read(**given):
    nothing: dict[str, Any] = {"log": (), "vms": (), "rows": (), "edits": (), "mails": ()}
    return read_evidence(scenario=load_scenario("default"), t0=T0, **{**nothing, **given})


def test_the_fleet_comes_from_the_scenario():
    evidence = read()
    machine = evidence.machines[VM]

    assert (machine.name, machine.tags["tier"], machine.update_domain) == ("shop-db-01", "db", 0)
    assert len({m.availability_set for m in evidence.machines.values() if m.availability_set}) == 1
    assert all(window.since == T0 and window.is_new for window in evidence.windows)
    assert len(evidence.windows) == len(evidence.machines) - 1  # one is in no wave
    assert "northeurope" in evidence.pairs["westeurope"]


def test_requests_and_events_come_from_azures_log_in_the_order_of_time():
    post = {"accepted": True, "maintenanceId": "m1", "reason": "", "vmId": VM}
    log = [
        {
            "seq": 3,
            "kind": "event",
            "time": stamp(9),
            "event": "back",
            "vmId": VM,
            "maintenanceId": "m1",
        },
        {"seq": 2, "kind": "request", "time": stamp(5), **post},
        {"seq": 1, "kind": "request", "time": stamp(1), "vmId": VM, "status": 200},
        {
            "seq": 4,
            "kind": "event",
            "time": stamp(10),
            "event": "windowMoved",
            "vmId": VM,
            "maintenanceId": "m1",
            "pre_start": stamp(60),
            "pre_end": stamp(90),
        },
        {"seq": 5, "kind": "event", "time": stamp(11), "event": "editFailed", "reason": "gone"},
    ]

    evidence = read(log=log)

    assert [(start.vm, start.at) for start in evidence.starts] == [(VM, T0 + timedelta(seconds=5))]
    assert [event.name for event in evidence.events] == ["back", "windowMoved"]
    assert evidence.windows[-1].end == T0 + timedelta(seconds=90)
    assert not evidence.windows[-1].is_new


def test_rows_mails_and_results_keep_what_they_say():
    row = {
        "jobId": "j",
        "vmId": VM.upper(),
        "vmName": "shop-db-01",
        "team": "shop",
        "policy": "tiers",
        "attempt": 1,
        "outcome": "completed",
        "terminal": True,
        "endedAt": T0,
        "startedAt": None,
        "lastOperationResultCode": "MaintenanceCompleted",
    }
    mail = {"messageId": "<1>", "subject": "s", "text": "t"}
    vms = [{"id": VM, "code": "RetryLater", "message": None}, {"id": "x", "code": "None"}]

    evidence = read(
        rows=[row],
        mails=[mail],
        vms=vms,
        edits=[PolicyEdit(at=T0, team="shop", name="tiers", columns={})],
    )

    (read_row,) = evidence.rows
    assert (read_row.vm, read_row.started, read_row.message) == (VM, None, "")
    assert evidence.results == {VM: ("RetryLater", "")}
    assert evidence.mails[0].message_id == "<1>"


def test_a_zone_number_is_known_by_the_physical_zone_of_its_subscription():
    evidence = read()
    zones = {m.name: (m.zone, m.physical_zone) for m in evidence.machines.values()}

    assert zones["shop-app-01"] == ("1", "westeurope-az1")
    assert zones["shop-db-01"] == ("", "")
