"""Each broken build is caught: were it not, the simulation would prove nothing of the real one."""

import sys

import pytest

from cli.simulation.runs import run_one
from tests.simulation.mutations import MUTATIONS, Mutation

RUNS_MAX = 300


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda it: f"{it.promise} {it.says}")
def test_a_broken_build_is_caught(mutation: Mutation, monkeypatch):
    for patch in mutation.patches:
        monkeypatch.setattr(*patch)

    caught = None
    for seed in range(RUNS_MAX):
        result, _ = run_one(mutation.setup(seed))
        if result.violations:
            caught = seed + 1
            # `./baton test -rA` shows the list.
            sys.stdout.write(f"{mutation.promise} {mutation.says}: run {caught}\n")
            break

    assert caught, f"{RUNS_MAX} simulations did not notice"
