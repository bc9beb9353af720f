"""The benchmarks measure what they say they do."""

import io
from datetime import timedelta

from rich.console import Console

from cli.bench import BENCHES, as_table, run_benches
from cli.bench_aims import aimed, at_most, below
from cli.bench_plan import optimality, sized
from cli.bench_rollout import Size, lags_of
from tests.builders import NOW
from tests.planning.facts import read_facts
from tests.planning.instances import small
from tests.planning.optimum import optimum
from tests.planning.plans import serial_plan

SEEDS = range(30)


def facts_of(it):
    return read_facts(rows=it.rows, fleet=it.fleet, locations=it.locations, now=it.now)


def test_an_unknown_benchmark_is_an_error_that_names_the_known_ones(capsys):
    assert run_benches(["planet"]) == 2
    known = ", ".join(BENCHES)
    assert capsys.readouterr().err == f"no benchmark planet; there is: {known}\n"


def test_a_figure_is_shown_with_its_aim_and_whether_it_is_met():
    line = aimed(
        {"bench": "rollout", "vms": 300, "ratio": 1.07, "lag": 1.5},
        ratio=at_most(1.05),
        lag=below(2),
    )
    console = Console(record=True, width=100, file=io.StringIO())

    console.print(as_table([line]))

    rows = [row.split() for row in console.export_text().splitlines()[1:]]
    assert rows == [
        ["rollout:", "300", "vms", "ratio", "1.07", "<=", "1.05", "MISSED"],
        ["lag", "1.5", "<", "2", "met"],
    ]


def test_a_start_is_late_from_its_plan_on_and_no_sooner_than_a_slot_has_cooled_for_it():
    size = Size(vms=3, concurrency=2, away=60, gap=30, estimate=64)

    def row(planned, started, verified):
        instants = (NOW + timedelta(seconds=seconds) for seconds in (planned, started, verified))
        return dict(zip(("plannedStart", "startedAt", "verifiedAt"), instants, strict=True))

    late = row(planned=94, started=100, verified=161)
    rows = [late, row(planned=0, started=1, verified=62), row(planned=0, started=3, verified=68)]

    # The slot of the first that came back is free at 92, before the third was told to start.
    assert lags_of(rows, size) == [1, 3, 6]
    rows[1]["verifiedAt"] += timedelta(seconds=5)
    assert lags_of(rows, size) == [1, 3, 3]


def test_the_least_time_of_a_rollout_has_every_slot_away_or_cooling():
    size = Size(vms=5, concurrency=2, away=60, gap=30, estimate=64)

    assert (size.least(2), size.least(1)) == (240, 420)


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
