"""The checker's own reading of selectors and stages."""

import pytest

from simulator.promises.model import Machine
from simulator.promises.policies import Policy, keepers, owner
from simulator.promises.selectors import selects

WEB = Machine(
    key="web-01",
    name="Web-01",
    resource_group="rg-prod-shop",
    subscription="11111111-1111-4111-8111-111111111111",
    location="westeurope",
    zone="2",
    tags={"Tier": "web", "order": "7", "note": "has, comma"},
)


@pytest.mark.parametrize(
    "selector",
    [
        "*",
        "name:web-*",
        "name:WEB-0?",
        "rg:prod-*,rg-prod-*",
        "tag:tier=db,web",
        "tag:tier",
        "tag:missing,tier",
        "zone:2 location:westeurope",
        "!name:*-test",
        "!tag:retired",
        'tag:note="has, comma"',
        'tag:"tier"=web',
        'location:"West Europe"',
        "TAG:TIER=W?B RG:RG-*",
        "sub:11111111-1111-4111-8111-111111111111",
    ],
)
def test_a_selector_that_means_the_vm(selector):
    assert selects(selector, WEB)


@pytest.mark.parametrize(
    "selector",
    [
        "name:web",
        "name:*-test",
        "tag:tier=db",
        "zone:1",
        "!*",
        "name:web-* !zone:2",
        "name:web-[0]1",
        'name:"web-*"',
    ],
)
def test_a_selector_that_does_not(selector):
    assert not selects(selector, WEB)


@pytest.mark.parametrize(
    ("sequence", "stage"),
    [
        ("", 1),
        ("tag:tier=db; tag:tier=web", 2),
        ("tag:tier=web; name:web-*", 1),
        ("tag:tier=db", float("inf")),
        ("tag:order", 7),
        ("tag:tier", float("inf")),
        ("tag:missing", float("inf")),
        ('TAG:"order"', 7),
        ('tag:note="a;b"; name:web-*', 2),
        ("tag:order name:web-*", 1),
    ],
)
def test_the_stage_of_a_vm(sequence, stage):
    assert Policy("shop", "web", {"sequence": sequence}).stage(WEB) == stage


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {
            "match": "name:web-*",
            "exclude": "",
            "gap": None,
            "status": "error",
            "statusMessage": "!",
        },
        {"windows": "Mon 22:00-04:00", "timeZone": "Europe/Berlin", "freezes": "2026-12-24"},
        {"approval": "required", "retryAborted": True, "retries": 0, "onFailure": "continue"},
    ],
)
def test_a_right_row(columns):
    assert Policy("shop", "web", columns).wrong == ()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("freeze", "2026-12-24"),
        ("enabled", "yes"),
        ("priority", "high"),
        ("priority", True),
        ("match", "web-*"),
        ("match", "* colour:red"),
        ("exclude", "name:"),
        ("exclude", 'name:"web'),
        ("sequence", ";"),
        ("sequence", "tag:tier=db; web"),
        ("gap", "15"),
        ("gap", 15),
        ("stageGap", "soon"),
        ("concurrency", 0),
        ("windows", "at night"),
        ("timeZone", "Middle-earth/Shire"),
        ("freezes", "2026-12-24T10:00"),
        ("estimate", "0s"),
        ("lead", "-5m"),
        ("onFailure", "stop"),
        ("retries", -1),
        ("retryAborted", "true"),
        ("approval", "yes"),
        ("owners", 7),
    ],
)
def test_a_wrong_row_and_the_column_that_is_wrong(column, value):
    assert Policy("shop", "web", {"match": "name:web-*", column: value}).wrong == (column,)


def test_a_tie_is_between_the_lowest():
    high, low, other = (
        Policy("shop", name, {"priority": number})
        for name, number in (("high", 1), ("low", 9), ("other", 9))
    )

    assert keepers([low, other, high], WEB) == [high]
    assert keepers([low, other], WEB) == [low, other]
    assert (owner([low, other, high], WEB), owner([low, other], WEB)) == (high, None)


@pytest.mark.parametrize(
    ("columns", "keeps"),
    [
        ({"freeze": "2026-12-24"}, True),
        ({"enabled": "yes"}, True),
        ({"enabled": False, "freeze": "2026-12-24"}, False),
        ({"match": "web-*"}, False),
        ({"exclude": "web-*"}, False),
        ({"priority": "high"}, False),
    ],
)
def test_a_wrong_row_keeps_its_vms_while_what_it_means_can_be_read(columns, keeps):
    policy = Policy("shop", "web", columns)

    assert keepers([policy], WEB) == ([policy] if keeps else [])
    assert owner([policy], WEB) is None
