"""Resource Manager misbehaves by plan, and the unmodified SDK is told what Azure would tell it."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError

from simulator.faults import FaultError, put_faults, read_faults
from tests.integration.arm.emulator import GROUP, Emulator, compute, fleet, serve, vm

START = "POST */performMaintenance"


@pytest.fixture
def arm() -> Iterator[Emulator]:
    with serve(fleet(vm(), arm={"throttle_scale": 0})) as emulator:
        yield emulator


def plan(arm: Emulator, text: str) -> None:
    put_faults(f"{arm.url}/_emulator/faults", text)


def injected(arm: Emulator) -> Any:
    return read_faults(f"{arm.url}/_emulator/faults")["injected"]


def start(arm: Emulator) -> Any:
    with compute(arm) as client:
        return client.virtual_machines.begin_perform_maintenance(
            GROUP, "web-01", retry_total=0, polling=False
        )


def look(arm: Emulator) -> Any:
    with compute(arm, retry_total=0) as client:
        return client.virtual_machines.get(GROUP, "web-01", expand="instanceView")


def code(seen: Any) -> str | None:
    status = seen.instance_view.maintenance_redeploy_status
    return status.last_operation_result_code if status else None


@pytest.mark.parametrize(
    ("kind", "status"), [("throttle", 429), ("error", 500), ("unavailable", 503)]
)
def test_a_refused_start_was_not_taken_and_the_log_says_why(
    arm: Emulator, kind: str, status: int
) -> None:
    plan(arm, f"{kind}=1@{START}")

    with pytest.raises(HttpResponseError) as refused:
        start(arm)

    (post,) = arm.posts()
    assert refused.value.status_code == status
    assert (post["accepted"], post["fault"], bool(post["reason"])) == (False, kind, True)
    assert arm.vm()["acceptedCount"] == 0


def test_a_throttled_request_is_told_how_long_to_wait_and_so_is_the_log(arm: Emulator) -> None:
    plan(arm, "throttle=1:7s")

    with pytest.raises(HttpResponseError) as refused:
        look(arm)

    assert refused.value.response.headers["Retry-After"] == "7"
    assert arm.log()[-1]["retryAfter"] == "7"


@pytest.mark.parametrize(("kind", "accepted"), [("drop-before", 0), ("drop-after", 1), ("hang", 0)])
def test_a_start_without_an_answer_was_taken_or_not(
    arm: Emulator, kind: str, accepted: int
) -> None:
    plan(arm, f"{kind}=1{':0.2s' if kind == 'hang' else ''}@{START}")

    with pytest.raises(AzureError):
        start(arm)

    (post,) = arm.posts()
    assert (post["status"], post["accepted"]) == (None, bool(accepted))
    assert post["reason"] == ("" if accepted else "dropped")
    assert arm.vm()["acceptedCount"] == accepted


def test_a_slow_request_is_answered_in_the_end(arm: Emulator) -> None:
    plan(arm, "slow=1:0.3s@GET *")
    began = monotonic()

    assert look(arm).name == "web-01"
    assert monotonic() - began >= 0.3


def test_a_view_lies_for_a_while_and_then_tells_the_truth(arm: Emulator) -> None:
    plan(arm, "stale=1x1:6s")  # longer than a busy machine needs for what follows
    look(arm)
    start(arm)
    arm.wait_for(lambda: "completed" in arm.events())

    assert code(look(arm)) == "None"
    arm.wait_for(lambda: code(look(arm)) == "MaintenanceCompleted")
    assert injected(arm) == {"stale": 1}


def test_the_status_of_a_completed_maintenance_may_be_dropped_everywhere(arm: Emulator) -> None:
    plan(arm, "status-dropped=1")
    assert code(look(arm)) == "None"
    start(arm)
    arm.wait_for(lambda: "completed" in arm.events())

    with compute(arm) as client:
        (listed,) = client.virtual_machines.list_all(status_only="true")
        view = client.virtual_machines.instance_view(GROUP, "web-01")
    assert [code(look(arm)), code(listed), view.maintenance_redeploy_status] == [None] * 3
    assert injected(arm) == {"status-dropped": 1}


def test_an_operation_that_is_forgotten_stays_so(arm: Emulator) -> None:
    with compute(arm) as client:
        poller = client.virtual_machines.begin_perform_maintenance(GROUP, "web-01", retry_total=0)
        plan(arm, "forget=1x1")
        with pytest.raises(HttpResponseError) as missing:
            poller.result()
    (operation,) = {it["path"] for it in arm.log() if "/operations/" in it.get("path", "")}

    again = arm.raw("GET", f"{operation}?api-version=2024-07-01", {"Authorization": "Bearer x"})

    assert (missing.value.status_code, again[0]) == (404, 404)


def test_faults_strike_only_the_paths_that_are_meant(arm: Emulator) -> None:
    plan(arm, "drop-before=1@GET */virtualMachines/other*")

    assert look(arm).name == "web-01"


def test_a_wrong_plan_is_refused_and_named(arm: Emulator) -> None:
    with pytest.raises(FaultError, match="no such kind; use one of drop-after, drop-before"):
        plan(arm, "thunder=1")


def test_faults_stop_when_the_plan_is_empty(arm: Emulator) -> None:
    plan(arm, "drop-before=1")
    with pytest.raises(AzureError):
        look(arm)
    plan(arm, "")

    assert look(arm).name == "web-01"
