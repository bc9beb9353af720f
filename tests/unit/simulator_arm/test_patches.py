"""What a VM is offered, and what an installation leaves behind."""

from datetime import timedelta

import pytest

from simulator.arm import patching
from simulator.arm.operations import Request
from simulator.arm.patches import available
from simulator.arm.patching import assess, install, release
from simulator.patch_model import PatchWord, Release
from simulator.scenario import parse_scenario
from simulator.scenario_table import ScenarioError
from tests.unit.simulator_arm.fleet import SUB, T0, after, cloud_of, events, redeploy, seen, vm

IMAGE = "MicrosoftWindowsServer:WindowsServer:2022-datacenter-azure-edition-core"
REQUEST = Request("22222222-2222-4222-8222-222222222222", "corr", "client")
BOTH = {"classificationsToInclude": ["Critical", "Security"]}
BASELINE = {"kb": "5000001", "at": "-40d", "kind": "baseline"}
HOTPATCH = {"kb": "5000002", "at": "+1s", "kind": "hotpatch"}


def hot(**changes):
    """A VM with Hotpatch that has everything released before the start."""
    return vm(image=IMAGE, patching={"assessed": "-1h", **changes})


def cloud(*releases, vm=None):
    return cloud_of(vm or hot(), release=[dict(one) for one in releases])


def offers(cloud, at):
    state = seen(cloud, at).state.patches
    return [(one.kb, one.reboot) for one in available(cloud.releases, state, after(at))]


def installs(cloud, at, windows=None, reboot="IfRequired"):
    cloud.advance(after(at))
    asked = {"rebootSetting": reboot, "windowsParameters": BOTH if windows is None else windows}
    return install(cloud, cloud.find_vm("web-01"), after(at), REQUEST, asked)


def result(cloud, at, **options):
    verdict = installs(cloud, at, **options)
    cloud.advance(after(at + 10))
    return verdict.operation.result


def test_a_vm_on_the_baseline_is_offered_a_hotpatch_without_a_reboot():
    assert offers(cloud(BASELINE, HOTPATCH), 2) == [("5000002", "NeverReboots")]


def test_before_its_hour_a_release_is_not_offered():
    assert offers(cloud(BASELINE, HOTPATCH), 0.5) == []


def test_a_vm_behind_the_baseline_is_offered_that_first():
    behind = cloud(BASELINE, HOTPATCH, vm=hot(patched_to="-50d"))

    assert offers(behind, 2) == [("5000001", "AlwaysRequiresReboot")]


@pytest.mark.parametrize(
    "off", [{"hotpatching": False}, {"mode": "AutomaticByOS", "hotpatching": False}]
)
def test_without_hotpatch_each_month_asks_for_a_reboot(off):
    assert offers(cloud(BASELINE, HOTPATCH, vm=hot(**off)), 2) == [
        ("5000002", "AlwaysRequiresReboot")
    ]


def test_the_newest_cumulative_patch_takes_the_place_of_the_one_before():
    later = {**HOTPATCH, "kb": "5000003", "at": "+3s"}

    assert offers(cloud(BASELINE, HOTPATCH, later), 4) == [("5000003", "NeverReboots")]


def test_other_patches_stand_beside_it():
    other = {"kb": "890830", "at": "-1d", "kind": "other", "classification": "UpdateRollUp"}
    with_other = cloud(BASELINE, HOTPATCH, other, vm=hot(patched_to="-30d"))

    assert offers(with_other, 2) == [("5000002", "NeverReboots"), ("890830", "CanRequestReboot")]


def test_a_hotpatch_is_installed_without_a_reboot():
    months = cloud(BASELINE, HOTPATCH)

    body = result(months, 2)

    assert (body["status"], body["rebootStatus"]) == ("Succeeded", "NotNeeded")
    assert body["installedPatchCount"] == 1
    assert [name for name, _ in events(months, 20)] == ["installing", "installed"]
    assert offers(months, 20) == []


def test_a_baseline_reboots_once_and_its_agent_comes_back():
    months = cloud({**BASELINE, "at": "+1s"})

    body = result(months, 2)

    assert body["rebootStatus"] == "Completed"
    assert events(months, 20) == [
        ("installing", 2.0),
        ("rebooting", 4.0),
        ("rebooted", 5.0),
        ("installed", 5.0),
    ]
    assert seen(months, 20).state.is_agent_ready


def test_a_baseline_without_its_reboot_waits_for_one():
    months = cloud({**BASELINE, "at": "+1s"})

    body = result(months, 2, reboot="Never")
    state = seen(months, 20).state.patches

    assert (body["rebootStatus"], body["pendingPatchCount"]) == ("Required", 1)
    assert state.pending == {"5000001"}
    assert state.assessment["rebootPending"] is True
    assert offers(months, 20) == []


def test_a_redeploy_finishes_an_installation_that_waits_for_a_reboot():
    months = cloud({**BASELINE, "at": "+1s"})
    result(months, 2, reboot="Never")

    redeploy(months, 15)
    state = seen(months, 40).state.patches

    assert not state.pending
    assert state.installed == {"5000001"}
    assert state.assessment["rebootPending"] is False


