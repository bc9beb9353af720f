from dataclasses import replace

import pytest

from shared.domain.own_mechanism import own_mechanism
from shared.domain.places import Places
from shared.domain.planning.groups import place_of
from shared.domain.scale_sets import ScaleSet, with_set
from tests.builders import a_scale_set, a_set_id, a_view, a_vm, an_instance

SPREADING = a_scale_set(orchestration_mode="Flexible", fault_domain_count=1)
ALIGNED = a_scale_set(orchestration_mode="Flexible", fault_domain_count=3)


def of(scale_set: ScaleSet, **view):
    """A VM of a flexible set, as its set says."""
    vm = a_vm("web_1a2b", scale_set=scale_set.key, view=a_view(**view))
    return with_set(vm, {scale_set.key: scale_set})


def place(vm):
    found = place_of(vm, Places())
    return found.domain_set, found.domain


def test_an_instance_stands_in_its_update_domain_of_its_uniform_set():
    assert place(an_instance(3, update_domain=4, fault_domain=1)) == (a_scale_set().key, 4)


def test_a_vm_of_a_flexible_set_stands_in_its_fault_domain():
    assert place(of(ALIGNED, update_domain=4, fault_domain=2)) == (ALIGNED.key, 2)


def test_a_flexible_set_with_max_spreading_binds_nobody():
    assert place(of(SPREADING, update_domain=4, fault_domain=0))[0] == ""


def test_an_availability_set_goes_before_everything():
    vm = a_vm(availability_set=a_set_id(), view=a_view(update_domain=1, fault_domain=0))

    assert place(vm) == (a_set_id(), 1)


@pytest.mark.parametrize("count", [None, 3])
def test_without_a_domain_or_without_its_set_a_vm_goes_alone(count):
    unknown = a_scale_set(orchestration_mode="Flexible", fault_domain_count=count)
    vm = of(unknown, fault_domain=None if count else 0)

    assert place(vm) == (unknown.key, None)
    assert place_of(vm, Places()).goes_alone


def test_an_instance_without_tags_of_its_own_has_its_sets():
    scale_set = a_scale_set(tags={"tier": "web"}, host_group="/hostgroups/h")
    sets = {scale_set.key: scale_set}

    assert with_set(an_instance(0), sets).tags == {"tier": "web"}
    assert with_set(an_instance(0, tags={"tier": "db"}), sets).tags == {"tier": "db"}
    assert with_set(an_instance(0), sets).dedicated_host == "/hostgroups/h"
    assert with_set(an_instance(0), {}) == an_instance(0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"dedicated_host": "/hostgroups/g/hosts/h1"}, "(h1)"),
        ({"view": a_view(assigned_host="/hostgroups/g/hosts/h2")}, "(h2)"),
        ({"vm_size": "Standard_E104IS_v5"}, "Standard_E104IS_v5 is isolated"),
        ({"vm_size": "Standard_M192idms_v2"}, "isolated"),
    ],
)
def test_dedicated_hosts_and_isolated_sizes_have_a_mechanism_of_their_own(changes, told):
    assert told in own_mechanism(a_vm(**changes))
    assert "scope Host" in own_mechanism(a_vm(**changes))


@pytest.mark.parametrize("size", ["", "Standard_D4s_v5", "Standard_DS15_v2", "Standard_E64is_v3"])
def test_other_sizes_and_those_whose_isolation_ended_have_none(size):
    assert own_mechanism(a_vm(vm_size=size)) == ""
    assert own_mechanism(replace(a_vm(vm_size=size), view=None)) == ""
