"""`./baton hotpatch` on real tables and Azure's wire."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cli import say
from cli.hotpatch import assess, enrol, history, onboard, status
from shared.adapters.table_policies import TablePolicies
from shared.adapters.tables import connect_tables
from shared.ports import PolicyRow
from shared.settings import read_settings
from shared.use_cases.onboard import FEATURES
from tests.integration.arm.emulator import SUB, Emulator, fleet, serve, vm
from tests.integration.cli.timers import the_app

ROOT = Path(__file__).parents[3]
IMAGE = "MicrosoftWindowsServer:WindowsServer:2022-datacenter-azure-edition-core"
RELEASES = [
    {"kb": "5000001", "at": "-40d", "kind": "baseline"},
    {"kb": "5000002", "at": "-1m", "kind": "hotpatch"},
]
QUICK = {"assess_seconds": 0.05, "install_seconds": 0.05}
DUE = {**QUICK, "patched_to": "-2m"}


class Desk:
    """A fleet on the emulator, settings that name it, and what a person sees of a verb."""

    def __init__(self, arm: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
        self.arm = arm
        self._capsys = capsys

    def run(self, verb: Any) -> tuple[int, str]:
        code = say.run(verb)
        out, err = self._capsys.readouterr()
        return code, out + err

    def json(self, verb: Any) -> Any:
        code, said = self.run(verb)
        assert code == 0, said
        return json.loads(said)

    def asked(self, *, method: str, ends: str) -> list[str]:
        found = (it for it in self.arm.log() if it.get("method") == method)
        return [it["path"] for it in found if it["path"].lower().endswith(ends)]


@pytest.fixture
def desk_of(azurite, monkeypatch, capsys):
    @contextmanager
    def made(*vms: dict[str, Any], **tables: Any) -> Iterator[Desk]:
        with serve(fleet(*vms, **{"release": RELEASES, **tables})) as arm:
            for name, value in {
                "BATON_TABLES": azurite,
                "BATON_TABLE_PREFIX": f"T{uuid4().hex[:12]}",
                "BATON_ARM_URL": arm.url,
                "BATON_MODE": "live",
            }.items():
                monkeypatch.setenv(name, value)
            yield Desk(arm, capsys)

    return made


def of_features(mode: str, *denied: str, seconds: float = 0.2) -> dict[str, Any]:
    return {"id": SUB, "features": mode, "denied": list(denied), "feature_seconds": seconds}


def test_onboarding_registers_the_features_and_then_the_provider(desk_of):
    with desk_of(vm(), subscription=[of_features("open")]) as desk:
        code, said = desk.run(lambda: onboard.run(SUB, "PT0.1S"))
        registered = desk.asked(method="POST", ends="/register")
        again, _ = desk.run(lambda: onboard.run(SUB, "PT0.1S"))

    assert (code, again) == (0, 0)
    assert f"Subscription {SUB} is ready for Hotpatch." in said
    for name in FEATURES:
        assert f"{name}: Registered" in said
    assert [path.split("/")[-2] for path in registered] == [*FEATURES, "Microsoft.Compute"]


def test_onboarding_that_was_killed_goes_on_where_it_was(desk_of):
    with desk_of(vm(), subscription=[of_features("open", seconds=2.0)]) as desk:
        command = [sys.executable, "-m", "cli", "hotpatch", "onboard", "--subscription", SUB]
        process = subprocess.Popen(
            [*command, "--every", "PT0.1S"], cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE
        )
        try:
            desk.arm.wait_for(lambda: len(desk.asked(method="POST", ends="/register")) >= 3)
        finally:
            process.kill()
            process.communicate()
        half_way = desk.json(lambda: status.run(None, SUB, as_json=True))
        code, said = desk.run(lambda: onboard.run(SUB, "PT0.1S"))
        registered = desk.asked(method="POST", ends="/register")

    assert set(half_way["features"].values()) == {"Registering"}
    assert code == 0, said
    # Nothing that Azure is at was asked for twice.
    assert [path.split("/")[-2] for path in registered] == [*FEATURES, "Microsoft.Compute"]


def test_where_the_features_are_gone_it_says_that_none_is_needed(desk_of):
    with desk_of(vm()) as desk:
        code, said = desk.run(lambda: onboard.run(SUB, "PT0.1S"))
        registered = desk.asked(method="POST", ends="/register")

    assert (code, registered) == (0, [])
    assert "needs no onboarding" in said
    assert "generally available" in said


@pytest.mark.parametrize(
    "right",
    [
        "Microsoft.Features/providers/features/read",
        "Microsoft.Features/providers/features/register/action",
        "Microsoft.Compute/register/action",
    ],
)
def test_where_the_identity_lacks_a_right_it_is_named(desk_of, right):
    with desk_of(vm(), subscription=[of_features("open", right)]) as desk:
        code, said = desk.run(lambda: onboard.run(SUB, "PT0.1S"))

    assert code == 1
    assert f"The app's identity needs {right} there." in said


@pytest.mark.parametrize("subscription", ["", "shop", SUB + "/x"])
def test_a_subscription_is_a_guid(desk_of, subscription):
    with desk_of(vm()) as desk:
        code, said = desk.run(lambda: onboard.run(subscription, "10s"))

    assert code == 2
    assert "--subscription" in said


def test_a_vm_is_enrolled_and_taken_out_with_what_that_means(desk_of):
    outside = {"mode": "AutomaticByOS", "hotpatching": False, "reboot_setting": ""}
    with desk_of(vm(image=IMAGE, patching=outside)) as desk:
        enabled = desk.run(lambda: enrol.enable("WEB-01"))
        shown = desk.arm.vm()
        again = desk.run(lambda: enrol.enable("web-01"))
        warned = desk.run(lambda: enrol.disable("web-01", yes=False))
        still = desk.arm.vm()["hotpatching"]
        disabled = desk.run(lambda: enrol.disable("web-01", yes=True))
        after = desk.arm.vm()

    assert enabled[0] == again[0] == disabled[0] == 0
    assert (shown["patchMode"], shown["hotpatching"]) == ("AutomaticByPlatform", True)
    assert "already" in again[1]
    assert warned[0] == 1
    assert "only from the next baseline on, planned for" in warned[1]
    assert still
    assert (after["patchMode"], after["hotpatching"]) == ("AutomaticByPlatform", False)


def test_enrolling_keeps_the_other_settings(desk_of):
    own = {"mode": "AutomaticByPlatform", "hotpatching": False, "reboot_setting": "Never"}
    with desk_of(vm(image=IMAGE, patching=own)) as desk:
        assert desk.run(lambda: enrol.enable("web-01"))[0] == 0
        [seen] = desk.json(lambda: status.run("web-01", None, as_json=True))

    assert (seen["rebootSetting"], seen["assessmentMode"]) == ("Never", "AutomaticByPlatform")


def test_a_vm_that_cannot_have_hotpatch_is_left_alone_with_each_reason(desk_of):
    with desk_of(vm()) as desk:
        code, said = desk.run(lambda: enrol.enable("web-01"))
        patched = desk.asked(method="PATCH", ends="web-01")

    assert (code, patched) == (1, [])
    assert "2022-datacenter-g2" in said
    assert "not supported" in said


def test_azures_refusal_of_a_setting_is_told_in_its_words(desk_of):
    right = "Microsoft.Compute/virtualMachines/write"
    spec = vm(image=IMAGE, patching={"hotpatching": False})
    with desk_of(spec, subscription=[of_features("gone", right)]) as desk:
        code, said = desk.run(lambda: enrol.enable("web-01"))

    assert code == 1
    assert right in said


@pytest.mark.parametrize("name", ["nobody", "/subscriptions/s/resourceGroups/g/providers/x"])
def test_a_vm_that_is_not_there_is_named(desk_of, name):
    with desk_of(vm(image=IMAGE)) as desk:
        code, said = desk.run(lambda: enrol.enable(name))

    assert code in (1, 2)
    assert name in said


def test_an_instance_of_a_uniform_scale_set_is_refused_with_the_reason(desk_of):
    sets = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets"
    with desk_of(vm()) as desk:
        code, said = desk.run(lambda: enrol.enable(f"{sets}/w/virtualMachines/0"))

    assert code == 2
    assert "Uniform" in said


def test_an_assessment_lists_what_is_missing(desk_of):
    with desk_of(vm(image=IMAGE, patching=DUE)) as desk:
        found = desk.json(lambda: assess.run("web-01", "PT0.05S", as_json=True))

    assert [(patch["kbId"], patch["rebootBehavior"]) for patch in found] == [
        ("5000002", "NeverReboots")
    ]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("Failed", "WindowsUpdateSearchFailed"),
        ("Refuse409", "OperationNotAllowed"),
        ("Busy409", "AnotherOperationInProgress"),
    ],
)
def test_an_assessment_that_fails_says_why(desk_of, word, says):
    with desk_of(vm(image=IMAGE, patching={**DUE, "assess": [word]})) as desk:
        code, said = desk.run(lambda: assess.run("web-01", "PT0.05S", as_json=False))

    assert code == 1
    assert says in said


def test_history_has_the_installations_with_their_errors(desk_of):
    asked = {
        "maximumDuration": "PT1H",
        "rebootSetting": "Never",
        "windowsParameters": {"classificationsToInclude": ["Security"]},
    }
    with desk_of(vm(image=IMAGE, patching={**DUE, "install": ["Failed"]})) as desk:
        path = f"{desk.arm.vm()['id']}/installPatches?api-version=2026-04-01"
        body, headers = json.dumps(asked).encode(), {"Authorization": "Bearer loopback"}
        assert desk.arm.send("POST", path, body, headers) == 202
        desk.arm.wait_for(lambda: "installFailed" in desk.arm.events())
        [one] = desk.json(lambda: history.run("web-01", as_json=True))

    assert (one["status"], one["failedPatchCount"]) == ("Failed", 1)
    assert "0x80070643" in one["error"]


def test_the_timer_writes_a_row_for_each_watched_vm_and_status_shows_them(desk_of):
    """From the policy's row to the row of BatonPatches, over both real wires."""
    with desk_of(
        vm("web-01", image=IMAGE, patching=DUE),
        vm("web-02", image=IMAGE, patching={**QUICK, "hotpatching": False}),
        vm("web-03"),
    ) as desk:
        asyncio.run(write_policy(match="name:web-*", patching="observe"))
        asyncio.run(watch())
        desk.arm.wait_for(lambda: "assessed" in desk.arm.events())
        asyncio.run(watch())
        rows = desk.json(lambda: status.run(None, None, as_json=True))
        code, table = desk.run(lambda: status.run(None, None, as_json=False))

    assert code == 0
    states = {row["vmName"]: row["state"] for row in rows}
    assert states == {"web-01": "due", "web-02": "notEnrolled", "web-03": "notEligible"}
    assert "1 due, 1 notEnrolled, 1 notEligible" in table


async def write_policy(**columns: str) -> None:
    """As a person would."""
    settings = read_settings(bus_required=False)
    tables = connect_tables(settings.tables, None, None, settings.table_prefix)
    await TablePolicies(tables).write(PolicyRow(team="shop", policy="web", columns=columns))
    await tables.close()


async def watch() -> None:
    """What the app's timer does."""
    async with the_app() as app:
        await app.watch_patches()
