"""What Resource Manager refuses, throttles or is slow with, by the unmodified SDKs over the wire."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.integration.arm.emulator import (
    GROUP,
    OTHER_SUB,
    SUB,
    code_of,
    compute,
    fleet,
    serve,
    two_subscriptions,
    vm,
)

EXPANDED = "api-version=2026-04-01&$expand=instanceView"


def test_an_identity_may_lack_single_rights() -> None:
    document = fleet(vm(public_address="static"))
    document["subscription"] = [{"id": SUB, "denied": ["Microsoft.Network/publicIPAddresses/read"]}]
    with serve(document) as emulator, compute(emulator) as client:
        path = f"/subscriptions/{SUB}/providers/Microsoft.Network/publicIPAddresses"
        status, _, body = emulator.raw(
            "GET", f"{path}?api-version=2024-05-01", {"Authorization": "Bearer x"}
        )
        names = [it.name for it in client.virtual_machines.list_all()]

    assert (status, body["error"]["code"]) == (403, "AuthorizationFailed")
    assert "Microsoft.Network/publicIPAddresses/read" in body["error"]["message"]
    assert names == ["web-01"]


def test_a_forbidden_subscription_is_listed_but_its_vms_are_not() -> None:
    with serve(two_subscriptions(fail="forbidden")) as emulator:
        path = f"/subscriptions/{OTHER_SUB}/providers/Microsoft.Compute/virtualMachines"
        status, _, body = emulator.raw(
            "GET", f"{path}?api-version=2026-04-01", {"Authorization": "Bearer x"}
        )

    assert (status, body["error"]["code"]) == (403, "AuthorizationFailed")
    assert "Microsoft.Compute/virtualMachines/read" in body["error"]["message"]


@pytest.mark.parametrize(
    ("group", "name", "code"),
    [("rg-none", "web-01", "ResourceGroupNotFound"), (GROUP, "none", "ResourceNotFound")],
)
def test_what_is_not_there_is_named(group: str, name: str, code: str) -> None:
    with (
        serve(fleet(vm())) as emulator,
        compute(emulator) as client,
        pytest.raises(ResourceNotFoundError) as caught,
    ):
        client.virtual_machines.get(group, name)

    assert code_of(caught) == code


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        (f"/subscriptions/{SUB}?api-version=2022-12-01", {}, 401, "AuthenticationFailed"),
        (
            f"/subscriptions/{SUB}?api-version=2022-12-01",
            {"Authorization": "Bearer "},
            401,
            "AuthenticationFailed",
        ),
        (f"/subscriptions/{SUB}", {"Authorization": "Bearer x"}, 400, "MissingApiVersionParameter"),
        (
            f"/subscriptions/{SUB}?api-version=new",
            {"Authorization": "Bearer x"},
            400,
            "InvalidApiVersionParameter",
        ),
        (
            f"/subscriptions/{OTHER_SUB}?api-version=2022-12-01",
            {"Authorization": "Bearer x"},
            404,
            "SubscriptionNotFound",
        ),
        (
            "/nowhere?api-version=2022-12-01",
            {"Authorization": "Bearer x"},
            404,
            "InvalidResourceType",
        ),
        (
            f"/subscriptions/{SUB}/providers/Microsoft.Compute/virtualMachines?{EXPANDED}",
            {"Authorization": "Bearer x"},
            400,
            "InvalidParameter",
        ),
    ],
)
def test_a_wrong_request_gets_arms_own_error(
    path: str, headers: dict[str, str], status: int, code: str
) -> None:
    with serve(fleet(vm())) as emulator:
        answered, _, body = emulator.raw("GET", path, headers)

    assert (answered, body["error"]["code"]) == (status, code)


def test_a_vm_read_too_often_is_throttled_with_retry_after() -> None:
    # A tenth of Azure's bucket: three reads at once, and so slow a refill that the pace of this
    # machine does not matter.
    document = fleet(vm(), arm={"throttle_scale": 0.1})
    with serve(document) as emulator, compute(emulator, retry_total=0) as client:
        for _ in range(3):
            client.virtual_machines.instance_view(GROUP, "web-01")
        with pytest.raises(HttpResponseError) as caught:
            client.virtual_machines.instance_view(GROUP, "web-01")

    answer: Any = caught.value.response
    assert (answer.status_code, code_of(caught)) == (429, "TooManyRequests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 50


def test_a_slow_subscription_answers_late_but_truly() -> None:
    document = fleet(vm())
    document["subscription"] = [{"id": SUB, "fail": "slow:0.3s"}]
    with serve(document) as emulator, compute(emulator) as client:
        client.virtual_machines.get(GROUP, "web-01")
        (record,) = emulator.log()

    assert record["status"] == 200
    assert record["arrived"] < record["time"]
