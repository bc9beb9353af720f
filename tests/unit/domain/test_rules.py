from datetime import timedelta

import pytest

from shared.domain.job import JobState
from shared.domain.ledger import Away, Ledger, UnreadRow
from shared.domain.placement import placement_conflict, set_conflict, with_away, without_away
from shared.domain.policy_row import parse_policy
from shared.domain.rules import backoff, next_turns, why_wait
from tests.builders import NOW, SUBSCRIPTION, a_head, a_job, a_status, a_vm

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def policy(**columns):
    return parse_policy(("shop", "web"), {"gap": "15m", "stageGap": "1h", **columns})


def job(name, *, subscription_id=SUBSCRIPTION, location="westeurope", **changes):
    vm = a_vm(name, subscription_id=subscription_id, location=location)
    return a_job(id=name, vm=vm, **changes)


def away(name, **changes):
    return job(
        name, state=JobState.REDEPLOYING, claimed_at=NOW, started_at=NOW, accepted=True, **changes
    )


def done(name, at, state=JobState.COMPLETED, **changes):
    return job(name, state=state, ended_at=at, freed_at=at, accepted=True, **changes)


def ledger(*jobs):
    return Ledger(head=a_head(), jobs=jobs)


def turns(jobs, rules, now=NOW):
    return [(turn.job.id, turn.at) for turn in next_turns(ledger(*jobs), rules, now)]


def test_the_first_of_a_stage_goes_at_once_and_the_others_wait_for_it():
    jobs = [job("a"), job("b"), job("c")]

    assert turns(jobs, policy()) == [("a", NOW)]
    assert why_wait(jobs[0], ledger(*jobs), policy(), NOW) is None
    wait = why_wait(jobs[1], ledger(*jobs), policy(), NOW)
    assert wait is not None
    assert wait.until is None


def test_as_many_go_as_concurrency_says():
    assert turns([job("a"), job("b"), job("c")], policy(concurrency=2)) == [("a", NOW), ("b", NOW)]


def test_nobody_goes_while_every_slot_is_away_and_the_reason_names_who():
    jobs = [away("a"), job("b")]

    assert turns(jobs, policy()) == []
    wait = why_wait(jobs[1], ledger(*jobs), policy(), NOW)
    assert wait is not None
    assert "a is away" in wait.reason


def test_a_slot_is_used_again_a_gap_after_its_vm_was_verified_back():
    verified = NOW - 5 * MINUTE
    jobs = [done("a", verified), job("b")]

    assert turns(jobs, policy()) == [("b", verified + 15 * MINUTE)]
    wait = why_wait(jobs[1], ledger(*jobs), policy(), NOW)
    assert wait is not None
    assert wait.until == verified + 15 * MINUTE
    assert why_wait(jobs[1], ledger(*jobs), policy(), verified + 15 * MINUTE) is None


def test_a_free_slot_does_not_wait_for_one_that_cools():
    jobs = [done("a", NOW - MINUTE), job("b"), job("c")]

    assert turns(jobs, policy(concurrency=2)) == [("b", NOW), ("c", NOW + 14 * MINUTE)]


def test_where_more_slots_cool_than_there_are_the_last_ones_count():
    jobs = [done("a", NOW - 9 * MINUTE), done("b", NOW - 3 * MINUTE), job("c")]

    assert turns(jobs, policy(concurrency=1)) == [("c", NOW + 12 * MINUTE)]


def test_a_failed_start_that_azure_never_took_cools_no_slot():
    refused = job("a", refusals=1, not_before=NOW + MINUTE)

    assert turns([refused, job("b")], policy()) == [("b", NOW)]


def test_one_that_waits_to_be_tried_again_lets_others_go_first():
    retried = job("a", attempt=2, not_before=NOW + 30 * MINUTE, freed_at=NOW - 20 * MINUTE)

    assert turns([retried, job("b")], policy()) == [("b", NOW)]
    assert turns([retried], policy()) == [("a", NOW + 30 * MINUTE)]


def test_a_stage_waits_until_every_vm_before_it_has_its_outcome():
    jobs = [done("a", NOW - 2 * timedelta(hours=1), stage=1), away("b", stage=1), job("c", stage=2)]

    assert turns(jobs, policy()) == []
    wait = why_wait(jobs[2], ledger(*jobs), policy(), NOW)
    assert wait is not None
    assert "stage 2 waits for b" in wait.reason


def test_between_stages_the_stage_gap_replaces_the_gap():
    jobs = [done("a", NOW, stage=1), job("b", stage=2)]

    assert turns(jobs, policy(stageGap="1h")) == [("b", NOW + timedelta(hours=1))]
    assert turns(jobs, policy(stageGap="0s", gap="15m")) == [("b", NOW)]


def test_a_stage_that_was_given_up_still_counts_from_when_it_was():
    given_up = job("a", stage=1, state=JobState.MISSED, ended_at=NOW)

    assert turns([given_up, job("b", stage=2)], policy()) == [("b", NOW + timedelta(hours=1))]


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.ABORTED, JobState.TIMED_OUT])
def test_a_failure_halts_the_rollout_where_the_policy_says_so(state):
    jobs = [done("a", NOW - timedelta(hours=9), state), job("b")]

    assert turns(jobs, policy()) == []
    wait = why_wait(jobs[1], ledger(*jobs), policy(), NOW)
    assert wait is not None
    assert "halted: a" in wait.reason
    assert turns(jobs, policy(onFailure="continue")) == [("b", NOW)]


