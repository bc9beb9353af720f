"""The Activity Log, the control plane, and the process itself."""

import json
import signal
import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import pytest

from tests.integration.arm.emulator import (
    GROUP,
    PATIENCE,
    SUB,
    Emulator,
    compute,
    fleet,
    serve,
    vm,
)

VM_ID = f"/subscriptions/{SUB}/resourceGroups/{GROUP}/providers/Microsoft.Compute/virtualMachines"
LONG_AGO = "eventTimestamp ge '2020-01-01T00:00:00Z'"


def activity(emulator: Emulator, where: str = LONG_AGO) -> tuple[int, Any]:
    status, _, body = emulator.raw(
        "GET",
        f"/subscriptions/{SUB}/providers/Microsoft.Insights/eventtypes/management/values"
        f"?api-version=2015-04-01&$filter={quote(where)}",
        {"Authorization": "Bearer x"},
    )
    return status, body


def start(emulator: Emulator, name: str, client_id: str) -> None:
    with compute(emulator) as client:
        client.virtual_machines.begin_perform_maintenance(
            GROUP, name, retry_total=0, polling=False, headers={"x-ms-client-request-id": client_id}
        )


def test_the_activity_log_tells_who_started_what_and_how_it_ended() -> None:
    with serve(fleet(vm(), vm("web-02", script=["MaintenanceAborted"]))) as emulator:
        start(emulator, "web-01", "mine")
        start(emulator, "web-02", "other")
        emulator.wait_for(lambda: {"back", "aborted"} <= set(emulator.events()))
        _, mine = activity(emulator, f"{LONG_AGO} and resourceUri eq '{VM_ID}/WEB-01'")
        _, others = activity(emulator, f"{LONG_AGO} and resourceUri eq {VM_ID}/web-02")
        (post, _) = emulator.posts()

    entries = mine["value"]
    assert [it["status"]["value"] for it in entries] == ["Succeeded", "Accepted", "Started"]
    assert {it["httpRequest"]["clientRequestId"] for it in entries} == {"mine"}
    assert {it["correlationId"] for it in entries} == {post["correlationId"]}
    assert {it["operationName"]["value"] for it in entries} == {
        "Microsoft.Compute/virtualMachines/performMaintenance/action"
    }
    assert {it["resourceId"] for it in entries} == {f"{VM_ID}/web-01"}
    assert others["value"][0]["status"]["value"] == "Failed"


def test_the_activity_log_knows_refusals_and_can_be_cut_by_time() -> None:
    with serve(fleet(vm(script=["Refuse409"]))) as emulator:
        with compute(emulator) as client, pytest.raises(Exception, match="OperationNotAllowed"):
            client.virtual_machines.begin_perform_maintenance(GROUP, "web-01", retry_total=0)
        _, found = activity(emulator)
        _, none = activity(emulator, f"{LONG_AGO} and eventTimestamp le '2021-01-01T00:00:00Z'")

    assert [it["status"]["value"] for it in found["value"]] == ["Failed", "Started"]
    assert "OperationNotAllowed" in found["value"][0]["properties"]["statusMessage"]
    assert none == {"value": []}


def test_the_activity_log_can_lag_behind() -> None:
    with serve(fleet(vm(), arm={"activity_log_delay": "5m"})) as emulator:
        start(emulator, "web-01", "mine")

        assert activity(emulator) == (200, {"value": []})


@pytest.mark.parametrize(
    "where",
    [
        "",
        "resourceUri eq 'x'",
        "eventTimestamp ge 'soon'",
        "eventTimestamp ge '2020-01-01T00:00:00'",
        f"{LONG_AGO} and level eq 'x'",
    ],
)
def test_a_filter_that_azure_would_refuse_is_refused(where: str) -> None:
    with serve(fleet(vm())) as emulator:
        status, body = activity(emulator, where)

    assert (status, body["error"]["code"]) == (400, "InvalidParameter")


def test_a_window_can_be_moved_and_a_maintenance_taken_back_while_it_runs() -> None:
    with serve(fleet(vm())) as emulator:
        first = emulator.post("/_emulator/vms/web-01", {"maintenance": {"pre_start": "+5m"}})
        moved = emulator.vm()
        emulator.post("/_emulator/vms/web-01", {"withdraw": True})
        withdrawn = emulator.vm()

    assert first[0] == 200
    assert (moved["offered"], withdrawn["maintenanceId"]) == (False, "")
    assert moved["maintenanceId"] != ""


def test_a_vm_can_be_added_while_it_runs() -> None:
    with serve(fleet(vm())) as emulator:
        status, _ = emulator.post("/_emulator/vms", vm("late"))
        with compute(emulator) as client:
            names = [it.name for it in client.virtual_machines.list_all()]

    assert status == 201
    assert names == ["late", "web-01"]


