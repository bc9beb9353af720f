import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.vm_ids import VmId, name_of

GROUP = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute"
INSTANCE = f"{GROUP}/virtualMachineScaleSets/web/virtualMachines/3"
parts = st.text("abcXYZ019._-", min_size=1, max_size=8)


def test_a_vm_of_its_own_has_a_name_and_no_instance_id():
    found = VmId.parse(f"{GROUP}/virtualMachines/Db-1")

    assert found == VmId(subscription_id="S", resource_group="G", name="Db-1")


def test_an_instance_is_named_as_azure_names_it():
    assert VmId.parse(INSTANCE) == VmId(
        subscription_id="S",
        resource_group="G",
        name="web_3",
        scale_set="web",
        instance_id="3",
    )
    assert name_of(INSTANCE.lower()) == "web_3"


@given(parts, parts, parts, parts)
def test_case_and_slashes_around_it_do_not_matter(subscription, group, scale_set, instance):
    path = f"subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"
    vm_id = f"/{path}/virtualMachineScaleSets/{scale_set}/virtualMachines/{instance}"

    found = VmId.parse(vm_id)

    assert (found.scale_set, found.instance_id) == (scale_set, instance)
    assert VmId.parse(vm_id.upper() + "/").name == found.name.upper()


@pytest.mark.parametrize(
    "vm_id",
    [
        "",
        "web-1",
        f"{GROUP}/virtualMachines/",
        f"{GROUP}/virtualMachineScaleSets/web",
        f"{GROUP}/virtualMachineScaleSets//virtualMachines/3",
        f"{GROUP}/disks/web/virtualMachines/3",
        f"{INSTANCE}/networkInterfaces/nic",
    ],
)
def test_another_id_is_refused_and_called_by_its_last_part(vm_id):
    with pytest.raises(ValueError, match="not the id of a virtual machine"):
        VmId.parse(vm_id)

    assert name_of(vm_id) == vm_id.rsplit("/", 1)[-1]
