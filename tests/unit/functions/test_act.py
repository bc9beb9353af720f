"""Acting over HTTP: what is done, what is refused, and how."""

import json
from datetime import timedelta

import pytest

from functions.act import BODY_MAX
from shared.domain.errors import Retryable
from shared.domain.job import JobState
from shared.domain.rules import is_approved
from shared.use_cases.take_hint import DISCOVERY
from tests.builders import NOW, SUBSCRIPTION, a_job, a_vm
from tests.unit.functions.site import Site

VM = f"vms/{SUBSCRIPTION}/shop/web-1"
APPROVE = "rollouts/shop/web/1/approve"


@pytest.fixture
def site():
    return Site()


async def version_of(site, path="rollouts/shop/web/1"):
    return (await site.get(path)).json["version"]


async def waiting(site):
    await site.keeps(a_job("web-1"), match="name:web-*", approval="required")
    return await version_of(site)


async def head(site):
    return (await site.jobs.ledger("shop", "web")).head


async def test_a_rollout_is_approved_as_it_was_seen_with_who_and_until_when(site):
    version = await waiting(site)

    said = await site.post(APPROVE, {"until": "2026-03-02T15:00:00+01:00"}, If_Match=f'"{version}"')

    assert said.json == {
        "said": "Rollout 1 is approved by ann; 1 VM waits in it.",
        "already": False,
    }
    assert is_approved(await head(site), 1, NOW)
    assert ((await head(site)).approved_by, (await head(site)).approved_until) == (
        "ann",
        NOW + timedelta(hours=2),
    )
    shown = (await site.get("rollouts/shop/web/1")).json["approval"]
    assert (shown["approved"], shown["by"]) == (True, "ann")


async def test_a_double_click_approves_once_as_much(site):
    version = await waiting(site)

    answers = [await site.post(APPROVE, If_Match=version) for _ in range(2)]

    assert [said.status for said in answers] == [200, 200]
    assert is_approved(await head(site), 1, NOW)


async def test_a_rollout_that_changed_since_it_was_seen_is_not_approved(site):
    version = await waiting(site)
    other = Site()
    await other.keeps(a_job("web-1"), a_job("web-2"), match="name:web-*", approval="required")

    said = await other.post(APPROVE, If_Match=version)

    assert said.status == 412
    assert "changed since you saw it" in said.json["detail"]
    assert not is_approved(await head(other), 1, NOW)


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("rollouts/shop/web/1/approve", 409, "rollout 1 is done; rollout 2 acts now"),
        ("rollouts/shop/web/3/approve", 409, "rollout 3 begins when rollout 2 is done"),
        ("rollouts/shop/web/9/approve", 404, "a rollout that the policy has; 2 acts"),
        ("rollouts/shop/nothing/1/approve", 404, "a policy with VMs that wait"),
    ],
)
async def test_only_the_rollout_that_acts_can_be_approved(site, path, status, why):
    await site.keeps(
        a_job("web-1", state=JobState.COMPLETED, ended_at=NOW),
        a_job("web-2", rollout=2),
        a_job("web-3", rollout=3),
    )

    said = await site.post(path, If_Match="anything")

    assert said.status == status
    assert why in said.json["detail"]


async def test_an_approval_without_the_version_that_was_seen_is_refused(site):
    await waiting(site)

    assert (await site.post(APPROVE)).status == 428


async def test_a_policy_is_paused_and_resumed_and_everybody_sees_by_whom(site):
    await site.keeps(a_job("web-1"))
    scope = {"team": "shop", "policy": "web"}

    paused = await site.post("pause", scope | {"reason": "the shop is on TV"})
    seen = (await site.get("status")).json["pauses"]
    why = (await site.get("rollouts/shop/web/1")).json["why"]
    again = await site.post("pause", scope | {"by": "bob"})
    resumed = await site.post("resume", scope | {"by": "bob"})

    assert paused.json["said"].endswith("the shop is on TV. 1 VM is held back.")
    assert [(one["policy"], one["by"], one["reason"]) for one in seen] == [
        ("web", "ann", "the shop is on TV")
    ]
    assert "policy shop/web is paused by ann" in why
    assert again.json["already"]
    assert resumed.json["said"].startswith("Policy shop/web is resumed")
    assert (await site.get("status")).json["pauses"] == []


