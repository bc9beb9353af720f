"""Patches through the whole app in memory: as jobs in the same rollouts, and together with a maintenance."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import Refused, Retryable
from shared.domain.patching.model import RebootSetting
from shared.domain.patching.record import PatchState
from shared.domain.patching.results import InstallRequest
from tests.builders import NOW, a_status, a_vm
from tests.patch_builders import a_patch, a_patch_record, a_patched_view, a_summary
from tests.simulation.world import World

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
INSTALL = {"patching": "install", "gap": "15m", "estimate": "12m"}
BASELINE = a_patch("5034200", reboot_behavior="AlwaysRequiresReboot")
HOTPATCH = a_patch("5034129")


def a_machine(name: str, *, maintenance=None, **other):
    return a_vm(name, view=a_patched_view(a_summary(1), maintenance=maintenance), **other)


async def due(world: World, *patches, names=()) -> None:
    """These are what is available to each VM, or to those that are named."""
    for vm in world.azure.vms.values():
        if not names or vm.name in names:
            record = a_patch_record(
                vm,
                state=PatchState.DUE,
                assessment=a_summary(len(patches)),
                patches=patches,
                patches_at=NOW - HOUR,
            )
            await world.patch_store.keep(record)


def rows_of(world: World, name: str) -> list[tuple[str, str, bool]]:
    """(work, outcome, terminal) of a VM's attempts, in their order."""
    mine = [row for row in world.outcomes.rows() if row["vmName"] == name]
    return [
        (row["work"], row["outcome"], row["terminal"])
        for row in sorted(mine, key=lambda row: row["endedAt"])
    ]


def installs(world: World) -> list[str]:
    return [install.vm for install in world.patches.installed]


async def test_a_baseline_goes_through_the_fleet_as_a_redeploy_would():
    world = World(
        *(a_machine(name) for name in ("web-1", "web-2", "web-3")), policies={"web": INSTALL}
    )
    await due(world, BASELINE)

    await world.run(4 * HOUR)

    assert world.terminal() == dict.fromkeys(("web-1", "web-2", "web-3"), "completed")
    assert installs(world) == ["web-1", "web-2", "web-3"]
    assert world.starts() == []
    for earlier, later in zip(world.patches.installed, world.patches.installed[1:], strict=False):
        assert later.at - earlier.at >= world.patches.takes + 15 * MINUTE
    request = world.patches.installed[0].request
    assert request.reboot_setting is RebootSetting.IF_REQUIRED
    assert not request.exclude_kbs_requiring_reboot


async def test_hotpatches_take_no_slot_and_keep_the_order_of_stages():
    names = ("db-1", "db-2", "we-1", "we-2")
    policy = {**INSTALL, "sequence": "name:db-*; name:we-*", "stageGap": "0s"}
    world = World(*map(a_machine, names), policies={"web": policy})
    await due(world, HOTPATCH)

    await world.run(2 * HOUR)

    assert world.terminal() == dict.fromkeys(names, "completed")
    began = {install.vm: install.at for install in world.patches.installed}
    assert began["db-2"] - began["db-1"] < MINUTE
    assert began["we-1"] >= began["db-1"] + world.patches.takes
    for install in world.patches.installed:
        assert install.request.reboot_setting is RebootSetting.NEVER
        assert install.request.exclude_kbs_requiring_reboot


async def test_a_vm_with_both_is_away_once_for_two_reasons():
    world = World(a_machine("web-1", maintenance=a_status()), policies={"web": INSTALL})
    await due(world, BASELINE)

    await world.run(4 * HOUR)

    assert rows_of(world, "web-1") == [
        ("patch", "completed", False),
        ("redeploy", "completed", True),
    ]
    assert installs(world) == ["web-1"]
    assert world.patches.installed[0].request.reboot_setting is RebootSetting.NEVER
    done = world.patches.installed[0].at + world.patches.takes
    assert [start.at >= done for start in world.azure.started] == [True]
    assert len(world.jobs.jobs()) == 1


async def test_a_maintenance_announced_while_patches_wait_joins_their_job():
    policy = {**INSTALL, "lead": "1h"}
    world = World(a_machine("web-1"), policies={"web": policy})
    await due(world, BASELINE)
    await world.run(10 * MINUTE)
    world.azure.announce(a_vm("web-1"), a_status())

    await world.run(4 * HOUR)

    assert [job.state for job in world.jobs.jobs()] == ["completed"]
    assert rows_of(world, "web-1") == [
        ("patch", "completed", False),
        ("redeploy", "completed", True),
    ]


async def test_an_installation_that_fails_is_mailed_and_costs_the_vm_no_maintenance():
    world = World(a_machine("web-1", maintenance=a_status()), policies={"web": INSTALL})
    world.patches.fails = {"web-1"}
    await due(world, BASELINE)

    await world.run(4 * HOUR)

    assert rows_of(world, "web-1") == [("patch", "failed", False), ("redeploy", "completed", True)]
    assert world.mailed() == ["failed web-1"]


