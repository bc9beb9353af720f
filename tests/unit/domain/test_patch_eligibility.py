"""Whether a VM can have Hotpatch, and whether it has: each reason with its fix."""

from dataclasses import replace

import pytest

from shared.domain.patching.eligibility import (
    SKUS,
    lacks_eligibility,
    lacks_enrolment,
    uniform_instance,
)
from shared.domain.patching.model import ImageReference
from tests.builders import a_vm_id
from tests.patch_builders import HOTPATCH_IMAGE, a_windows_vm, with_settings

VM = a_windows_vm()
# Azure/azure-compute-docs, automatic-vm-guest-patching.md of 07/31/2024: those with Hotpatch.
PUBLISHED = {
    "2022-datacenter-azure-edition-core",
    "2022-datacenter-azure-edition-core-smalldisk",
    "2022-datacenter-azure-edition-hotpatch",
    "2022-datacenter-azure-edition-hotpatch-smalldisk",
    "2025-datacenter-azure-edition",
    "2025-datacenter-azure-edition-core",
    "2025-datacenter-azure-edition-smalldisk",
    "2025-datacenter-azure-edition-core-smalldisk",
}


def of_sku(sku, **other):
    return replace(VM, image=replace(HOTPATCH_IMAGE, sku=sku, **other))


def only(lacks):
    (lack,) = lacks
    return lack


def test_the_skus_are_exactly_the_published_ones():
    assert set(SKUS) == PUBLISHED


@pytest.mark.parametrize("sku", [*sorted(PUBLISHED), "2022-DATACENTER-azure-edition-CORE"])
def test_a_vm_of_such_an_image_lacks_nothing(sku):
    assert lacks_eligibility(of_sku(sku)) == lacks_enrolment(of_sku(sku)) == ()


@pytest.mark.parametrize(
    "sku", ["2022-datacenter-azure-edition", "2022-datacenter-azure-edition-smalldisk"]
)
def test_azure_edition_with_a_desktop_is_patched_and_has_no_hotpatch(sku):
    lack = only(lacks_eligibility(of_sku(sku)))

    assert sku in lack.what
    assert "only some SKUs" in lack.fix
    assert "2022-datacenter-azure-edition-hotpatch" in lack.fix


@pytest.mark.parametrize(
    "sku", ["2016-Datacenter", "2019-Datacenter", "2022-datacenter", "2025-datacenter-g2"]
)
def test_no_upgrade_leads_from_another_edition_to_hotpatch(sku):
    assert "not supported" in only(lacks_eligibility(of_sku(sku))).fix


def test_other_publishers_images_of_ones_own_and_disks_are_named():
    other = only(lacks_eligibility(of_sku("2022-x", publisher="MicrosoftSQLServer")))
    assert "MicrosoftSQLServer:WindowsServer:2022-x" in other.what

    own = replace(VM, image=ImageReference(id="/subscriptions/s/images/golden"))
    assert "golden" in only(lacks_eligibility(own)).what
    assert "disk" in only(lacks_eligibility(replace(VM, image=None))).what


def test_linux_has_none_whatever_else_is_missing():
    assert "Linux" in only(lacks_eligibility(replace(VM, os_type="Linux", image=None))).what


@pytest.mark.parametrize("location", ["usgovvirginia", "usdodeast", "chinanorth3"])
def test_hotpatch_is_of_the_global_regions(location):
    assert location in only(lacks_eligibility(replace(VM, location=location))).what


def test_a_vm_without_its_agent_is_named():
    assert (
        "provisionVMAgent"
        in only(lacks_eligibility(with_settings(VM, provision_vm_agent=False))).what
    )
    assert "osProfile" in only(lacks_eligibility(replace(VM, patch_settings=None))).what
    assert lacks_eligibility(with_settings(VM, provision_vm_agent=None)) == ()


@pytest.mark.parametrize("mode", ["AutomaticByOS", "Manual", "", "ByTheMoon"])
def test_another_patch_mode_is_no_enrolment_and_one_command_away(mode):
    lack = only(lacks_enrolment(with_settings(VM, patch_mode=mode)))

    assert (mode or "not set") in lack.what
    assert "./baton hotpatch enable win-1" in lack.fix


def test_where_automatic_updates_are_off_the_way_back_is_told():
    vm = with_settings(VM, patch_mode="Manual", enable_automatic_updates=False)

    assert "enableAutomaticUpdates is false" in only(lacks_enrolment(vm)).fix


def test_hotpatching_that_is_off_is_no_enrolment():
    assert (
        "enableHotpatching"
        in only(lacks_enrolment(with_settings(VM, enable_hotpatching=False))).what
    )
    assert len(lacks_enrolment(replace(VM, patch_settings=None))) == 2


def test_instances_of_a_uniform_scale_set_are_told_from_vms():
    uniform = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/w/virtualMachines/0"

    assert "Uniform" in uniform_instance(uniform).what
    assert uniform_instance(a_vm_id()) is None
    assert "Uniform" in only(lacks_eligibility(replace(VM, id=uniform))).what
