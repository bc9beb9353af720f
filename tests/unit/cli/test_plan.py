"""`./baton plan` from files: every offered VM once, with its start or the reason for none."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli import plan, say
from cli.given import Given
from shared.domain.errors import InvalidInput
from tests.builders import SUBSCRIPTION, a_vm_id

NOW = "2026-12-01T18:00:00Z"
CLOCK = datetime(2026, 12, 2, tzinfo=UTC)
POLICIES = """
shop:
  tiers:
    match: tag:owner=shop
    sequence: tag:tier=db; tag:tier=web
    windows: 22:00-04:00
    timeZone: Europe/Amsterdam
    freezes: 2026-12-20
  wrong:
    match: name:wrong-*
    gap: 15
"""


def resource(
    name: str, closes: str | None = "2026-12-08T00:00:00Z", allowed: bool = True, **tags: str
) -> dict[str, Any]:
    status = {
        "isCustomerInitiatedMaintenanceAllowed": allowed,
        "preMaintenanceWindowStartTime": "2026-12-01T00:00:00Z",
        "preMaintenanceWindowEndTime": closes,
    }
    view = {"maintenanceRedeployStatus": status} if closes else {}
    return {
        "id": a_vm_id(name),
        "location": "westeurope",
        "tags": tags,
        "properties": {"instanceView": view},
    }


FLEET = [
    resource("web-1", owner="shop", tier="web"),
    resource("db-1", owner="shop", tier="db"),
    resource("late-1", closes="2026-12-01T20:00:00Z", owner="shop", tier="db"),
    resource("wrong-1"),
    resource("lab-1"),
    resource("quiet-1", closes=None, owner="shop"),
    resource("over-1", allowed=False, owner="shop"),
    resource("broken-1", closes="soon", owner="shop"),
]


class Terminal:
    """Files, and what the command says of them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys

    def file(self, name: str, content: str) -> Path:
        path = self._folder / name
        path.write_text(content)
        return path

    def files(
        self,
        policies: str = POLICIES,
        fleet: object = FLEET,
        *,
        locations: object = None,
        now: str | None = NOW,
    ) -> Given:
        return Given(
            policies=self.file("policies.yaml", policies),
            fleet=self.file("vms.json", json.dumps(fleet)),
            locations=self.file("locations.json", json.dumps(locations)) if locations else None,
            now=now,
        )

    def run(
        self,
        *arguments: Any,
        as_json: bool = True,
        html: Path | None = None,
        **options: Any,
    ) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        given = self.files(*arguments, **options)
        code = say.run(lambda: plan.run(given, CLOCK, as_json=as_json, html=html))
        out, err = self._capsys.readouterr()
        return code, out, err

    def answer(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        code, out, err = self.run(*arguments, **options)
        assert (code, err) == (0, "")
        return dict(json.loads(out))


@pytest.fixture
def given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, capsys)


def test_the_json_is_the_contract(given):
    answer = given.answer()

    assert answer["now"] == NOW
    assert [job for job in answer["jobs"] if job["start"]] == [
        {
            "vmId": a_vm_id("db-1"),
            "team": "shop",
            "policy": "tiers",
            "stage": 1,
            "start": "2026-12-01T21:00:00Z",
            "end": "2026-12-01T21:25:00Z",
            "reason": "",
        },
        {
            "vmId": a_vm_id("web-1"),
            "team": "shop",
            "policy": "tiers",
            "stage": 2,
            "start": "2026-12-01T21:40:00Z",
            "end": "2026-12-01T22:05:00Z",
            "reason": "",
        },
    ]
    assert [(error["policy"], error["column"]) for error in answer["policyErrors"]] == [
        ("wrong", "gap")
    ]
    assert set(answer["policyErrors"][0]) == {"team", "policy", "column", "message"}
    assert "gap is '15'" in answer["policyErrors"][0]["message"]


def test_every_offered_vm_is_there_once_and_no_other(given):
    answer = given.answer()
    found = [one["vmId"] for one in (*answer["jobs"], *answer["unmatched"])]

    offered = ("db-1", "lab-1", "late-1", "web-1", "wrong-1")
    assert sorted(found) == [a_vm_id(name) for name in offered]


def test_a_vm_that_cannot_be_placed_has_no_times_and_a_reason(given):
    (late,) = (job for job in given.answer()["jobs"] if job["vmId"] == a_vm_id("late-1"))

    assert (late["start"], late["end"]) == (None, None)
    assert "its self-service window closes at 2026-12-01 20:00 UTC" in late["reason"]


def test_vms_that_no_policy_has_say_why(given):
    reasons = {one["vmId"]: one["reason"] for one in given.answer()["unmatched"]}

    assert reasons[a_vm_id("lab-1")] == "no enabled policy matches it"
    assert "shop/wrong matches it, but the row is wrong" in reasons[a_vm_id("wrong-1")]


