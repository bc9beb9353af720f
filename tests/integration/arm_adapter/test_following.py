"""How a redeploy is followed: its operation, and the activity log."""

from datetime import timedelta

import pytest

from shared.domain.errors import Retryable
from shared.ports import Operation
from tests.builders import a_vm_id
from tests.integration.arm_adapter.conftest import NOW
from tests.integration.arm_adapter.scripted_arm import arm_error, json_reply, text_reply


async def test_an_operation_is_asked_once(arm, server):
    server.answers(json_reply({"status": "InProgress"}, Retry_After="12"))

    operation = await arm.operation(f"{server.url}/operations/1?api-version=2026-04-01")

    assert operation == Operation(status="inProgress", retry_after=timedelta(seconds=12))
    [asked] = server.asked
    assert (asked.method, asked.path) == ("GET", "/operations/1")
    assert asked.headers["Authorization"] == "Bearer a-token"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/operations/1",
        "https://127.0.0.1/operations/1",
        "http://evil.example/operations/1",
        "{url}@evil.example/1",
        "http://user@{host}/1",
        "http://[::1/1",
        "/operations/1",
        "",
        "file:///etc/passwd",
    ],
)
async def test_an_operation_elsewhere_is_never_asked(arm, server, url, caplog):
    url = url.format(url=server.url, host=server.url.removeprefix("http://"))

    assert await arm.operation(url) == Operation(status="unknown")
    assert server.asked == []
    assert caplog.records[-1].action == "operation_url_refused"


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_an_operation_that_may_not_be_read_is_unknown(arm, server, status):
    server.answers(arm_error(status, "No"))

    assert await arm.operation(f"{server.url}/o") == Operation(status="unknown")


async def test_a_busy_operations_url_is_retryable(arm, server):
    server.answers(arm_error(429, "TooManyRequests", Retry_After="60"))

    with pytest.raises(Retryable) as raised:
        await arm.operation(f"{server.url}/o")

    assert raised.value.retry_after == timedelta(seconds=60)


def event(at, status, action="performMaintenance/action"):
    return {
        "eventTimestamp": at,
        "operationName": {"value": f"Microsoft.Compute/virtualMachines/{action}"},
        "status": {"value": status},
        "httpRequest": {"clientRequestId": "r1"},
        "correlationId": "c1",
    }


async def test_the_activity_log_is_asked_for_one_vm_since_an_instant(arm, server):
    server.answers(
        json_reply(
            {
                "value": [
                    event("2026-03-02T12:00:09Z", "Succeeded"),
                    event("2026-03-02T12:00:05Z", "Started", action="write"),
                ],
                "nextLink": f"{server.url}/more",
            }
        ),
        json_reply({"value": [event("2026-03-02T12:00:01Z", "Accepted")]}),
    )

    events = await arm.activities(a_vm_id("o'neill"), since=NOW - timedelta(minutes=2))

    assert [(one.status, one.request_id, one.correlation_id) for one in events] == [
        ("Accepted", "r1", "c1"),
        ("Succeeded", "r1", "c1"),
    ]
    query = server.asked[0].query
    assert query["api-version"] == "2015-04-01"
    assert query["$filter"] == (
        "eventTimestamp ge '2026-03-02T11:58:00.000000Z' and resourceUri eq "
        f"'{a_vm_id(chr(111) + chr(39) * 2 + 'neill')}'"
    )


async def test_what_the_activity_log_said_before_it_broke_off_counts(arm, server):
    server.answers(
        json_reply(
            {
                "value": [event("2026-03-02T12:00:01Z", "Accepted")],
                "nextLink": f"{server.url}/more",
            }
        ),
        text_reply("<html>"),
    )

    [only] = await arm.activities(a_vm_id("a"), since=NOW)

    assert only.status == "Accepted"


async def test_an_activity_log_that_never_ends_is_left_after_a_few_pages(arm, server):
    page = {"value": [event("2026-03-02T12:00:01Z", "Accepted")], "nextLink": f"{server.url}/more"}
    server.answers(json_reply(page))

    events = await arm.activities(a_vm_id("a"), since=NOW)

    assert len(events) == len(server.asked) == 5


@pytest.mark.parametrize(
    "reply",
    [
        arm_error(403, "AuthorizationFailed"),
        arm_error(404, "NotFound"),
        text_reply("<html>"),
    ],
)
async def test_an_activity_log_that_may_not_be_read_is_empty(arm, server, reply):
    server.answers(reply)

    assert await arm.activities(a_vm_id("a"), since=NOW) == ()


async def test_an_activity_log_that_is_busy_is_to_be_asked_again(arm, server):
    server.answers(arm_error(429, "TooManyRequests", Retry_After="60"))

    with pytest.raises(Retryable):
        await arm.activities(a_vm_id("a"), since=NOW)
