"""The checker's own reading of selectors and stages."""

import pytest

from simulator.promises.model import Machine
from simulator.promises.policies import Policy, selects

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
    ],
)
def test_the_stage_of_a_vm(sequence, stage):
    assert Policy("shop", "web", {"sequence": sequence}).stage(WEB) == stage
