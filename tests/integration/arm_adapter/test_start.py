"""The start leaves this process once, whatever ARM does with it."""

from datetime import timedelta

import pytest
from aiohttp import web
from azure.core.exceptions import ClientAuthenticationError

from shared.adapters.arm import connect_arm
from shared.domain.errors import Refused, StartUnknown, Terminal, VmNotFound
from shared.ports import Accepted
from tests.integration.arm_adapter.scripted_arm import (
    arm_error,
    hang_up,
    silence,
    text_reply,
)

VM_ID = "/subscriptions/s1/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/db-1"
WITHIN = timedelta(seconds=60)
NOT_ELIGIBLE = (
    "Operation 'performMaintenance' is not allowed on VM 'db-1' since the Subscription of this VM"
    " is not eligible."
)


async def start(arm, *, within=WITHIN):
    return await arm.start_maintenance(VM_ID, request_id="request-1", within=within)


async def failed_start(arm, error):
    with pytest.raises(error) as raised:
        await start(arm)
    return raised.value


async def test_an_accepted_start_is_one_post_and_no_poll(arm, server):
    server.answers(
        text_reply(
            "",
            status=202,
            Azure_AsyncOperation=f"{server.url}/operations/1",
            Location=f"{server.url}/operations/1?monitor=true",
            Retry_After="7",
            x_ms_correlation_request_id="c-1",
        )
    )

    accepted = await start(arm)

    assert accepted == Accepted(
        operation_url=f"{server.url}/operations/1",
        correlation_id="c-1",
        retry_after=timedelta(seconds=7),
    )
    [post] = server.asked
    assert (post.method, post.path) == ("POST", f"{VM_ID}/performMaintenance")
    assert post.headers["x-ms-client-request-id"] == "request-1"
    assert post.headers["Authorization"] == "Bearer a-token"


async def test_location_is_the_operation_where_nothing_better_is_given(arm, server):
    server.answers(text_reply("", status=202, Location=f"{server.url}/l"))
    assert await start(arm) == Accepted(operation_url=f"{server.url}/l", correlation_id="")

    server.answers(text_reply("", status=200))
    assert await start(arm) == Accepted(operation_url="", correlation_id="")


async def test_an_odd_header_or_a_broken_body_takes_no_acceptance_back(arm, server):
    def breaks_off(_):
        return web.Response(status=202, body=b"gar", headers={"Content-Encoding": "gzip"})

    server.answers(breaks_off)
    assert isinstance(await start(arm), Accepted)

    # A date where the SDK insists on a number.
    server.answers(text_reply("", status=202, Retry_After="Mon, 02 Mar 2026 12:00:30 GMT"))
    assert (await start(arm)).retry_after == timedelta(seconds=30)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "reply",
    [
        arm_error(500, "InternalServerError"),
        arm_error(503, "ServiceUnavailable"),
        arm_error(503, "ServiceUnavailable", Retry_After="0"),
        arm_error(504, "GatewayTimeout"),
        arm_error(408, "RequestTimeout"),
        text_reply("<html>gateway</html>", status=502),
        text_reply("<html>no ARM here</html>", status=404),
        text_reply("", status=201),
        text_reply("", status=307, Location="/elsewhere"),
        hang_up,
    ],
    ids=[
        "500",
        "503",
        "503-retry-after",
        "504",
        "408",
        "502-html",
        "404-html",
        "201",
        "307",
        "cut",
    ],
)
async def test_a_start_without_a_clear_answer_is_unknown_and_sent_once(arm, server, reply):
    server.answers(reply)

    await failed_start(arm, StartUnknown)

    assert [asked.method for asked in server.asked] == ["POST"]


@pytest.mark.parametrize(
    ("status", "code", "may_pass"),
    [
        (429, "TooManyRequests", True),
        (409, "Conflict", True),
        (409, "AnotherOperationInProgress", True),
        (409, "OperationNotAllowed", False),
        (409, "MissingSubscriptionRegistration", True),
        (400, "BadRequest", False),
        (401, "InvalidAuthenticationToken", False),
        (403, "AuthorizationFailed", False),
    ],
)
async def test_a_refusal_keeps_arms_words_and_is_sent_once(arm, server, status, code, may_pass):
    server.answers(
        arm_error(status, code, NOT_ELIGIBLE, Retry_After="1", x_ms_correlation_request_id="c-9")
    )

    refused = await failed_start(arm, Refused)

    assert (refused.status, refused.code, refused.message) == (status, code, NOT_ELIGIBLE)
    assert refused.may_pass is may_pass
    assert refused.retry_after == timedelta(seconds=1)
    assert refused.correlation_id == "c-9"
    assert [asked.method for asked in server.asked] == ["POST"]


@pytest.mark.parametrize("code", ["ResourceNotFound", "ResourceGroupNotFound"])
async def test_a_vm_that_arm_does_not_know_is_gone(arm, server, code):
    server.answers(arm_error(404, code))

    await failed_start(arm, VmNotFound)

    assert len(server.asked) == 1


async def test_a_start_without_an_answer_ends_in_its_time(arm, server):
    server.answers(silence)

    # Time enough for the request to leave a busy machine, and less than the transport's own patience.
    with pytest.raises(StartUnknown, match="in time"):
        await start(arm, within=timedelta(seconds=2))

    assert [asked.method for asked in server.asked] == ["POST"]


async def test_nobody_at_the_port_is_unknown_too(clock):
    arm = connect_arm("http://127.0.0.1:1", "a-token", (), clock=clock)

    await failed_start(arm, StartUnknown)
    await arm.close()


class NoIdentity:
    async def get_token(self, *scopes, **kwargs):
        raise ClientAuthenticationError("the managed identity is away")

    async def close(self):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass


async def test_without_a_token_nothing_was_sent_and_waiting_may_help(clock):
    arm = connect_arm("https://127.0.0.1:1", NoIdentity(), (), clock=clock)

    refused = await failed_start(arm, Refused)
    await arm.close()

    assert (refused.code, refused.may_pass) == ("NotSent", True)
    assert "the managed identity is away" in refused.message


async def test_an_id_that_is_no_vms_is_never_sent(arm, server):
    with pytest.raises(Terminal):
        await arm.start_maintenance("/subscriptions/s1", request_id="r", within=WITHIN)

    assert server.asked == []
