"""ARM's answers beside VMs → the domain: operations at either of their URLs, and pages of lists."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.arm_answers import activity_of, operation_of, page_of
from shared.domain.errors import Terminal
from shared.ports import Activity, Operation


@pytest.mark.parametrize(
    ("status", "text", "operation"),
    [
        # Azure-AsyncOperation: 200 with a status.
        (200, '{"status": "InProgress"}', Operation(status="inProgress", retry_after=timedelta(9))),
        (200, '{"status": "Succeeded"}', Operation(status="succeeded")),
        (
            200,
            '{"status": "Failed", "error": {"code": "RetryLater", "message": "Busy."}}',
            Operation(status="failed", code="RetryLater", message="Busy."),
        ),
        (200, '{"status": "Canceled"}', Operation(status="failed", code="Canceled")),
        (202, '{"status": "Succeeded"}', Operation(status="succeeded")),
        (200, '{"status": 7}', Operation(status="unknown")),
        # Location: the HTTP status tells.
        (202, "", Operation(status="inProgress", retry_after=timedelta(9))),
        (200, "", Operation(status="succeeded")),
        (204, "", Operation(status="succeeded")),
        (200, '{"name": "vm"}', Operation(status="succeeded")),
        (
            409,
            '{"error": {"code": "Conflict", "message": "No."}}',
            Operation(status="failed", code="Conflict", message="No."),
        ),
        # Expired, forbidden, garbage.
        (404, '{"error": {"code": "NotFound", "message": "?"}}', Operation(status="unknown")),
        (403, '{"error": {"code": "AuthorizationFailed"}}', Operation(status="unknown")),
        (307, "", Operation(status="unknown")),
        (400, "<html>", Operation(status="unknown")),
        (400, "", Operation(status="unknown")),
        (200, "<html>", Operation(status="unknown")),
        (200, "[1]", Operation(status="unknown")),
        (200, "[" * 100_000, Operation(status="unknown")),
    ],
)
def test_an_operation_is_read_from_either_of_its_urls(status, text, operation):
    assert operation_of(status, text, timedelta(9)) == operation


EVENTS = """{"value": [
  {"eventTimestamp": "2026-03-02T12:00:01.5000000Z", "correlationId": "c1",
   "operationName": {"value": "Microsoft.Compute/virtualMachines/performMaintenance/action"},
   "status": {"value": "Accepted"}, "httpRequest": {"clientRequestId": "r1", "method": "POST"}},
  {"eventTimestamp": "whenever",
   "operationName": {"value": "Microsoft.Compute/virtualMachines/performMaintenance/action"}},
  {"operationName": {"value": "Microsoft.Compute/virtualMachines/write"}},
  {"operationName": null}, null, 3, {"operationName": "text"}
 ], "nextLink": "https://next"}"""


def test_of_the_activity_log_only_readable_events_of_the_operation_count():
    items, following = page_of(EVENTS, what="activity log")

    assert [event for item in items if (event := activity_of(item))] == [
        Activity(
            at=datetime(2026, 3, 2, 12, 0, 1, 500000, tzinfo=UTC),
            status="Accepted",
            request_id="r1",
            correlation_id="c1",
        )
    ]
    assert following == "https://next"


def test_the_last_page_of_a_list_has_no_next():
    assert page_of('{"value": [], "nextLink": null}', what="list") == ([], "")


@pytest.mark.parametrize("text", ["", "null", "[]", "<html>", "{}", '{"value": 3}'])
def test_a_page_that_is_none_is_refused(text):
    with pytest.raises(Terminal, match="activity log"):
        page_of(text, what="activity log")