@pytest.mark.parametrize(
    "state", [JobState.MISSED, JobState.GONE, JobState.WITHDRAWN, JobState.SKIPPED]
)
def test_what_was_never_started_does_not_halt(state):
    assert turns([job("a", state=state, ended_at=NOW), job("b")], policy()) == [("b", NOW)]


def test_the_next_rollout_begins_when_this_one_is_done():
    first, second = away("a", rollout=1), job("b", rollout=2)

    assert turns([first, second], policy(concurrency=5)) == []
    wait = why_wait(second, ledger(first, second), policy(concurrency=5), NOW)
    assert wait is not None
    assert "rollout 2 begins when rollout 1 is done" in wait.reason
    assert turns([done("a", NOW, rollout=1), second], policy()) == [("b", NOW + 15 * MINUTE)]


def test_a_failure_of_an_earlier_rollout_does_not_halt_the_next():
    failed = done("a", NOW - timedelta(days=30), JobState.FAILED, rollout=1)

    assert turns([failed, job("b", rollout=2)], policy()) == [("b", NOW)]


def test_nobody_starts_before_its_window_opens():
    opens = NOW + timedelta(days=2)
    later = a_status(
        opens=opens,
        closes=opens + timedelta(days=5),
    )

    assert turns([job("a", maintenance=later), job("b")], policy()) == [("b", NOW)]
    assert turns([job("a", maintenance=later)], policy()) == [("a", opens)]


def test_two_zones_of_a_policy_are_never_away_together():
    first, second = away("a", zone="1"), job("b", zone="2")

    assert "one zone at a time" in placement_conflict(second, [first])
    assert placement_conflict(job("c", zone="1"), [first]) == ""
    assert placement_conflict(job("d"), [first]) == ""
    assert turns([first, second, job("c", zone="1")], policy(concurrency=2)) == [("c", NOW)]


def test_a_zone_counts_on_a_row_that_is_older_than_the_zone_key():
    old = away("a", zone="1", zone_key="")

    assert "zone" in placement_conflict(job("b", zone="2", zone_key=""), [old])
    assert "zone" in placement_conflict(job("b", zone="2", zone_key="westeurope/az2"), [old])
    assert placement_conflict(job("b", zone="1", zone_key=""), [old]) == ""


def test_the_same_zone_number_of_two_subscriptions_is_two_zones():
    assert placement_conflict(
        job("b", zone="1", subscription_id="s2"), [away("a", zone="1", subscription_id="s1")]
    )


@pytest.mark.parametrize(("one", "other"), [(("northeurope",), ()), ((), ("westeurope",))])
def test_both_regions_of_a_pair_are_never_away_together_whichever_side_lists_the_other(one, other):
    west = away("a", location="westeurope", region_pairs=one)
    north = job("b", location="northeurope", region_pairs=other)

    assert "pair" in placement_conflict(north, [west])
    assert placement_conflict(job("c", location="westeurope", region_pairs=one), [west]) == ""


def test_two_that_may_not_go_together_do_not_take_two_free_slots():
    assert turns([job("a", zone="1"), job("b", zone="2")], policy(concurrency=2)) == [("a", NOW)]


def test_one_update_domain_of_a_set_is_away_at_a_time_across_policies():
    mine = job("b", domain_set="set", domain=1)
    empty = Away(domain_set="set")
    with_other = with_away(empty, away("a", domain_set="set", domain=0))

    assert set_conflict(mine, empty) == ""
    assert "one domain at a time" in set_conflict(mine, with_other)
    assert set_conflict(job("c", domain_set="set", domain=0), with_other) == ""
    assert set_conflict(mine, without_away(with_other, job("a"))) == ""


def test_an_unknown_update_domain_equals_no_other():
    unknown = with_away(Away(domain_set="set"), away("a", domain=None))

    assert set_conflict(job("b", domain=None), unknown)
    assert set_conflict(job("b", domain=0), unknown)


def test_a_vm_never_stands_in_its_own_way():
    mine = job("a", domain_set="set", domain=None)

    assert set_conflict(mine, with_away(Away(domain_set="set"), mine)) == ""


def test_the_wait_doubles_up_to_sixteen_times_with_a_tenth_of_jitter():
    waits = [backoff(MINUTE, n, jitter=0) / MINUTE for n in range(1, 9)]

    assert waits == [1, 2, 4, 8, 16, 16, 16, 16]
    assert backoff(MINUTE, 1, jitter=1) == 1.1 * MINUTE
    assert backoff(MINUTE, 10**6, jitter=0) == 16 * MINUTE


def test_an_attempt_that_is_still_being_recorded_is_not_started_again():
    ended = a_job(state=JobState.REDEPLOYING, started_at=NOW, claimed_at=NOW).to_retry(
        outcome="retryLater", now=NOW, not_before=NOW, reason="RetryLater"
    )

    assert why_wait(ended, ledger(ended), policy(), NOW) is not None


def test_while_a_row_cannot_be_read_nobody_knows_who_is_away_and_nothing_starts():
    blind = Ledger(head=a_head(), jobs=(job("a"),), unread=(UnreadRow("shop", "web", "b"),))

    assert next_turns(blind, policy(), NOW) == ()
    wait = why_wait(blind.jobs[0], blind, policy(), NOW)
    assert wait is not None
    assert "row shop|web|b" in wait.reason
