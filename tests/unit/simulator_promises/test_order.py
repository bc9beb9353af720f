"""P3, P4 and P5: stages, halts, gaps, slots, and who may be away together."""

from dataclasses import replace

import pytest

from simulator.promises.model import PolicyEdit
from tests.unit.simulator_promises.telling import RULES, Run, a_failed_run, a_run, at, broken

# --- P3 ---------------------------------------------------------------------------------------------


def test_a_stage_that_begins_before_the_one_before_ended_is_seen():
    run = a_run(concurrency=4, gap="0s", stageGap="0s")
    run.rows = [replace(row, ended=at(15)) if row.vm == "db-2" else row for row in run.rows]

    assert broken(run) == {
        "P3": (
            "web-1 started at 12:00:14.000, before db-2 of an earlier stage of shop/tiers had its outcome",
        )
    }


def test_a_vm_that_was_never_done_keeps_the_next_stage_waiting():
    run = a_run()
    run.vm("db-3", "db")

    assert len(broken(run)["P3"]) == 2


def test_a_vm_that_no_start_is_left_to_keeps_nobody_waiting():
    run = a_run(windows="12:00-12:01", estimate="5s")
    run.vm("db-3", "db")
    run.windows[-1] = replace(run.windows[-1], start=at(58))
    run.row("db-3", 600, "missed")

    assert "P3" not in broken(run)


@pytest.mark.parametrize(("closes", "held"), [(200, True), (2000, False)])
def test_a_vm_that_opens_so_late_that_a_later_stage_would_lose_its_window_keeps_nobody_waiting(
    closes, held
):
    run = a_run(estimate="5s")
    run.windows = [replace(window, end=at(closes)) for window in run.windows]
    run.vm("db-3", "db")
    run.windows[-1] = replace(run.windows[-1], start=at(300), end=at(600))
    run.redeploy("db-3", 310, 312)

    assert ("P3" not in broken(run)) is held


def test_a_vm_that_is_away_as_its_window_ends_keeps_the_next_stage_waiting():
    run = a_run(concurrency=2)
    run.vm("db-3", "db")
    run.windows[-1] = replace(run.windows[-1], end=at(13))
    run.redeploy("db-3", 2, 30)

    assert "before db-3 of an earlier stage" in broken(run)["P3"][0]


def test_a_vm_that_vanished_before_anybody_looked_keeps_nobody_waiting():
    run = a_run()
    run.vm("db-3", "db")
    run.event("db-3", 0.1, "deleted")

    assert "P3" not in broken(run)


def test_a_vm_announced_after_its_stage_keeps_nobody_waiting():
    run = a_run()
    run.vm("db-3", "db")
    run.windows[-1] = replace(run.windows[-1], since=at(12))
    run.row("db-3", 30, "missed")

    assert "P3" not in broken(run)


def test_a_start_after_a_failure_that_halts_is_seen():
    assert broken(a_failed_run()) == {
        "P3": (
            "web-1 started at 12:00:14.000 though db-2 had ended aborted and shop/tiers halts",
            "web-2 started at 12:00:20.000 though db-2 had ended aborted and shop/tiers halts",
        )
    }


def test_a_policy_that_continues_may_start_after_a_failure():
    assert broken(a_failed_run(onFailure="continue")) == {}


def test_a_policy_edited_to_continue_may_go_on():
    run = a_failed_run()
    run.policy(12, onFailure="continue")

    assert broken(run) == {}


def test_numbered_stages_are_followed_too():
    run = a_run(sequence="tag:order")
    orders = {"db-1": "2", "db-2": "1", "web-1": "10", "web-2": "none"}
    run.machines = {
        name: replace(machine, tags={**machine.tags, "order": orders[name]})
        for name, machine in run.machines.items()
    }

    assert broken(run)["P3"] == (
        "db-1 started at 12:00:01.000, before db-2 of an earlier stage of shop/tiers had its outcome",
    )


# --- P4 ---------------------------------------------------------------------------------------------


def test_a_gap_that_is_too_short_is_seen():
    run = a_run(gap="3.5s")

    assert broken(run)["P4"][0] == (
        "db-2 at 12:00:07.000: 1 of 1 slots of shop/tiers were taken or within the gap of 3.50 s"
    )


