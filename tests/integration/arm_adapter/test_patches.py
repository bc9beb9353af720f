"""Assessments and installations over the real SDK: each is sent once, and its result is read in its place."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from shared.domain.errors import Refused, Retryable, StartUnknown, Terminal, VmNotFound
from shared.domain.patching.model import PatchError, RebootSetting
from shared.domain.patching.results import (
    Assessment,
    AvailablePatch,
    InstallRequest,
    PatchInstalled,
)
from shared.ports import Accepted, Operation
from tests.integration.arm_adapter.conftest import NOW
from tests.integration.arm_adapter.scripted_arm import (
    arm_error,
    hang_up,
    json_reply,
    silence,
    text_reply,
)

VM_ID = "/subscriptions/s1/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/db-1"
REQUEST = InstallRequest(maximum_duration=timedelta(hours=2))
STARTED = datetime(2020, 4, 24, 21, 2, 4, 255615, tzinfo=UTC)
BODIES = Path(__file__).parents[2] / "azure-bodies"


def body(name):
    return json.loads((BODIES / f"{name}.json").read_text())


@pytest.fixture
def patches(arm):
    return arm.patches


async def assess(patches, vm_id=VM_ID, within=timedelta(seconds=60)):
    return await patches.start_assessment(vm_id, request_id="request-1", within=within)


async def install(patches, vm_id=VM_ID, within=timedelta(seconds=60), request=REQUEST):
    return await patches.start_installation(
        vm_id, request=request, request_id="request-1", within=within
    )


BOTH = pytest.mark.parametrize(
    ("start", "name"), [(assess, "assessPatches"), (install, "installPatches")]
)


@BOTH
async def test_a_start_is_one_post_and_followed_where_its_result_will_be(
    patches, server, start, name
):
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

    accepted = await start(patches)

    assert accepted == Accepted(
        operation_url=f"{server.url}/operations/1?monitor=true",
        correlation_id="c-1",
        retry_after=timedelta(seconds=7),
    )
    [post] = server.asked
    assert (post.method, post.path) == ("POST", f"{VM_ID}/{name}")
    assert post.headers["x-ms-client-request-id"] == "request-1"


@BOTH
@pytest.mark.parametrize(
    "reply",
    [
        arm_error(503, "ServiceUnavailable", Retry_After="0"),
        arm_error(500, "InternalServerError"),
        text_reply("<html>", status=502),
        text_reply("", status=307, Location="/elsewhere"),
        hang_up,
    ],
    ids=["503-retry-after", "500", "502", "307", "cut"],
)
async def test_a_start_without_a_clear_answer_is_unknown_and_sent_once(
    patches, server, reply, start, name
):
    server.answers(reply)

    with pytest.raises(StartUnknown, match="db-1"):
        await start(patches)

    assert [asked.method for asked in server.asked] == ["POST"]


@BOTH
@pytest.mark.parametrize(
    ("status", "code", "may_pass"),
    [
        (429, "TooManyRequests", True),
        (409, "Conflict", True),
        (409, "OperationNotAllowed", False),
        (400, "InvalidParameter", False),
        (403, "AuthorizationFailed", False),
    ],
)
async def test_a_refusal_keeps_arms_words_and_is_sent_once(
    patches, server, status, code, may_pass, start, name
):
    server.answers(arm_error(status, code, "It is so.", Retry_After="1"))

    with pytest.raises(Refused) as raised:
        await start(patches)

    refused = raised.value
    assert (refused.status, refused.code, refused.message) == (status, code, "It is so.")
    assert refused.may_pass is may_pass
    assert [asked.method for asked in server.asked] == ["POST"]


@BOTH
async def test_a_vm_that_arm_does_not_know_is_gone(patches, server, start, name):
    server.answers(arm_error(404, "ResourceNotFound"))

    with pytest.raises(VmNotFound):
        await start(patches)


@BOTH
async def test_a_start_without_an_answer_ends_in_its_time(patches, server, start, name):
    server.answers(silence)

    with pytest.raises(StartUnknown, match="in time"):
        await start(patches, within=timedelta(seconds=2))

    assert [asked.method for asked in server.asked] == ["POST"]


@BOTH
async def test_an_id_that_is_no_vms_is_never_sent(patches, server, start, name):
    with pytest.raises(Terminal):
        await start(patches, vm_id="/subscriptions/s1")

    assert server.asked == []


async def bodies_sent(patches, server, request):
    sent = []

    async def keep(asked: web.Request):
        sent.append(await asked.json())
        return web.Response(status=202)

    server.answers(keep)
    await install(patches, request=request)
    return sent[0]


async def test_an_installation_asks_for_what_azure_itself_would_install(patches, server):
    assert await bodies_sent(patches, server, REQUEST) == {
        "maximumDuration": "PT120M",
        "rebootSetting": "IfRequired",
        "windowsParameters": {"classificationsToInclude": ["Critical", "Security"]},
    }


async def test_an_installation_asks_for_every_choice_of_a_policy(patches, server):
    request = InstallRequest(
        maximum_duration=timedelta(minutes=90),
        reboot_setting=RebootSetting.NEVER,
        classifications=("UpdateRollUp",),
        kb_include=("5034129",),
        kb_exclude=("5034130", "5034131"),
        exclude_kbs_requiring_reboot=True,
    )

    assert await bodies_sent(patches, server, request) == {
        "maximumDuration": "PT90M",
        "rebootSetting": "Never",
        "windowsParameters": {
            "classificationsToInclude": ["UpdateRollUp"],
            "kbNumbersToInclude": ["5034129"],
            "kbNumbersToExclude": ["5034130", "5034131"],
            "excludeKbsRequiringReboot": True,
        },
    }


async def test_a_running_assessment_has_no_result_yet(patches, server):
    server.answers(text_reply("", status=202, Retry_After="9"))

    seen = await patches.assessment(f"{server.url}/o?monitor=true")

    assert seen.result is None
    assert seen.operation == Operation(status="inProgress", retry_after=timedelta(seconds=9))


def wrapped(result):
    return {"status": "Succeeded", "name": "o", "properties": {"output": result}}


@pytest.mark.parametrize("where", [lambda result: result, wrapped], ids=["Location", "Async"])
async def test_azures_own_example_of_an_assessment_is_read_whole(patches, server, where):
    server.answers(json_reply(where(body("VirtualMachine_AssessPatches"))))

    seen = await patches.assessment(f"{server.url}/o")

    assert seen.operation == Operation(status="succeeded")
    assert seen.result == Assessment(
        status="Succeeded",
        assessment_activity_id="68f8b292-dfc2-4646-9781-33cc88631968",
        reboot_pending=True,
        critical_and_security_patch_count=1,
        other_patch_count=2,
        start_date_time=STARTED,
        available_patches=(
            AvailablePatch(
                patch_id="35428702-5784-4ba4-a6e0-5222258b5411",
                name="Definition Update for Windows Defender Antivirus - KB2267602"
                " (Definition 1.279.1373.0)",
                kb_id="2267602",
                classifications=("Definition",),
                reboot_behavior="NeverReboots",
                published_date=datetime(2018, 11, 7, tzinfo=UTC),
                assessment_state="Available",
            ),
            AvailablePatch(
                patch_id="39f9cdd1-795c-4d0e-8c0a-73ab3f31746d",
                name="Windows Malicious Software Removal Tool x64 - October 2018 (KB890830)",
                kb_id="890830",
                classifications=("UpdateRollUp",),
                reboot_behavior="CanRequestReboot",
                published_date=datetime(2018, 11, 7, tzinfo=UTC),
                assessment_state="Available",
            ),
        ),
    )


async def test_azures_own_example_of_an_installation_is_read_whole(patches, server):
    server.answers(json_reply(body("VirtualMachine_InstallPatches")))

    seen = await patches.installation(f"{server.url}/o")

    assert seen.operation == Operation(status="succeeded")
    result = seen.result
    assert (result.status, result.reboot_status) == ("Succeeded", "Completed")
    assert (result.pending_patch_count, result.installed_patch_count) == (2, 3)
    assert result.maintenance_window_exceeded is False
    assert result.start_date_time == STARTED
    assert result.patches[1] == PatchInstalled(
        patch_id="39f9cdd1-795c-4d0e-8c0a-73ab3f31746d",
        name="Windows Malicious Software Removal Tool x64 - October 2018 (KB890830)",
        kb_id="890830",
        classifications=("UpdateRollUp",),
        installation_state="Pending",
    )


async def test_a_result_that_says_failed_is_a_failed_operation_with_its_error(patches, server):
    failed = body("VirtualMachine_InstallPatches") | {
        "status": "failed",
        "error": {"code": "PatchInstallationFailed", "message": "0x80070643"},
    }
    server.answers(json_reply(failed))

    seen = await patches.installation(f"{server.url}/o")

    assert seen.operation == Operation(
        status="failed", code="PatchInstallationFailed", message="0x80070643"
    )
    assert seen.result.status == "Failed"
    assert seen.result.error == PatchError(code="PatchInstallationFailed", message="0x80070643")


async def test_an_operation_that_failed_without_a_result_has_arms_error(patches, server):
    server.answers(arm_error(409, "VMAgentNotReady", "The agent does not answer."))

    seen = await patches.assessment(f"{server.url}/o")

    assert seen.result is None
    assert (seen.operation.status, seen.operation.code) == ("failed", "VMAgentNotReady")


async def test_an_end_without_any_result_is_the_operations_word_alone(patches, server):
    server.answers(json_reply({"status": "Succeeded", "name": "o"}))
    assert (await patches.assessment(f"{server.url}/o")).operation.status == "succeeded"

    server.answers(text_reply("<html>"))
    assert (await patches.assessment(f"{server.url}/o")).operation.status == "unknown"


async def test_an_operation_elsewhere_is_never_asked_and_a_busy_one_is_retryable(patches, server):
    elsewhere = await patches.installation("https://evil.example/o")
    assert elsewhere.operation == Operation(status="unknown")
    assert server.asked == []

    server.answers(arm_error(429, "TooManyRequests", Retry_After="60"))
    with pytest.raises(Retryable):
        await patches.installation(f"{server.url}/o")


async def test_the_activity_log_of_installations_leaves_redeploys_out(patches, server):
    def event(action):
        return {
            "eventTimestamp": "2026-03-02T12:00:01Z",
            "operationName": {"value": f"Microsoft.Compute/virtualMachines/{action}/action"},
            "status": {"value": "Accepted"},
            "httpRequest": {"clientRequestId": action},
            "correlationId": "c1",
        }

    server.answers(json_reply({"value": [event("performMaintenance"), event("installPatches")]}))

    [only] = await patches.installation_activities(VM_ID, since=NOW)

    assert only.request_id == "installPatches"
