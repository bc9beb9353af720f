"""The long-running performMaintenance by the unmodified SDKs, in every way it can end."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ServiceRequestError,
    ServiceResponseError,
)

from tests.integration.arm.emulator import (
    GROUP,
    PATIENCE,
    SUB,
    Emulator,
    aio_compute,
    code_of,
    compute,
    fleet,
    past,
    serve,
    vm,
)


def start(client: Any, **options: Any) -> Any:
    return client.virtual_machines.begin_perform_maintenance(
        GROUP, "web-01", retry_total=0, **options
    )


@pytest.fixture(params=["azure-asyncoperation", "location", "both"])
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with serve(fleet(vm(), arm={"operation_header": request.param, "retry_after": 0})) as emulator:
        yield emulator


def test_a_redeploy_is_followed_to_its_end_by_either_header(emulator: Emulator) -> None:
    with compute(emulator) as client:
        start(client).result(PATIENCE)
        emulator.wait_for(lambda: emulator.vm()["agent"] == "ready")
        view = client.virtual_machines.instance_view(GROUP, "web-01")

    assert view.maintenance_redeploy_status.last_operation_result_code == "MaintenanceCompleted"
    assert not view.maintenance_redeploy_status.is_customer_initiated_maintenance_allowed
    assert emulator.events() == ["away", "moved", "completed", "agentReady", "back"]
    assert [it["accepted"] for it in emulator.posts()] == [True]
    after = emulator.vm()
    assert (after["acceptedCount"], after["temporaryDiskLost"]) == (1, True)


async def test_the_async_client_follows_it_too(emulator: Emulator) -> None:
    async with aio_compute(emulator) as client:
        poller = await start(client)
        await poller.result()

    assert emulator.vm()["code"] == "MaintenanceCompleted"


def test_another_client_goes_on_from_the_continuation_token_without_a_second_post(
    emulator: Emulator,
) -> None:
    with compute(emulator) as client:
        token = start(client).continuation_token()
    with compute(emulator) as other:
        start(other, continuation_token=token).result(PATIENCE)

    assert emulator.vm()["code"] == "MaintenanceCompleted"
    assert len(emulator.posts()) == 1


async def test_the_async_client_goes_on_from_a_token_and_can_look_once(emulator: Emulator) -> None:
    async with aio_compute(emulator) as client:
        token = (await start(client)).continuation_token()
    async with aio_compute(emulator) as other:
        poller = await start(other, continuation_token=token)
        method = poller.polling_method()
        await method.update_status()
        first = method.status()
        await poller.result()

    assert first in {"InProgress", "Succeeded"}
    assert len(emulator.posts()) == 1


def test_the_answer_names_the_operation_outside_the_vm() -> None:
    caught: list[Any] = []
    with serve(fleet(vm(), arm={"retry_after": 7})) as emulator, compute(emulator) as client:
        start(client, polling=False, raw_response_hook=caught.append)
        (post,) = emulator.posts()

    status, headers = caught[0].http_response.status_code, caught[0].http_response.headers
    place = f"/subscriptions/{SUB}/providers/Microsoft.Compute/locations/westeurope/operations/"
    assert (status, headers["Retry-After"]) == (202, "7")
    assert f"{place}{post['operationId']}" in headers["Azure-AsyncOperation"]
    assert f"{place}{post['operationId']}" in headers["Location"]
    assert post["correlationId"] == headers["x-ms-correlation-request-id"]
    assert post["clientRequestId"] == headers["x-ms-client-request-id"]


@pytest.mark.parametrize("header", ["azure-asyncoperation", "location"])
@pytest.mark.parametrize(
    ("word", "error", "code", "is_offered"),
    [
        ("MaintenanceAborted", "InternalExecutionError", "MaintenanceAborted", False),
        ("RetryLater", "AllocationFailed", "RetryLater", True),
        ("FailedOperation", "VMRedeploymentFailed", "None", True),
    ],
)
def test_an_operation_that_fails_says_so_and_the_vm_was_never_away(
    header: str, word: str, error: str, code: str, is_offered: bool
) -> None:
    document = fleet(vm(script=[word]), arm={"operation_header": header, "retry_after": 0})
    with serve(document) as emulator, compute(emulator) as client:
        with pytest.raises(HttpResponseError) as caught:
            start(client).result(PATIENCE)
        after = emulator.vm()
        events = emulator.events()

    assert code_of(caught) == error
    assert (after["code"], after["offered"], after["temporaryDiskLost"]) == (
        code,
        is_offered,
        False,
    )
    assert "away" not in events


def test_after_retry_later_the_same_maintenance_can_be_redeployed() -> None:
    document = fleet(vm(script=["RetryLater", "MaintenanceCompleted"]), arm={"retry_after": 0})
    with serve(document) as emulator, compute(emulator) as client:
        with pytest.raises(HttpResponseError):
            start(client).result(PATIENCE)
        start(client).result(PATIENCE)
        posts = emulator.posts()

    assert [(it["accepted"], it["script"]) for it in posts] == [
        (True, "RetryLater"),
        (True, "MaintenanceCompleted"),
    ]
    assert len({it["maintenanceId"] for it in posts}) == 1


@pytest.mark.parametrize(
    ("word", "status", "code", "reason"),
    [
        ("Refuse409", 409, "OperationNotAllowed", "refused"),
        ("Busy409", 409, "AnotherOperationInProgress", "busy"),
        ("Throttle429:5s", 429, "TooManyRequests", "throttled"),
        ("Error503", 503, "ServiceUnavailable", "unavailable"),
    ],
)
def test_a_refusal_before_acceptance_leaves_the_maintenance_as_it_was(
    word: str, status: int, code: str, reason: str
) -> None:
    with serve(fleet(vm(script=[word, "MaintenanceCompleted"]))) as emulator:
        before = emulator.vm()
        with compute(emulator) as client, pytest.raises(HttpResponseError) as caught:
            start(client)
        (post,) = emulator.posts()

        assert (caught.value.status_code, code_of(caught)) == (status, code)
        assert (post["accepted"], post["reason"]) == (False, reason)
        assert emulator.vm() == before
    if status == 429:
        answer: Any = caught.value.response
        assert answer.headers["Retry-After"] == "5"


def test_the_default_pipeline_would_send_a_refused_post_again() -> None:
    """Why a start must be sent with no retries of its own; the emulator shows the danger."""
    with serve(fleet(vm(script=["Error503"]))) as emulator:
        with (
            compute(emulator, retry_backoff_factor=0.01) as client,
            pytest.raises(HttpResponseError),
        ):
            client.virtual_machines.begin_perform_maintenance(GROUP, "web-01")

        assert len(emulator.posts()) == 4


@pytest.mark.parametrize(("word", "is_accepted"), [("DropAfter", True), ("DropBefore", False)])
def test_a_dropped_connection_tells_nothing_but_the_vm_does(word: str, is_accepted: bool) -> None:
    with serve(fleet(vm(script=[word]))) as emulator:
        with (
            compute(emulator) as client,
            pytest.raises((ServiceResponseError, ServiceRequestError)),
        ):
            start(client)
        (post,) = emulator.posts()
        if is_accepted:
            emulator.wait_for(lambda: emulator.vm()["code"] == "MaintenanceCompleted")

        assert (post["accepted"], post["status"]) == (is_accepted, None)
        assert emulator.vm()["acceptedCount"] == int(is_accepted)


async def test_the_async_client_sees_the_connection_drop_too() -> None:
    with serve(fleet(vm(script=["DropAfter"]))) as emulator:
        async with aio_compute(emulator) as client:
            with pytest.raises((ServiceResponseError, ServiceRequestError)):
                await start(client)

        assert [it["accepted"] for it in emulator.posts()] == [True]


def test_a_hanging_operation_stays_in_progress_and_the_vm_away() -> None:
    with serve(fleet(vm(script=["Hang"]), arm={"retry_after": 0})) as emulator:
        with compute(emulator) as client:
            start(client, polling=False)
            emulator.wait_for(lambda: emulator.vm()["power"] == "stopped")

        (post,) = emulator.posts()
        _, _, body = emulator.raw(
            "GET",
            f"/subscriptions/{SUB}/providers/Microsoft.Compute/locations/westeurope/operations/"
            f"{post['operationId']}?api-version=2026-04-01",
            {"Authorization": "Bearer x"},
        )

        assert body["status"] == "InProgress"
        assert emulator.events() == ["away"]


def test_an_agent_that_is_lost_never_becomes_ready() -> None:
    with serve(fleet(vm(script=["AgentLost"]), arm={"retry_after": 0})) as emulator:
        with compute(emulator) as client:
            start(client).result(PATIENCE)
            view = client.virtual_machines.instance_view(GROUP, "web-01")

        assert view.vm_agent.statuses[0].display_status == "Not Ready"
        assert emulator.vm()["code"] == "MaintenanceCompleted"
        assert "back" not in emulator.events()


def test_a_lie_says_succeeded_while_the_vm_is_still_offered() -> None:
    with serve(fleet(vm(script=["LieCompleted"]), arm={"retry_after": 0})) as emulator:
        with compute(emulator) as client:
            start(client).result(PATIENCE)

        after = emulator.vm()
        assert (after["offered"], after["code"], after["temporaryDiskLost"]) == (
            True,
            "None",
            False,
        )


def test_a_second_start_while_one_runs_is_a_conflict_and_is_on_record() -> None:
    with serve(fleet(vm(script=["Hang"]))) as emulator, compute(emulator) as client:
        start(client, polling=False)
        with pytest.raises(ResourceExistsError) as caught:
            start(client, polling=False)
        posts = emulator.posts()

    assert code_of(caught) == "Conflict"
    assert [(it["accepted"], it["reason"]) for it in posts] == [
        (True, ""),
        (False, "operationInProgress"),
    ]


def test_a_start_after_the_self_service_window_is_refused() -> None:
    with serve(fleet(vm()), past(minutes=25)) as emulator, compute(emulator) as client:
        with pytest.raises(ResourceExistsError) as caught:
            start(client)
        shown = client.virtual_machines.instance_view(GROUP, "web-01").maintenance_redeploy_status
        (post,) = emulator.posts()

    assert code_of(caught) == "OperationNotAllowed"
    assert not shown.is_customer_initiated_maintenance_allowed
    assert post["reason"] == "outsideWindow"


def test_the_status_can_vanish_after_completion() -> None:
    document = fleet(vm(), arm={"drop_status_when_done": True, "retry_after": 0})
    with serve(document) as emulator, compute(emulator) as client:
        start(client).result(PATIENCE)
        view = client.virtual_machines.instance_view(GROUP, "web-01")

    assert view.maintenance_redeploy_status is None


def test_a_vm_deleted_while_away_is_gone_and_its_operation_has_failed() -> None:
    document = fleet(vm(redeploy_seconds=300), arm={"retry_after": 0})
    with serve(document) as emulator, compute(emulator) as client:
        poller = start(client)
        assert emulator.post("/_emulator/vms/web-01", {"delete": True})[0] == 200
        with pytest.raises(HttpResponseError) as caught:
            poller.result(PATIENCE)
        with pytest.raises(HttpResponseError) as gone:
            client.virtual_machines.get(GROUP, "web-01")

    assert code_of(caught) == "OperationPreempted"
    assert code_of(gone) == "ResourceNotFound"


def test_an_unknown_operation_is_not_found() -> None:
    with serve(fleet(vm())) as emulator:
        status, _, body = emulator.raw(
            "GET",
            f"/subscriptions/{SUB}/providers/Microsoft.Compute/locations/westeurope/operations/x"
            "?api-version=2026-04-01",
            {"Authorization": "Bearer x"},
        )

    assert (status, body["error"]["code"]) == (404, "NotFound")
