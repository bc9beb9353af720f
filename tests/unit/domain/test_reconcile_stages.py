"""In which rollout and stage a job stands, and what moves it."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.job import JobState
from shared.domain.ledger import Books
from shared.domain.reconcile import reconcile
from tests.builders import NOW
from tests.unit.domain.deciding import KEY, booked, decide, fleet, heads, policies, vm

TIERS = {
    "web": {
        "sequence": "tag:tier=db; tag:tier=web",
        "estimate": "10m",
        "gap": "5m",
        "stageGap": "1h",
    }
}


def test_stages_follow_the_sequence_and_those_in_none_go_last():
    seen = fleet(vm("a", tags={"tier": "web"}), vm("b", tags={"tier": "db"}), vm("c"))

    jobs = {job.vm_name: job for job in decide(standings=policies(**TIERS), seen=seen).jobs[KEY]}

    assert {name: job.stage for name, job in jobs.items()} == {"a": 2, "b": 1, "c": 3}
    minute = timedelta(minutes=1)
    assert jobs["b"].planned_start == NOW
    assert jobs["a"].planned_start == NOW + 70 * minute
    assert jobs["c"].planned_start == NOW + 140 * minute


def test_stages_by_a_tags_number_are_ranks_and_those_without_one_go_last():
    seen = fleet(
        vm("a", tags={"order": "20"}),
        vm("b", tags={"Order": "3"}),
        vm("c", tags={"order": "soon"}),
        vm("d", tags={"order": "20"}),
        vm("e"),
    )

    jobs = decide(standings=policies(web={"sequence": "tag:order"}), seen=seen).jobs[KEY]

    assert {job.vm_name: job.stage for job in jobs} == {"b": 1, "a": 2, "d": 2, "c": 3, "e": 3}


def rollout_with(first_state, **changes):
    seen = fleet(vm("a", tags={"tier": "db"}), vm("b", tags={"tier": "web"}))
    books = booked(decide(standings=policies(**TIERS), seen=seen))
    jobs = tuple(
        replace(job, state=first_state, **changes) if job.vm_name == "a" else job
        for job in books.ledgers[KEY].jobs
    )
    return Books(guard="1", ledgers={KEY: replace(books.ledgers[KEY], jobs=jobs)}), seen


def test_one_announced_later_joins_while_its_stage_has_not_ended():
    books, seen = rollout_with(JobState.REDEPLOYING, claimed_at=NOW, accepted=True)
    late = vm("z", tags={"tier": "db"})

    plan = decide(books, policies(**TIERS), fleet(*seen.vms.values(), late))

    assert [(job.vm_name, job.rollout) for job in plan.jobs[KEY] if job.vm_name == "z"] == [
        ("z", 1)
    ]


def test_one_announced_after_its_stage_has_ended_begins_the_next_rollout():
    books, seen = rollout_with(JobState.COMPLETED, ended_at=NOW, freed_at=NOW, accepted=True)
    late = vm("z", tags={"tier": "db"})

    plan = decide(books, policies(**TIERS), fleet(*seen.vms.values(), late))

    (joined,) = [job for job in plan.jobs[KEY] if job.vm_name == "z"]
    assert joined.rollout == 2
    waits_for = max(job.planned_start for job in books.jobs() if job.state is JobState.PLANNED)
    assert joined.planned_start > waits_for


def test_an_edited_sequence_moves_planned_jobs_to_their_new_stage():
    books, seen = rollout_with(JobState.PLANNED)
    turned = policies(web={**TIERS["web"], "sequence": "tag:tier=web; tag:tier=db"})

    plan = reconcile(books, turned, heads(turned, "2"), seen, dry_run=False, now=NOW)

    assert {job.vm_name: job.stage for job in plan.jobs[KEY]} == {"a": 2, "b": 1}


def ordered(**orders):
    return fleet(*(vm(name, tags={"order": order}) for name, order in orders.items()))


ORDERED = {"sequence": "tag:order", "concurrency": 2}


def stages(books):
    return {job.vm_name: job.stage for job in books.jobs()}


def test_a_stage_does_not_move_up_beside_one_that_is_away_when_a_vm_before_both_is_deleted():
    rules = policies(web=ORDERED)
    books = booked(decide(standings=rules, seen=ordered(a="1", b="2", c="3")))
    jobs = {job.vm_name: job for job in books.jobs()}
    done = replace(jobs["a"], state=JobState.COMPLETED, ended_at=NOW, freed_at=NOW, accepted=True)
    away = replace(jobs["b"], state=JobState.REDEPLOYING, claimed_at=NOW, accepted=True)
    ledger = replace(books.ledgers[KEY], jobs=(done, away, jobs["c"]))
    books = Books(guard="1", ledgers={KEY: ledger})

    after = booked(
        decide(books, rules, ordered(b="2", c="3"), now=NOW + timedelta(minutes=1)), books
    )

    assert stages(after)["c"] > stages(after)["b"]


def test_stages_keep_their_order_while_a_vm_of_one_cannot_be_seen():
    rules = policies(web=ORDERED)
    books = booked(decide(standings=rules, seen=ordered(a="1", b="2", c="3")))

    after = booked(
        decide(books, rules, ordered(b="2", c="3"), now=NOW + timedelta(minutes=1)), books
    )

    assert stages(after) == {"a": 1, "b": 2, "c": 3}


def test_an_edited_sequence_puts_nobody_beside_one_that_is_away_and_goes_before():
    tags = {"a": {"tier": "db"}, "b": {"tier": "web"}}
    seen = fleet(*(vm(name, tags=each) for name, each in tags.items()))
    before = policies(web={"sequence": "tag:tier=x; tag:tier=db; tag:tier=web", "concurrency": 2})
    books = booked(decide(standings=before, seen=seen))
    jobs = {job.vm_name: job for job in books.jobs()}
    away = replace(jobs["a"], state=JobState.REDEPLOYING, claimed_at=NOW, accepted=True)
    books = Books(guard="1", ledgers={KEY: replace(books.ledgers[KEY], jobs=(away, jobs["b"]))})
    edited = policies(web={"sequence": "tag:tier=db; tag:tier=web", "concurrency": 2})

    after = booked(decide(books, edited, seen, version="2"), books)

    assert stages(after)["b"] > stages(after)["a"]


def test_the_order_of_the_input_does_not_matter():
    vms = [vm(f"web-{n}", tags={"tier": "db" if n % 2 else "web"}) for n in range(8)]
    one = decide(standings=policies(**TIERS), seen=fleet(*vms))
    other = decide(standings=policies(**TIERS), seen=fleet(*reversed(vms)))

    assert one == other
