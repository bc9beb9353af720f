"""The optimum is one: legal, never worse than another plan, and what trying everything finds."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from tests.planning import arm_shapes as arm
from tests.planning.checker import violations
from tests.planning.facts import read_facts
from tests.planning.instances import small
from tests.planning.optimum import legal_starts, optimum
from tests.planning.plans import Score, plan_of, score, serial_plan

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTES = timedelta(minutes=1)


def offered(name, opens=0, closes=600, **more):
    """A VM whose self-service window opens and closes so many minutes from now."""
    window = arm.status(NOW + opens * MINUTES, NOW + closes * MINUTES, now=NOW)
    return arm.vm(name, maintenance=window, **more)


def row(name, **columns):
    defaults = {"match": f"name:{name}-*", "estimate": "20m", "gap": "10m"}
    return {"PartitionKey": "t", "RowKey": name, **defaults, **columns}


def read(rows, fleet):
    return read_facts(rows=rows, fleet=fleet, locations=(), now=NOW)


def starts(plan):
    """Minutes from now at which each VM starts, by name."""
    return {
        job["vmId"].rpartition("/")[2]: (datetime.fromisoformat(job["start"]) - NOW) // MINUTES
        for job in plan["jobs"]
        if job["start"]
    }


def test_a_slot_rests_for_its_gap():
    facts = read([row("a")], [offered("a-1"), offered("a-2"), offered("a-3")])

    best, plan = optimum(facts)

    assert best == Score(0, 80 * MINUTES)
    assert sorted(starts(plan).values()) == [0, 30, 60]


def test_a_vm_that_opens_late_is_given_up_where_that_saves_more():
    fleet = [
        offered("a-1", opens=100, tags={"order": "1"}),
        offered("a-2", closes=60, tags={"order": "2"}),
        offered("a-3", closes=60, tags={"order": "2"}),
    ]
    facts = read([row("a", sequence="tag:order")], fleet)

    best, plan = optimum(facts)

    assert best == Score(1, 50 * MINUTES)
    assert sorted(starts(plan)) == ["a-2", "a-3"]


def test_a_vm_that_opens_late_is_waited_for_where_nobody_is_lost_by_it():
    fleet = [
        offered("a-1", opens=100, tags={"order": "1"}),
        offered("a-2", tags={"order": "2"}),
    ]
    facts = read([row("a", sequence="tag:order", stageGap="40m")], fleet)

    best, plan = optimum(facts)

    assert starts(plan) == {"a-1": 100, "a-2": 160}
    assert best == Score(0, 180 * MINUTES)


def test_the_sets_of_two_policies_are_weighed_together():
    shared = {"availability_set": arm.set_id("s")}
    rows = [row("a", estimate="1h"), row("b")]
    fleet = [
        offered("a-1", update_domain=0, **shared),
        offered("b-1", update_domain=1, **shared),
    ]

    best, plan = optimum(read(rows, fleet))

    assert starts(plan) == {"b-1": 0, "a-1": 20}
    assert best == Score(0, 100 * MINUTES)


SHARED = {"availability_set": arm.set_id("s")}
TINY = {
    "slots and a window": (
        [row("a", windows="12:00-13:05", concurrency=2, gap="5m")],
        [offered("a-1", zone="1"), offered("a-2", zone="2"), offered("a-3", zone="1", opens=10)],
    ),
    "stages that cannot all be done": (
        [row("a", windows="12:00-13:00", sequence="name:a-1; name:a-2", stageGap="15m")],
        [offered("a-1", opens=25), offered("a-2", closes=45), offered("a-3", closes=50)],
    ),
    "policies that share a set": (
        [row("a", windows="12:10-13:00", estimate="25m"), row("b", estimate="15m", gap="5m")],
        [
            offered("a-1", update_domain=0, closes=60, **SHARED),
            offered("b-1", update_domain=1, closes=35, **SHARED),
            offered("b-2", closes=40, **SHARED),
        ],
    ),
}


@pytest.mark.parametrize("name", TINY)
def test_trying_every_plan_finds_none_that_is_better(name):
    rows, fleet = TINY[name]
    facts = read(rows, fleet)
    choices = [
        [(vm, start) for start in legal_starts(facts, vm, policy)] + [(vm, None)]
        for policy, vms in facts.rollouts
        for vm in vms
    ]

    plans = (
        plan_of(facts, {vm: start for vm, start in chosen if start}) for chosen in product(*choices)
    )
    scores = [score(facts, plan) for plan in plans if not violations(plan, rows=rows, fleet=fleet)]

    assert len(scores) > 1
    assert optimum(facts)[0] == min(scores)


@pytest.mark.parametrize("seed", range(40))
def test_the_optimum_of_a_seeded_instance_is_legal_and_no_serial_plan_is_better(seed):
    it = small(seed)
    facts = read_facts(rows=it.rows, fleet=it.fleet, locations=it.locations, now=it.now)

    best, plan = optimum(facts)

    assert violations(plan, rows=it.rows, fleet=it.fleet, locations=it.locations) == []
    assert best <= score(facts, serial_plan(facts))


def test_an_instance_off_the_grid_is_refused():
    facts = read([row("a", estimate="7m")], [offered("a-1")])

    with pytest.raises(ValueError, match="not on the grid"):
        optimum(facts)
