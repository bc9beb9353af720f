"""What `./baton explain` says is what the handlers do: asked all along a rollout, and then tried."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.job import Job, JobState
from shared.domain.mode import Mode
from shared.domain.pace import Pace
from shared.domain.patching.record import PatchState
from shared.ports import Wake
from shared.use_cases.approve import Approve
from shared.use_cases.explain import Explain
from shared.use_cases.preview import Preview
from shared.use_cases.see_fleet import SeeFleet
from tests.builders import NOW, a_set_id, a_status, a_view, a_vm
from tests.patch_builders import a_patch, a_patch_record, a_patched_view, a_summary
from tests.simulation.world import World

MINUTE = timedelta(minutes=1)
CLOSES = NOW + timedelta(hours=9)


def explain_of(world: World) -> Explain:
    settings = world.settings
    preview = Preview(
        clock=world.clock,
        policies=world.policies,
        jobs=world.jobs,
        pauses=world.pauses,
        see=SeeFleet(clock=world.clock, vms=world.azure, patches=world.patch_store),
        mode=settings.mode,
    )
    return Explain(
        clock=world.clock,
        vms=world.azure,
        policies=world.policies,
        jobs=world.jobs,
        pauses=world.pauses,
        outcomes=world.outcomes,
        preview=preview,
        mode=settings.mode,
        pace=Pace(
            check_interval=settings.check_interval,
            redeploy_timeout=settings.redeploy_timeout,
            retry_delay=settings.retry_delay,
        ),
    )


def a_fleet():
    """Two stages, zones, a set across policies, a window that opens late and one that closes early."""
    late = a_status(opens=NOW + timedelta(hours=2), closes=CLOSES)
    early = a_status(closes=NOW + timedelta(minutes=50))
    return [
        a_vm("db-1", zone="1", view=a_view(maintenance=a_status(closes=CLOSES))),
        a_vm("db-2", zone="2", view=a_view(maintenance=a_status(closes=CLOSES))),
        a_vm("db-3", view=a_view(maintenance=early)),
        a_vm("web-1", view=a_view(maintenance=late)),
        a_vm("web-2", view=a_view(maintenance=a_status(allowed=False, closes=CLOSES))),
        a_vm(
            "web-3",
            availability_set=a_set_id(),
            view=a_view(update_domain=0, maintenance=a_status(closes=CLOSES)),
        ),
        a_vm(
            "lone-1",
            availability_set=a_set_id(),
            view=a_view(update_domain=1, maintenance=a_status(closes=CLOSES)),
        ),
        a_vm("win-1", view=a_patched_view(a_summary(1))),
        a_vm("win-2", view=a_patched_view(a_summary(1), maintenance=a_status(closes=CLOSES))),
        a_vm("win-3", view=a_patched_view(a_summary(1), power_state="stopped")),
        a_vm("win-4", view=a_patched_view(a_summary(1), maintenance=early)),
        a_vm("win-5", view=a_patched_view(a_summary(1))),
    ]


POLICIES: dict[str, dict[str, object]] = {
    "tiers": {
        "match": "name:db-*,web-*",
        "sequence": "name:db-*",
        "windows": "12:00-14:00; 15:00-19:00",
        "gap": "10m",
        "concurrency": 2,
    },
    "wins": {"match": "name:win-*", "patching": "install", "windows": "12:00-17:00", "gap": "10m"},
    "lone": {"match": "name:lone-*", "approval": "required", "gap": "0s"},
}


async def assess(world: World) -> None:
    """A baseline is due on the Windows VMs, and a hotpatch on one of them, whose window soon closes."""
    for vm in world.azure.vms.values():
        if vm.name.startswith("win-"):
            kb = a_patch("5034200", reboot_behavior="AlwaysRequiresReboot")
            if vm.name == "win-5":
                kb = a_patch(published_date=NOW - timedelta(days=29))
            record = a_patch_record(vm, state=PatchState.DUE, assessment=a_summary(1))
            await world.patch_store.keep(replace(record, patches=(kb,), patches_at=NOW))


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.PAUSED, Mode.DRY_RUN])
async def test_what_is_said_of_a_planned_job_is_what_its_handler_does(
    mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="baton.redeploy")
    world = World(*a_fleet(), policies=POLICIES, BATON_MODE=str(mode))
    await assess(world)
    explain, free, waiting = explain_of(world), 0, set()
    for step in range(60):
        # Messages come only now, so that jobs whose turn it is are met before they are woken.
        world.clock.advance(7 * MINUTE)
        await world.app.discover()
        for job in world.jobs.jobs():
            if job.state is not JobState.PLANNED:
                await world.app.redeploy(wake_of(job))
        if step == 30 and mode is not Mode.DRY_RUN:
            await Approve(clock=world.clock, jobs=world.jobs)("shop", "lone", by="ann")
        for job in [job for job in world.jobs.jobs() if job.state is JobState.PLANNED]:
            world.clock.advance(MINUTE)
            said = await explain(job.vm_name)
            caplog.clear()
            await world.app.redeploy(wake_of(job))
            after = next(one for one in world.jobs.jobs() if one.id == job.id)
            said_by_it = [vars(record) for record in caplog.records]
            waits = [one["reason"] for one in said_by_it if one["action"] == "redeploy_waits"]

            if after.state is JobState.PLANNED:
                assert waits == [said.why]
                waiting.add(said.why)
            elif after.state.is_begun or after.skipped_because == "dryRun":
                assert said.why == "nothing is in its way"
                free += 1
            else:
                assert said.why == after.reason

    assert waiting
    assert free or mode is Mode.PAUSED


def wake_of(job: Job) -> Wake:
    return Wake(team=job.team, policy=job.policy, job_id=job.id)
