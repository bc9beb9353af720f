"""The unmodified SDK assesses, installs and changes settings on the emulator, and reads Azure's own bodies."""

import json
import urllib.request
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.mgmt.compute import models

from tests.integration.arm.emulator import GROUP, SUB, code_of, compute, fleet, serve, vm

IMAGE = "MicrosoftWindowsServer:WindowsServer:2022-datacenter-azure-edition-core"
BODIES = Path(__file__).parents[2] / "azure-bodies"
RELEASES = [
    {"kb": "5000001", "at": "-40d", "kind": "baseline"},
    {"kb": "5000002", "at": "-1m", "kind": "hotpatch"},
    {"kb": "890830", "at": "-1m", "kind": "other", "classification": "UpdateRollUp"},
]
QUICK = {"patched_to": "-2m", "assess_seconds": 0.05, "install_seconds": 0.1, "reboot_seconds": 0.1}
INSTALL = {
    "maximumDuration": "PT2H",
    "rebootSetting": "IfRequired",
    "windowsParameters": {"classificationsToInclude": ["Critical", "Security"]},
}


def emulator(**patching):
    spec = vm(image=IMAGE, patching={**QUICK, **patching})
    return serve(fleet(spec, release=RELEASES))


def same_keys(ours, azures):
    """Whether an answer has exactly the keys of Azure's example, and each nested object too."""
    assert ours.keys() == azures.keys()
    for name, value in azures.items():
        if isinstance(value, list) and ours[name]:
            assert ours[name][0].keys() == value[0].keys()


def test_an_assessment_answers_as_azures_example_does():
    with emulator() as arm, compute(arm) as client:
        found = client.virtual_machines.begin_assess_patches(GROUP, "web-01").result()

    body = found.as_dict() | {"error": None}
    same_keys(body, json.loads((BODIES / "VirtualMachine_AssessPatches.json").read_text()))
    assert (found.status, found.critical_and_security_patch_count) == ("Succeeded", 1)
    patch = found.available_patches[0]
    assert (patch.kb_id, patch.reboot_behavior) == ("5000002", "NeverReboots")
    assert patch.classifications == ["Security Updates"]


def test_an_installation_answers_as_azures_example_does_and_shows_in_the_view():
    with emulator() as arm, compute(arm) as client:
        machines = client.virtual_machines
        machines.begin_assess_patches(GROUP, "web-01").result()
        found = machines.begin_install_patches(GROUP, "web-01", INSTALL).result()
        view = machines.instance_view(GROUP, "web-01").as_dict()

    body = found.as_dict() | {"error": None}
    same_keys(body, json.loads((BODIES / "VirtualMachine_InstallPatches.json").read_text()))
    assert (found.status, found.installed_patch_count) == ("Succeeded", 1)
    azures = json.loads((BODIES / "VirtualMachine_Get_InstanceView.json").read_text())
    for name, summary in azures["patchStatus"].items():
        if name != "configurationStatuses":
            assert view["patchStatus"][name].keys() == summary.keys()
    assert view["patchStatus"]["availablePatchSummary"]["criticalAndSecurityPatchCount"] == 0


def test_the_log_has_who_asked_for_what_and_when_the_vm_rebooted():
    with emulator(hotpatching=False) as arm, compute(arm) as client:
        client.virtual_machines.begin_install_patches(GROUP, "web-01", INSTALL).result()
        arm.wait_for(lambda: "installed" in arm.events())
        [post] = arm.posts()

    assert (post["accepted"], post["asked"]) == (True, INSTALL)
    assert post["operationId"]
    assert (
        "maintenanceId" not in post
    )  # which would make it a redeploy to whoever judges by the log


