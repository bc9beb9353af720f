"""Fleet files: one bad VM stops no other, and a list that looks incomplete is told."""

import json
from pathlib import Path

import pytest

from cli.fleet_files import read_fleet
from shared.domain.errors import InvalidInput
from tests.builders import a_scale_set, a_vm_id, an_instance


def resource(name: str = "web-1", **properties: object) -> dict[str, object]:
    properties.setdefault("instanceView", {})
    return {"id": a_vm_id(name), "name": name, "location": "westeurope", "properties": properties}


@pytest.fixture
def file(tmp_path: Path):
    def write(document: object) -> Path:
        path = tmp_path / "vms.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


@pytest.mark.parametrize("wrap", [lambda items: items, lambda items: {"value": items}])
def test_both_forms_of_a_list_are_read(file, wrap):
    fleet = read_fleet(file(wrap([resource("web-1"), resource("web-2")])))

    assert [vm.name for vm in fleet.vms] == ["web-1", "web-2"]
    assert (fleet.unreadable, fleet.notes) == ((), ())


def test_a_bad_vm_is_named_with_the_field_and_stops_no_other(file):
    bad = resource("web-2", instanceView={"platformUpdateDomain": "two"})

    fleet = read_fleet(file([resource("web-1"), bad, 5, resource("web-3")]))

    assert [vm.name for vm in fleet.vms] == ["web-1", "web-3"]
    assert [(item.vm_id, item.problem.field) for item in fleet.unreadable] == [
        (a_vm_id("web-2"), "properties.instanceView.platformUpdateDomain"),
        ("(a VM without an id)", "(the item)"),
    ]


def test_a_vm_that_is_listed_twice_counts_once_whatever_its_case(file):
    again = {**resource("web-1"), "id": a_vm_id("web-1").upper()}

    fleet = read_fleet(file([resource("web-1"), again]))

    assert len(fleet.vms) == 1
    assert str(fleet.unreadable[0].problem).endswith("expected each VM once")


def test_a_page_of_several_and_vms_without_a_view_are_told(file):
    bare = resource("web-1")
    bare["properties"] = {}

    fleet = read_fleet(file({"value": [bare, resource("web-2")], "nextLink": "https://more"}))

    assert "one page of several" in fleet.notes[0]
    assert "1 of 2 VMs have no properties.instanceView" in fleet.notes[1]


def a_set(mode: str = "Flexible") -> dict[str, object]:
    properties = {"orchestrationMode": mode, "platformFaultDomainCount": 3}
    return {"id": a_scale_set("api").id, "tags": {"tier": "api"}, "properties": properties}


def test_a_scale_set_in_the_file_says_how_its_vms_are_kept_apart(file):
    of_set = {"virtualMachineScaleSet": {"id": a_scale_set("api").id.upper()}}
    one = resource("api_1", instanceView={"platformFaultDomain": 2}, **of_set)

    (known,) = read_fleet(file([one, a_set()])).vms
    alone = read_fleet(file([one]))

    assert (known.domain_set, known.domain) == (a_scale_set("api").key, 2)
    assert alone.vms[0].domain is None
    assert "1 of 1 VMs are of flexible scale sets that are not in it" in alone.notes[0]


def test_instances_of_a_uniform_scale_set_are_vms_with_the_tags_of_their_set(file):
    instance = resource("api_3", instanceView={"platformUpdateDomain": 1})
    instance |= {"id": an_instance(3, of=a_scale_set("api")).id, "sku": {"name": "Standard_D2"}}

    fleet = read_fleet(file([a_set("Uniform"), instance]))

    (vm,) = fleet.vms
    assert (vm.name, vm.domain, vm.vm_size) == ("api_3", 1, "Standard_D2")
    assert (vm.tags, fleet.notes) == ({"tier": "api"}, ())


def test_a_bad_scale_set_is_named_and_stops_no_vm(file):
    fleet = read_fleet(file([{**a_set(), "properties": 7}, resource("web-1")]))

    assert [one.vm_id for one in fleet.unreadable] == [a_scale_set("api").id]
    assert len(fleet.vms) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1 is '{'; expected JSON"),
        ('{"items": []}', "the document is 'dict'; expected [...] or"),
        ("5", "the document is 'int'"),
        ("[NaN]", "the document is 'NaN'; expected JSON"),
        ("[" * 100_000, "expected JSON"),
    ],
)
def test_a_file_that_is_no_list_of_resources_is_refused(file, text, says):
    with pytest.raises(InvalidInput) as caught:
        read_fleet(file(text))

    assert says in str(caught.value)
