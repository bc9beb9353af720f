from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.due import Installed
from shared.domain.installation import (
    InstallationLook,
    came_to,
    is_installing,
    judge_installation,
    request_for,
    shows_installation,
)
from shared.domain.job import JobState
from shared.domain.patching.model import PatchError, RebootSetting
from shared.domain.patching.results import Installation, InstallRequest
from shared.domain.verdict import Then
from tests.builders import NOW, a_job, a_policy, a_release, a_status
from tests.patch_builders import a_patched_view, a_windows_vm, an_installation

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
JOB = a_job(
    patches=a_release(reboots=True), state=JobState.REDEPLOYING, claimed_at=NOW, started_at=NOW
)
MINE = an_installation(start_time=NOW, last_modified_time=NOW + 5 * MINUTE)
RUNNING = replace(MINE, status="InProgress")


def a_machine(last=None, **other):
    return a_windows_vm(view=a_patched_view(installation=last, **other))


def a_result(status="Succeeded", **other) -> Installation:
    return Installation(status=status, installation_activity_id="i", **other)


def judged(look: InstallationLook, *, after=10 * MINUTE):
    return judge_installation(JOB, look, now=NOW + after, timeout=2 * HOUR)


def seen(operation="succeeded", result=None, vm=None, **other) -> InstallationLook:
    return InstallationLook(vm=vm or a_machine(), operation=operation, result=result, **other)


@pytest.mark.parametrize(
    ("look", "outcome", "says"),
    [
        (seen(result=a_result()), JobState.COMPLETED, "Azure reports its patches installed"),
        (
            seen(
                result=a_result("CompletedWithWarnings", error=PatchError(code="W", message="odd"))
            ),
            JobState.COMPLETED,
            "Azure reports its patches installed, with warnings (W: odd)",
        ),
        (
            seen(result=a_result(reboot_status="Required")),
            JobState.COMPLETED,
            "Azure reports its patches installed; they take effect with its next reboot",
        ),
        (
            seen("failed", a_result("Failed", error=PatchError(code="0x8", message="no space"))),
            JobState.FAILED,
            "Azure could not install its patches: 0x8: no space",
        ),
        (
            seen("failed", a_result("Failed")),
            JobState.FAILED,
            "Azure could not install its patches: it does not say why",
        ),
        (
            seen(result=a_result(reboot_status="Failed")),
            JobState.FAILED,
            "its patches are installed, and the reboot that they need failed",
        ),
        (
            seen("failed", code="Conflict", message="busy"),
            JobState.FAILED,
            "Azure could not install its patches, Conflict: busy",
        ),
        (
            seen("unknown", vm=a_machine(MINE)),
            JobState.COMPLETED,
            "Azure reports its patches installed",
        ),
        (
            seen("unknown", vm=a_machine(replace(MINE, status="Failed"))),
            JobState.FAILED,
            "Azure could not install its patches: it does not say why",
        ),
        (
            InstallationLook(vm=None, operation="unknown"),
            JobState.GONE,
            "the VM was deleted while its patches were installed",
        ),
    ],
)
def test_what_azure_says_at_the_end_decides(look, outcome, says):
    verdict = judged(look)

    assert (verdict.then, verdict.outcome, verdict.reason) == (Then.END, outcome, says)


@pytest.mark.parametrize(
    ("look", "says"),
    [
        (seen("inProgress"), "Azure is installing its patches"),
        (seen("unknown", vm=a_machine(RUNNING)), "Azure is installing its patches"),
        (seen("unknown"), "Azure has not given its result yet"),
        (seen("unknown", vm=a_machine(an_installation())), "Azure has not given its result yet"),
        (
            seen(result=a_result(), vm=a_machine(power_state="stopped")),
            "Azure reports its patches installed; the VM's power state is stopped",
        ),
        (
            seen(result=a_result(), vm=a_machine(agent_ready=False)),
            "Azure reports its patches installed; the VM agent is not ready",
        ),
    ],
)
def test_until_then_it_is_looked_at_again_and_in_the_end_times_out(look, says):
    verdict, late = judged(look), judged(look, after=2 * HOUR)

    assert (verdict.then, verdict.reason) == (Then.LOOK_AGAIN, says)
    assert (late.then, late.outcome) == (Then.END, JobState.TIMED_OUT)
    assert late.reason == f"not done after 2h: {says}"


def test_azures_own_numbers_are_kept_from_the_result_or_else_from_the_vm():
    result = a_result(reboot_status="Completed", installed_patch_count=3, failed_patch_count=0)

    assert came_to(JOB, seen(result=result)) == Installed(
        installation_activity_id="i",
        reboot_status="Completed",
        installed_patch_count=3,
        failed_patch_count=0,
    )
    assert came_to(JOB, seen("unknown", vm=a_machine(MINE))) == Installed(
        installation_activity_id="installation-1", installed_patch_count=2, failed_patch_count=0
    )
    assert came_to(JOB, seen("unknown")) == Installed()
    assert came_to(JOB, InstallationLook(vm=None)) == Installed()


@pytest.mark.parametrize(
    ("last", "shown"),
    [(MINE, True), (RUNNING, True), (an_installation(), False), (None, False)],
)
def test_only_an_installation_since_the_claim_or_one_that_runs_shows_that_azure_took_it(
    last, shown
):
    assert shows_installation(replace(JOB, state=JobState.STARTING), a_machine(last)) is shown


def test_an_installation_that_runs_is_seen_whoever_asked_for_it():
    assert is_installing(a_machine(RUNNING))
    assert not is_installing(a_machine(MINE))


@pytest.mark.parametrize(
    ("job", "columns", "reboot", "leaves_out_reboots"),
    [
        (a_job(patches=a_release(reboots=True)), {}, RebootSetting.IF_REQUIRED, False),
        (a_job(patches=a_release()), {}, RebootSetting.NEVER, True),
        (
            a_job(patches=a_release(reboots=True), maintenance=a_status()),
            {},
            RebootSetting.NEVER,
            False,
        ),
        (
            a_job(patches=a_release(reboots=True)),
            {"rebootSetting": "Never"},
            RebootSetting.NEVER,
            False,
        ),
    ],
)
def test_azure_may_reboot_only_a_vm_that_holds_a_slot(job, columns, reboot, leaves_out_reboots):
    policy = a_policy(patching="install", kbExclude="KB5030007", **columns)

    assert request_for(job, policy, at_most=HOUR) == InstallRequest(
        maximum_duration=HOUR,
        reboot_setting=reboot,
        classifications=("Critical", "Security"),
        kb_exclude=("5030007",),
        exclude_kbs_requiring_reboot=leaves_out_reboots,
    )
