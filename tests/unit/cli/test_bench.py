"""The benchmarks measure what they say they do."""

from cli.bench import run_benches
from cli.bench_plan import optimality, sized
from tests.planning.facts import read_facts
from tests.planning.instances import small
from tests.planning.optimum import optimum
from tests.planning.plans import serial_plan

SEEDS = range(30)


def facts_of(it):
    return read_facts(rows=it.rows, fleet=it.fleet, locations=it.locations, now=it.now)


def test_an_unknown_benchmark_is_an_error_that_names_the_known_ones(capsys):
    assert run_benches(["planet"]) == 2
    assert capsys.readouterr().err == "no benchmark planet; there is: discovery, plan, page\n"


def test_a_serial_planner_is_found_to_be_worse_than_the_best():
    found = optimality(lambda it: serial_plan(facts_of(it)), map(small, SEEDS))

    assert (found["instances"], found["unproven"]) == (len(SEEDS), 0)
    assert found["asManyPlaced"] < 1
    assert 1 < found["makespanRatioMean"] < found["worst"]


def test_the_best_plans_are_found_to_be_the_best():
    found = optimality(lambda it: optimum(facts_of(it))[1], map(small, SEEDS))

    best = {"asManyPlaced": 1, "makespanRatioMean": 1, "worst": 1}
    assert found == {"instances": len(SEEDS), "unproven": 0, **best}


def test_a_size_is_measured_in_seconds_and_memory():
    found = sized(200, 10)

    assert (found["bench"], found["vms"], found["policies"]) == ("plan", 200, 10)
    assert found["seconds"] > 0
    assert 10 < found["rssMiB"] < 2_000
    assert 0 <= found["unplaced"] < 20