async def test_where_the_window_is_too_short_for_both_the_redeploy_goes_first_and_the_patches_later():
    closing = a_status(closes=NOW + HOUR)
    world = World(a_machine("web-1", maintenance=closing), policies={"web": INSTALL})
    await due(world, BASELINE)

    await world.run(6 * HOUR)

    assert rows_of(world, "web-1")[0] == ("redeploy", "completed", True)
    assert world.starts() == ["web-1"]
    assert [install.at > NOW + 6 * MINUTE for install in world.patches.installed] == [True]
    assert len(world.jobs.jobs()) == 2


async def test_an_installation_that_fails_halts_its_rollout_and_is_not_tried_again():
    world = World(a_machine("web-1"), a_machine("web-2"), policies={"web": INSTALL})
    world.patches.fails = {"web-1"}
    await due(world, BASELINE)

    await world.run(24 * HOUR)

    assert world.terminal() == {"web-1": "failed"}
    assert installs(world) == ["web-1"]
    assert world.mailed() == ["failed web-1"]
    row = world.outcomes.rows()[0]
    assert (row["failedPatchCount"], row["release"]) == (2, "2026-02-10")
    assert "0x80240022: no space" in row["reason"]


async def test_a_release_is_installed_once_and_the_next_one_is_a_new_job():
    world = World(a_machine("web-1"), policies={"web": INSTALL})
    await due(world, BASELINE)
    await world.run(24 * HOUR)
    # What is left over of a release that was tried stays Azure's.
    newer = replace(BASELINE, kb_id="5034300", published_date=NOW + HOUR)

    assert installs(world) == ["web-1"]

    await due(world, BASELINE, newer)
    await world.run(24 * HOUR)

    assert installs(world) == ["web-1"] * 2
    assert [job.tried_release for job in world.jobs.jobs()] == ["2026-02-10", "2026-03-02"]


async def test_a_lost_answer_is_found_out_and_nothing_is_installed_twice():
    world = World(a_machine("web-1"), policies={"web": INSTALL})
    world.patches.silent = 1
    await due(world, BASELINE)

    await world.run(6 * HOUR)

    assert world.terminal() == {"web-1": "completed"}
    assert installs(world) == ["web-1"]


@pytest.mark.parametrize("with_maintenance", [False, True])
async def test_whenever_the_process_dies_a_vm_is_patched_once_and_has_one_outcome(with_maintenance):
    status = a_status() if with_maintenance else None
    calls = 0
    while True:
        world = World(a_machine("web-1", maintenance=status), policies={"web": INSTALL})
        await due(world, BASELINE)
        world.die_at(calls)
        await world.run(12 * HOUR, outcomes=1)
        if not world.deaths:
            break
        calls += 1

        assert installs(world) == ["web-1"], f"died at call {calls - 1}"
        assert world.terminal() == {"web-1": "completed"}
        assert world.starts() == ["web-1"] * with_maintenance
    assert calls > 20


async def test_a_baseline_with_reboot_setting_never_is_installed_without_and_said_so():
    policy = {**INSTALL, "rebootSetting": "Never"}
    world = World(a_machine("web-1"), policies={"web": policy})
    await due(world, BASELINE)

    await world.run(HOUR)

    job = world.jobs.jobs()[0]
    assert job.state == "completed"
    assert world.patches.installed[0].request.reboot_setting is RebootSetting.NEVER
    assert "rebootPending" in job.findings[0]


async def test_observe_makes_no_jobs():
    world = World(a_machine("web-1"), policies={"web": {**INSTALL, "patching": "observe"}})
    await due(world, BASELINE)

    await world.run(HOUR)

    assert world.jobs.jobs() == []


async def test_patches_wait_for_approval_and_are_missed_when_their_window_closes_first():
    policy = {**INSTALL, "approval": "required"}
    world = World(a_machine("web-1"), policies={"web": policy})
    old = replace(BASELINE, published_date=NOW - timedelta(days=29))
    await due(world, old)

    await world.run(36 * HOUR)

    assert world.terminal() == {"web-1": "missed"}
    assert installs(world) == []
    # Told when it begins to wait, and before it is too late.
    assert world.mailed() == ["approval shop/web", "approval shop/web", "missed web-1"]
    reason = world.outcomes.rows()[0]["reason"]
    assert reason.startswith("the window for patches closed first: rollout 1 of shop/web waits")


async def test_patches_that_somebody_else_installed_are_withdrawn():
    world = World(a_machine("web-1"), policies={"web": {**INSTALL, "lead": "6h"}})
    await due(world, BASELINE)
    await world.run(HOUR)
    await world.patch_store.keep(
        a_patch_record(world.azure.vms[a_vm("web-1").key], patches_at=world.clock.now())
    )

    await world.run(HOUR)

    assert world.terminal() == {"web-1": "withdrawn"}


async def test_a_policy_that_stops_installing_skips_what_is_planned():
    world = World(a_machine("web-1"), policies={"web": {**INSTALL, "lead": "6h"}})
    await due(world, BASELINE)
    await world.run(HOUR)
    world.policies.put("shop", "web", **{**INSTALL, "patching": "observe"})

    await world.run(HOUR)

    assert rows_of(world, "web-1") == [("patch", "skipped", True)]
    assert world.outcomes.rows()[0]["reason"] == "patching of policy shop/web is observe"


