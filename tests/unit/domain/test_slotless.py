"""Jobs that take no slot, in the rules and in the plan."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.job import JobState
from shared.domain.rollouts import schedule
from shared.domain.rules import next_turns, why_wait
from tests.builders import NOW, a_job, a_ledger, a_policy, a_release, a_status, a_vm

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def patched(name, *, reboots=False, **other):
    return a_job(name, patches=a_release(reboots=reboots), **other)


def turns(*jobs, now=NOW, **columns):
    policy = a_policy(**{"patching": "install", "gap": "15m", **columns})
    return [(turn.job.vm_name, turn.at) for turn in next_turns(a_ledger(*jobs), policy, now)]


def test_all_of_a_stage_that_reboot_nothing_go_at_once_beside_one_that_is_away():
    away = a_job("web-9", state=JobState.REDEPLOYING, claimed_at=NOW - MINUTE)

    assert turns(away, patched("web-1"), patched("web-2")) == [("web-1", NOW), ("web-2", NOW)]


def test_an_installation_without_a_reboot_keeps_nobody_else_from_a_slot():
    running = patched("web-1", state=JobState.REDEPLOYING, claimed_at=NOW - MINUTE)

    assert turns(running, a_job("web-2")) == [("web-2", NOW)]


def test_one_with_a_reboot_takes_a_slot_like_a_redeploy():
    away = patched("web-1", reboots=True, state=JobState.REDEPLOYING, claimed_at=NOW - MINUTE)

    assert turns(away, patched("web-2", reboots=True)) == []


def test_they_wait_for_the_stage_before_them_and_its_gap():
    done = a_job("db-1", state=JobState.COMPLETED, ended_at=NOW - MINUTE, freed_at=NOW - MINUTE)
    first, second = replace(done, stage=1), patched("web-1", stage=2)

    assert turns(first, second, stageGap="30m") == [("web-1", NOW + 29 * MINUTE)]
    assert turns(a_job("db-1"), second) == [("db-1", NOW)]


def test_one_that_the_hours_leave_no_start_says_so():
    job = patched("web-1")
    policy = a_policy(patching="install", freezes="2026-03-01/2026-03-31")

    wait = why_wait(job, a_ledger(job), policy, NOW)

    assert wait
    assert wait.reason.startswith(
        "no start is left before its window for patches closes: the freeze"
    )


def test_patches_before_a_redeploy_take_no_slot_and_then_the_redeploy_does():
    both = patched("web-1", maintenance=a_status())
    after = replace(both, patches=None)

    assert (both.takes_slot, both.disrupts) == (False, True)
    assert after.takes_slot


def planned(*jobs, vms=(), now=NOW, **columns):
    policy = a_policy(**{"patching": "install", "gap": "15m", "estimate": "10m", **columns})
    seen = {vm.key: vm for vm in vms}
    said = schedule({policy.key: jobs}, {policy.key: policy}, seen, (), now)
    return {job.vm_name: (job.rollout, job.planned_start) for job in said.jobs.values()}, said


def new(name, **other):
    return replace(patched(name, **other), rollout=0, planned_start=None)


def test_a_plan_gives_all_of_a_stage_the_same_start_and_later_stages_one_after_it():
    names = ("db-1", "db-2", "web-1", "web-2")
    starts, _ = planned(
        *map(new, names), vms=map(a_vm, names), sequence="name:db-*; name:web-*", stageGap="1h"
    )

    later = NOW + 70 * MINUTE
    assert starts == {
        "db-1": (1, NOW),
        "db-2": (1, NOW),
        "web-1": (1, later),
        "web-2": (1, later),
    }


def test_a_redeploy_of_a_later_stage_is_planned_behind_them():
    first, second = new("db-1"), replace(a_job("web-1"), rollout=0, planned_start=None)
    starts, _ = planned(
        first,
        second,
        vms=(a_vm("db-1"), a_vm("web-1")),
        sequence="name:db-*; name:web-*",
        stageGap="1h",
    )

    assert starts == {"db-1": (1, NOW), "web-1": (1, NOW + 70 * MINUTE)}


def test_the_start_that_people_were_told_is_kept():
    told = replace(patched("web-1"), planned_start=NOW + HOUR)

    starts, said = planned(told)

    assert starts == {"web-1": (1, NOW + HOUR)}
    assert next(iter(said.jobs.values())).reason == told.reason


def test_one_with_no_hours_left_is_given_up_with_the_reason():
    starts, said = planned(new("web-1"), new("web-2", reboots=True), windows="Sun#-1 01:00-02:00")

    assert starts == {"web-1": (1, None), "web-2": (1, None)}
    assert {job.vm_name for job in said.no_fit} == {"web-1", "web-2"}
    reasons = {job.vm_name: job.reason for job in said.no_fit}
    assert reasons["web-1"].startswith(
        "no start is left before its window for patches closes: its windows"
    )


def test_a_rollout_of_patches_that_waits_for_approval_has_until_the_first_window_closes():
    _, said = planned(new("web-1"), approval="required")

    need = said.in_need["shop", "web"]
    assert (need.vms, need.last) == (1, a_release().until)