def test_settings_are_updated_and_what_azure_refuses_is_refused():
    def settings(mode, *, hot):
        patches = models.PatchSettings(patch_mode=mode, enable_hotpatching=hot)
        windows = models.WindowsConfiguration(patch_settings=patches)
        profile = models.OSProfile(windows_configuration=windows)
        properties = models.VirtualMachineProperties(os_profile=profile)
        return models.VirtualMachineUpdate(properties=properties)

    with emulator(mode="AutomaticByOS", hotpatching=False) as arm, compute(arm) as client:
        machines = client.virtual_machines
        changed = machines.begin_update(
            GROUP, "web-01", settings("AutomaticByPlatform", hot=True)
        ).result()
        with pytest.raises(HttpResponseError) as wrong:
            machines.begin_update(GROUP, "web-01", settings("AutomaticByOS", hot=True))
        with pytest.raises(ResourceExistsError) as closed:
            machines.begin_update(GROUP, "web-01", settings("Manual", hot=False))
        seen = machines.get(GROUP, "web-01")

    assert changed.os_profile.windows_configuration.patch_settings.enable_hotpatching is True
    assert (wrong.value.status_code, code_of(wrong)) == (400, "InvalidParameter")
    assert code_of(closed) == "PropertyChangeNotAllowed"
    settings_now = seen.os_profile.windows_configuration.patch_settings
    assert settings_now.patch_mode == "AutomaticByPlatform"


@pytest.mark.parametrize("missing", ["rebootSetting", "windowsParameters"])
def test_a_request_that_says_too_little_is_refused(missing):
    asked = {name: value for name, value in INSTALL.items() if name != missing}
    with emulator() as arm, compute(arm) as client, pytest.raises(HttpResponseError) as caught:
        client.virtual_machines.begin_install_patches(GROUP, "web-01", asked)

    assert (caught.value.status_code, code_of(caught)) == (400, "InvalidParameter")


FEATURE = (
    f"/subscriptions/{SUB}/providers/Microsoft.Features/providers/Microsoft.Compute/features"
    "/InGuestHotPatchVMPreview"
)
BEARER = {"Authorization": "Bearer loopback"}


@pytest.mark.parametrize(
    ("features", "denied", "state"),
    [
        ("gone", [], (404, "FeatureNotFound")),
        ("registered", [], (200, "Registered")),
        ("open", [], (200, "NotRegistered")),
        ("open", ["Microsoft.Features/providers/features/read"], (403, "AuthorizationFailed")),
    ],
)
def test_features_are_open_registered_gone_or_forbidden(features, denied, state):
    subscription = {"id": SUB, "features": features, "denied": denied}
    with serve({**fleet(vm()), "subscription": [subscription]}) as arm:
        status, _, body = arm.raw("GET", f"{FEATURE}?api-version=2015-12-01", BEARER)

    shown = body["error"]["code"] if status > 200 else body["properties"]["state"]
    assert (status, shown) == state


def test_a_registration_takes_its_time_and_the_provider_follows():
    subscription = {"id": SUB, "features": "open", "feature_seconds": 0.3}
    provider = f"/subscriptions/{SUB}/providers/Microsoft.Compute"
    with serve({**fleet(vm()), "subscription": [subscription]}) as arm:

        def ask(method, path):
            return arm.raw(method, f"{path}?api-version=2015-12-01", BEARER)[2]

        assert ask("POST", f"{FEATURE}/register")["properties"]["state"] == "Registering"
        arm.wait_for(lambda: ask("GET", FEATURE)["properties"]["state"] == "Registered")
        assert ask("POST", f"{provider}/register")["registrationState"] == "Registering"
        arm.wait_for(lambda: ask("GET", provider)["registrationState"] == "Registered")


def test_resource_graph_has_the_installations_of_a_vm():
    with emulator() as arm, compute(arm) as client:
        client.virtual_machines.begin_install_patches(GROUP, "web-01", INSTALL).result()
        query = f"patchinstallationresources | where id startswith '{arm.vm()['id']}/'"
        request = urllib.request.Request(
            f"{arm.url}/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01",
            json.dumps({"query": query, "subscriptions": [SUB]}).encode(),
            BEARER,
        )
        with urllib.request.urlopen(request) as answer:
            [row] = json.load(answer)["data"]

    assert row["type"] == "microsoft.compute/virtualmachines/patchinstallationresults"
    assert (row["properties"]["status"], row["properties"]["installedPatchCount"]) == (
        "Succeeded",
        1,
    )


def test_a_patch_is_released_at_run_time():
    with emulator() as arm, compute(arm) as client:
        status, _ = arm.post("/_emulator/patches", {"kb": "5000003", "kind": "hotpatch"})
        found = client.virtual_machines.begin_assess_patches(GROUP, "web-01").result()

    assert status == 201
    assert [patch.kb_id for patch in found.available_patches] == ["5000003", "890830"]