async def test_during_a_pause_people_decide_as_ever_and_it_still_holds(site):
    await site.keeps(a_job("web-1"), a_job("web-2"), match="name:web-*", approval="required")
    await site.post("pause")
    version = await version_of(site)

    approved = await site.post(APPROVE, If_Match=version)
    skipped = await site.post(f"{VM}/skip")
    resumed = await site.post("resume", {"team": "shop", "policy": "web"})

    assert [one.status for one in (approved, skipped, resumed)] == [200, 200, 200]
    assert resumed.json["said"].startswith("It was not paused. Still, everything is paused by ann")
    why = (await site.get("rollouts/shop/web/1")).json["why"]
    assert why.startswith("web-2 is next: everything is paused by ann")


async def test_what_does_not_exist_cannot_be_paused(site):
    await site.keeps(a_job("web-1"))

    said = await site.post("pause", {"team": "shop", "policy": "weB"})

    assert (said.status, said.json["problems"][0]["expected"]) == (404, "one of shop/web")


async def test_a_vm_is_skipped_once_however_often_that_is_asked(site):
    await site.keeps(a_job("web-1"))

    first = await site.post(f"{VM}/skip", {"reason": "demo today"})
    second = await site.post(f"{VM}/skip")

    assert (first.json["already"], second.json["already"]) == (False, True)
    story = (await site.get(VM)).json
    assert story["job"]["reason"] == "skipped by ann: demo today"


async def test_a_go_ahead_is_given_once_wakes_the_vm_and_says_who_gave_it(site):
    columns = {"match": "name:web-*", "goAhead": "20m", "goAheadDefault": "skip"}
    await site.keeps(a_job("web-1", planned_start=NOW, asked_at=NOW), **columns)

    first = await site.post(f"{VM}/go-ahead", {"reason": "drained"})
    second = await site.post(f"{VM}/go-ahead")

    (job,) = site.jobs.jobs()
    assert first.json == {
        "said": "web-1 starts as soon as every rule allows it.",
        "already": False,
    }
    assert second.json["already"]
    assert (job.allowed_by, job.allowed_at) == ("ann", NOW)
    assert [message.wake.job_id for message in site.bus.messages] == [job.id]


async def test_a_go_ahead_that_is_refused_skips_the_vm(site):
    await site.keeps(a_job("web-1", planned_start=NOW, asked_at=NOW), match="name:web-*")

    said = await site.post(f"{VM}/no-go", {"reason": "not drained"})

    (job,) = site.jobs.jobs()
    assert said.status == 200
    assert (job.state, job.reason) == (JobState.SKIPPED, "go-ahead refused by ann: not drained")


async def test_who_asks_for_a_go_ahead_is_shown_with_its_deadline_and_default_until_it_has_it(site):
    columns = {"match": "name:web-*", "goAhead": "20m", "goAheadDefault": "skip"}
    await site.keeps(a_job("web-1", planned_start=NOW, asked_at=NOW), **columns)

    asking = (await site.get("vms?kind=asking")).json["items"]
    await site.post(f"{VM}/go-ahead", If_Match=asking[0]["goAhead"]["version"])
    after = (await site.get(VM)).json["job"]

    assert [(vm["vm"], vm["kind"]) for vm in asking] == [("web-1", "asking")]
    until = (NOW + timedelta(minutes=20)).isoformat().replace("+00:00", "Z")
    assert asking[0]["goAhead"].items() >= {"deadline": until, "default": "skip"}.items()
    assert (after["kind"], after["goAhead"]) == ("planned", None)


@pytest.mark.parametrize("verb", ["go-ahead", "no-go"])
async def test_an_answer_to_an_earlier_question_is_refused(site, verb):
    columns = {"match": "name:web-*", "goAhead": "20m", "goAheadDefault": "skip"}
    await site.keeps(a_job("web-1", planned_start=NOW, asked_at=NOW), **columns)
    earlier = Site()
    before = a_job("web-1", planned_start=NOW, asked_at=NOW - timedelta(hours=1))
    await earlier.keeps(before, **columns)
    version = (await earlier.get(VM)).json["job"]["goAhead"]["version"]

    said = await site.post(f"{VM}/{verb}", If_Match=version)

    (job,) = site.jobs.jobs()
    assert (said.status, job.allowed_at, job.state) == (412, None, JobState.PLANNED)
    assert "asked anew" in said.json["detail"]


@pytest.mark.parametrize("verb", ["go-ahead", "no-go"])
async def test_nobody_answers_a_vm_that_did_not_ask(site, verb):
    await site.keeps(a_job("web-1"), match="name:web-*")

    said = await site.post(f"{VM}/{verb}")

    assert said.status == 409
    assert "it asked for none" in said.json["detail"]


async def test_a_vm_that_is_away_cannot_be_skipped_and_the_answer_says_why(site):
    await site.keeps(a_job("web-1", state=JobState.REDEPLOYING, claimed_at=NOW, started_at=NOW))

    said = await site.post(f"{VM}/skip")

    assert said.status == 409
    assert "a start cannot be taken back" in said.json["detail"]