async def test_a_dry_run_says_what_it_would_have_installed_and_says_it_once():
    world = World(a_machine("web-1"), policies={"web": INSTALL}, BATON_MODE="dryRun")
    await due(world, BASELINE)

    await world.run(6 * HOUR)

    assert rows_of(world, "web-1") == [("patch", "skipped", True)]
    assert world.outcomes.rows()[0]["reason"] == (
        "dry run: Baton would have installed its patches now"
    )
    assert installs(world) == []


async def test_a_vm_that_does_not_run_is_not_patched_and_said_why():
    stopped = a_patched_view(a_summary(1), power_state="deallocated", agent_ready=False)
    world = World(a_vm("web-1", view=stopped), policies={"web": INSTALL})
    old = replace(BASELINE, published_date=NOW - timedelta(days=29))
    await due(world, old)

    await world.run(36 * HOUR)

    assert world.terminal() == {"web-1": "missed"}
    assert "it does not run (PowerState/deallocated)" in world.outcomes.rows()[0]["reason"]


async def test_nothing_starts_while_an_installation_that_nobody_asked_baton_for_runs():
    world = World(a_machine("web-1", maintenance=a_status()), policies={"web": {}})
    vm = world.azure.vms[a_vm("web-1").key]
    await world.patches.start_installation(
        vm.id, request=InstallRequest(maximum_duration=HOUR), request_id="azure", within=MINUTE
    )

    await world.run(9 * MINUTE)

    assert world.starts() == []

    await world.run(2 * HOUR)

    assert world.starts() == ["web-1"]


BUSY = Refused(status=429, code="TooManyRequests", message="slow down", may_pass=True)
NEVER = Refused(status=409, code="OperationNotAllowed", message="unsupported", may_pass=False)


async def test_a_busy_azure_is_asked_again_and_that_is_no_attempt():
    world = World(a_machine("web-1"), policies={"web": INSTALL})
    world.patches.refusals = [BUSY, BUSY]
    await due(world, BASELINE)

    await world.run(3 * HOUR)

    assert rows_of(world, "web-1") == [("patch", "completed", True)]
    assert installs(world) == ["web-1"]


@pytest.mark.parametrize(
    ("status", "rows"),
    [
        (None, [("patch", "failed", True)]),
        (a_status(), [("patch", "failed", False), ("redeploy", "completed", True)]),
    ],
)
async def test_a_refusal_for_good_is_a_failure_and_is_not_asked_again(status, rows):
    world = World(a_machine("web-1", maintenance=status), policies={"web": INSTALL})
    world.patches.refusals = [NEVER]
    await due(world, BASELINE)

    await world.run(12 * HOUR)

    assert rows_of(world, "web-1") == rows
    assert installs(world) == []
    assert world.mailed() == ["failed web-1"]
    reasons = [row["reason"] for row in world.outcomes.rows() if row["work"] == "patch"]
    assert reasons[0].startswith("Azure refused it (OperationNotAllowed: unsupported)")


async def test_an_installation_that_never_ends_times_out_and_nothing_else_is_done_to_the_vm():
    world = World(a_machine("web-1", maintenance=a_status()), policies={"web": INSTALL})
    world.patches.hangs = {"web-1"}
    await due(world, BASELINE)

    await world.run(12 * HOUR)

    assert rows_of(world, "web-1") == [("patch", "timedOut", False)]
    # The VM is being changed all the time, of which the redeploy's own preflight tells.
    assert world.mailed() == ["preflight web-1", "timedOut web-1"]
    assert world.starts() == []


async def test_a_vm_that_is_deleted_while_it_is_patched_is_gone():
    world = World(a_machine("web-1", maintenance=a_status()), policies={"web": INSTALL})
    await due(world, BASELINE)
    await world.run(5 * MINUTE)
    world.azure.remove(a_vm("web-1"))

    await world.run(HOUR)

    assert rows_of(world, "web-1") == [("patch", "gone", True)]


async def test_an_installation_that_azure_shows_to_nobody_is_given_up_and_the_redeploy_goes_on():
    world = World(a_machine("web-1", maintenance=a_status()), policies={"web": INSTALL})
    await due(world, BASELINE)
    await world.run(5 * MINUTE)
    world.patches.fail_next("installation", *[Retryable("busy")] * 2_000)

    await world.run(5 * HOUR)

    rows = rows_of(world, "web-1")
    assert rows == [("patch", "timedOut", False), ("redeploy", "completed", True)]
    assert "given up without a last look" in world.outcomes.rows()[-1]["reason"]


async def test_of_a_lost_answer_the_activity_log_decides_where_the_vm_shows_nothing():
    world = World(a_machine("web-1"), policies={"web": INSTALL})
    world.patches.loses_before = 1
    await due(world, BASELINE)

    await world.run(6 * HOUR)

    assert rows_of(world, "web-1") == [("patch", "completed", True)]
    assert installs(world) == ["web-1"]
