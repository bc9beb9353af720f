"""ARM's JSON → the domain: real bodies, and what Azure might send instead."""

from datetime import UTC, datetime

import pytest

from shared.adapters.arm_decode import listed_status_of, seen_vm_of, vm_of
from shared.domain.errors import InvalidInput
from shared.domain.maintenance import InstanceView, MaintenanceStatus, Vm
from tests.unit.adapters.arm_bodies import OUTSIDE_A_WAVE, VM_ID, body

# MicrosoftDocs, maintenance-notifications-cli.md: the message is null while the code is the word "None".
DOCUMENTED = {
    "isCustomerInitiatedMaintenanceAllowed": True,
    "lastOperationMessage": None,
    "lastOperationResultCode": "None",
    "maintenanceWindowEndTime": "2018-06-04T16:30:00+00:00",
    "maintenanceWindowStartTime": "2018-05-21T16:30:00+00:00",
    "preMaintenanceWindowEndTime": "2018-05-19T12:30:00+00:00",
    "preMaintenanceWindowStartTime": "2018-05-14T12:30:00+00:00",
}
NOT_READY = {
    "vmAgentVersion": "Unknown",
    "statuses": [
        {
            "code": "ProvisioningState/Unavailable",
            "level": "Warning",
            "displayStatus": "Not Ready",
            "message": "VM status blob is found but not yet populated.",
        }
    ],
}


def maintenance_in(status):
    return seen_vm_of(body(maintenance=status)).maintenance


def view_in(view):
    seen = seen_vm_of(body(view=view)).view
    assert seen is not None
    return seen


def problem_with(item, read=vm_of):
    with pytest.raises(InvalidInput) as raised:
        read(item)
    return raised.value.problems[0]


def test_the_documented_sample_is_read_value_for_value():
    vm = seen_vm_of(
        body(
            maintenance=DOCUMENTED,
            properties={"availabilitySet": {"id": "/subscriptions/1/RESOURCEGROUPS/SHOP/Sets/DB"}},
        )
    )

    assert vm == Vm(
        id=VM_ID,
        name="shop-db-01",
        resource_group="SHOP",
        subscription_id="1",
        location="westeurope",
        zone="1",
        tags={"tier": "db"},
        availability_set="/subscriptions/1/resourcegroups/shop/sets/db",
        provisioning_state="Succeeded",
        view=InstanceView(
            power_state="running",
            agent_ready=True,
            update_domain=1,
            fault_domain=1,
            maintenance=MaintenanceStatus(
                is_customer_initiated_maintenance_allowed=True,
                pre_maintenance_window_start_time=datetime(2018, 5, 14, 12, 30, tzinfo=UTC),
                pre_maintenance_window_end_time=datetime(2018, 5, 19, 12, 30, tzinfo=UTC),
                maintenance_window_start_time=datetime(2018, 5, 21, 16, 30, tzinfo=UTC),
                maintenance_window_end_time=datetime(2018, 6, 4, 16, 30, tzinfo=UTC),
                last_operation_result_code="None",
                last_operation_message="",
            ),
        ),
    )


def test_a_vm_outside_a_wave_has_no_maintenance():
    assert seen_vm_of(body()).maintenance is None


def test_a_model_without_its_view_has_none():
    assert vm_of(body(view=None)).view is None


def test_a_missing_view_is_not_taken_for_no_maintenance():
    problem = problem_with(body(view=None), seen_vm_of)

    assert problem.field == "properties.instanceView"


