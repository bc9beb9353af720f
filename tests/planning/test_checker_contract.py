"""The checker of plans can fail: each breach of the plan's form, and of who has a VM, is named."""

import pytest

from tests.planning.checker import violations
from tests.planning.facts import read_facts
from tests.planning.instances import small
from tests.planning.plans import serial_plan
from tests.planning.spoiling import FLEET, broken, job, start, unmatched


def test_a_serial_plan_is_legal_and_places_everybody(plan):
    assert broken(plan) == []
    assert [each["vmId"] for each in plan["jobs"] if not each["start"]] == []
    assert [each["vmId"].rpartition("/")[2] for each in plan["unmatched"]] == [
        "frozen-1",
        "lonely-1",
        "shop-x-1",
        "tied-1",
    ]


@pytest.mark.parametrize("seed", range(40))
def test_serial_plans_of_seeded_instances_are_legal(seed):
    it = small(seed)
    facts = read_facts(rows=it.rows, fleet=it.fleet, locations=it.locations, now=it.now)

    found = violations(serial_plan(facts), rows=it.rows, fleet=it.fleet, locations=it.locations)

    assert found == []


def a_vm_is_lost(plan):
    plan["jobs"].remove(job(plan, "data-1"))


def an_unmatched_vm_is_lost(plan):
    plan["unmatched"].remove(unmatched(plan, "lonely-1"))


def a_vm_is_told_twice(plan):
    again = {"vmId": job(plan, "data-1")["vmId"].upper(), "start": None, "end": None}
    plan["jobs"].append({**job(plan, "data-1"), **again, "reason": "twice"})


def a_vm_without_maintenance_is_told(plan):
    plan["unmatched"].append({"vmId": FLEET[-3]["id"], "reason": "idle"})


def a_vm_whose_window_ended_is_told(plan):
    plan["jobs"].append({**job(plan, "data-4"), "vmId": FLEET[-2]["id"]})


def a_vm_is_in_another_policy(plan):
    job(plan, "erp-1")["team"] = "data"


def an_excluded_vm_is_a_job(plan):
    plan["unmatched"].remove(unmatched(plan, "shop-x-1"))
    plan["jobs"].append({**job(plan, "shop-web-1"), "vmId": FLEET[8]["id"]})


def a_tied_vm_is_a_job(plan):
    entry = unmatched(plan, "tied-1")
    plan["unmatched"].remove(entry)
    plan["jobs"].append({**job(plan, "data-4"), **entry, "team": "web", "policy": "one"})


def a_vm_of_a_disabled_policy_is_a_job(plan):
    entry = unmatched(plan, "lonely-1")
    plan["unmatched"].remove(entry)
    plan["jobs"].append({**job(plan, "data-4"), **entry, "team": "web", "policy": "off"})


def a_vm_of_a_wrong_row_goes_to_the_next(plan):
    entry = unmatched(plan, "frozen-1")
    plan["unmatched"].remove(entry)
    plan["jobs"].append({**job(plan, "data-4"), **entry, "team": "web", "policy": "rest"})


def a_vm_that_a_policy_has_is_unmatched(plan):
    plan["jobs"].remove(job(plan, "data-1"))
    plan["unmatched"].append({"vmId": FLEET[9]["id"], "reason": "forgotten"})


def a_stage_is_the_number_of_the_tag(plan):
    job(plan, "data-2")["stage"] = 9


def a_stage_counts_from_nought(plan):
    job(plan, "shop-db-1")["stage"] = 0


def a_start_has_no_end(plan):
    job(plan, "data-1")["end"] = None


def a_vm_is_given_up_without_a_reason(plan):
    job(plan, "data-1").update(start=None, end=None, reason="")


def a_vm_is_unmatched_without_a_reason(plan):
    unmatched(plan, "lonely-1")["reason"] = None


def an_end_is_not_the_estimate(plan):
    start(plan, "data-4", "2 23:00", away=25)


def a_time_is_not_utc(plan):
    each = job(plan, "data-4")
    each["start"] = "2026-07-03T01:00:00+02:00"
    each["end"] = "2026-07-02T23:20:00Z"


def a_wrong_row_is_not_told(plan):
    plan["policyErrors"] = [each for each in plan["policyErrors"] if each["policy"] != "wrong"]


def a_tie_is_told_of_one_row(plan):
    plan["policyErrors"] = [each for each in plan["policyErrors"] if each["policy"] != "one"]


def a_right_row_is_told_to_be_wrong(plan):
    plan["policyErrors"].append({**plan["policyErrors"][0], "team": "data", "policy": "all"})


def a_row_that_is_not_there_is_told(plan):
    plan["policyErrors"].append({**plan["policyErrors"][0], "team": "data", "policy": "none"})


def another_column_is_told_to_be_wrong(plan):
    next(each for each in plan["policyErrors"] if each["policy"] == "wrong")["column"] = "match"


def an_error_says_nothing(plan):
    plan["policyErrors"][0]["message"] = ""


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (a_vm_is_lost, "data-1 is offered and is in the plan 0 times"),
        (an_unmatched_vm_is_lost, "lonely-1 is offered and is in the plan 0 times"),
        (a_vm_is_told_twice, "data-1 is offered and is in the plan 2 times"),
        (a_vm_without_maintenance_is_told, "idle-1 is in the plan and is not offered maintenance"),
        (a_vm_whose_window_ended_is_told, "late-1 is in the plan and is not offered maintenance"),
        (a_vm_is_in_another_policy, "erp-1 is a job of data/all, and erp/all has it"),
        (an_excluded_vm_is_a_job, "shop-x-1 is a job of shop/tiers, and no policy has it"),
        (a_tied_vm_is_a_job, "tied-1 is a job of web/one, and web/one and web/two has it"),
        (a_vm_of_a_disabled_policy_is_a_job, "lonely-1 is a job of web/off, and no policy has it"),
        (
            a_vm_of_a_wrong_row_goes_to_the_next,
            "frozen-1 is a job of web/rest, and web/wrong has it",
        ),
        (a_vm_that_a_policy_has_is_unmatched, "data-1 is unmatched, and data/all has it"),
        (a_stage_is_the_number_of_the_tag, "data-2 is in stage 2, not 9"),
        (a_stage_counts_from_nought, "shop-db-1 is in stage 1, not 0"),
        (a_start_has_no_end, "data-1 has one of start and end"),
        (a_vm_is_given_up_without_a_reason, "data-1 has no start, and no reason is given"),
        (a_vm_is_unmatched_without_a_reason, "lonely-1 is unmatched, and no reason is given"),
        (
            an_end_is_not_the_estimate,
            "data-4 ends 2026-07-02T23:25:00+00:00, not 0:20:00 after 2026-07-02T23:00:00+00:00",
        ),
        (a_time_is_not_utc, "data-4 has times that are not in UTC"),
        (a_wrong_row_is_not_told, "web/wrong is in error, and the plan does not say so"),
        (a_tie_is_told_of_one_row, "web/one is in error, and the plan does not say so"),
        (
            a_right_row_is_told_to_be_wrong,
            "the plan says that data/all is in error, and it is not",
        ),
        (
            a_row_that_is_not_there_is_told,
            "the plan tells of data/none, and there is no such row",
        ),
        (another_column_is_told_to_be_wrong, "web/wrong is wrong in ['freeze'], not {'match'}"),
        (an_error_says_nothing, "an error of web/wrong says nothing"),
    ],
)
def test_a_breach_of_the_contract_is_named(plan, spoil, said):
    spoil(plan)

    assert broken(plan) == [f"contract: {said}"]