async def test_a_vm_that_was_missed_is_tried_again_while_azure_offers_it(site):
    await site.keeps(a_job("web-1", state=JobState.MISSED, ended_at=NOW))
    site.vms.put(a_vm("web-1"))

    said = await site.post(f"{VM}/retry")

    assert said.json["said"].startswith("web-1 is tried again")


async def test_a_start_that_azure_took_is_not_repeated_whoever_asks(site):
    failed = a_job(
        "web-1",
        state=JobState.FAILED,
        accepted=True,
        claimed_at=NOW,
        started_at=NOW,
        ended_at=NOW,
    )
    await site.keeps(failed)
    site.vms.put(a_vm("web-1"))

    said = await site.post(f"{VM}/retry")

    assert said.status == 409
    assert "never starts a VM twice" in said.json["detail"]


async def test_a_discovery_that_is_asked_for_twice_is_one(site):
    for _ in range(2):
        await site.post("discover")

    assert [due.wake for due in site.bus.take(NOW)] == [DISCOVERY]


async def test_a_test_mail_is_raised_once_a_minute_and_names_who_asked(site):
    for _ in range(2):
        await site.post("test-mail")

    (alert,) = site.alerts.alerts()
    assert (alert.kind, alert.recipients) == ("test", ("oncall@example.com",))
    assert alert.reason.startswith("ann asked for it")


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Baton": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
async def test_what_another_site_may_have_sent_is_not_done(site, headers):
    await site.keeps(a_job("web-1"))

    said = await site.post("pause", **headers)

    assert said.status == 403
    assert await site.pauses.all() == []


async def test_what_our_own_page_sends_is_done(site):
    await site.keeps(a_job("web-1"))

    said = await site.post("pause", Origin="http://127.0.0.1:7071", Sec_Fetch_Site="same-origin")

    assert said.status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"[]", "body"),
        (b"{", "body"),
        (b"\xff", "body"),
        (b"[" * 10_000, "body"),
        (b'{"by": ""}', "by"),
        (b'{"by": 7}', "by"),
        (b'{"by": "a\\u0000b"}', "by"),
        (b'{"by": "\\ud800"}', "by"),
        (b'{"by": "ann", "teem": "x"}', "teem"),
        (b"{}", "by"),
        (json.dumps({"by": "x" * 201}).encode(), "by"),
        (json.dumps({"by": "ann", "reason": "x" * 1001}).encode(), "reason"),
    ],
)
async def test_a_body_that_cannot_be_used_is_refused_by_name_and_nothing_is_done(site, body, field):
    await site.keeps(a_job("web-1"))

    said = await site.post("pause", body)

    assert said.status == 400
    assert field in [one["field"] for one in said.json["problems"]]
    assert await site.pauses.all() == []


@pytest.mark.parametrize(
    "until", ["tomorrow", "2026-03-02T15:00", "2026-03-02", "2026-13-02T15:00Z"]
)
async def test_an_approval_ends_at_an_instant_or_not_at_all(site, until):
    version = await waiting(site)

    said = await site.post(APPROVE, {"until": until}, If_Match=version)

    assert (said.status, said.json["problems"][0]["field"]) == (400, "until")


async def test_a_body_that_is_too_long_is_not_read(site):
    said = await site.post("pause", b" " * (BODY_MAX + 1))

    assert said.status == 413


async def test_markup_in_a_reason_is_kept_and_shown_as_it_is(site):
    await site.keeps(a_job("web-1"))

    await site.post("pause", {"reason": "<script>alert(1)</script>"})

    assert (await site.get("status")).json["pauses"][0]["reason"] == "<script>alert(1)</script>"


@pytest.mark.parametrize("path", ["", "explode", "vms/x/y/z/skip", "rollouts/shop/web/0/approve"])
async def test_what_cannot_be_asked_for_is_404(site, path):
    assert (await site.post(path)).status == 404


async def test_busy_tables_are_503_and_nothing_is_half_done(site):
    await site.keeps(a_job("web-1"))
    site.pauses.fail_next("write", Retryable("throttled"))

    assert (await site.post("pause")).status == 503
    assert await site.pauses.all() == []


async def test_whoever_has_a_key_may_act_and_has_no_name(site):
    assert (await site.post("who")).json == {"name": "", "mayAct": True}


async def test_an_acting_is_seen_at_once_by_whoever_looks(site):
    await site.keeps(a_job("web-1"))
    await site.get("vms")

    await site.post(f"{VM}/skip")

    assert [vm["state"] for vm in (await site.get("vms")).json["items"]] == ["skipped"]
