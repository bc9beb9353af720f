"""What must hold of the emulator whatever is done to it, in whatever order."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulator.arm.cloud import Cloud
from simulator.scenario_model import Word
from simulator.scenario_table import Table
from simulator.scenario_vms import parse_vm_edit
from tests.unit.simulator_arm.fleet import WINDOWS, after, cloud_of, redeploy, vm

HORIZON = 10_000.0

edits = st.sampled_from(
    [
        {"withdraw": True},
        {"maintenance": WINDOWS},
        {"maintenance": {**WINDOWS, "pre_start": "+2m"}},
        {"agent": "notReady"},
        {"power": "stopped"},
    ]
)
actions = st.lists(
    st.tuples(st.floats(0, 120), st.one_of(st.just("redeploy"), edits)), min_size=1, max_size=8
)
scripts = st.lists(st.sampled_from([str(word) for word in Word]), min_size=1, max_size=4)


def play(script: list[str], done: list[tuple[float, Any]], looks: list[float]) -> Cloud:
    """Do everything in order of time, looking at the cloud at other times in between."""
    cloud = cloud_of(vm(script=script), arm={"offer_after_abort": True})
    steps: list[tuple[float, Any]] = sorted(
        [*done, *((at, None) for at in looks)], key=lambda step: step[0]
    )
    for at, action in steps:
        if action == "redeploy":
            redeploy(cloud, at)
            continue
        cloud.advance(after(at))
        if action is not None:
            edit = parse_vm_edit(Table("test", "vm", {"name": "web-01", **action}))
            cloud.edit_vm(edit, after(at))
    cloud.advance(after(HORIZON))
    return cloud


@given(scripts, actions, st.lists(st.floats(0, 200), max_size=8))
def test_looking_changes_nothing(
    script: list[str], done: list[tuple[float, Any]], looks: list[float]
) -> None:
    unseen, watched = play(script, done, []), play(script, done, looks)

    assert unseen.journal.since(0) == watched.journal.since(0)
    assert strip(unseen) == strip(watched)


def strip(cloud: Cloud) -> Any:
    """The state without the ids of operations, which are drawn anew in every run."""
    state = cloud.find_vm("web-01").state
    return state.power, state.is_agent_ready, state.moves, bool(state.operation), state.maintenance


@given(scripts, actions)
def test_operations_of_one_vm_never_overlap(
    script: list[str], done: list[tuple[float, Any]]
) -> None:
    runs = sorted(play(script, done, []).operations.values(), key=lambda it: it.started)

    for earlier, later in pairwise(runs):
        assert earlier.ends_at is not None
        assert earlier.ends_at <= later.started


@given(scripts, actions)
def test_a_maintenance_is_completed_at_most_once_and_events_come_in_order_of_time(
    script: list[str], done: list[tuple[float, Any]]
) -> None:
    happened = play(script, done, []).journal.since(0)

    completed = [it["maintenanceId"] for it in happened if it["event"] == "completed"]
    times = [it["time"] for it in happened]
    assert len(completed) == len(set(completed))
    assert times == sorted(times)
