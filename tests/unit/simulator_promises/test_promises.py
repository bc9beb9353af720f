"""The verdict on each promise: a good rollout keeps all, and each way of breaking one is caught."""

from simulator.promises import judge
from tests.unit.simulator_promises.telling import Run, a_run, broken


def test_a_good_rollout_keeps_every_promise():
    verdicts = judge(a_run().evidence())

    assert [verdict.promise for verdict in verdicts] == ["P1", "P2", "P3", "P4", "P5", "P6", "P7"]
    assert [verdict.violations for verdict in verdicts] == [()] * 7


def test_a_vm_that_is_in_no_wave_needs_nothing():
    run = a_run()
    run.vm("build-1", "tools")
    run.windows.pop()

    assert broken(run) == {}


def test_an_empty_run_keeps_every_promise():
    assert broken(Run()) == {}
