"""The read API, asked as the host asks it, over stores in memory."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from cli.checks import API
from shared.domain.errors import Retryable
from shared.domain.heartbeat import Heartbeat
from shared.domain.job import JobState
from shared.domain.ledger import Change
from tests.builders import NOW, SUBSCRIPTION, a_job, an_alert
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