def test_more_vms_away_than_the_concurrency_are_seen():
    run = a_run(gap="0s")
    run.starts[1] = replace(run.starts[1], at=at(3.5))
    run.rows[1] = replace(run.rows[1], started=at(3.5))

    assert "db-2" in broken(run)["P4"][0]


def test_two_slots_may_be_used_at_once():
    run = a_run(concurrency=2)
    run.starts[1] = replace(run.starts[1], at=at(1.5))
    run.rows[1] = replace(run.rows[1], started=at(1.5))

    assert broken(run) == {}


def test_a_slot_of_a_vm_that_never_came_back_rests_from_its_outcome():
    run = a_run(gap="3s", stageGap="0s")
    run.events = [e for e in run.events if (e.vm, e.name) != ("db-1", "back")]

    assert "db-2" in broken(run)["P4"][0]
    assert broken(a_run(gap="3s")) == {}


def test_a_stage_gap_that_is_too_short_is_seen():
    run = a_run(stageGap="5s")

    assert broken(run)["P4"] == (
        "web-1 at 12:00:14.000: 4.00 s after db-2 of the stage before, where shop/tiers asks for 5.00 s",
    )


def test_an_edited_gap_counts_from_its_edit():
    run = a_run(gap="1h", stageGap="1s")
    run.policy(6, gap="1s")

    assert broken(run) == {}


# --- P5 ---------------------------------------------------------------------------------------------


def together(**placed) -> Run:
    """db-1 and db-2 away at the same time, placed so."""
    run = a_run(concurrency=2)
    for name, where in zip(("db-1", "db-2"), placed["each"], strict=True):
        run.machines[name] = replace(run.machines[name], **where)
    run.starts[1] = replace(run.starts[1], at=at(2))
    run.rows[1] = replace(run.rows[1], started=at(2))
    return run


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (
            {"availability_set": "set", "update_domain": 0},
            {"availability_set": "set", "update_domain": 1},
            "update domains 0 and 1 of one set",
        ),
        ({"zone": "1"}, {"zone": "2"}, "zones 1 and 2 of one policy"),
        ({"zone": "1"}, {"zone": "1", "subscription": "s2"}, "zones 1 and 1 of one policy"),
        (
            {"zone": "1", "physical_zone": "we-az1"},
            {"zone": "1", "physical_zone": "we-az2", "subscription": "s2"},
            "zones 1 and 1 of one policy",
        ),
        (
            {"zone": "1", "physical_zone": "we-az1"},
            {"zone": "1", "location": "uksouth"},
            "zones 1 and 1 of one policy",
        ),
        (
            {"availability_set": "set"},
            {"availability_set": "set"},
            "update domains unknown and unknown of one set",
        ),
        (
            {"availability_set": "set", "update_domain": 0},
            {"availability_set": "set"},
            "update domains 0 and unknown of one set",
        ),
        ({}, {"location": "northeurope"}, "westeurope and northeurope, a pair, of one policy"),
    ],
)
def test_vms_that_must_not_be_away_together_are_seen(one, other, why):
    assert broken(together(each=(one, other)))["P5"] == (f"db-1 and db-2 at 12:00:02.000: {why}",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {"availability_set": "set", "update_domain": 1},
            {"availability_set": "set", "update_domain": 1},
        ),
        (
            {"availability_set": "a", "update_domain": 0},
            {"availability_set": "b", "update_domain": 1},
        ),
        ({"zone": "1"}, {"zone": "1"}),
        (
            {"zone": "1", "physical_zone": "we-az2"},
            {"zone": "2", "physical_zone": "we-az2", "subscription": "s2"},
        ),
        ({"zone": "1"}, {"zone": ""}),
        ({}, {"location": "uksouth"}),
    ],
)
def test_vms_that_may_be_away_together_are_no_violation(one, other):
    assert broken(together(each=(one, other))) == {}


def test_zones_of_different_policies_do_not_bind_each_other():
    run = together(each=({"zone": "1"}, {"zone": "2"}))
    run.edits[0] = replace(run.edits[0], columns={**RULES, "concurrency": 2, "match": "!name:db-2"})
    run.edits.append(PolicyEdit(at=at(0), team="erp", name="db", columns={"match": "name:db-2"}))

    assert "P5" not in broken(run)
