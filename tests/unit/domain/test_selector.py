import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidInput
from shared.domain.maintenance import Vm
from shared.domain.selector import numbered_tag, parse_selector, split_selectors


def vm(**changes):
    values = {
        "id": "/subscriptions/S1/resourceGroups/rg-Prod-eu/providers/Microsoft.Compute/virtualMachines/Web-01",
        "name": "Web-01",
        "resource_group": "rg-Prod-eu",
        "subscription_id": "S1",
        "location": "westeurope",
        "zone": "1",
        "scale_set": "/subscriptions/s1/resourcegroups/g/providers/microsoft.compute/virtualmachinescalesets/web-vmss",
        "tags": {"Tier": "Web", "owner": "shop team", "note": "a=b;c"},
    }
    return Vm(**{**values, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "name:web-*",
        "NAME:WEB-0?",
        "vmss:web-vmss",
        "vmss:api,WEB-*",
        "!vmss:api",
        "rg:rg-prod-*",
        "sub:s1",
        "location:westeurope",
        'location:"West Europe"',
        "zone:1",
        "zone:1,2",
        "tag:tier=web",
        "tag:TIER=WEB",
        "tag:tier",
        "tag:nothing,tier",
        "tag:tier=db,web",
        'tag:owner="shop team"',
        'tag:note="a=b;c"',
        "tag:note=a=b;c",
        "!name:db-*",
        "name:web-* !tag:tier=db zone:1",
        "name:db-*,web-*",
        "  name:web-*   zone:1 ",
    ],
)
def test_matches(text):
    assert parse_selector(text, field="match").matches(vm())


@pytest.mark.parametrize(
    "text",
    [
        "!*",
        "name:web",
        "vmss:web",
        "!vmss:web-*",
        "name:web-?",
        'name:"web-*"',
        "sub:s2",
        "zone:2",
        "tag:tier=db",
        "tag:missing",
        "tag:missing=web",
        "name:web-* zone:2",
        "!name:db-*,web-*",
    ],
)
def test_does_not_match(text):
    assert not parse_selector(text, field="match").matches(vm())


def test_a_vm_without_a_scale_set_is_in_none_of_them():
    assert not parse_selector("vmss:*", field="match").matches(vm(scale_set=""))


def test_a_vm_without_a_zone_matches_no_zone():
    assert not parse_selector("zone:*", field="match").matches(vm(zone=""))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "web-*",
        "nme:web",
        "name:",
        "name:a,,b",
        "tag:",
        "tag:=x",
        "tag:a,b=c",
        '"name:web',
        'name:"web',
        "!",
        "!!*",
        "name",
    ],
)
def test_refuses_and_names_the_term(text):
    with pytest.raises(InvalidInput) as caught:
        parse_selector(text, field="exclude")

    assert caught.value.problems[0].field == "exclude"
    assert (
        "name:web-*" in caught.value.problems[0].expected
        or "quotes" in caught.value.problems[0].expected
    )


@given(st.text(alphabet='nametg:*?!",;= \\([{^$.|+-', max_size=30))
def test_never_fails_in_another_way_and_never_hangs(text):
    try:
        parse_selector(text, field="match").matches(vm(name="a" * 60))
    except InvalidInput:
        pass


def test_stages_are_split_at_semicolons_outside_quotes():
    assert split_selectors('tag:tier=db; tag:note="a;b" ;; *', field="sequence") == (
        "tag:tier=db",
        'tag:note="a;b"',
        "*",
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("tag:Order", "order"),
        (' tag:"my order" ', "my order"),
        ("tag:order=1", ""),
        ("tag:a; tag:b", ""),
        ("tag:o*", ""),
        ("tag:a,b", ""),
        ("name:x", ""),
    ],
)
def test_exactly_one_tag_without_a_value_numbers_the_stages(text, name):
    assert numbered_tag(text) == name


def test_a_glob_of_many_stars_is_read_at_once():
    """With backtracking it would take longer than the universe has been there."""
    many = parse_selector("name:" + "*a" * 60 + "*b", field="match")

    assert not many.matches(vm(name="a" * 200))
    assert many.matches(vm(name="a" * 200 + "b"))


@given(glob=st.text("ab*?", min_size=1, max_size=8), name=st.text("ab", max_size=8))
def test_a_glob_fits_what_it_fits_by_its_definition(glob, name):
    def fits(glob, name):
        if not glob:
            return not name
        if glob[0] == "*":
            return fits(glob[1:], name) or bool(name and fits(glob, name[1:]))
        return bool(name) and glob[0] in ("?", name[0]) and fits(glob[1:], name[1:])

    assert parse_selector(f"name:{glob}", field="match").matches(vm(name=name)) == fits(glob, name)
