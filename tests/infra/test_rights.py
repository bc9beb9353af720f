"""The custom roles have exactly the actions that the code calls, derived from what it sends over the wire."""

import asyncio
import inspect
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints

import pytest

from cli.paths import ROOT
from shared.adapters.arm import Arm, connect_arm
from shared.adapters.memory import MemoryClock
from shared.connections import connect
from shared.domain.errors import BatonError
from shared.domain.patching.results import InstallRequest
from shared.domain.rights import ACT, OBSERVE, OPTIONAL
from shared.outside import Outside
from shared.settings import read_settings
from tests.builders import a_scale_set
from tests.infra.bicep import Expression, read
from tests.integration.arm.emulator import SUB, fleet, serve, vm

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
COMPUTE = f"/subscriptions/{SUB}/resourceGroups/rg-shop/providers/Microsoft.Compute"
VM_ID = f"{COMPUTE}/virtualMachines/web-01"
SET = a_scale_set("api", subscription_id=SUB, resource_group="rg-shop")
INSTANCE_ID = f"{COMPUTE}/virtualMachineScaleSets/api/virtualMachines/0"
# Its instance has no tags of its own, so that those of the set are asked for.
UNTAGGED = {
    "name": "api",
    "mode": "uniform",
    "resource_group": "rg-shop",
    "subscription": SUB,
    "location": "westeurope",
    "instances": 1,
}
RIGHTS = ROOT / "infra/rights"
ROLES: dict[str, list[str]] = json.loads((RIGHTS / "actions.json").read_text())
# Microsoft's names, so that no other role slips in: least of all Owner or Contributor.
BUILT_IN = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "76199698-9eea-4c19-bc75-cec21354c6b6": "Storage Table Data Reader",
    "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0": "Azure Service Bus Data Receiver",
    "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": "Azure Service Bus Data Sender",
    "09976791-48a7-449e-bb21-39d1a415f350": "Communication and Email Service Owner",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "d5a91429-5739-47e2-a06b-3470a27159e7": "EventGrid Data Sender",
}


def actions_of(method: str, path: str, query: dict[str, str]) -> set[str]:
    """The actions that Resource Manager asks for, by its rule of naming them.

    After the provider types and names take turns; a GET is `read`, a PUT or PATCH `write`, a DELETE
    `delete`, and the last part of a POST is an action of its own.
    """
    _, found, after = path.strip("/").rpartition("/providers/")
    provider, *parts = (after if found else f"Microsoft.Resources{path}").split("/")
    types = parts[0::2]
    if method == "POST":
        return {f"{provider}/{'/'.join(types)}/action"}
    verb = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}[method]
    views = query.get("$expand", "").split(",")
    expanded = {f"{provider}/{'/'.join(types)}/{view}/read" for view in views if view}
    return {f"{provider}/{'/'.join(types)}/{verb}", *expanded}


@pytest.mark.parametrize(
    ("request_line", "action"),
    [
        ("GET /subscriptions", "Microsoft.Resources/subscriptions/read"),
        (f"GET /subscriptions/{SUB}", "Microsoft.Resources/subscriptions/read"),
        (
            f"GET /subscriptions/{SUB}/locations",
            "Microsoft.Resources/subscriptions/locations/read",
        ),
        (
            f"POST {VM_ID}/performMaintenance",
            "Microsoft.Compute/virtualMachines/performMaintenance/action",
        ),
        (f"PATCH {VM_ID}", "Microsoft.Compute/virtualMachines/write"),
        (
            f"GET /subscriptions/{SUB}/providers/Microsoft.Compute/locations/x/operations/y",
            "Microsoft.Compute/locations/operations/read",
        ),
        (
            f"GET /subscriptions/{SUB}/providers/Microsoft.Insights/eventtypes/management/values",
            "Microsoft.Insights/eventtypes/values/read",
        ),
    ],
)
def test_an_action_follows_from_the_request(request_line, action):
    method, path = request_line.split()

    assert actions_of(method, path, {}) == {action}


async def walk(adapter: Any, port: type, values: dict[str, Any]) -> None:
    """Calls every method of a port, with the value of each parameter's name.

    What comes back does not matter, only what was asked: so an answer that is an error is one too.
    """
    for name, method in inspect.getmembers(port, inspect.isfunction):
        if name.startswith("_"):
            continue
        parameters = [p for p in inspect.signature(method).parameters if p != "self"]
        called = getattr(adapter, name)(**{p: values[p] for p in parameters})
        try:
            if isinstance(called, AsyncIterator):
                _ = [item async for item in called]
            else:
                await called
        except BatonError:
            pass


# Field of Outside → what implements it, of those ports that Resource Manager stands behind.
BY_ARM: dict[str, Callable[[Arm], object]] = {
    "vms": lambda arm: arm,
    "patches": lambda arm: arm.patches,
}


