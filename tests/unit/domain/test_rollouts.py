from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.job import JobState
from shared.domain.ledger import Books
from tests.builders import NOW, a_status, a_view, a_vm
from tests.unit.domain.deciding import KEY, booked, decide, fleet, policies, vm

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEB = {"match": "name:web-*", "gap": "15m", "estimate": "25m"}
TURN = 40 * MINUTE


def starts(books):
    return {job.vm_name: job.planned_start for job in books.jobs()}


def reasons(books):
    return {job.vm_name: job.reason for job in books.jobs()}


def three(**columns):
    seen = fleet(*(vm(f"web-{n}") for n in range(3)))
    rules = policies(web={**WEB, **columns})
    return booked(decide(standings=rules, seen=seen)), rules, seen


def with_changed(books, name, **changes):
    """The books after something happened to one job."""
    (key, ledger), *_ = books.ledgers.items()
    jobs = tuple(replace(job, **changes) if job.vm_name == name else job for job in ledger.jobs)
    return Books(guard=books.guard, ledgers={key: replace(ledger, jobs=jobs)})


def away(books, name, at=NOW):
    return with_changed(
        books, name, state=JobState.REDEPLOYING, claimed_at=at, started_at=at, accepted=True
    )


def test_what_can_keep_the_start_that_people_were_told_keeps_it():
    books, rules, seen = three()
    told = starts(books)

    # One came back early, and a fourth VM is announced.
    early = with_changed(
        books,
        "web-0",
        state=JobState.COMPLETED,
        ended_at=NOW + 5 * MINUTE,
        freed_at=NOW + 5 * MINUTE,
        accepted=True,
    )
    more = fleet(*seen.vms.values(), vm("web-9"))
    plan = decide(early, rules, more, now=NOW + 10 * MINUTE)

    after = starts(booked(plan, early))
    assert {name: after[name] for name in told} == told
    assert after["web-9"] == NOW + 3 * TURN


def test_one_that_is_late_moves_only_whom_it_stands_in_the_way_of_and_that_one_says_why():
    books, rules, seen = three()
    late = away(books, "web-0")

    after = booked(decide(late, rules, seen, now=NOW + 30 * MINUTE), late)

    assert starts(after)["web-1"] == NOW + 3 * TURN
    assert "moved from 2026-03-02 12:40 UTC: " in reasons(after)["web-1"]
    assert starts(after)["web-2"] == NOW + 2 * TURN


def test_a_start_that_comes_seconds_after_its_plan_moves_nobody():
    books, rules, seen = three()
    late = away(books, "web-0", at=NOW + timedelta(seconds=9))

    plan = decide(late, rules, seen, now=NOW + 10 * MINUTE)

    assert plan.jobs == {}


def test_one_that_is_hardly_late_moves_nobody_whether_it_is_back_or_not():
    books, rules, seen = three()
    still = away(books, "web-0")
    at = NOW + 27 * MINUTE
    back = with_changed(
        books, "web-0", state=JobState.COMPLETED, ended_at=at, freed_at=at, accepted=True
    )

    assert decide(still, rules, seen, now=at).jobs == {}
    assert decide(back, rules, seen, now=at + MINUTE).jobs == {}


def test_a_stage_that_ends_hardly_late_does_not_move_the_next_one():
    books, rules, seen = three(sequence="name:web-0", stageGap="15m")
    at = NOW + 27 * MINUTE
    back = with_changed(
        books, "web-0", state=JobState.COMPLETED, ended_at=at, freed_at=at, accepted=True
    )

    assert decide(back, rules, seen, now=at + MINUTE).jobs == {}


def test_one_that_could_not_start_in_time_is_planned_anew():
    books, rules, seen = three()

    after = booked(decide(books, rules, seen, now=NOW + HOUR), books)

    assert starts(after) == {
        "web-0": NOW + 3 * TURN,
        "web-1": NOW + TURN,
        "web-2": NOW + 2 * TURN,
    }
    assert reasons(after)["web-0"].endswith("it could not start then")


def test_a_freeze_moves_those_it_covers_and_nobody_else():
    books, _, seen = three(gap="10h")
    frozen = policies(web={**WEB, "gap": "10h", "freezes": "2026-03-02T22:00/PT5H"})

    after = booked(decide(books, frozen, seen, now=NOW, version="2"), books)

    assert starts(books)["web-1"] == datetime.fromisoformat("2026-03-02T22:25Z")
    assert starts(after)["web-0"] == NOW
    assert starts(after)["web-1"] > starts(after)["web-2"] == starts(books)["web-2"]
    assert reasons(after)["web-1"].endswith("its policy was edited")


def test_windows_put_the_starts_inside_them():
    books, *_ = three(windows="22:00-23:10")

    assert sorted(starts(books).values()) == [
        datetime.fromisoformat("2026-03-02T22:00Z"),
        datetime.fromisoformat("2026-03-02T22:40Z"),
        datetime.fromisoformat("2026-03-03T22:00Z"),
    ]


def test_the_lead_counts_from_the_discovery_and_not_from_each_plan():
    books, rules, seen = three(lead="2h")
    assert starts(books)["web-0"] == NOW + 2 * HOUR

    again = decide(books, rules, seen, now=NOW + HOUR)

    assert again.jobs == {}