def test_a_subscription_can_fail_and_recover_while_it_runs() -> None:
    with serve(fleet(vm())) as emulator:
        answers = []
        for fail in ("unavailable", "forbidden", ""):
            emulator.post(f"/_emulator/subscriptions/{SUB}", {"fail": fail})
            answers.append(activity(emulator)[0])

    assert answers == [503, 403, 200]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/_emulator/vms/nobody", {"delete": True}, "0 VMs have this name"),
        ("/_emulator/vms/web-01", {"remove": True}, "unknown key 'remove'"),
        ("/_emulator/vms/web-01", {}, "say what changes"),
        ("/_emulator/vms/web-01", [], "use a JSON object"),
        ("/_emulator/vms", {"name": "x"}, "resource_group is missing"),
        ("/_emulator/vms", vm(), "there is one already"),
        ("/_emulator/subscriptions/x", {"fail": ""}, "there is none"),
        (f"/_emulator/subscriptions/{SUB}", {"fails": ""}, "did you mean 'fail'?"),
    ],
)
def test_a_wrong_order_to_the_control_plane_says_what_to_mend(
    path: str, body: Any, text: str
) -> None:
    with serve(fleet(vm())) as emulator:
        status, answer = emulator.post(path, body)

    assert status == 400
    assert text in answer["error"]


def test_the_log_can_be_read_from_where_one_left_off() -> None:
    with serve(fleet(vm())) as emulator, compute(emulator) as client:
        client.virtual_machines.get(GROUP, "web-01")
        (first,) = emulator.log()
        client.virtual_machines.get(GROUP, "web-01")

        assert [it["seq"] for it in emulator.get(f"/_emulator/log?since={first['seq']}")] == [2]


class Process:
    """The emulator as its own process."""

    def __init__(self, *arguments: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "simulator.arm", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.child.kill()
        self.child.communicate()

    def ready(self) -> dict[str, Any]:
        assert self.child.stdout is not None
        word, _, rest = self.child.stdout.readline().partition(" ")
        assert word == "ready"
        return dict(json.loads(rest))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_ready_and_stops_on_a_signal(number: signal.Signals) -> None:
    with Process() as process:
        ready = process.ready()
        health = Emulator(ready["url"]).get("/health")
        process.child.send_signal(number)

        assert process.child.wait(PATIENCE) == 0
    assert health == {"status": "healthy", "t0": ready["t0"], "scenario": "default"}
    assert ready["url"] == f"http://127.0.0.1:{ready['port']}"


def test_a_request_that_waits_does_not_keep_the_process_from_stopping(tmp_path: Path) -> None:
    scenario = tmp_path / "slow.toml"
    scenario.write_text(f'[[subscription]]\nid = "{SUB}"\nfail = "slow:10m"\n')
    with Process("--scenario", str(scenario)) as process:
        ready = process.ready()
        with socket.create_connection(("127.0.0.1", ready["port"])) as waiting:
            request = f"GET /subscriptions/{SUB}?api-version=2022-12-01 HTTP/1.1"
            waiting.sendall(f"{request}\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n".encode())
            Emulator(ready["url"]).get("/health")  # answered once the other request was taken
            process.child.terminate()

            assert process.child.wait(PATIENCE) == 0


def test_the_start_can_be_given_and_the_log_file_has_every_record(tmp_path: Path) -> None:
    log = tmp_path / "arm.jsonl"
    t0 = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    with Process("--t0", t0.isoformat(), "--log", str(log)) as process:
        emulator = Emulator(process.ready()["url"])
        emulator.raw("GET", "/subscriptions?api-version=2022-12-01", {"Authorization": "Bearer x"})
        windows = emulator.vm("shop-web-01")["windows"]
        asked = emulator.log()
        process.child.terminate()
        assert process.child.wait(PATIENCE) == 0

    assert windows["pre_end"] == "2026-01-01T00:20:00+00:00"
    assert [json.loads(line) for line in log.read_text().splitlines()] == asked
    assert asked[0]["path"] == "/subscriptions"


def test_what_fell_due_after_the_last_request_is_in_the_log_file_too(tmp_path: Path) -> None:
    log = tmp_path / "arm.jsonl"
    scenario = tmp_path / "edits.toml"
    scenario.write_text(
        f"""
        [[subscription]]
        id = "{SUB}"
        [[vm]]
        name = "web-01"
        resource_group = "rg"
        subscription = "{SUB}"
        location = "westeurope"
        [[edit]]
        at = "-1s"
        vm = {{ name = "web-01", delete = true }}
        """
    )
    with Process("--scenario", str(scenario), "--log", str(log)) as process:
        process.ready()
        process.child.terminate()
        assert process.child.wait(PATIENCE) == 0

    (record,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert (record["kind"], record["event"], record["name"]) == ("event", "deleted", "web-01")


def test_the_token_check_can_be_switched_off() -> None:
    with Process("--token-check", "off") as process:
        status, _, _ = Emulator(process.ready()["url"]).raw(
            "GET", "/subscriptions?api-version=2022-12-01"
        )

    assert status == 200


def test_a_scenario_that_cannot_be_used_ends_the_process_with_its_error(tmp_path: Path) -> None:
    scenario = tmp_path / "wrong.toml"
    scenario.write_text("[arm]\npage_sise = 5\n")
    with Process("--scenario", str(scenario)) as process:
        out, error = process.child.communicate(timeout=PATIENCE)

    assert (process.child.returncode, out) == (2, "")
    assert "wrong.toml: [arm]: unknown key 'page_sise'; did you mean 'page_size'?" in error
