from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.job import JobState
from shared.domain.job_ids import job_id
from shared.domain.ledger import Books, UnreadRow
from shared.domain.places import Location, Places
from shared.domain.policy_row import standing
from tests.builders import NOW, SUBSCRIPTION, a_status, a_view, a_vm, an_instance
from tests.unit.domain.deciding import (
    DAY,
    KEY,
    booked,
    decide,
    fleet,
    policies,
    the_job,
    vm,
    with_job,
)


def test_an_offered_vm_becomes_a_job_of_its_policy():
    job = the_job(decide())

    assert job.id == job_id(vm().key, a_status().pre_maintenance_window_start_time)
    assert job.state is JobState.PLANNED
    assert (job.team, job.policy, job.rollout, job.stage) == ("shop", "web", 1, 1)
    assert job.planned_start == NOW
    assert job.maintenance == a_status()


def test_deciding_again_on_what_was_written_changes_nothing():
    seen = fleet(*(vm(f"web-{n:02}", tags={"tier": "db" if n < 3 else "web"}) for n in range(9)))
    rules = policies(web={"sequence": "tag:tier=db", "concurrency": 2}, other={"match": "name:x"})
    books = booked(decide(standings=rules, seen=seen))

    again = decide(books, rules, seen, now=NOW + timedelta(minutes=5))

    assert (again.heads, again.jobs, again.moved) == ({}, {}, [])


@pytest.mark.parametrize(
    "status",
    [
        None,
        a_status(
            allowed=False,
            opens=NOW - DAY,
        ),
        a_status(opens=NOW - 9 * DAY, closes=NOW),
    ],
    ids=["no maintenance", "not allowed inside its window", "window over"],
)
def test_a_vm_that_is_not_offered_gets_no_job(status):
    assert decide(seen=fleet(vm(status=status))).jobs == {}


def test_a_vm_is_planned_from_its_announcement_before_its_window_opens():
    ahead = a_status(
        allowed=False,
        opens=NOW + 5 * DAY,
        closes=NOW + 9 * DAY,
    )

    assert the_job(decide(seen=fleet(vm(status=ahead)))).planned_start == NOW + 5 * DAY


def test_no_job_is_made_from_half_a_subscription_but_open_ones_follow():
    books = booked(decide())
    moved = vm(status=a_status(closes=NOW + 30 * DAY))

    plan = decide(books, seen=fleet(moved, vm("web-02"), whole=False))

    assert [job.vm_name for job in plan.jobs[KEY]] == ["web-01"]
    assert the_job(plan).maintenance.pre_maintenance_window_end_time == NOW + 30 * DAY


def test_what_is_known_of_a_vms_place_outlives_a_discovery_that_cannot_read_the_locations():
    pair = Location(
        subscription_id=SUBSCRIPTION,
        name="westeurope",
        pairs=frozenset({"northeurope"}),
        zones={"1": "westeurope-az3"},
    )
    seen = fleet(vm(zone="1"))
    books = booked(decide(seen=replace(seen, places=Places.of([pair]))))
    (job,) = books.jobs()
    assert (job.zone_key, job.region_pairs) == ("westeurope/westeurope-az3", ("northeurope",))

    assert decide(books, seen=replace(seen, whole=frozenset())).jobs == {}


def test_a_moved_window_moves_the_job_and_keeps_its_id():
    books = booked(decide())
    later = a_status(
        opens=NOW + 3 * DAY,
        closes=NOW + 20 * DAY,
    )

    job = the_job(decide(books, seen=fleet(vm(status=later))))

    assert job.id == the_job(decide()).id
    assert job.planned_start == NOW + 3 * DAY


def test_a_withdrawn_maintenance_ends_its_job_and_may_come_again():
    books = booked(decide())
    plan = decide(books, seen=fleet(vm(status=None)))

    assert the_job(plan).state is JobState.WITHDRAWN
    settled = with_job(replace(the_job(plan), unsettled=None))
    again = the_job(decide(settled, seen=fleet(vm())))
    assert again.state is JobState.PLANNED
    assert again.id == the_job(plan).id + "-2"


def test_a_maintenance_that_somebody_else_completed_is_withdrawn():
    done = a_status(
        allowed=False,
        last_operation_result_code="MaintenanceCompleted",
    )

    assert (
        the_job(decide(booked(decide()), seen=fleet(vm(status=done)))).state is JobState.WITHDRAWN
    )


