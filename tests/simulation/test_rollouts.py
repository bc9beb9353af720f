import itertools
from datetime import timedelta

import pytest

from tests.builders import a_set_id, a_status, a_view, a_vm
from tests.simulation.world import AWAY, World

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def tiers():
    return [
        a_vm(name, tags={"tier": name[:2]}) for name in ("db-1", "db-2", "we-1", "we-2", "we-3")
    ]


POLICY = {"sequence": "tag:tier=db; tag:tier=we", "gap": "15m", "stageGap": "30m", "estimate": "6m"}


async def test_a_fleet_goes_through_its_maintenance_in_order_with_the_gaps_kept():
    world = World(*tiers(), policies={"web": POLICY})

    await world.run(6 * HOUR)

    assert world.starts() == ["db-1", "db-2", "we-1", "we-2", "we-3"]
    assert world.terminal() == dict.fromkeys(world.starts(), "completed")
    started = [start.at for start in world.azure.started]
    gaps = [later - earlier - AWAY for earlier, later in itertools.pairwise(started)]
    # Each start comes when it may, and at most one look later.
    for gap, least in zip(gaps, [15, 30, 15, 15], strict=True):
        assert least * MINUTE <= gap <= (least + 1) * MINUTE
    assert world.mailer.sent == []


async def test_as_many_as_concurrency_are_away_and_never_more():
    world = World(*tiers(), policies={"web": {"gap": "5m", "concurrency": 2}})

    await world.run(2 * HOUR)

    starts = world.azure.started
    assert len(starts) == 5
    for start in starts:
        away = [other for other in starts if other.at <= start.at < other.back + 5 * MINUTE]
        assert len(away) <= 2


async def test_retry_later_is_tried_again_and_each_try_has_its_row():
    world = World(a_vm("web-1"), policies={"web": {}})
    world.azure.scripts["web-1"] = ["RetryLater", "RetryLater"]

    await world.run(3 * HOUR)

    rows = {row["attempt"]: (row["outcome"], row["terminal"]) for row in world.outcomes.rows()}
    assert rows == {1: ("retryLater", False), 2: ("retryLater", False), 3: ("completed", True)}


async def test_retries_used_up_is_a_failure_and_is_mailed():
    world = World(a_vm("web-1"), policies={"web": {"retries": 1}})
    world.azure.scripts["web-1"] = ["RetryLater"] * 9

    await world.run(4 * HOUR)

    assert world.terminal() == {"web-1": "failed"}
    assert world.starts() == ["web-1"] * 2
    assert world.mailed() == ["failed web-1"]


async def test_an_abort_halts_the_rollout_and_what_it_held_up_is_missed_and_told():
    closing = a_view(
        maintenance=a_status(closes=a_status().pre_maintenance_window_start_time + 6 * HOUR)
    )
    world = World(a_vm("web-1", view=closing), a_vm("web-2", view=closing), policies={"web": {}})
    world.azure.scripts["web-1"] = ["MaintenanceAborted"]

    await world.run(12 * HOUR)

    assert world.terminal() == {"web-1": "aborted", "web-2": "missed"}
    assert world.starts() == ["web-1"]
    assert world.mailed() == ["aborted web-1", "missed web-2"]


async def test_with_continue_the_others_go_on():
    world = World(a_vm("web-1"), a_vm("web-2"), policies={"web": {"onFailure": "continue"}})
    world.azure.scripts["web-1"] = ["MaintenanceAborted"]

    await world.run(3 * HOUR)

    assert world.terminal() == {"web-1": "aborted", "web-2": "completed"}


async def test_a_redeploy_that_never_ends_times_out_and_is_mailed():
    world = World(a_vm("web-1"), policies={"web": {}})
    world.azure.scripts["web-1"] = ["Hang"]

    await world.run(3 * HOUR)

    assert world.terminal() == {"web-1": "timedOut"}
    assert world.mailed() == ["timedOut web-1"]


async def test_a_throttled_start_is_tried_again_with_back_off_and_is_no_attempt():
    world = World(a_vm("web-1"), policies={"web": {}})
    world.azure.scripts["web-1"] = ["Throttled", "Throttled"]

    await world.run(3 * HOUR)

    assert [(row["attempt"], row["outcome"]) for row in world.outcomes.rows()] == [(1, "completed")]
    asked = [arguments for method, arguments in world.azure.calls if method == "start_maintenance"]
    assert len(asked) == 3


async def test_a_start_whose_answer_is_lost_is_found_and_never_sent_again():
    world = World(a_vm("web-1"), policies={"web": {}})
    world.azure.silent = 1

    await world.run(2 * HOUR)

    assert world.starts() == ["web-1"]
    assert world.azure.refused == []
    assert world.terminal() == {"web-1": "completed"}


