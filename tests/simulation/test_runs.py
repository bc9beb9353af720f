"""A simulation that fails is a broken one: told with its seed, and in nobody's way."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.given import Given
from cli.simulation import command
from cli.simulation.choose import Chosen
from cli.simulation.runs import run_many
from shared.use_cases.sweep import Sweep

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def _second_fails(seed):
    if seed == 2:
        raise ZeroDivisionError("nobody named this")
    return Chosen("none")(seed)


async def _fails(_):
    raise ZeroDivisionError("nobody named this")


def test_one_that_fails_is_broken_and_the_others_run():
    results = list(run_many(_second_fails, [1, 2, 3]))

    assert [result.seed for result in results] == [1, 2, 3]
    assert [bool(result.violations) for result in results] == [False, True, False]
    assert all(results[at].counts["steps"] for at in (0, 2))


def test_a_mistake_of_the_app_is_told_with_its_place_and_ends_its_own_run_alone(monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(Sweep, "__call__", _fails)
        (failed,) = run_many(Chosen("none"), [1])
    (sound,) = run_many(Chosen("none"), [1])

    (said,) = failed.violations
    assert f"{Path(__file__).name}:" in said
    assert "ZeroDivisionError('nobody named this')" in said
    assert sound.violations == ()


def test_the_verdict_names_the_seed_the_exception_and_the_command(monkeypatch, capsys):
    monkeypatch.setattr(command, "Chosen", lambda _: _second_fails)

    code = command.run(command.Asked(given=Given(), seed=1, runs=3, faults=None), NOW)

    assert code == 1
    shown = capsys.readouterr().out
    assert "Seed 2: it failed at test_runs.py:" in shown
    assert "ZeroDivisionError('nobody named this')" in shown
    assert "./baton simulate --seed 2\n" in shown
    assert "3 (1 failed, 2 none)" in shown
    assert "1 with a broken promise" in shown


def test_one_that_fails_alone_shows_the_way_to_it(monkeypatch, capsys):
    monkeypatch.setattr(Sweep, "__call__", _fails)

    with pytest.raises(ZeroDivisionError):
        command.run(command.Asked(given=Given(), seed=1, runs=None, faults="none"), NOW)

    assert "sweep raised ZeroDivisionError" in capsys.readouterr().out
