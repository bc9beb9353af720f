"""The read API, asked as the host asks it, over stores in memory."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from cli.checks import API
from shared.domain.errors import Retryable
from shared.domain.heartbeat import Heartbeat, LeftAlone
from shared.domain.job import JobState
from shared.domain.ledger import Change
from shared.domain.patching.record import PatchState
from tests.builders import (
    NOW,
    SUBSCRIPTION,
    a_job,
    a_release,
    a_vm_id,
    an_alert,
    an_attempt,
    an_instance,
)
from tests.patch_builders import a_patch, a_patch_record, a_summary, a_windows_vm
from tests.unit.functions.site import Site

HOUR = timedelta(hours=1)
BEAT = Heartbeat(at=NOW, vms=7, changed=2, unmatched=1, unreadable=0, failed_subscriptions=0)


@pytest.fixture
def site():
    return Site()


async def test_a_baton_that_never_discovered_says_so(site):
    said = await site.get("status")

    assert said.status == 200
    assert said.json["heartbeat"] is None
    assert said.json["mode"] == "live"
    assert said.json["problems"] == [
        "No discovery has gone through yet: look at the log of the function discover."
    ]


async def test_the_status_counts_vms_and_names_what_a_person_should_see_to(site):
    await site.keeps(
        a_job("web-1", state=JobState.FAILED, ended_at=NOW),
        a_job("web-2"),
        a_job("web-3", planned_start=None),
    )
    site.policies.put("shop", "bad", freeze="2026-12-24")
    await site.alerts.beat(BEAT)
    site.clock.advance(HOUR)

    said = await site.get("status")

    assert said.json["counts"] == {
        "asking": 0,
        "away": 0,
        "bad": 1,
        "noStart": 1,
        "planned": 1,
        "completed": 0,
        "ended": 0,
    }
    assert said.json["policies"] == {"shop": ["bad", "web"]}
    assert said.json["problems"] == [
        "The last discovery went through 60 minutes ago: look at the log of the function discover.",
        "1 policy row is wrong: see Policies.",
    ]


async def test_a_rollout_tells_its_hours_its_deadline_and_what_holds_it(site):
    await site.keeps(
        a_job("web-1", state=JobState.FAILED, started_at=NOW, ended_at=NOW + HOUR),
        a_job("web-2", planned_start=None),
        match="name:web-*",
        windows="08:00-20:00",
        freezes="2026-03-04",
        approval="required",
    )

    (rollout,) = (await site.get("rollouts")).json["items"]

    assert rollout["phase"] == "running"
    assert rollout["deadline"] == "2026-03-09T12:00:00Z"
    assert rollout["why"].startswith("web-2 is next: the rollout is halted: web-1 ended failed")
    assert rollout["approval"] == {"approved": False, "by": "", "at": None, "until": None}
    assert rollout["hours"][1] == {
        "start": "2026-03-02T08:00:00Z",
        "end": "2026-03-02T20:00:00Z",
        "text": "",
    }
    assert rollout["freezes"] == [
        {"start": "2026-03-04T00:00:00Z", "end": "2026-03-05T00:00:00Z", "text": "2026-03-04"}
    ]
    assert [(stage["vms"], stage["ended"], stage["bad"]) for stage in rollout["stages"]] == [
        (2, 1, 1)
    ]


async def test_rollouts_that_run_come_first_then_planned_then_past_ones(site):
    await site.keeps(
        a_job("web-1", state=JobState.COMPLETED, started_at=NOW, ended_at=NOW),
        a_job("web-2", rollout=2, state=JobState.REDEPLOYING, claimed_at=NOW, started_at=NOW),
        a_job("web-3", rollout=3),
    )

    everything = (await site.get("rollouts")).json
    past = (await site.get("rollouts?phase=past")).json

    assert [(one["number"], one["phase"]) for one in everything["items"]] == [
        (2, "running"),
        (3, "planned"),
        (1, "past"),
    ]
    assert [one["number"] for one in past["items"]] == [1]


async def test_a_rollouts_version_changes_with_its_vms_and_not_with_its_progress(site):
    await site.keeps(a_job("web-1"))
    before = (await site.get("rollouts/shop/web/1")).json["version"]
    other = Site()
    await other.keeps(a_job("web-1", state=JobState.COMPLETED, ended_at=NOW))
    more = Site()
    await more.keeps(a_job("web-1"), a_job("web-2"))

    assert (await other.get("rollouts/shop/web/1")).json["version"] == before
    assert (await more.get("rollouts/shop/web/1")).json["version"] != before


async def test_vms_away_come_first_and_are_paged(site):
    await site.keeps(
        a_job("web-1"),
        a_job("web-2", planned_start=None, reason="no window is long enough"),
        a_job("web-3", state=JobState.REDEPLOYING, claimed_at=NOW, started_at=NOW),
        a_job("web-4", state=JobState.MISSED, ended_at=NOW),
    )

    first = (await site.get("vms?limit=3")).json
    rest = (await site.get("vms?limit=3&skip=3")).json

    assert [vm["vm"] for vm in first["items"] + rest["items"]] == [
        "web-3",
        "web-4",
        "web-2",
        "web-1",
    ]
    assert (first["total"], rest["skip"]) == (4, 3)
    assert first["items"][0]["end"] == "2026-03-02T12:25:00Z"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("team=erp", ["erp-1"]),
        ("team=shop&policy=web", ["web-1", "web-2"]),
        ("kind=bad", ["web-2"]),
        ("text=WEB-1", ["web-1"]),
        ("rollout=2", ["erp-1"]),
        ("text=nothing", []),
    ],
)
async def test_vms_are_filtered(site, query, names):
    await site.keeps(a_job("web-1"), a_job("web-2", state=JobState.MISSED, ended_at=NOW))
    await site.keeps(a_job("erp-1", team="erp", policy="all", rollout=2), match="name:erp-*")

    found = (await site.get(f"vms?{query}")).json

    assert sorted(vm["vm"] for vm in found["items"]) == names


async def test_a_vms_story_has_why_it_waits_its_outcomes_and_what_people_were_told(site):
    job = a_job("web-1", planned_start=NOW + HOUR, findings=("It has a temporary disk.",))
    await site.keeps(job)
    await site.outcomes.add(job, an_attempt(outcome="retryLater", terminal=False))
    facts = (("VM", "web-1 (resource group shop, westeurope)"), ("Subscription", SUBSCRIPTION))
    await site.alerts.add(an_alert("mine", facts=facts))
    elsewhere = (("VM", "web-1 (resource group lab, westeurope)"),)
    await site.alerts.add(an_alert("another's", facts=elsewhere))

    story = (await site.get(f"vms/{SUBSCRIPTION}/SHOP/Web-1")).json

    assert story["why"] == "its planned start is in 1h"
    assert story["follows"][0] == "It is planned to start at 2026-03-02 13:00 UTC."
    assert story["findings"] == ["It has a temporary disk."]
    assert story["maintenance"]["isCustomerInitiatedMaintenanceAllowed"] == "true"
    assert [row["outcome"] for row in story["outcomes"]] == ["retryLater"]
    assert [alert["reason"] for alert in story["alerts"]] == ["Azure's operation failed"]


async def test_an_instance_of_a_uniform_scale_set_has_a_story_of_its_own(site):
    await site.keeps(a_job(vm=an_instance(3)), a_job(vm=an_instance(4), planned_start=None))

    story = (await site.get(f"vms/{SUBSCRIPTION}/shop/WEB-vmss~3")).json

    assert (story["vm"], story["vmId"]) == ("web-vmss_3", an_instance(3).id)


async def test_a_vm_that_only_has_patches_due_is_shown_like_any_other(site):
    job = replace(a_job("web-1"), maintenance=None, patches=a_release())
    await site.keeps(job, match="name:web-*", patching="install")

    listed = (await site.get("vms")).json["items"]
    rollout = (await site.get("rollouts/shop/web/1")).json
    story = (await site.get(f"vms/{SUBSCRIPTION}/shop/web-1")).json

    assert [(vm["work"], vm["closes"]) for vm in listed] == [("patch", rollout["deadline"])]
    assert story["maintenance"] == {}
    assert story["why"]


async def test_a_vm_that_could_go_now_is_told_apart_from_what_azure_would_say(site):
    await site.keeps(a_job("web-1"))

    story = (await site.get(f"vms/{SUBSCRIPTION}/shop/web-1")).json

    assert story["why"] == (
        "nothing in Baton's tables is in its way; Azure is asked about the VM when it starts"
    )


async def test_a_vm_left_alone_has_a_story_and_stands_among_the_unmatched(site):
    reason = "no enabled policy matches it"
    alone = LeftAlone(vm_id=a_vm_id("lab-1"), location="westeurope", closes=NOW, reason=reason)
    await site.alerts.keep_left_alone([alone])

    listed = (await site.get("unmatched")).json["items"]
    story = (await site.get(f"vms/{SUBSCRIPTION}/shop/lab-1")).json

    assert [(vm["vm"], vm["reason"]) for vm in listed] == [("lab-1", reason)]
    assert (story["job"], story["why"]) == (None, reason)


async def test_patches_are_counted_by_state_and_listed_the_worst_first(site):
    states = {"win-1": "compliant", "win-2": "overdue", "win-3": "due", "win-4": "due"}
    for name, state in states.items():
        vm = a_windows_vm(name)
        record = a_patch_record(
            vm, state=PatchState(state), patches=(a_patch(),), assessment=a_summary(1)
        )
        await site.patches.keep(record)

    everything = (await site.get("patches")).json
    due = (await site.get("patches?state=due&limit=1")).json

    assert [one["vm"] for one in everything["items"]] == ["win-2", "win-3", "win-4", "win-1"]
    assert everything["items"][0]["due"] == 1
    assert everything["items"][0]["kbs"] == ["KB5034129"]
    assert (due["total"], [one["vm"] for one in due["items"]]) == (2, ["win-3"])
    assert due["counts"] == everything["counts"]
    assert {name: n for name, n in due["counts"].items() if n} == {
        "overdue": 1,
        "due": 2,
        "compliant": 1,
    }


@pytest.mark.parametrize("query", ["team=other", "policy=other", "text=nothing"])
async def test_patches_of_others_are_neither_listed_nor_counted(site, query):
    await site.patches.keep(a_patch_record())

    said = (await site.get(f"patches?{query}")).json

    assert said["items"] == []
    assert sum(said["counts"].values()) == 0


async def test_a_vm_of_which_only_patches_are_known_has_a_story(site):
    record = a_patch_record(a_windows_vm("win-1"), state=PatchState.DUE)
    await site.patches.keep(record)

    said = await site.get(f"vms/{SUBSCRIPTION}/{record.resource_group}/WIN-1")

    assert said.json["job"] is None
    assert said.json["patches"]["state"] == "due"
    assert said.json["patches"]["reason"] == record.reason


async def test_the_patches_of_a_vm_named_as_an_instance_are_not_the_instances(site):
    await site.keeps(a_job(vm=an_instance(3)))
    await site.patches.keep(a_patch_record(a_windows_vm("web-vmss_3")))

    story = (await site.get(f"vms/{SUBSCRIPTION}/shop/web-vmss~3")).json

    assert story["patches"] is None


async def test_wrong_policies_come_first_with_what_they_act_under(site):
    await site.keeps(a_job("web-1"))
    site.policies.put("shop", "web", match="name:web-*", gap="15")
    site.policies.put("erp", "all", match="name:erp-*")

    found = (await site.get("policies")).json["items"]

    assert [(row["policy"], row["acts"], row["vms"]) for row in found] == [
        ("web", "lastGood", 1),
        ("all", "row", 0),
    ]
    assert found[0]["problems"][0].startswith("gap is '15'; expected")


async def test_alerts_are_newest_first_and_without_addresses(site):
    await site.alerts.add(an_alert("old", raised_at=NOW - HOUR))
    await site.alerts.add(an_alert("new", raised_at=NOW, kind="missed"))

    said = await site.get("alerts")

    assert [alert["kind"] for alert in said.json["items"]] == ["missed", "failed"]
    assert b"@" not in said.body


async def test_what_has_not_changed_is_not_sent_again(site):
    await site.keeps(a_job("web-1"))
    first = await site.get("vms")

    again = await site.get("vms", If_None_Match=first.headers["etag"])
    ledger = (await site.jobs.books()).ledgers["shop", "web"]
    away = replace(ledger.jobs[0], state=JobState.REDEPLOYING, claimed_at=NOW, started_at=NOW)
    await site.jobs.commit(Change(heads=(ledger.head,), jobs=(away,), at=NOW))
    site.clock.advance(timedelta(seconds=10))
    changed = await site.get("vms", If_None_Match=first.headers["etag"])

    assert (again.status, again.body) == (304, b"")
    assert changed.status == 200


async def test_ten_that_look_at_once_cost_one_read(site):
    await site.keeps(a_job("web-1"))

    for path in ("status", "rollouts", "vms", "policies") * 3:
        await site.get(path)

    assert len(site.jobs.called("books")) == 1


async def test_a_long_answer_is_sent_compressed_to_who_takes_that(site):
    await site.keeps(*(a_job(f"web-{number}") for number in range(50)))

    packed = await site.get("vms", Accept_Encoding="br, gzip")
    plain = await site.get("vms")

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json == plain.json


@pytest.mark.parametrize(
    ("query", "field", "expected"),
    [
        ("vms?limit=501", "limit", "a whole number from 1 to 500"),
        ("vms?limit=-1", "limit", "a whole number from 1 to 500"),
        ("vms?skip=many", "skip", "a whole number from 0 to 1000000"),
        ("vms?kind=dead", "kind", "one of asking, away, bad, noStart, planned, completed, ended"),
        ("status?verbose=1", "verbose", "no parameter here"),
        ("vms?text=" + "x" * 201, "text", "at most 200 characters"),
    ],
)
async def test_a_query_that_cannot_be_used_is_refused_by_name(site, query, field, expected):
    said = await site.get(query)

    assert (said.status, said.headers["content-type"]) == (400, "application/problem+json")
    assert [(one["field"], one["expected"]) for one in said.json["problems"]] == [(field, expected)]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nothing",
        "rollouts/shop/web/7",
        "rollouts/shop/web/0",
        f"vms/{SUBSCRIPTION}/shop/nobody",
        f"vms/{SUBSCRIPTION}/shop/%3Cscript%3E",
        "vms/not-a-guid/shop/web-1",
    ],
)
async def test_what_does_not_exist_is_404_with_a_word_on_what_does(site, path):
    await site.keeps(a_job("web-1"))

    said = await site.get(path)

    assert said.status == 404
    assert len(said.json["detail"]) > 20


async def test_busy_tables_are_503_and_say_when_to_ask_again(site):
    site.jobs.fail_next("books", Retryable("throttled", retry_after=timedelta(seconds=17)))

    said = await site.get("vms")

    assert (said.status, said.headers["retry-after"]) == (503, "17")
    assert "throttled" not in said.json["detail"]


async def test_names_of_any_kind_come_back_as_they_are(site):
    name = 'a b/"<b>é\u2028'.replace("/", "")
    await site.keeps(a_job("web-1", team=name, policy="%41"), match="*")

    said = await site.get("rollouts/" + "a%20b%22%3Cb%3E%C3%A9%E2%80%A8" + "/%2541/1")

    assert (said.json["team"], said.json["policy"]) == (name, "%41")


async def test_the_description_is_served_and_is_what_is_committed(site):
    served = (await site.get("openapi.json")).json

    assert served == json.loads(API.read_text("utf-8"))
