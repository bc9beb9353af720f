"""The operator's verbs on real tables and Azure's wire, before and after a discovery."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cli import approve, explain, plan, policies, say, status, steering
from cli.given import Given
from shared.adapters.system_clock import SystemClock
from tests.integration.arm.emulator import fleet, serve, vm
from tests.integration.cli.timers import the_app

POLICIES = """
shop:
  web: {match: 'name:web-*', approval: required, gap: 1m, estimate: 2m}
  wrong: {match: 'name:wrong-*'}
"""
NOTHING = Given()


class Terminal:
    """The verbs, on settings that name real tables and the ARM emulator."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.clock = SystemClock().now()

    def json(self, verb: Any) -> Any:
        assert say.run(verb) == 0
        return json.loads(self._capsys.readouterr().out)

    def plan(self) -> Any:
        return self.json(lambda: plan.run(NOTHING, self.clock, as_json=True, html=None))

    def explain(self, name: str) -> Any:
        return self.json(lambda: explain.run(name, NOTHING, self.clock, as_json=True))

    def ask(self, verb: Any, *what: str) -> Any:
        request = steering.Request(by="ann", reason="a bad night", as_json=True)
        return self.json(lambda: verb(*what, request))

    def refused(self, verb: Any, *what: str) -> tuple[int, str]:
        code = say.run(lambda: verb(*what, steering.Request(by="ann")))
        return code, self._capsys.readouterr().err

    def status(self) -> Any:
        return self.json(lambda: status.run(as_json=True, watch=False))

    def approve(self, policy: str) -> tuple[int, str]:
        code = say.run(lambda: approve.run(policy, None, "ann", clock=self.clock, as_json=False))
        out, err = self._capsys.readouterr()
        return code, out + err


@pytest.fixture
def terminal(
    azurite: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Terminal]:
    quiet = {key: value for key, value in vm("quiet-01").items() if key != "maintenance"}
    machines = fleet(vm("web-01"), vm("web-02"), vm("lab-01"), quiet)
    with serve(machines) as emulator:
        for name, value in {
            "BATON_TABLES": azurite,
            "BATON_TABLE_PREFIX": f"T{uuid4().hex[:12]}",
            "BATON_ARM_URL": emulator.url,
            "BATON_MODE": "live",
        }.items():
            monkeypatch.setenv(name, value)
        file = tmp_path / "policies.yaml"
        file.write_text(POLICIES)
        assert say.run(lambda: policies.apply(file, prune=False, yes=False, as_json=False)) == 0
        capsys.readouterr()
        yield Terminal(capsys)


async def discover() -> None:
    """What the app's timer does."""
    async with the_app() as app:
        await app.discover()


def test_a_plan_is_the_one_that_the_next_discovery_writes(terminal):
    before = terminal.plan()
    asyncio.run(discover())
    after = terminal.plan()

    assert [job["vmId"].rsplit("/", 1)[-1] for job in before["jobs"]] == ["web-01", "web-02"]
    assert all(job["start"] and job["end"] for job in before["jobs"])
    assert [one["reason"] for one in before["unmatched"]] == ["no enabled policy matches it"]
    assert set(after["jobs"][0]) == {
        "vmId",
        "team",
        "policy",
        "stage",
        "start",
        "end",
        "reason",
    }
    assert [job["vmId"] for job in after["jobs"]] == [job["vmId"] for job in before["jobs"]]


def test_a_vm_is_explained_before_and_after_its_job_is_made_and_approved(terminal):
    new = terminal.explain("WEB-01")
    code, refused = terminal.approve("shop/web")

    assert new["next"][0] == "It has no job yet: the next discovery makes it."
    assert (code, "a policy with VMs that wait" in refused) == (2, True)

    asyncio.run(discover())
    waiting = terminal.explain("web-01")
    approved = terminal.approve("shop/web")
    free = terminal.explain("web-01")

    assert (waiting["state"], waiting["rollout"], waiting["stage"]) == ("planned", 1, 1)
    assert waiting["maintenance"]["isCustomerInitiatedMaintenanceAllowed"] is True
    assert "waits for approval" in waiting["why"]
    assert approved == (0, "Rollout 1 of shop/web is approved by ann; 2 VMs wait in it.\n")
    assert free["why"] == "nothing is in its way"
    assert free["outcomes"] == []


def test_a_vm_that_baton_leaves_alone_says_why(terminal):
    assert terminal.explain("lab-01")["why"] == "no enabled policy matches it"
    assert terminal.explain("quiet-01")["why"] == "Azure announces no maintenance for it"


def test_people_pause_resume_skip_and_retry_and_the_status_tells_of_it(terminal):
    empty = terminal.status()
    asyncio.run(discover())
    terminal.approve("shop/web")

    again = terminal.json(
        lambda: approve.run("shop/web", "8h", "ann", clock=terminal.clock, as_json=True)
    )
    paused = terminal.ask(steering.pause, "shop")
    held = terminal.explain("web-01")
    standing = terminal.status()
    skipped = terminal.ask(steering.skip, "web-02")
    resumed = terminal.ask(steering.resume, "shop")

    assert (empty["pauses"], empty["away"], [p["policy"] for p in empty["policies"]]) == (
        [],
        [],
        ["web", "wrong"],
    )
    assert (again["rollout"], again["waiting"], again["needed"]) == (1, 2, True)
    assert (paused["team"], paused["by"], paused["waiting"]) == ("shop", "ann", 2)
    assert held["why"].startswith("team shop is paused by ann")
    assert "./baton resume shop" in held["why"]
    assert [pause["reason"] for pause in standing["pauses"]] == ["a bad night"]
    assert standing["policies"][0]["counts"] == {"planned": 2}
    assert (skipped["vm"], skipped["state"]) == ("web-02", "skipped")
    assert resumed["resumed"]["resumedBy"] == "ann"
    assert terminal.explain("web-01")["why"] == "nothing is in its way"


def test_every_refusal_has_its_exit_code_and_says_why(terminal):
    unknown = terminal.refused(steering.pause, "shp")
    jobless = terminal.refused(steering.skip, "web-01")
    asyncio.run(discover())
    running = terminal.refused(steering.retry, "web-01")

    assert (unknown[0], "expected one of shop" in unknown[1]) == (2, True)
    assert (jobless[0], "VMs that have a job" in jobless[1]) == (2, True)
    assert (running[0], "web-01 cannot be tried again: its job is open" in running[1]) == (1, True)
