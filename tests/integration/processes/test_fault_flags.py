"""Every emulator takes its faults and their seed by flag, and tells them."""

import pytest

from simulator.faults import read_faults
from simulator.processes import Child, ProcessError, Watchdog, python

TABLES = ("--tables", "http://127.0.0.1:1")
EMULATORS = [
    ("arm", (), "port", "/_emulator/faults"),
    ("servicebus", ("--port", "0"), "adminPort", "/faults"),
    ("mail", (), "httpPort", "/faults"),
    ("tables_proxy", TABLES, "port", "/_emulator/faults"),
]


@pytest.fixture
def started(tmp_path):
    watchdog = Watchdog()
    children = []

    def start(name, *options):
        program = python(name, f"simulator.{name}", *options)
        children.append(Child(program, tmp_path / f"{name}.log", watchdog))
        return children[-1].await_ready()

    yield start
    for child in children:
        child.stop()
    watchdog.close()


@pytest.mark.parametrize(("name", "options", "port", "path"), EMULATORS)
def test_the_flags_plan_what_the_control_tells(started, name, options, port, path):
    facts = started(name, *options, "--faults", "slow=0.5:2s@GET *, hang=0.01", "--seed", "7")

    told = read_faults(f"http://127.0.0.1:{facts[port]}{path}")
    assert (told["faults"], told["seed"]) == ("slow=0.5:2s@GET *,hang=0.01", 7)
    assert told["injected"] == {}


@pytest.mark.parametrize(("name", "options", "port", "path"), EMULATORS)
def test_a_flag_that_cannot_be_used_ends_it_with_one_line(started, name, options, port, path):
    with pytest.raises(ProcessError) as refused:
        started(name, *options, "--faults", "slow=2")

    assert "ended with exit code 2" in str(refused.value)
    assert "  | faults: 'slow=2': a rate is between 0 and 1\n" in str(refused.value)
