"""`./baton plan` of a deployment: what is on its way beside what comes, and what could not be read."""

from datetime import timedelta

from cli.live_plan import shown
from shared.domain.fleet import Fleet
from shared.domain.job import JobState
from shared.domain.ledger import Books, Ledger, UnreadRow
from shared.domain.mode import Mode
from shared.use_cases.preview import foresee
from shared.use_cases.see_fleet import Sight
from tests.builders import (
    NOW,
    SUBSCRIPTION,
    a_head,
    a_job,
    a_policy_row,
    a_vm,
    a_vm_id,
    some_books,
)

MINUTE = timedelta(minutes=1)
EMPTY = Books(guard="", ledgers={})


def plan(*vms, books=EMPTY, rows=None, mode=Mode.LIVE, failed=None):
    fleet = Fleet(
        vms={vm.key: vm for vm in vms},
        absent=frozenset(),
        whole=frozenset({SUBSCRIPTION}),
        seen_at=NOW,
    )
    sight = Sight(fleet=fleet, count=len(vms), unreadable=(), failed=failed or {}, behind={})
    rows = [a_policy_row()] if rows is None else rows
    return shown(foresee(books, rows, sight, mode=mode, now=NOW), mode)


def test_a_vm_that_is_away_is_drawn_from_its_start_to_now_or_its_estimate():
    early = a_job("web-1", state=JobState.REDEPLOYING, started_at=NOW - 60 * MINUTE, accepted=True)
    fresh = a_job("web-2", state=JobState.STARTING, claimed_at=NOW - MINUTE)

    found = plan(books=some_books(Ledger(head=a_head(), jobs=(early, fresh))))

    times = {job.vm: (job.state, job.start, job.end) for job in found.jobs}
    assert times == {
        "web-1": ("redeploying", NOW - 60 * MINUTE, NOW),
        "web-2": ("starting", NOW - MINUTE, NOW + 24 * MINUTE),
    }
    assert [job["reason"] for job in found.as_json()["jobs"]] == [
        "redeploying: it is away",
        "starting: it is away",
    ]


def test_planned_jobs_come_with_what_to_know_before_they_start():
    vm = a_vm("web-1", vm_size="Standard_D4ds_v5")
    found = plan(vm)

    kinds = [one["kind"] for one in found.as_json()["findings"]]
    assert found.jobs[0].start == NOW
    assert "temporaryDisk" in kinds
    assert [left.vm for left in found.picture("Plan").findings][:1] == ["web-1"]


def test_a_later_rollout_has_a_lane_of_its_own():
    first = a_job("web-1", state=JobState.REDEPLOYING, stage=2, started_at=NOW, accepted=True)
    done = a_job("web-3", state=JobState.COMPLETED, ended_at=NOW, freed_at=NOW, accepted=True)
    ledger = Ledger(head=a_head(), jobs=(first, done))
    row = a_policy_row(columns={"match": "name:web-*", "sequence": "name:web-2,web-3; *"})

    found = plan(a_vm("web-2"), books=some_books(ledger), rows=[row])

    assert [lane.name for lane in found.picture("Plan").lanes] == [
        "shop/web",
        "shop/web, rollout 2",
    ]


def test_wrong_rows_ties_and_rows_that_cannot_be_read_are_errors():
    wrong = a_policy_row("shop", "wrong", columns={"gap": "soon", "match": "name:x"})
    tied = [a_policy_row("a", "x"), a_policy_row("b", "y")]
    unread = UnreadRow("shop", "web", "web-9")
    books = Books(guard="", ledgers={}, unread=(unread,))

    found = plan(a_vm("web-1"), books=books, rows=[wrong, *tied])

    assert [(error.team, error.policy, error.column) for error in found.errors] == [
        ("shop", "wrong", "gap"),
        ("a", "x", "priority"),
        ("b", "y", "priority"),
        ("shop", "web", ""),
    ]
    assert [one.vm_id for one in found.unmatched] == [a_vm_id("web-1")]


def test_a_mode_that_starts_nothing_and_what_could_not_be_read_are_noted():
    found = plan(mode=Mode.PAUSED, failed={"": "no access", SUBSCRIPTION: "busy"})

    assert found.notes == (
        "Baton is paused (BATON_MODE): it starts nothing.",
        "The list of subscriptions could not be read whole: no access",
        f"Subscription {SUBSCRIPTION} could not be read whole: busy",
        "No locations are known, so no region pair is.",
    )
    assert "dry run" in plan(mode=Mode.DRY_RUN).notes[0]
    assert len(plan(mode=Mode.LIVE).notes) == 1


def test_a_rollout_that_waits_for_approval_is_noted_with_the_command():
    row = a_policy_row(columns={"match": "*", "approval": "required"})

    found = plan(a_vm("web-1"), rows=[row])

    assert found.jobs[0].start == NOW
    assert found.notes[-1] == "Rollout 1 of shop/web waits for approval: ./baton approve shop/web"