def test_an_unknown_result_code_is_kept_verbatim():
    status = maintenance_in(DOCUMENTED | {"lastOperationResultCode": "PostponedByFairies"})

    assert status.last_operation_result_code == "PostponedByFairies"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2018-05-14T12:30:00Z", datetime(2018, 5, 14, 12, 30, tzinfo=UTC)),
        ("2018-05-14T12:30:00.1234567Z", datetime(2018, 5, 14, 12, 30, 0, 123456, tzinfo=UTC)),
        ("2018-05-14T14:30:00+02:00", datetime(2018, 5, 14, 12, 30, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_utc_to_the_microsecond(text, read):
    start = maintenance_in(
        DOCUMENTED | {"preMaintenanceWindowStartTime": text}
    ).pre_maintenance_window_start_time

    assert start == read
    assert start.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    ["2018-05-14T12:30:00", "2018-05-14", "soon", "", 1526301000, True, {}, "0001-01-01T00:00:00+02:00",
     "2018-13-14T12:30:00Z", "2018-05-14T12:30:00+00:00\n"],
)  # fmt: skip
@pytest.mark.parametrize("field", ["preMaintenanceWindowStartTime", "maintenanceWindowEndTime"])
def test_a_time_that_cannot_be_read_is_named_with_its_fix(field, value):
    problem = problem_with(body(maintenance=DOCUMENTED | {field: value}))

    assert problem.field == f"properties.instanceView.maintenanceRedeployStatus.{field}"
    assert problem.value == str(value)
    assert "+00:00" in problem.expected


def test_a_missing_flag_means_not_allowed_now():
    status = {k: v for k, v in DOCUMENTED.items() if not k.startswith("isCustomer")}

    assert maintenance_in(status).is_customer_initiated_maintenance_allowed is False


@pytest.mark.parametrize("value", ["true", 1, [], "False"])
def test_a_flag_of_another_type_is_named(value):
    problem = problem_with(
        body(maintenance=DOCUMENTED | {"isCustomerInitiatedMaintenanceAllowed": value})
    )

    assert problem.field.endswith(".isCustomerInitiatedMaintenanceAllowed")


@pytest.mark.parametrize("flag", [False, None])
def test_without_flag_and_windows_there_is_no_maintenance_to_do(flag):
    assert maintenance_in({"isCustomerInitiatedMaintenanceAllowed": flag}) is None
    assert maintenance_in({}) is None


@pytest.mark.parametrize("field", ["preMaintenanceWindowStartTime", "preMaintenanceWindowEndTime"])
@pytest.mark.parametrize("allowed", [True, False])
def test_half_a_self_service_window_is_an_error(field, allowed):
    status = {k: v for k, v in DOCUMENTED.items() if k != field}
    problem = problem_with(
        body(maintenance=status | {"isCustomerInitiatedMaintenanceAllowed": allowed})
    )

    assert (problem.field.rsplit(".", 1)[1], problem.value) == (field, "")


def test_allowed_without_any_window_is_an_error():
    problem = problem_with(body(maintenance={"isCustomerInitiatedMaintenanceAllowed": True}))

    assert problem.field.endswith(".preMaintenanceWindowStartTime")


def test_an_offered_window_that_ends_before_it_starts_is_an_error():
    status = DOCUMENTED | {"preMaintenanceWindowEndTime": "2018-05-14T12:29:59+00:00"}

    assert problem_with(body(maintenance=status)).field.endswith(".preMaintenanceWindowEndTime")


def test_the_power_state_is_chosen_by_prefix_wherever_it_stands():
    statuses = [
        None,
        {"code": 5},
        {"code": "powerstate/Deallocated"},
        {"code": "OSState/Generalized"},
    ]
    view = OUTSIDE_A_WAVE | {"statuses": statuses}

    assert view_in(view).power_state == "deallocated"
    assert view_in(OUTSIDE_A_WAVE | {"statuses": []}).power_state is None


@pytest.mark.parametrize("agent", [NOT_READY, {}, {"statuses": None}, None])
def test_an_agent_that_does_not_say_ready_is_not(agent):
    assert view_in(OUTSIDE_A_WAVE | {"vmAgent": agent}).agent_ready is False


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": 7}, "id"),
        ({"id": "/subscriptions/1"}, "id"),
        ({"location": None}, "location"),
        ({"zones": "1"}, "zones"),
        ({"zones": [1]}, "zones"),
        ({"tags": {"tier": 1}}, "tags.tier"),
        ({"tags": ["tier"]}, "tags"),
        ({"properties": None}, "properties"),
        ({"properties": {"instanceView": "none"}}, "properties.instanceView"),
        ({"properties": {"availabilitySet": {"id": 3}}}, "properties.availabilitySet.id"),
        (
            {"properties": {"instanceView": {"platformUpdateDomain": "1"}}},
            "properties.instanceView.platformUpdateDomain",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_named_by_its_path(change, field):
    assert problem_with(body() | change).field == field


@pytest.mark.parametrize("item", [None, "vm", 3, []])
def test_an_item_that_is_no_object_is_refused(item):
    for read in (vm_of, listed_status_of):
        with pytest.raises(InvalidInput):
            read(item)


def test_null_tags_zones_and_set_are_none_at_all():
    vm = vm_of(body(tags=None, zones=None, properties={"availabilitySet": None}))

    assert (vm.tags, vm.zone, vm.availability_set) == ({}, "", "")


def test_a_location_is_spelt_as_azure_spells_it_in_its_list():
    assert vm_of(body(location="West Europe")).location == "westeurope"


def test_an_item_of_the_status_list_may_lack_its_view_or_its_properties():
    assert listed_status_of({"id": VM_ID, "properties": {}}).view is None
    assert listed_status_of({"id": VM_ID}).view is None
    listed = listed_status_of(body(maintenance=DOCUMENTED)).view
    assert listed is not None
    assert listed.maintenance is not None


@pytest.mark.parametrize("domain", [2**31, -(2**31) - 1, 10**400])
def test_an_update_domain_that_no_table_takes_is_named(domain):
    item = body(view=OUTSIDE_A_WAVE | {"platformUpdateDomain": domain})

    assert problem_with(item).field == "properties.instanceView.platformUpdateDomain"


def test_a_text_of_absurd_length_is_named_and_a_long_message_is_kept():
    code = DOCUMENTED | {"lastOperationResultCode": "x" * 4_097}
    message = DOCUMENTED | {"lastOperationMessage": "x" * 100_000}

    field = "properties.instanceView.maintenanceRedeployStatus.lastOperationResultCode"
    assert problem_with(body(maintenance=code)).field == field
    assert len(maintenance_in(message).last_operation_message) == 100_000


@pytest.mark.parametrize("year", ["0001", "1500", "3000", "9999"])
def test_a_year_that_nobody_means_is_named(year):
    """It would pass for a window and then fail whatever reckons with it, every other VM included."""
    ends = f"{year}-12-31T23:59:59Z"
    item = body(maintenance=DOCUMENTED | {"preMaintenanceWindowEndTime": ends})

    assert "from 1970 to 2999" in problem_with(item).expected
