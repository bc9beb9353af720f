"""The verdict on scale sets: which domains are apart, that nobody redeploys a whole set, and what is left alone."""

from dataclasses import replace
from typing import Any

import pytest

from simulator.arm.cloud import Cloud
from simulator.promises import Evidence, judge
from simulator.promises.model import Machine, PolicyEdit
from simulator.promises.placement import clash
from simulator.promises.reading import read_evidence
from simulator.promises.selectors import selects
from simulator.scenario import parse_scenario
from simulator.scenario_model import Scenario
from tests.unit.simulator_arm.fleet import SUB, T0, WINDOWS, vm

PLACE = {"resource_group": "rg-shop", "subscription": SUB, "location": "westeurope"}
FLEET: dict[str, Any] = {
    "title": "t",
    "subscription": [{"id": SUB}],
    "vm": [vm("hosted", host_group="hosts"), vm("alone", size="Standard_E80ids_v4")],
    "scale_set": [
        {"name": "web", "mode": "uniform", "instances": 6, "maintenance": WINDOWS, **PLACE},
        {"name": "api", "mode": "flexible", "instances": 3, "fault_domains": 2, **PLACE},
        {"name": "any", "mode": "flexible", "instances": 2, **PLACE},
    ],
}


def evidence(*log: dict[str, Any], **changes: Any) -> Evidence:
    scenario: Scenario = parse_scenario({**FLEET, **changes}, "test.toml")
    every = PolicyEdit(at=T0, team="shop", name="all", columns={"match": "*", "gap": "1s"})
    return read_evidence(
        scenario=scenario, t0=T0, log=log, vms=(), rows=(), edits=[every], mails=()
    )


def machines() -> dict[str, Machine]:
    return {machine.name: machine for machine in evidence().machines.values()}


def violations(promise: str, found: Evidence) -> tuple[str, ...]:
    (verdict,) = [it for it in judge(found) if it.promise == promise]
    return verdict.violations


def post(vm_id: str, **more: Any) -> dict[str, Any]:
    started = {"vmId": vm_id, "accepted": True, "maintenanceId": "m", "reason": ""}
    at = {"kind": "request", "seq": 1, "time": T0.isoformat()}
    return {**at, "path": f"{vm_id}/performMaintenance", **started, **more}


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("web_0", "web_1", "update domains 0 and 1 of one set"),
        ("web_0", "web_5", ""),
        ("api_00000000", "api_00000001", "fault domains 0 and 1 of one set"),
        ("api_00000000", "api_00000002", ""),
        ("any_00000000", "any_00000001", ""),
        ("web_0", "api_00000001", ""),
    ],
)
def test_only_one_domain_of_a_scale_set_may_be_away(one: str, other: str, why: str) -> None:
    known = machines()

    assert clash(known[one], known[other], {}, of_one_policy=False) == why


@pytest.mark.parametrize("name", ["web_0", "api_00000000"])
def test_a_domain_that_is_not_known_is_no_other(name: str) -> None:
    known = replace(machines()[name], update_domain=None, fault_domain=None)

    assert "unknown" in clash(known, known, {}, of_one_policy=False)


def test_a_set_is_selected_by_its_name_whatever_its_orchestration() -> None:
    selected = [name for name, each in machines().items() if selects("vmss:A*", each)]

    assert {name.partition("_")[0] for name in selected} == {"api", "any"}
    assert len(selected) == 5


def test_a_redeploy_of_an_instance_is_judged_like_any_other() -> None:
    key = machines()["web_3"].key

    found = evidence(post(key))

    assert [(it.vm, it.accepted, it.maintenance) for it in found.starts] == [(key, True, "m")]
    assert violations("P2", found) == ()


def test_a_request_for_a_whole_set_breaks_a_promise_and_for_named_instances_does_not() -> None:
    key = machines()["web_3"].key
    of_set = post(key.rpartition("/virtualmachines/")[0], instances=[post(key)])

    named, of_all = evidence({**of_set, "asked": ["3"]}), evidence({**of_set, "asked": []})

    assert violations("P2", named) == ()
    assert violations("P2", of_all) == (
        "web at 12:00:00.000: asked for every instance of the scale set, naming none",
    )
    assert [it.vm for it in named.accepted] == [it.vm for it in of_all.accepted] == [key]


@pytest.mark.parametrize("name", ["hosted", "alone"])
def test_a_vm_on_a_dedicated_host_or_isolated_is_nobodys_to_redeploy(name: str) -> None:
    found = evidence(post(machines()[name].key))

    assert violations("P2", found) == (f"{name} at 12:00:00.000: left to its host's mechanism",)


def test_a_vm_that_is_left_alone_needs_no_outcome() -> None:
    lost = violations("P6", evidence())

    assert [text.partition(" ")[0] for text in lost] == [f"web_{number}" for number in range(6)]


def test_the_emulator_and_the_verdict_call_each_vm_the_same() -> None:
    cloud = Cloud(parse_scenario(FLEET, "test.toml"), T0)

    assert set(cloud.vms) == set(evidence().machines)