@pytest.mark.parametrize(
    ("logged", "reason"), [(True, "after its start"), (False, "nothing shows")]
)
async def test_of_a_vm_deleted_after_a_start_without_answer_it_is_written_down_what_is_known(
    logged, reason, monkeypatch
):
    world = World(a_vm("web-1"), policies={"web": {}})
    world.azure.silent = 1
    start = world.azure.start_maintenance

    async def start_and_be_deleted(vm_id, *, request_id, within):
        try:
            await start(vm_id, request_id=request_id, within=within)
        finally:
            world.azure.delete(vm_id)
            if not logged:
                world.azure.activities_of.clear()

    monkeypatch.setattr(world.azure, "start_maintenance", start_and_be_deleted)
    await world.run(2 * HOUR)

    (row,) = world.outcomes.rows()
    assert row["outcome"] == "gone"
    assert reason in row["reason"]
    assert bool(row.get("startedAt")) is logged


async def test_a_dry_run_never_acts_and_going_live_does():
    world = World(a_vm("web-1"), policies={"web": {}}, BATON_MODE="dryRun")
    await world.run(HOUR)
    assert world.starts() == []
    assert world.terminal() == {"web-1": "skipped"}

    world.set_mode("live")
    await world.run(HOUR)

    assert world.starts() == ["web-1"]
    assert world.terminal() == {"web-1": "completed+skipped"}
    assert len({row["jobId"] for row in world.outcomes.rows()}) == 2


async def test_paused_starts_nothing_and_loses_nothing():
    world = World(a_vm("web-1"), policies={"web": {}}, BATON_MODE="paused")
    await world.run(HOUR)
    assert world.starts() == []
    assert world.terminal() == {}

    world.set_mode("live")
    await world.run(HOUR)

    assert world.terminal() == {"web-1": "completed"}


async def test_a_disabled_policy_starts_nothing_from_that_moment():
    world = World(a_vm("web-1"), a_vm("web-2"), policies={"web": {}})
    await world.run(AWAY)
    world.policies.put("shop", "web", enabled=False)

    await world.run(2 * HOUR)

    assert world.starts() == ["web-1"]
    assert world.terminal() == {"web-1": "completed", "web-2": "skipped"}


async def test_two_policies_never_have_two_update_domains_of_a_set_away():
    shared_set = "/subscriptions/s/set"
    vms = [
        a_vm(f"{team}-{n}", availability_set=shared_set, view=a_view(update_domain=n))
        for team in ("a", "b")
        for n in (0, 1)
    ]
    world = World(
        *vms,
        policies={"a": {"match": "name:a-*", "gap": "0s"}, "b": {"match": "name:b-*", "gap": "0s"}},
    )

    await world.run(3 * HOUR)

    assert set(world.terminal().values()) == {"completed"}
    starts = world.azure.started
    for one in starts:
        for other in starts:
            if one.vm[-1] != other.vm[-1]:
                assert one.back <= other.at or other.back <= one.at


async def test_every_message_delivered_twice_at_once_changes_nothing():
    world = World(*tiers(), policies={"web": {**POLICY, "onFailure": "continue"}})
    world.azure.scripts = {"db-2": ["MaintenanceAborted"], "we-1": ["RetryLater"]}

    await world.run(8 * HOUR, copies=2)

    assert sorted(world.starts()) == ["db-1", "db-2", "we-1", "we-1", "we-2", "we-3"]
    assert world.azure.refused == []
    assert world.terminal() == {
        "db-1": "completed",
        "db-2": "aborted",
        "we-1": "completed",
        "we-2": "completed",
        "we-3": "completed",
    }
    assert world.mailed() == ["aborted db-2"]


async def test_losing_every_message_delays_and_loses_nothing():
    world = World(*tiers(), policies={"web": {"gap": "0s"}})
    for _ in range(120):
        await world.run(5 * MINUTE)
        world.bus.messages.clear()

    assert set(world.terminal().values()) == {"completed"}
    assert sorted(world.starts()) == sorted(vm.name for vm in tiers())


async def test_a_rollout_costs_few_messages_and_few_table_operations():
    world = World(
        *(a_vm(f"web-{n}") for n in range(10)),
        policies={"web": {"gap": "1m"}},
        BATON_CHECK_INTERVAL="7m",
    )
    await world.run(10 * HOUR)

    sent = sum(1 for _ in world.bus.called("wake")), world.bus._sent

    assert len(world.terminal()) == 10
    assert sent[1] <= 5 * 10


async def test_a_start_that_azure_refuses_gives_its_place_in_the_set_back_at_once():
    vm = a_vm("web-1", availability_set=a_set_id(), view=a_view(update_domain=1))
    world = World(vm, policies={"web": {}})
    world.azure.scripts = {"web-1": ["Throttled"]}

    await world.run(timedelta(minutes=1))

    assert (await world.jobs.away(vm.domain_set)).jobs == {}
    assert world.starts() == []