def test_a_vm_that_cannot_be_read_is_told_and_stops_no_other(given):
    answer = given.answer()

    assert [one["vmId"] for one in answer["unreadable"]] == [a_vm_id("broken-1")]
    assert "preMaintenanceWindowEndTime is 'soon'" in answer["unreadable"][0]["reason"]


def test_rows_that_are_none_are_policy_errors_and_stop_no_other(given):
    answer = given.answer(policies=POLICIES + "erp: 5\n")

    assert [error["team"] for error in answer["policyErrors"]] == ["erp", "shop"]
    assert len(answer["jobs"]) == 3


def test_a_fraction_of_a_second_is_kept_and_none_is_made_up(given):
    fleet = [resource("web-1", owner="shop")]
    answer = given.answer("shop: {all: {}}", fleet, now="2026-12-01T18:00:00.5+02:00")

    assert answer["now"] == "2026-12-01T16:00:00.500000Z"
    assert answer["jobs"][0]["start"] == "2026-12-01T16:00:00.500000Z"


@pytest.mark.parametrize("now", ["2026-12-01T18:00:00", "2026-12-01", "tomorrow", ""])
def test_an_instant_without_an_offset_is_refused(given, now):
    code, _, err = given.run(now=now)

    assert code == 2
    assert err == (
        f"options: --now is {now!r}; expected an instant with its offset, such as 2026-12-01T22:00:00Z\n"
    )


@pytest.mark.parametrize("now", ["9999-12-31T23:59:59-23:00", "2026-12-01T18:00Z "])
def test_instants_at_the_edge_are_read_or_refused(given, now):
    assert given.run(now=now)[0] == (2 if now.startswith("9") else 0)


def test_without_now_it_is_the_clock(given):
    assert given.answer(now=None)["now"] == "2026-12-02T00:00:00Z"


def test_policies_and_a_fleet_go_together(given):
    both = given.files()
    for one in (replace(both, fleet=None), replace(both, policies=None)):
        with pytest.raises(InvalidInput, match="policies and a fleet go together"):
            plan.run(one, CLOCK, as_json=True, html=None)


def test_locations_tell_region_pairs(given):
    pair = {
        "id": f"/subscriptions/{SUBSCRIPTION}/locations/westeurope",
        "name": "westeurope",
        "metadata": {"pairedRegion": [{"name": "northeurope"}]},
    }
    north = {**resource("web-2", owner="shop"), "location": "northeurope"}
    fleet = [resource("web-1", owner="shop"), north]
    policies = "shop: {all: {concurrency: 2}}"

    apart = given.answer(policies, fleet, locations={"value": [pair]})
    together = given.answer(policies, fleet)

    assert len({job["start"] for job in apart["jobs"]}) == 2
    assert len({job["start"] for job in together["jobs"]}) == 1
    assert any("region pair" in note for note in together["notes"])
    assert apart["notes"] == []


@pytest.mark.parametrize("bad", ["policies", "fleet", "locations"])
def test_a_file_that_cannot_be_used_is_named_and_ends_it(given, bad):
    code, out, err = given.run(**{bad: "shop: [" if bad == "policies" else {"items": 5}})

    assert (code, out) == (2, "")
    assert {"policies": "policies.yaml", "fleet": "vms.json"}.get(bad, "locations.json") in err


def test_people_read_what_needs_them_first_then_tables_then_a_sum(given):
    code, out, _ = given.run(as_json=False)
    lines = [" ".join(line.split()) for line in out.splitlines()]

    assert code == 0
    assert lines[0] == "Without a start"
    assert lines[1].startswith("late-1 shop/tiers")
    assert "lab-1 no enabled policy matches it" in lines
    assert any(line.startswith("Wrong policy shop/wrong: gap is '15'") for line in lines)
    assert any(line.startswith("To know broken-1:") for line in lines)
    assert "1 db-1 Tue 1 Dec 22:00 22:25 2026-12-01 21:00" in lines
    assert lines[-1] == (
        "2 VMs have a start, 1 without one, 2 without a policy, "
        "from 2026-12-01 21:00 to 2026-12-01 22:05 UTC."
    )


def test_the_picture_has_the_policys_hours_and_zone(given, tmp_path):
    html = tmp_path / "plan.html"
    code, out, _ = given.run(as_json=False, html=html)
    drawn = html.read_text()

    assert code == 0
    assert f"Drawn in {html}" in out
    assert "22:00-04:00 Europe/Amsterdam" in drawn
    assert "late-1" in drawn
    assert 'class="open"' in drawn


def test_a_picture_that_cannot_be_written_is_named(given, tmp_path):
    code, _, err = given.run(html=tmp_path / "nowhere" / "plan.html")

    assert code == 2
    assert "plan.html: the file is 'No such file or directory'" in err