def test_a_vm_that_opens_too_late_is_given_up_for_this_rollout_and_planned_in_the_next():
    closing = a_status(closes=NOW + 3 * HOUR)
    late = a_status(allowed=False, opens=NOW + 2 * DAY, closes=NOW + 9 * DAY)
    seen = fleet(
        vm("web-db", status=late), vm("web-1", status=closing), vm("web-2", status=closing)
    )
    rules = policies(web={**WEB, "sequence": "name:*-db"})

    books = booked(decide(standings=rules, seen=seen))

    jobs = {job.vm_name: job for job in books.jobs()}
    assert (jobs["web-1"].rollout, jobs["web-1"].planned_start) == (1, NOW)
    assert (jobs["web-db"].rollout, jobs["web-db"].planned_start) == (2, NOW + 2 * DAY)
    assert "given up for this rollout" in jobs["web-db"].reason
    assert decide(books, rules, seen, now=NOW + 5 * MINUTE).jobs == {}


def test_one_that_fits_nowhere_holds_up_nobody_and_is_reported():
    seen = fleet(vm("web-db", status=a_status(closes=NOW + 2 * HOUR)), vm("web-1"))
    rules = policies(web={**WEB, "sequence": "name:*-db", "lead": "3h"})

    plan = decide(standings=rules, seen=seen)

    assert [job.vm_name for job in plan.no_fit] == ["web-db"]
    books = booked(plan)
    assert starts(books) == {"web-1": NOW + 3 * HOUR, "web-db": None}
    assert {job.vm_name: job.rollout for job in books.jobs()} == {"web-1": 1, "web-db": 2}
    assert "a shorter lead would free it" in reasons(books)["web-db"]
    assert decide(books, rules, seen, now=NOW + 5 * MINUTE).jobs == {}


def test_policies_that_share_an_availability_set_are_planned_around_one_another():
    def member(name, domain):
        return a_vm(name, availability_set="set", view=a_view(update_domain=domain))

    seen = fleet(member("a-0", 0), member("b-1", 1), member("b-0", 0))
    rules = policies(a={**WEB, "match": "name:a-*"}, b={**WEB, "match": "name:b-*"})

    planned = starts(booked(decide(standings=rules, seen=seen)))

    ends = {name: start + 25 * MINUTE for name, start in planned.items()}
    assert planned["a-0"] == NOW
    assert planned["b-1"] >= ends["a-0"] or ends["b-1"] <= planned["a-0"]
    assert max(planned.values()) <= NOW + TURN


def test_a_halted_rollout_has_no_starts_and_says_whose_failure_it_was():
    books, rules, seen = three()
    failed = with_changed(
        books,
        "web-0",
        state=JobState.ABORTED,
        ended_at=NOW + MINUTE,
        freed_at=NOW + MINUTE,
        accepted=True,
    )

    plan = decide(failed, rules, seen, now=NOW + 10 * MINUTE)

    assert [job.planned_start for job in plan.jobs[KEY]] == [None, None]
    assert {job.reason for job in plan.jobs[KEY]} == {"the rollout is halted: web-0 ended aborted"}
    assert plan.no_fit == []


def test_a_rollout_that_needs_approval_is_planned_as_if_it_had_it_and_says_until_when():
    closing = a_status(closes=NOW + 3 * HOUR)
    seen = fleet(*(vm(f"web-{n}", status=closing) for n in range(3)))
    rules = policies(web={**WEB, "approval": "required"})

    plan = decide(standings=rules, seen=seen)

    assert sorted(job.planned_start for job in plan.jobs[KEY]) == [NOW, NOW + TURN, NOW + 2 * TURN]
    need = plan.unapproved[KEY]
    assert (need.rollout, need.vms) == (1, 3)
    # The third must start before the window closes, and the first two before it.
    assert NOW + 3 * HOUR - 2 * TURN - 2 * MINUTE < need.last < NOW + 3 * HOUR - 2 * TURN


def test_an_approved_rollout_no_longer_asks():
    seen = fleet(vm("web-1"))
    rules = policies(web={**WEB, "approval": "required"})
    books = booked(decide(standings=rules, seen=seen))
    (ledger,) = books.ledgers.values()
    head = replace(ledger.head, approved_rollout=1, approved_by="kim")
    approved = Books(guard="1", ledgers={KEY: replace(ledger, head=head)})

    assert decide(books, rules, seen).unapproved.keys() == {KEY}
    assert decide(approved, rules, seen).unapproved == {}


def waves(**numbers):
    return [vm(name.replace("_", "-"), tags={"wave": str(wave)}) for name, wave in numbers.items()]


def stages(books):
    return {job.vm_name: job.stage for job in books.jobs()}


def test_a_vm_that_is_not_seen_for_once_keeps_its_stage_and_shifts_nobodys():
    seen = waves(web_1=1, web_2=2, web_3=3)
    rules = policies(web={**WEB, "sequence": "tag:wave"})
    books = booked(decide(standings=rules, seen=fleet(*seen)))

    after = booked(decide(books, rules, fleet(seen[2]), now=NOW + MINUTE), books)

    assert stages(after) == {"web-1": 1, "web-2": 2, "web-3": 3}


def test_an_edit_of_the_sequence_moves_those_that_have_begun_too_so_that_gaps_still_count_from_them():
    books, rules, seen = three(sequence="name:web-1; name:web-2")
    begun = away(books, "web-1")
    rules = policies(web={**WEB, "sequence": "name:web-2; name:web-1"})

    after = booked(decide(begun, rules, seen, now=NOW + MINUTE), begun)

    assert stages(after) == {"web-0": 3, "web-1": 2, "web-2": 1}