def test_a_deleted_vm_is_gone():
    plan = decide(booked(decide()), seen=fleet(absent=[vm().key]))

    assert the_job(plan).state is JobState.GONE
    assert the_job(plan).unsettled is not None


def test_a_vm_that_was_merely_not_seen_keeps_its_job():
    assert decide(booked(decide()), seen=fleet()).jobs == {}


@pytest.mark.parametrize(
    "rows",
    [
        {"web": {"enabled": False}},
        {"web": {"exclude": "name:web-*"}},
        {"other": {"match": "name:x"}},
    ],
    ids=["disabled", "excluded", "removed"],
)
def test_a_vm_that_no_policy_wants_any_more_is_skipped_and_comes_back_when_one_does(rows):
    plan = decide(booked(decide()), policies(**rows))

    job = the_job(plan)
    assert job.state is JobState.SKIPPED
    assert job.skipped_because == "unmatched"
    again = decide(with_job(replace(job, unsettled=None)), policies(web={}))
    assert the_job(again).state is JobState.PLANNED


def test_a_wrong_row_keeps_its_open_jobs_as_they_are():
    books = booked(decide())
    wrong = {KEY: standing(KEY, {"gap": "soon"}, None)}

    assert decide(books, wrong).jobs == {}


def test_a_vm_moves_to_a_policy_with_a_lower_number():
    books = booked(decide(standings=policies(web={}, urgent={"match": "name:x"})))

    plan = decide(books, policies(web={}, urgent={"priority": 1}))

    ((before, after),) = plan.moved
    assert before.policy == "web"
    assert after.policy == "urgent"
    assert after.id == before.id
    assert after.planned_start == NOW
    assert plan.jobs == {}


def test_a_tie_leaves_the_vm_alone_and_names_both_rows():
    plan = decide(standings=policies(a={}, b={}))

    assert plan.jobs == {}
    assert set(plan.tied) == {("shop", "a"), ("shop", "b")}
    assert "priority 100" in plan.unmatched[vm().key]


@pytest.mark.parametrize("state", [JobState.STARTING, JobState.REDEPLOYING])
def test_a_claimed_job_is_never_touched(state):
    claimed = replace(the_job(decide()), state=state, claimed_at=NOW, started_at=NOW, accepted=True)

    for seen in (
        fleet(vm(status=None)),
        fleet(absent=[vm().key]),
        fleet(vm(status=a_status(closes=NOW + 90 * DAY))),
    ):
        assert decide(with_job(claimed), policies(web={"enabled": False}), seen).jobs == {}


def test_what_was_read_before_a_job_gave_its_slot_back_does_not_count():
    retried = replace(the_job(decide()), attempt=2, freed_at=NOW)

    assert (
        decide(
            with_job(retried), seen=fleet(vm(status=None), seen_at=NOW - timedelta(seconds=1))
        ).jobs
        == {}
    )


def test_a_vm_for_which_no_start_fits_says_so_at_discovery():
    short = a_status(
        opens=NOW - DAY,
        closes=NOW + timedelta(minutes=20),
    )
    seen = fleet(vm("a", status=short), vm("b", status=short))

    jobs = {
        job.vm_name: job
        for job in decide(standings=policies(web={"estimate": "25m"}), seen=seen).jobs[KEY]
    }

    assert jobs["a"].planned_start == NOW
    assert jobs["b"].planned_start is None
    assert "room for 1 of 2 VMs" in jobs["b"].reason
    assert "concurrency 2 would fit all" in jobs["b"].reason


@pytest.mark.parametrize(
    "row",
    [
        UnreadRow("shop", "web", "other-20260302-0123456789"),
        UnreadRow("erp", "x", "web-01-20260302-0123456789"),
    ],
    ids=["a row of its policy", "perhaps its own job, under another policy"],
)
def test_no_job_is_made_beside_a_row_that_cannot_be_read_and_the_others_go_on(row):
    blind = Books(guard="1", ledgers={}, unread=(row,))
    seen = fleet(vm("web-01"), vm("api-01"))

    plan = decide(blind, policies(web={"match": "name:web-*"}, api={"match": "name:api-*"}), seen)

    assert [job.vm_name for jobs in plan.jobs.values() for job in jobs] == ["api-01"]
    assert "cannot be read" in plan.unmatched[vm("web-01").key]
    assert plan.unread == (row,)