async def asked_by(port: str) -> list[dict[str, Any]]:
    """Every request that a method of the port sends."""
    with serve(fleet(vm(), scale_set=[UNTAGGED])) as emulator:
        values = {
            "subscription_id": SUB,
            "scale_set": SET,
            "url": f"{emulator.url}/subscriptions/{SUB}/providers/Microsoft.Compute/locations/westeurope/operations/1",
            "request_id": "a-request",
            "request": InstallRequest(maximum_duration=timedelta(hours=1)),
            "within": timedelta(seconds=5),
            "since": NOW,
        }
        for vm_id in (VM_ID, INSTANCE_ID):
            for subscriptions in ((), (SUB,)):
                arm = connect_arm(emulator.url, "a-token", subscriptions, clock=MemoryClock(NOW))
                of_vm = values | {"vm_id": vm_id}
                await walk(BY_ARM[port](arm), get_type_hints(Outside)[port], of_vm)
                await arm.close()
        return [record for record in emulator.log() if record["kind"] == "request"]


@pytest.fixture(scope="module")
def called() -> dict[str, set[str]]:
    """Port → every action that it has a call for."""
    return {
        port: {
            action
            for record in asyncio.run(asked_by(port))
            for action in actions_of(record["method"], record["path"], record["query"])
        }
        for port in BY_ARM
    }


def differences(granted: Iterable[str], called: set[str]) -> list[str]:
    given = set(granted)
    extra = [f"{action} is granted, and nothing calls it" for action in sorted(given - called)]
    return extra + [f"{action} is called, and not granted" for action in sorted(called - given)]


def reads(called: dict[str, set[str]]) -> set[str]:
    return {action for actions in called.values() for action in actions if is_read(action)}


def is_read(action: str) -> bool:
    return action.endswith("/read")


def changes(actions: set[str]) -> set[str]:
    return {action for action in actions if not is_read(action)}


def test_every_port_that_resource_manager_stands_behind_is_walked():
    settings = {"BATON_TABLES__endpoint": "https://x.example", "BATON_BUS": "a=b;c=d"}
    outside = connect(read_settings(settings))
    of_arm = {
        field.name
        for field in fields(outside)
        if type(getattr(outside, field.name)).__module__.startswith("shared.adapters.arm")
    }

    assert of_arm == BY_ARM.keys()


def test_the_role_to_observe_has_exactly_the_reads(called):
    assert differences(ROLES["observe"], reads(called)) == []


def test_the_role_to_act_has_exactly_the_changes(called):
    assert differences(ROLES["act"], changes(called["vms"])) == []


def test_patching_adds_exactly_its_changes(called):
    assert differences(ROLES["patch"], changes(called["patches"])) == []


def test_the_doctor_asks_for_the_same():
    assert differences(ROLES["observe"], {*OBSERVE, *OPTIONAL}) == []
    assert differences(ROLES["act"], set(ACT)) == []


def test_one_action_too_many_is_found(called):
    seeded = [*ROLES["observe"], "Microsoft.Compute/virtualMachines/write"]

    assert differences(seeded, reads(called)) == [
        "Microsoft.Compute/virtualMachines/write is granted, and nothing calls it"
    ]


def test_one_action_too_few_is_found(called):
    seeded = [action for action in ROLES["observe"] if "operations" not in action]

    assert differences(seeded, reads(called)) == [
        "Microsoft.Compute/locations/operations/read is called, and not granted"
    ]


@pytest.mark.parametrize("scope", ["resource-group", "subscription", "management-group"])
def test_acting_and_patching_are_granted_only_where_they_are_wanted(scope):
    rights = read(RIGHTS / f"{scope}.bicep")

    assert rights.variables["roles"].values == (
        [Expression("observe"), Expression("change")],
        [Expression("observe")],
    )
    assert rights.variables["observe"]["actions"] == Expression("actions.observe")
    assert rights.variables["change"]["actions"] == Expression(
        "concat(actions.act, patching ? actions.patch : [])"
    )
    assert not any(rights.params[name] for name in ("act", "patching"))
    (role,) = [r for r in rights.resources if r.type.endswith("roleDefinitions")]
    (permission,) = role.body["properties"]["permissions"]
    assert permission == {"actions": Expression("role.actions"), "notActions": []}


def test_in_dry_run_there_is_no_right_to_act():
    main = read(ROOT / "infra/main.bicep")

    (rights,) = [module for module in main.modules if module.symbol == "rights"]
    assert rights.params["act"] == Expression("mode != 'dryRun'")


def test_the_scopes_differ_in_nothing_else():
    scoped = r"(resource|management)?-?[gG]roup(\(\))?|subscription(\(\))?"
    names = r"\.(name|subscriptionId)|\$\{subscription\(\)\.subscriptionId\}/|s of a .*"

    def bare(path: Any) -> str:
        return re.sub(scoped, "SCOPE", re.sub(names, "", path.read_text()))

    assert len({bare(path) for path in RIGHTS.glob("*.bicep")}) == 1


def test_no_other_role_is_granted():
    guid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    granted = {
        found
        for path in (ROOT / "infra").rglob("*.bicep")
        for found in guid.findall(path.read_text())
    }

    assert granted == BUILT_IN.keys()
