"""What a VM's answers say of patches, and that nothing odd in them costs the VM its maintenance."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.adapters.arm_decode import seen_vm_of, vm_of
from shared.domain.patching.model import (
    AvailablePatchSummary,
    ImageReference,
    LastPatchInstallationSummary,
    PatchError,
    PatchSettings,
    PatchStatus,
)
from shared.domain.patching.results import Classification, classification_of
from tests.builders import a_vm_id

BODIES = Path(__file__).parents[2] / "azure-bodies"
VIEW = json.loads((BODIES / "VirtualMachine_Get_InstanceView.json").read_text())
AT = datetime(2020, 4, 24, 21, 2, 4, 255615, tzinfo=UTC)
WINDOWS = {
    "provisionVMAgent": True,
    "enableAutomaticUpdates": True,
    "timeZone": "W. Europe Standard Time",
    "patchSettings": {
        "patchMode": "AutomaticByPlatform",
        "enableHotpatching": True,
        "assessmentMode": "ImageDefault",
        "automaticByPlatformSettings": {
            "rebootSetting": "IfRequired",
            "bypassPlatformSafetyChecksOnUserSchedule": True,
        },
    },
}
IMAGE = {
    "publisher": "MicrosoftWindowsServer",
    "offer": "WindowsServer",
    "sku": "2022-datacenter-azure-edition-core",
    "version": "latest",
    "exactVersion": "20348.4294.251105",
}


def item(*, windows=WINDOWS, image=IMAGE, view=VIEW, **properties):
    return copy.deepcopy(
        {
            "id": a_vm_id("db-1"),
            "location": "westeurope",
            "properties": {
                "storageProfile": {"imageReference": image, "osDisk": {"osType": "windows"}},
                "osProfile": {"windowsConfiguration": windows},
                "instanceView": view,
                **properties,
            },
        }
    )


def test_the_model_has_the_image_the_settings_and_the_scale_set():
    vm = vm_of(item(virtualMachineScaleSet={"id": "/subscriptions/S/Sets/Web"}))

    assert vm.os_type == "Windows"
    assert vm.image == ImageReference(
        publisher="MicrosoftWindowsServer",
        offer="WindowsServer",
        sku="2022-datacenter-azure-edition-core",
        version="20348.4294.251105",
    )
    assert vm.patch_settings == PatchSettings(
        provision_vm_agent=True,
        enable_automatic_updates=True,
        time_zone="W. Europe Standard Time",
        patch_mode="AutomaticByPlatform",
        enable_hotpatching=True,
        assessment_mode="ImageDefault",
        reboot_setting="IfRequired",
        bypass_platform_safety_checks_on_user_schedule=True,
    )
    assert vm.scale_set == "/subscriptions/s/sets/web"


def test_azures_own_example_of_a_patch_status_is_read_value_for_value():
    assert seen_vm_of(item()).patch_status == PatchStatus(
        available_patch_summary=AvailablePatchSummary(
            status="Succeeded",
            assessment_activity_id="68f8b292-dfc2-4646-9781-33cc88631968",
            reboot_pending=True,
            critical_and_security_patch_count=1,
            other_patch_count=2,
            start_time=AT,
            last_modified_time=AT,
        ),
        last_patch_installation_summary=LastPatchInstallationSummary(
            status="Succeeded",
            installation_activity_id="68f8b292-dfc2-4646-9981-33cc88631968",
            maintenance_window_exceeded=False,
            not_selected_patch_count=1,
            excluded_patch_count=1,
            pending_patch_count=1,
            installed_patch_count=1,
            failed_patch_count=1,
            start_time=AT,
            last_modified_time=AT,
        ),
        configuration_statuses=(
            "PatchModeConfigurationState/Ready",
            "AssessmentModeConfigurationState/Pending",
        ),
    )


def test_a_linux_vm_or_one_made_of_a_disk_has_no_windows_settings_and_no_image():
    vm = vm_of(item(osProfile={"linuxConfiguration": {}}, storageProfile={}, instanceView=None))

    assert vm.patch_settings is None
    assert vm.image is None
    assert vm.patch_status is None


def test_an_image_of_ones_own_is_known_by_its_id():
    vm = vm_of(item(image={"id": "/subscriptions/s/images/golden"}))

    assert str(vm.image) == "/subscriptions/s/images/golden"


@pytest.mark.parametrize("word", ["AUTOMATICBYPLATFORM", "automaticByPlatform"])
def test_azures_words_are_known_whatever_their_case_and_others_are_kept(word):
    windows = WINDOWS | {"patchSettings": {"patchMode": word, "assessmentMode": "ByTheMoon"}}

    settings = vm_of(item(windows=windows)).patch_settings

    assert settings.patch_mode == "AutomaticByPlatform"
    assert settings.assessment_mode == "ByTheMoon"


def test_what_cannot_be_used_is_named_and_costs_neither_the_vm_nor_the_rest():
    view = copy.deepcopy(VIEW)
    view["patchStatus"]["availablePatchSummary"]["criticalAndSecurityPatchCount"] = "many"
    view["patchStatus"]["lastPatchInstallationSummary"] = "none"
    windows = WINDOWS | {"enableAutomaticUpdates": "yes"}

    vm = vm_of(item(windows=windows, view=view))

    assert vm.view.is_running
    assert vm.patch_status.available_patch_summary.other_patch_count == 2
    assert [problem.field for problem in vm.patch_status.problems] == [
        "properties.instanceView.patchStatus.lastPatchInstallationSummary",
        "properties.instanceView.patchStatus.availablePatchSummary.criticalAndSecurityPatchCount",
    ]
    assert vm.patch_settings.time_zone == "W. Europe Standard Time"
    assert [problem.value for problem in vm.patch_settings.problems] == ["yes"]


@pytest.mark.parametrize(
    ("error", "read"),
    [
        (None, None),
        ({}, None),
        ({"code": "Success", "message": "0 errors"}, None),
        ({"code": "0x80070643", "message": "no"}, PatchError(code="0x80070643", message="no")),
    ],
)
def test_an_error_that_says_success_is_none(error, read):
    view = copy.deepcopy(VIEW)
    view["patchStatus"]["availablePatchSummary"]["error"] = error

    assert vm_of(item(view=view)).patch_status.available_patch_summary.error == read


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        ("Critical Updates", "Critical"),
        ("Security Updates", "Security"),
        ("Update Rollups", "UpdateRollUp"),
        ("Feature Packs", "FeaturePack"),
        ("Service Packs", "ServicePack"),
        ("Definition Updates", "Definition"),
        ("Tools", "Tools"),
        ("Updates", "Updates"),
        ("Drivers", "Drivers"),
    ],
)
def test_a_classification_is_one_word_however_azure_spells_it(shown, asked):
    assert classification_of(shown) == asked


def test_a_request_spelling_stands_for_itself():
    assert [classification_of(one) for one in Classification] == list(Classification)