def test_a_redeploy_and_an_installation_exclude_each_other():
    months = cloud({**BASELINE, "at": "+1s"})
    installs(months, 2)
    assert redeploy(months, 3).reason == "operationInProgress"

    other = cloud({**BASELINE, "at": "+1s"})
    redeploy(other, 2)
    assert installs(other, 3).reason == "operationInProgress"


def test_an_installation_that_fails_leaves_everything_as_it_was_and_says_so():
    months = cloud(BASELINE, HOTPATCH, vm=hot(install=["Failed", "Succeeded"]))

    body = result(months, 2)

    assert (body["status"], body["failedPatchCount"]) == ("Failed", 1)
    assert body["error"]["code"] == "PatchInstallationFailed"
    assert offers(months, 20) == [("5000002", "NeverReboots")]
    assert result(months, 21)["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("windows", "states"),
    [
        ({"classificationsToInclude": ["Security"]}, ["Installed", "NotSelected"]),
        ({"kbNumbersToInclude": ["890830"]}, ["NotSelected", "Pending"]),
        ({**BOTH, "kbNumbersToExclude": ["5000002"]}, ["Excluded", "NotSelected"]),
        (
            {
                "classificationsToInclude": ["Security", "UpdateRollUp"],
                "excludeKbsRequiringReboot": True,
            },
            ["Installed", "NotSelected"],
        ),
    ],
)
def test_an_installation_selects_by_classification_and_kb(windows, states):
    other = {"kb": "890830", "at": "-1d", "kind": "other", "classification": "UpdateRollUp"}
    months = cloud(BASELINE, HOTPATCH, other, vm=hot(patched_to="-30d"))

    body = result(months, 2, windows=windows, reboot="Never")

    assert [patch["installationState"] for patch in body["patches"]] == states


def test_a_kb_that_the_vm_is_not_offered_is_a_warning_that_names_it():
    body = result(cloud(BASELINE, HOTPATCH), 2, windows={"kbNumbersToInclude": ["4999999"]})

    assert body["status"] == "CompletedWithWarnings"
    assert "4999999" in body["error"]["message"]


def test_an_assessment_that_never_ends_shows_in_progress_and_one_that_fails_its_error():
    stuck = cloud(BASELINE, vm=hot(assess=["Hang"]))
    assess(stuck, stuck.find_vm("web-01"), after(1), REQUEST)
    assert seen(stuck, 10_000).state.patches.assessment["status"] == "InProgress"

    failing = cloud(BASELINE, vm=hot(assess=["Failed"]))
    assess(failing, failing.find_vm("web-01"), after(1), REQUEST)
    summary = seen(failing, 10).state.patches.assessment
    assert (summary["status"], summary["error"]["code"]) == ("Failed", "WindowsUpdateSearchFailed")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"power": "deallocated"}, "notRunning"),
        ({"agent": "notReady"}, "agentNotReady"),
        ({"image": "Canonical:ubuntu:24"}, "imageNotSupported"),
        ({"patching": {"install": ["Busy409"]}}, "busy"),
        ({"patching": {"install": ["Refuse409"]}}, "refused"),
        ({"patching": {"install": ["DropBefore"]}}, "dropped"),
    ],
)
def test_what_azure_refuses_is_refused_with_a_reason(changes, reason):
    assert installs(cloud(BASELINE, vm={**hot(), **changes}), 2).reason == reason


def test_what_is_released_at_run_time_is_offered_from_then_on():
    months = cloud(BASELINE)
    one = Release("5000009", timedelta(seconds=5), "hotpatch", "Hotpatch")

    release(months, one, after(5))

    assert offers(months, 4) == []
    assert offers(months, 6) == [("5000009", "NeverReboots")]


def test_history_ends_after_thirty_days():
    months = cloud(BASELINE, HOTPATCH)
    result(months, 2)
    record = months.find_vm("web-01")

    assert len(patching.history_of(record, after(60))) == 1
    assert patching.history_of(record, T0 + timedelta(days=31)) == []


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"release": [{"kb": "KB1", "at": "-1d", "kind": "baseline"}]}, "digits of a KB number"),
        ({"release": [{"kb": "5000001", "at": "-1d", "kind": "weekly"}]}, "kind"),
        ({"vm": [vm(image="windows")]}, "publisher:offer:sku"),
        ({"vm": [vm(patching={"install": ["Maybe"]})]}, "use one of Succeeded"),
        ({"vm": [vm(patching={"hotpatch": True})]}, "did you mean 'hotpatching'"),
    ],
)
def test_a_slip_in_a_scenario_is_named(table, says):
    with pytest.raises(ScenarioError, match=says):
        parse_scenario({"title": "t", "subscription": [{"id": SUB}], **table}, "test.toml")


def test_every_word_is_accepted_or_refused():
    refused = {word for word in PatchWord if not word.is_accepted}

    assert refused == {PatchWord.REFUSE_409, PatchWord.BUSY_409, PatchWord.DROP_BEFORE}
