"""The rules by which a VM's maintenance is offered, begun, ended and taken back."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from simulator.arm.bodies import instance_view, maintenance_status, vm_status
from simulator.arm.cloud import Cloud
from simulator.arm.surroundings import public_address
from simulator.scenario_model import Word
from simulator.scenario_table import ScenarioError, Table
from simulator.scenario_vms import parse_vm_edit
from tests.unit.simulator_arm.fleet import T0, after, cloud_of, events, redeploy, seen, vm

ACCEPTED_BY_SCRIPT = [word for word in Word if word.is_accepted]


def edit(cloud: Cloud, at: float, name: str = "web-01", **changes: Any) -> None:
    cloud.advance(after(at))
    table = Table("test", "vm", {"name": name, **changes})
    cloud.edit_vm(parse_vm_edit(table), after(at))


def code(cloud: Cloud, at: float) -> str:
    maintenance = seen(cloud, at).state.maintenance
    return maintenance.code if maintenance else ""


def offered(cloud: Cloud, at: float) -> bool:
    return seen(cloud, at).state.is_offered(after(at))


def test_a_vm_is_offered_from_the_first_instant_of_its_window_up_to_the_last() -> None:
    cloud = cloud_of(
        vm(maintenance={**vm()["maintenance"], "pre_start": "+10s", "pre_end": "+20s"})
    )

    assert [offered(cloud, at) for at in (9.999, 10, 19.999, 20)] == [False, True, True, False]


def test_a_vm_outside_any_wave_has_no_status_at_all() -> None:
    outside = vm()
    del outside["maintenance"]
    cloud = cloud_of(outside)

    view = instance_view(seen(cloud, 0), after(0), cloud.scenario.arm)

    assert "maintenanceRedeployStatus" not in view


def test_a_redeploy_goes_through_every_power_state_and_its_events_carry_their_true_instants() -> (
    None
):
    cloud = cloud_of(vm())
    redeploy(cloud, 1)

    # Nobody asks until long after: the log must tell the same as if somebody had.
    assert events(cloud, 100) == [
        ("away", 1.3),
        ("moved", 6.3),
        ("completed", 9.3),
        ("agentReady", 11.3),
        ("back", 11.3),
    ]


def test_a_vm_away_shows_each_state_in_turn() -> None:
    cloud = cloud_of(vm())
    redeploy(cloud, 1)

    states = [seen(cloud, at).state for at in (1.1, 2, 4, 7, 10, 12)]

    assert [(it.power, it.provisioning, it.is_agent_ready) for it in states] == [
        ("running", "Updating", True),
        ("stopping", "Updating", False),
        ("stopped", "Updating", False),
        ("starting", "Updating", False),
        ("running", "Succeeded", False),
        ("running", "Succeeded", True),
    ]
    assert states[-1].agent_since == after(11.3)


@pytest.mark.parametrize(("kind", "changes"), [("dynamic", True), ("static", False)])
def test_a_dynamic_address_is_another_after_a_move(kind: str, changes: bool) -> None:
    cloud = cloud_of(vm(public_address=kind))
    before = seen(cloud, 0.5).address
    redeploy(cloud, 1)

    assert before
    assert (seen(cloud, 12).address != before) is changes


def test_a_deallocated_vm_has_given_its_dynamic_address_back() -> None:
    cloud = cloud_of(vm(public_address="dynamic", power="deallocated"))

    properties = public_address(seen(cloud, 0))["properties"]

    assert properties["publicIPAllocationMethod"] == "Dynamic"
    assert "ipAddress" not in properties


@pytest.mark.parametrize("word", ACCEPTED_BY_SCRIPT)
def test_nothing_is_offered_and_nothing_more_accepted_while_an_operation_runs(word: Word) -> None:
    cloud = cloud_of(vm(script=[word]))

    first = redeploy(cloud, 1)
    second = redeploy(cloud, 2)

    assert first.operation is not None
    assert not offered(cloud, 2)
    assert second.operation is None
    assert second.reason == "operationInProgress"
    assert second.error is not None
    assert (second.error.status, second.error.code) == (409, "Conflict")


@pytest.mark.parametrize(
    ("word", "status", "shown", "is_offered_again", "is_moved"),
    [
        ("MaintenanceCompleted", "Succeeded", "MaintenanceCompleted", False, True),
        ("DropAfter", "Succeeded", "MaintenanceCompleted", False, True),
        ("AgentLost", "Succeeded", "MaintenanceCompleted", False, True),
        ("MaintenanceAborted", "Failed", "MaintenanceAborted", False, False),
        ("RetryLater", "Failed", "RetryLater", True, False),
        ("FailedOperation", "Failed", "None", True, False),
        ("LieCompleted", "Succeeded", "None", True, False),
        ("Hang", "InProgress", "None", False, False),
    ],
)
def test_each_word_ends_its_operation_in_its_own_way(
    word: str, status: str, shown: str, is_offered_again: bool, is_moved: bool
) -> None:
    cloud = cloud_of(vm(script=[word]))
    verdict = redeploy(cloud, 1)
    assert verdict.operation is not None

    assert verdict.operation.status(after(1.1)) == "InProgress"
    assert verdict.operation.status(after(60)) == status
    assert code(cloud, 60) == shown
    assert offered(cloud, 60) is is_offered_again
    assert bool(seen(cloud, 60).state.moves) is is_moved


def test_after_completion_no_second_redeploy_is_accepted() -> None:
    cloud = cloud_of(vm())
    redeploy(cloud, 1)

    verdict = redeploy(cloud, 60)

    assert verdict.reason == "alreadyAttempted"
    assert seen(cloud, 60).state.moves == 1


def test_after_an_abort_it_is_offered_again_only_by_the_newer_text() -> None:
    older = cloud_of(vm(script=["MaintenanceAborted"]))
    newer = cloud_of(vm(script=["MaintenanceAborted"]), arm={"offer_after_abort": True})
    for cloud in (older, newer):
        redeploy(cloud, 1)

    assert (offered(older, 60), offered(newer, 60)) == (False, True)


def test_a_script_is_used_up_one_entry_a_request_and_its_last_entry_stays() -> None:
    cloud = cloud_of(vm(script=["Refuse409", "RetryLater", "MaintenanceCompleted"]))

    verdicts = [redeploy(cloud, at) for at in (0, 1, 60, 120)]

    assert [(it.word, it.reason) for it in verdicts] == [
        (Word.REFUSE_409, "refused"),
        (Word.RETRY_LATER, ""),
        (Word.MAINTENANCE_COMPLETED, ""),
        (None, "alreadyAttempted"),
    ]
    assert code(cloud, 121) == "MaintenanceCompleted"


@pytest.mark.parametrize(
    ("changes", "at", "reason"),
    [
        ({"maintenance": {**vm()["maintenance"], "pre_start": "+5m"}}, 1, "outsideWindow"),
        ({}, 20 * 60, "outsideWindow"),
        ({}, 60 * 60, "noMaintenance"),
        ({"power": "deallocated"}, 1, "deallocated"),
    ],
)
def test_what_is_not_offered_is_refused_and_uses_up_no_script(
    changes: dict[str, Any], at: float, reason: str
) -> None:
    cloud = cloud_of(vm(**changes))

    verdict = redeploy(cloud, at)

    assert (verdict.reason, verdict.word) == (reason, None)
    assert verdict.error is not None
    assert (verdict.error.status, verdict.error.code) == (409, "OperationNotAllowed")


def test_a_vm_without_maintenance_gets_the_answer_known_from_azure() -> None:
    outside = vm()
    del outside["maintenance"]

    verdict = redeploy(cloud_of(outside), 1)

    assert verdict.error is not None
    assert verdict.error.body() == {
        "error": {
            "code": "OperationNotAllowed",
            "message": "Operation 'performMaintenance' is not allowed on VM 'web-01' "
            "since the Subscription of this VM is not eligible.",
        }
    }


def test_the_announcement_is_over_when_the_scheduled_window_is() -> None:
    cloud = cloud_of(vm())
    settings = cloud.scenario.arm

    assert maintenance_status(seen(cloud, 3599).state, after(3599), settings) is not None
    assert maintenance_status(seen(cloud, 3600).state, after(3600), settings) is None


def test_the_status_vanishes_after_completion_where_the_scenario_says_so() -> None:
    cloud = cloud_of(vm(), arm={"drop_status_when_done": True})
    redeploy(cloud, 1)

    shown = [
        maintenance_status(seen(cloud, at).state, after(at), cloud.scenario.arm) is not None
        for at in (9, 10)
    ]

    assert shown == [True, False]


def test_an_agent_that_never_reported_is_not_waited_for() -> None:
    cloud = cloud_of(vm(agent="notReady"))
    redeploy(cloud, 1)

    assert [name for name, _ in events(cloud, 60)] == ["away", "moved", "completed", "back"]
    assert not seen(cloud, 60).state.is_agent_ready


def test_a_lost_agent_never_comes_back() -> None:
    cloud = cloud_of(vm(script=["AgentLost"]))
    redeploy(cloud, 1)

    assert [name for name, _ in events(cloud, 600)] == ["away", "moved", "completed"]


def test_a_redeploy_powers_a_stopped_vm_on() -> None:
    cloud = cloud_of(vm(power="stopped"))
    redeploy(cloud, 1)

    assert seen(cloud, 60).state.power == "running"


def test_deleting_a_vm_ends_its_operation_and_all_that_was_to_come() -> None:
    cloud = cloud_of(vm())
    verdict = redeploy(cloud, 1)
    assert verdict.operation is not None

    edit(cloud, 3, delete=True)

    assert events(cloud, 100) == [("away", 1.3), ("deleted", 3)]
    ended = cloud.operations[verdict.operation.id]
    assert (ended.status(after(3)), ended.error and ended.error[0]) == (
        "Failed",
        "OperationPreempted",
    )


def test_a_withdrawn_maintenance_is_gone_but_a_running_operation_ends() -> None:
    cloud = cloud_of(vm())
    redeploy(cloud, 1)
    edit(cloud, 2, withdraw=True)

    names = [name for name, _ in events(cloud, 60)]

    assert names == ["away", "withdrawn", "moved", "completed", "agentReady", "back"]
    assert seen(cloud, 60).state.maintenance is None
    assert len({it["maintenanceId"] for it in cloud.journal.since(0)}) == 1


def test_a_moved_window_is_the_same_maintenance() -> None:
    cloud = cloud_of(vm())
    first = seen(cloud, 0).state.maintenance
    assert first is not None

    edit(cloud, 1, maintenance={"pre_start": "+5m"})

    moved = seen(cloud, 1).state.maintenance
    assert moved == replace(first, pre_start=after(300))
    assert events(cloud, 1) == [("windowMoved", 1)]


def test_windows_after_a_completed_maintenance_announce_another_one() -> None:
    cloud = cloud_of(vm())
    redeploy(cloud, 1)
    first = seen(cloud, 60).state.maintenance

    edit(cloud, 60, maintenance=vm()["maintenance"])

    second = seen(cloud, 60).state.maintenance
    assert first is not None
    assert second is not None
    assert second.id != first.id
    assert (second.code, second.accepted) == ("None", 0)
    assert redeploy(cloud, 61).operation is not None


def test_a_new_maintenance_needs_all_four_moments() -> None:
    cloud = cloud_of(vm())
    edit(cloud, 1, withdraw=True)

    with pytest.raises(ScenarioError, match="needs pre_end, start, end too"):
        edit(cloud, 2, maintenance={"pre_start": "+1m"})


def test_windows_that_cross_are_refused() -> None:
    with pytest.raises(ScenarioError, match="must follow one another"):
        edit(cloud_of(vm()), 1, maintenance={"pre_end": "+40m"})


def test_an_edit_of_the_scenario_happens_at_its_own_instant() -> None:
    cloud = cloud_of(
        vm(),
        vm("web-02"),
        edit=[
            {"at": "+5s", "vm": {"name": "web-02", "delete": True}},
            {"at": "+4s", "vm": {"name": "web-01", "withdraw": True}},
            {"at": "+6s", "vm": {"name": "web-02", "withdraw": True}},
        ],
    )

    assert events(cloud, 60) == [("withdrawn", 4), ("deleted", 5), ("editFailed", 6)]


def test_an_edit_can_break_and_mend_a_subscription() -> None:
    sub = vm()["subscription"]
    cloud = cloud_of(
        vm(),
        edit=[
            {"at": "+1s", "subscription": {"id": sub, "fail": "forbidden"}},
            {"at": "+2s", "subscription": {"id": sub, "fail": ""}},
        ],
    )

    kinds = []
    for at in (0, 1, 2):
        cloud.advance(after(at))
        kinds.append(cloud.subscriptions[sub].fault.kind)

    assert kinds == ["", "forbidden", ""]


def test_the_status_list_has_neither_tags_nor_profiles_and_maintenance_only_if_asked() -> None:
    with_it = cloud_of(vm(tags={"tier": "web"}))
    without = cloud_of(vm(tags={"tier": "web"}), arm={"status_list_carries_maintenance": False})

    bodies = [vm_status(seen(it, 0), after(0), it.scenario.arm) for it in (with_it, without)]

    assert all("tags" not in body for body in bodies)
    assert ["maintenanceRedeployStatus" in it["properties"]["instanceView"] for it in bodies] == [
        True,
        False,
    ]


def test_a_ready_agents_time_moves_on_but_is_never_newer_than_now() -> None:
    cloud = cloud_of(vm())
    redeploy(cloud, 1)

    times = [
        datetime.fromisoformat(
            instance_view(seen(cloud, at), after(at), cloud.scenario.arm)["vmAgent"]["statuses"][0][
                "time"
            ]
        )
        for at in (11.3, 20, 27)
    ]

    assert times == [after(11.3), after(11.3), after(26.3)]


def test_a_start_without_an_offset_from_utc_is_refused() -> None:
    scenario = cloud_of(vm()).scenario

    with pytest.raises(ValueError, match="no offset"):
        Cloud(scenario, T0.replace(tzinfo=None))


def test_an_unknown_location_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"unknown location 'moon'; add a \[\[location\]\]"):
        cloud_of(vm(location="moon"))
