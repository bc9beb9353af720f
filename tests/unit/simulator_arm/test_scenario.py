"""Reading scenario files: what is understood, and how an error reads."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.scenario import BUILT_IN, load_scenario, parse_scenario
from simulator.scenario_model import AutoShutdown, Fault, Step, Vm, Word
from simulator.scenario_table import ScenarioError, parse_duration, parse_moment, resolve

SUB = "11111111-1111-4111-8111-111111111111"
T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


def document(**changes: Any) -> dict[str, Any]:
    return {"title": "t", "subscription": [{"id": SUB}], **changes}


def vm(**changes: Any) -> dict[str, Any]:
    place = {"resource_group": "rg", "subscription": SUB, "location": "westeurope"}
    return {"name": "web-01", **place, **changes}


def refused(**changes: Any) -> str:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(document(**changes), "my.toml")
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.toml")), ids=lambda path: path.stem)
def test_a_built_in_scenario_can_be_used(path: Path) -> None:
    scenario = load_scenario(path.stem)

    assert scenario.vms
    assert scenario.policies
    assert scenario.expect or scenario.other


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("1h30m", 5400),
        ("2.5s", 2.5),
        ("1d", 86400),
        ("PT1H30M", 5400),
        ("P2W", 1_209_600),
        ("P1D", 86400),
        ("PT0.5S", 0.5),
        ("P1DT1S", 86401),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "15 m", "m", "P", "PT", "1w", "-5s", "P1DT"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration is written"):
        parse_duration(text)


def test_a_moment_is_an_offset_from_the_start_or_an_instant() -> None:
    assert resolve(parse_moment("+10m"), T0) == T0 + timedelta(minutes=10)
    assert resolve(parse_moment("-1m"), T0) == T0 - timedelta(minutes=1)
    assert resolve(parse_moment("2026-03-01T14:00:00+02:00"), T0) == T0


def test_a_moment_without_an_offset_from_utc_is_refused() -> None:
    with pytest.raises(ValueError, match="no offset from UTC"):
        parse_moment("2026-03-01T14:00:00")


def test_a_vm_has_the_defaults_of_the_format() -> None:
    (read,) = parse_scenario(document(vm=[vm()]), "my.toml").vms

    assert (read.power, read.agent, read.maintenance) == ("running", "ready", None)
    assert read.script == (Step(Word.MAINTENANCE_COMPLETED),)


def test_a_count_makes_vms_that_are_alike_but_for_their_names() -> None:
    read = parse_scenario(document(vm=[vm(name="db", count=2), vm(name="web", count=1)]), "my.toml")

    assert [it.name for it in read.vms] == ["db-01", "db-02", "web-01"]
    assert {it.resource_group for it in read.vms} == {"rg"}


def test_faults_are_kept_by_service_for_its_emulator_to_read() -> None:
    read = parse_scenario(document(faults={"bus": "busy=0.1"}), "my.toml")

    assert dict(read.faults) == {"bus": "busy=0.1"}


def test_what_stands_around_a_vm_is_read() -> None:
    around = {"public_address": "dynamic", "auto_shutdown": {"time": "1900"}}
    subscription = {"id": SUB, "denied": ["Microsoft.X/read"], "zone_rotation": 2}

    scenario = parse_scenario(document(subscription=[subscription], vm=[vm(**around)]), "my.toml")

    (read,) = scenario.vms
    assert (read.size, read.public_address) == ("Standard_D2s_v5", "dynamic")
    assert read.auto_shutdown == AutoShutdown("1900", "UTC")
    assert scenario.subscriptions[0].denied == {"microsoft.x/read"}
    assert scenario.subscriptions[0].zone_rotation == 2


def test_words_with_an_argument_are_read() -> None:
    scenario = parse_scenario(
        document(
            subscription=[{"id": SUB, "fail": "slow:5s"}],
            vm=[vm(script=["Throttle429:5s", "Hang"])],
        ),
        "my.toml",
    )

    assert scenario.subscriptions[0].fault == Fault("slow", timedelta(seconds=5))
    first, second = scenario.vms[0].script
    assert first == Step(Word.THROTTLE_429, timedelta(seconds=5))
    assert second.word == Word.HANG


def test_an_unknown_key_is_named_with_the_nearest_known_one_and_all_of_them() -> None:
    text = refused(vm=[vm(zones="1")])

    assert text.startswith("my.toml: [[vm]] web-01: unknown key 'zones'; did you mean 'zone'? ")
    assert "'redeploy_seconds'" in text


def test_an_unknown_table_is_an_error_but_another_process_may_have_its_own() -> None:
    assert "unknown key 'vms'; did you mean 'vm'?" in refused(vms=[vm()])
    assert parse_scenario(document(bus={"down": 1}), "my.toml").other == {"bus": {"down": 1}}


WINDOWS = {"pre_start": "-1m", "pre_end": "+20m", "start": "+30m", "end": "+60m"}


@pytest.mark.parametrize(
    ("changes", "where", "fix"),
    [
        ({"vm": [vm(zone=1)]}, "[[vm]] web-01: zone = 1", "use a string"),
        ({"vm": [vm(count=0)]}, "[[vm]] web-01: count = 0", "use 1 or more"),
        ({"faults": {"queues": "busy=1"}}, "[faults]: unknown key 'queues'", "'tables'"),
        ({"faults": {"bus": 1}}, "[faults]: bus = 1", "use a string"),
        ({"vm": [vm(zone="4")]}, "[[vm]] web-01: zone = '4'", "use one of"),
        ({"vm": [vm(public_address="any")]}, "public_address = 'any'", "'dynamic', 'static'"),
        ({"vm": [vm(scheduled_events="no")]}, "scheduled_events = 'no'", "'approve', 'wait'"),
        ({"vm": [vm(auto_shutdown={"time": "7pm"})]}, "auto_shutdown: time = '7pm'", "1900"),
        ({"vm": [vm(auto_shutdown={"time": "1900", "at": 1})]}, "unknown key 'at'", "'time_zone'"),
        ({"vm": [vm(power="on")]}, "power = 'on'", "'deallocated', 'running', 'stopped'"),
        ({"vm": [vm(script=["Explode"])]}, "script = 'Explode'", "MaintenanceAborted"),
        ({"vm": [vm(script=["Hang:5s"])]}, "script = 'Hang:5s'", "Throttle429:5s"),
        ({"vm": [vm(script=["Throttle429:x"])]}, "script = 'Throttle429:x'", "a duration is"),
        ({"vm": [vm(redeploy_seconds=0)]}, "redeploy_seconds = 0", "more than 0"),
        ({"vm": [vm(redeploy_seconds=True)]}, "redeploy_seconds = True", "use a number"),
        ({"vm": [vm(tags={"tier": 1})]}, "tags.tier = 1", "put the value in quotes"),
        ({"vm": [vm(subscription="x")]}, "subscription = 'x'", "no [[subscription]] has this id"),
        ({"vm": [vm(availability_set="s")]}, "availability_set = 's'", "no [[availability_set]]"),
        ({"vm": [vm(), vm()]}, "name = 'web-01'", "rename one"),
        ({"vm": [{"name": "a"}]}, "[[vm]] a: resource_group is missing", "add a string"),
        ({"vm": [vm(maintenance={})]}, "[[vm]] web-01 maintenance: pre_start is missing", "add"),
        (
            {"vm": [vm(maintenance={**WINDOWS, "pre_end": "10m"})]},
            "[[vm]] web-01 maintenance: pre_end = '10m'",
            "+10m, -1m",
        ),
        (
            {"vm": [vm(maintenance={**WINDOWS, "start": "+10m"})]},
            "start = '+10m'",
            "must not be before pre_end",
        ),
        ({"subscription": [{"id": "mine"}]}, "[[subscription]] mine: id = 'mine'", "a GUID"),
        ({"subscription": [{"id": SUB, "fail": "sometimes"}]}, "fail = 'sometimes'", '"forbidden"'),
        ({"arm": {"page_size": 0}}, "[arm]: page_size = 0", "use 1 or more"),
        ({"arm": {"operation_header": "none"}}, "operation_header = 'none'", "'both'"),
        ({"policy": [{"RowKey": "a"}]}, "[[policy]] a: PartitionKey is missing", "add a string"),
        ({"edit": [{"at": "+1s"}]}, "[[edit]] number 1: at = '+1s'", "add policy, vm or"),
        ({"edit": [{"at": "+1s", "vm": {"name": "x"}}]}, "vm = {'name': 'x'}", "delete = true"),
        (
            {"edit": [{"at": "+1s", "vm": {"name": "x", "delete": True}}]},
            "[[edit]] vm: name = 'x'",
            "0 VMs have this name",
        ),
        ({"settings": {"BATON_X": 1}}, "settings.BATON_X = 1", "put the value in quotes"),
        ({"vm": {"name": "x"}}, "vm = {'name': 'x'}", "[[vm]]"),
    ],
)
def test_an_error_names_file_table_key_value_and_fix(
    changes: dict[str, Any], where: str, fix: str
) -> None:
    text = refused(**changes)

    assert text.startswith("my.toml: ")
    assert where in text
    assert fix in text


def test_a_zone_and_an_availability_set_exclude_each_other() -> None:
    assert "not both" in refused(vm=[vm(zone="1", availability_set="s")])


def test_an_update_domain_must_exist_in_its_set() -> None:
    place = {"resource_group": "rg", "subscription": SUB, "location": "westeurope"}

    text = refused(
        availability_set=[{"name": "s", **place, "update_domains": 2}],
        vm=[vm(availability_set="s", update_domain=2)],
    )

    assert "update_domain = 2: s has 2, numbered from 0" in text


def test_two_vms_of_one_name_need_the_resource_group_in_an_edit() -> None:
    vms = [vm(), vm(resource_group="other")]
    edit: dict[str, Any] = {"at": "+1s", "vm": {"name": "web-01", "delete": True}}

    assert "2 VMs have this name" in refused(vm=vms, edit=[edit])

    edit["vm"]["resource_group"] = "other"
    assert parse_scenario(document(vm=vms, edit=[edit]), "my.toml").edits


def test_a_policy_row_is_passed_on_unjudged() -> None:
    row = {"PartitionKey": "a", "RowKey": "b", "gapp": "wrong", "enabled": False}

    assert parse_scenario(document(policy=[row]), "my.toml").policies == (row,)


def test_a_missing_scenario_names_those_there_are() -> None:
    with pytest.raises(
        ScenarioError, match=r"no such scenario; .*default, edited, hotpatch, hours, lying"
    ):
        load_scenario("dfault")


def test_a_file_that_is_not_toml_says_where(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("title = \n")

    with pytest.raises(ScenarioError, match=r"bad.toml: not TOML: .*line 1"):
        load_scenario(path)


def scale_set(**changes: Any) -> dict[str, Any]:
    place = {"resource_group": "rg", "subscription": SUB, "location": "westeurope"}
    return {"name": "web", "mode": "uniform", **place, **changes}


def instances(**changes: Any) -> dict[str, Vm]:
    scenario = parse_scenario(document(scale_set=[scale_set(**changes)]), "my.toml")
    return {it.name: it for it in scenario.vms}


def test_instances_of_a_uniform_set_are_spread_over_its_domains_and_zones() -> None:
    found = instances(instances=4, update_domains=3, fault_domains=2, zones=["1", "2"])

    assert [
        (it.name, it.instance_id, it.update_domain, it.fault_domain, it.zone)
        for it in found.values()
    ] == [
        ("web_0", "0", 0, 0, "1"),
        ("web_1", "1", 1, 1, "2"),
        ("web_2", "2", 2, 0, "1"),
        ("web_3", "3", 0, 1, "2"),
    ]


def test_instances_of_a_flexible_set_are_vms_with_names_like_azures() -> None:
    found = instances(mode="flexible", instances=2, fault_domains=3)

    assert [(it.name, it.scale_set, it.instance_id) for it in found.values()] == [
        ("web_00000000", "web", ""),
        ("web_00000001", "web", ""),
    ]


def test_what_a_set_says_of_vms_holds_for_each_instance_that_says_nothing_else() -> None:
    found = instances(
        instances=2,
        tags={"tier": "web"},
        redeploy_seconds=7,
        instance=[{"id": 1, "redeploy_seconds": 9, "tags": {"tier": "odd"}, "update_domain": 4}],
    )

    assert [(it.redeploy_seconds, it.tags, it.update_domain) for it in found.values()] == [
        (7, {"tier": "web"}, 0),
        (9, {"tier": "odd"}, 4),
    ]


def test_instances_named_one_by_one_may_leave_numbers_out() -> None:
    assert list(instances(instance=[{"id": 2}, {"id": 7}])) == ["web_2", "web_7"]


@pytest.mark.parametrize(
    ("changes", "where", "fix"),
    [
        ({"mode": "both"}, "mode = 'both'", "'flexible', 'uniform'"),
        ({}, "instances = 0", "use 1 to 1000"),
        ({"instances": 1001}, "instances = 1001", "use 1 to 1000"),
        ({"count": 3}, "count = 3", "a scale set has instances"),
        ({"zone": "1"}, "zone = '1'", "a scale set has zones"),
        ({"instances": 1, "zones": ["4"]}, "instance 0: zone = '4'", "use one of"),
        ({"instances": 1, "instance_s": 2}, "unknown key 'instance_s'", "did you mean 'instances'"),
        ({"instances": 2, "instance": [{"id": 2}]}, "id = 2", "it is 0 to 1"),
        ({"instance": [{"id": 2}, {"id": 2}]}, "id = 2", "twice"),
        ({"instance": [{"id": 0, "size": "S"}]}, "size = 'S'", "it is the set's"),
        (
            {"instance": [{"id": 0, "update_domain": 5}]},
            "instance 0: update_domain = 5",
            "the set has 5, numbered from 0",
        ),
        (
            {"instances": 1, "subscription": "gone"},
            "[[scale_set]] web: subscription = 'gone'",
            "no [[subscription]] has this id",
        ),
    ],
)
def test_an_error_in_a_scale_set_names_key_value_and_fix(
    changes: dict[str, Any], where: str, fix: str
) -> None:
    text = refused(scale_set=[scale_set(**changes)])

    assert where in text
    assert fix in text


def test_a_host_needs_the_group_that_it_is_in() -> None:
    assert "say which host_group the host is in" in refused(vm=[vm(host="h1")])


def test_subscriptions_of_one_table_count_up_and_each_may_have_its_vm() -> None:
    scenario = parse_scenario(
        {
            "title": "t",
            "subscription": [{"id": SUB, "name": "Branch", "count": 2}],
            "vm": [vm(subscription="*", name="till")],
        },
        "my.toml",
    )

    assert [(it.id, it.name) for it in scenario.subscriptions] == [
        (SUB, "Branch 01"),
        (f"{SUB[:-1]}2", "Branch 02"),
    ]
    assert [(it.name, it.subscription) for it in scenario.vms] == [
        ("till-01", SUB),
        ("till-02", f"{SUB[:-1]}2"),
    ]


def test_a_vm_of_each_subscription_is_not_counted_too() -> None:
    text = refused(vm=[vm(subscription="*", count=3)])

    assert "count = 3: each subscription has one of them already" in text