def test_the_domains_of_a_scale_set_bind_across_policies_like_an_availability_sets():
    instance = an_instance(3, update_domain=4)

    job = the_job(decide(seen=fleet(instance)))

    assert (job.vm_name, job.domain_set) == ("web-vmss_3", instance.scale_set)
    assert job.domain == 4


def test_a_vm_with_a_mechanism_of_its_own_is_shown_without_a_policy_and_gets_no_job():
    hosted = vm("on-host", dedicated_host="/hostgroups/g/hosts/h1")
    calm = vm("calm", status=None, vm_size="Standard_E104is_v5")

    plan = decide(seen=fleet(hosted, calm, vm("web-01")))

    assert [job.vm_name for job in plan.planned] == ["web-01"]
    assert list(plan.unmatched) == [hosted.key]
    assert "scope Host" in plan.unmatched[hosted.key]


def test_a_job_ends_when_its_vm_moves_to_a_dedicated_host():
    books = booked(decide())

    plan = decide(books, seen=fleet(vm(dedicated_host="/hostgroups/g/hosts/h1")))

    ended = plan.jobs[KEY][0]
    assert (ended.state, ended.skipped_because) == (JobState.SKIPPED, "unmatched")
    assert "dedicated hosts (h1)" in ended.reason


def test_of_a_vm_that_a_list_told_of_the_job_keeps_what_only_its_own_view_tells():
    books = booked(decide(seen=fleet(a_vm(availability_set="/set", view=a_view(update_domain=3)))))
    listed = a_vm(availability_set="/set", view=a_view(agent_ready=False))
    seen = fleet(listed)

    plan = decide(books, seen=replace(seen, told=frozenset({listed.key})))

    (job,) = books.jobs()
    assert job.domain == 3
    assert plan.jobs == {}


# --- one maintenance, one start (P1) --------------------------------------------------------------


def ended(state, *, accepted=True, **changes):
    job = the_job(decide())
    return with_job(replace(job, state=state, ended_at=NOW, accepted=accepted, **changes))


@pytest.mark.parametrize(
    "state", [JobState.COMPLETED, JobState.FAILED, JobState.ABORTED, JobState.TIMED_OUT]
)
def test_a_started_maintenance_that_azure_still_offers_is_not_started_again(state):
    assert decide(ended(state)).jobs == {}


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.ABORTED, JobState.TIMED_OUT])
def test_a_moved_window_of_a_started_maintenance_is_still_that_maintenance(state):
    moved = a_status(
        opens=a_status().pre_maintenance_window_start_time + timedelta(hours=1),
        closes=a_status().pre_maintenance_window_end_time + DAY,
    )

    assert decide(ended(state), seen=fleet(vm(status=moved))).jobs == {}


@pytest.mark.parametrize("state", [JobState.COMPLETED, JobState.FAILED])
def test_a_window_that_shares_no_instant_with_the_last_is_another_maintenance(state):
    another = a_status(
        opens=NOW + 60 * DAY,
        closes=NOW + 90 * DAY,
    )

    assert the_job(decide(ended(state), seen=fleet(vm(status=another)))).state is JobState.PLANNED


def test_a_completed_vm_that_is_offered_again_from_another_start_is_in_another_wave():
    another = a_status(opens=a_status().pre_maintenance_window_start_time + timedelta(hours=1))

    assert (
        the_job(decide(ended(JobState.COMPLETED), seen=fleet(vm(status=another)))).state
        is JobState.PLANNED
    )


@pytest.mark.parametrize(("code", "follows"), [("RetryLater", True), ("MaintenanceAborted", False)])
def test_one_that_was_skipped_while_it_waited_to_be_tried_again_comes_back(code, follows):
    waiting = replace(a_status(), last_operation_result_code=code)
    books = ended(JobState.SKIPPED, skipped_because="unmatched", maintenance=waiting)

    assert bool(decide(books, seen=fleet(vm(status=waiting))).jobs) is follows


def test_nothing_follows_a_job_whose_end_is_still_being_recorded():
    job = replace(the_job(decide()), state=JobState.PLANNED).ended(
        JobState.SKIPPED, now=NOW, reason="x"
    )

    assert decide(with_job(job)).jobs == {}


def test_a_dry_run_is_followed_only_once_baton_is_live():
    books = ended(JobState.SKIPPED, accepted=False, skipped_because="dryRun")

    assert decide(books, dry_run=True).jobs == {}
    assert the_job(decide(books, dry_run=False)).state is JobState.PLANNED
