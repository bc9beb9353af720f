"""People pause, resume, skip and retry while the whole app runs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import Declined, InvalidInput, Retryable, Stale, Unknown
from shared.domain.job import JobState
from shared.domain.steering import BY_A_PERSON
from shared.ports import Wake
from shared.use_cases.asking import Asked
from shared.use_cases.pause_policies import PausePolicies
from shared.use_cases.resume_policies import ResumePolicies
from shared.use_cases.retry_vm import RetryVm
from shared.use_cases.skip_vm import SkipVm
from shared.use_cases.status import ReadStatus
from tests.builders import NOW, a_status, a_view, a_vm
from tests.simulation.world import AWAY, World

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ANN = Asked.of("ann", "a bad night")
POLICY: dict[str, object] = {"gap": "15m", "estimate": "6m", "match": "name:web-*"}


def a_world(*names: str, **columns: object) -> World:
    return World(*(a_vm(name) for name in names), policies={"web": {**POLICY, **columns}})


def people_of(world: World, kind):
    stores = {
        "clock": world.clock,
        "jobs": world.jobs,
        "policies": world.policies,
        "pauses": world.pauses,
    }
    return kind(**stores)


def pause(world: World):
    return people_of(world, PausePolicies)


def resume(world: World):
    return people_of(world, ResumePolicies)


def skip(world: World) -> SkipVm:
    return SkipVm(clock=world.clock, jobs=world.jobs)


def retry(world: World) -> RetryVm:
    return RetryVm(clock=world.clock, vms=world.azure, jobs=world.jobs)


def job_of(world: World, name: str):
    return max((j for j in world.jobs.jobs() if j.vm_name == name), key=lambda job: job.id)


# --- pause and resume -------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", [("", ""), ("shop", ""), ("shop", "web")])
async def test_a_pause_starts_nothing_more_finishes_what_runs_and_loses_nothing(scope):
    world = a_world("web-1", "web-2", "web-3")
    await world.run(2 * MINUTE)

    done = await pause(world)(*scope, asked=ANN)
    await world.run(5 * HOUR)

    assert ([job.vm_name for job in done.away], done.waiting, done.already) == (["web-1"], 2, False)
    assert world.starts() == ["web-1"]
    assert world.terminal() == {"web-1": "completed"}

    resumed = await resume(world)(*scope, asked=Asked.of("bob"))
    await world.run(3 * HOUR)

    assert (resumed.pause.resumed_by, resumed.held) == ("bob", ())
    assert world.terminal() == dict.fromkeys(["web-1", "web-2", "web-3"], "completed")


async def test_a_start_that_was_decided_before_the_pause_is_not_claimed_after_it(monkeypatch):
    world = a_world("web-1")
    await world.app.discover()
    (job,) = world.jobs.jobs()
    look = world.azure.get

    async def get_while_somebody_pauses(vm_id):
        monkeypatch.undo()  # its step has read the pauses by now
        await pause(world)("shop", "web", asked=ANN)
        return await look(vm_id)

    monkeypatch.setattr(world.azure, "get", get_while_somebody_pauses)
    await world.app.redeploy(Wake(team=job.team, policy=job.policy, job_id=job.id))

    assert world.starts() == []
    assert job_of(world, "web-1").state is JobState.PLANNED


async def test_a_pause_of_one_policy_leaves_the_others_alone():
    world = World(
        a_vm("web-1"), a_vm("db-1"), policies={"web": POLICY, "db": {"match": "name:db-*"}}
    )
    await pause(world)("shop", "web", asked=ANN)

    await world.run(HOUR)

    assert world.starts() == ["db-1"]


async def test_a_team_stands_still_while_everything_does_whatever_is_resumed_for_itself():
    world = a_world("web-1")
    await pause(world)("", "", asked=ANN)
    await pause(world)("shop", "", asked=Asked.of("bob"))

    part = await resume(world)("shop", "", asked=ANN)
    whole = await resume(world)("shop", "web", asked=ANN)
    await world.run(HOUR)

    assert [held.by for held in part.held] == ["ann"]
    assert (whole.pause, [held.by for held in whole.held]) == (None, ["ann"])
    assert world.starts() == []

    assert (await resume(world)("", "", asked=ANN)).held == ()
    await world.run(HOUR)
    assert world.starts() == ["web-1"]


async def test_pausing_twice_keeps_the_first_pause_and_pausing_again_after_a_resume_does_not():
    world = a_world("web-1")
    await pause(world)("shop", "", asked=ANN)
    again = await pause(world)("shop", "", asked=Asked.of("bob"))
    await resume(world)("shop", "", asked=ANN)
    later = await pause(world)("shop", "", asked=Asked.of("cy"))

    assert (again.already, again.pause.by) == (True, "ann")
    assert (later.already, later.pause.by, later.pause.holds) == (False, "cy", True)


async def test_a_team_or_policy_that_does_not_exist_is_refused_by_name_with_those_that_do():
    world = a_world("web-1")

    for ask in (pause(world), resume(world)):
        with pytest.raises(Unknown, match=r"shop/wbe.*expected one of shop/web"):
            await ask("shop", "wbe", asked=ANN)
        with pytest.raises(Unknown, match="'shp'; expected one of shop"):
            await ask("shp", "", asked=ANN)


async def test_a_pause_of_a_policy_that_is_gone_can_be_ended():
    world = a_world("web-1")
    await pause(world)("shop", "web", asked=ANN)
    world.policies.remove("shop", "web")

    assert (await resume(world)("shop", "web", asked=ANN)).pause


async def test_a_rollout_that_writes_at_the_same_time_does_not_keep_a_pause_away():
    world = a_world("web-1")
    await world.app.discover()
    world.pauses.fail_next("write", Stale("somebody else paused"))
    world.jobs.fail_next("commit", *[Stale("a rollout wrote")] * 20)

    await pause(world)("shop", "web", asked=ANN)

    assert [one.by for one in await world.pauses.all()] == ["ann"]


async def test_while_the_pauses_cannot_be_read_nothing_starts():
    world = a_world("web-1")
    await world.app.discover()
    world.pauses.fail_next("all", Retryable("the tables are busy"))

    await world.run(MINUTE / 3)
    assert world.starts() == []

    await world.run(HOUR)
    assert world.starts() == ["web-1"]


async def test_a_window_that_closes_while_paused_is_missed_and_the_mail_says_who_paused():
    world = World(
        a_vm("web-1", view=a_view(maintenance=a_status(closes=NOW + HOUR))),
        policies={"web": POLICY},
    )
    await pause(world)("", "", asked=ANN)
    await world.run(2 * HOUR)

    (row,) = world.outcomes.rows()
    assert row["outcome"] == "missed"
    assert "everything is paused by ann since 2026-03-02 12:00 UTC: a bad night" in row["reason"]
    assert world.mailed() == ["missed web-1"]


# --- skip -------------------------------------------------------------------------------------------


async def test_a_skipped_vm_has_its_outcome_and_keeps_nobody_waiting_and_nothing_follows():
    world = a_world("web-1", "web-2")
    await pause(world)("", "", asked=ANN)
    await world.run(MINUTE)
    done = await skip(world)("WEB-1", asked=Asked.of("ann", "migrated tomorrow"))
    await resume(world)("", "", asked=ANN)

    await world.run(5 * HOUR)

    assert not done.already
    assert world.terminal() == {"web-1": "skipped", "web-2": "completed"}
    reasons = {row["vmName"]: row["reason"] for row in world.outcomes.rows()}
    assert reasons["web-1"] == "skipped by ann: migrated tomorrow"
    assert world.starts() == ["web-2"]
    assert world.mailed() == []


async def test_skipping_again_changes_nothing_and_a_retry_takes_it_back():
    world = a_world("web-1")
    await world.app.discover()
    first = await skip(world)("web-1", asked=ANN)
    again = await skip(world)("web-1", asked=Asked.of("bob"))
    with pytest.raises(Declined, match="being recorded"):
        await retry(world)("web-1", asked=ANN)
    await world.run(10 * MINUTE)

    asked = await retry(world)("web-1", asked=Asked.of("bob"))
    await world.run(2 * HOUR)

    assert (again.already, again.job.reason) == (True, first.job.reason)
    assert (asked.job.retried_by, asked.already) == ("bob", False)
    assert world.terminal() == {"web-1": "completed+skipped"}


async def test_another_maintenance_of_a_skipped_vm_is_done():
    world = a_world("web-1")
    await world.app.discover()
    await skip(world)("web-1", asked=ANN)
    await world.run(10 * MINUTE)
    later = NOW + 60 * 24 * HOUR
    world.azure.announce(a_vm("web-1"), a_status(opens=later, closes=later + 24 * HOUR))
    world.clock.set(later)

    await world.run(HOUR)

    assert world.terminal() == {"web-1": "completed+skipped"}


async def test_a_vm_that_is_away_cannot_be_skipped():
    world = a_world("web-1")
    await world.run(2 * MINUTE)

    with pytest.raises(Declined, match="web-1 cannot be skipped: it is away"):
        await skip(world)("web-1", asked=ANN)
    await world.run(2 * AWAY)
    with pytest.raises(Declined, match="its job ended completed"):
        await skip(world)("web-1", asked=ANN)


async def test_a_vm_without_a_job_is_refused_by_name():
    world = a_world("web-1")

    for ask in (skip(world), retry(world)):
        with pytest.raises(Unknown, match="one of the 0 VMs that have a job"):
            await ask("web-1", asked=ANN)


# --- retry ------------------------------------------------------------------------------------------


async def test_an_aborted_vm_that_azure_still_offers_is_tried_again_and_its_rollout_goes_on():
    world = a_world("web-1", "web-2")
    world.azure.scripts["web-1"] = ["MaintenanceAborted"]
    await world.run(HOUR)
    assert world.terminal() == {"web-1": "aborted"}
    with pytest.raises(Declined, match="no longer offers it"):
        await retry(world)("web-1", asked=ANN)
    offered = a_status(last_operation_result_code="MaintenanceAborted")
    world.azure.announce(a_vm("web-1"), offered)

    done = await retry(world)("web-1", asked=ANN)
    again = await retry(world)("web-1", asked=Asked.of("bob"))
    await world.run(2 * HOUR)

    assert (done.already, again.already, again.job.retried_by) == (False, True, "ann")
    assert sorted(world.starts()) == ["web-1", "web-1", "web-2"]
    assert world.terminal() == {"web-1": "aborted+completed", "web-2": "completed"}


async def test_one_that_fails_again_halts_again():
    world = a_world("web-1", "web-2")
    world.azure.scripts["web-1"] = ["RetryLater"] * 9
    world.policies.put("shop", "web", **{**POLICY, "retries": 0})
    await world.run(HOUR)
    before = world.starts()
    await retry(world)("web-1", asked=ANN)
    await world.run(3 * HOUR)

    assert (before, world.terminal()["web-1"]) == (["web-1"], "failed+failed")
    assert "halted: web-1 ended failed" in job_of(world, "web-2").reason


async def test_a_vm_that_azure_took_and_did_not_give_back_is_never_started_again():
    world = a_world("web-1")
    world.azure.scripts["web-1"] = ["Hang"]
    await world.run(3 * HOUR)
    assert world.terminal() == {"web-1": "timedOut"}

    with pytest.raises(Declined, match="never starts a VM twice for one maintenance"):
        await retry(world)("web-1", asked=ANN)
    await world.run(3 * HOUR)
    assert world.starts() == ["web-1"]


async def test_a_vm_that_is_deleted_or_open_cannot_be_tried_again():
    world = a_world("web-1")
    await world.app.discover()
    with pytest.raises(Declined, match="its job is open: it is planned"):
        await retry(world)("web-1", asked=ANN)
    await skip(world)("web-1", asked=ANN)
    await world.run(10 * MINUTE)
    world.azure.remove(a_vm("web-1"))

    with pytest.raises(Declined, match="Azure no longer knows the VM"):
        await retry(world)("web-1", asked=ANN)


async def test_whoever_writes_at_the_same_time_is_no_obstacle():
    world = a_world("web-1")
    await world.app.discover()
    world.jobs.fail_next("commit", Stale("a rollout wrote"), Stale("a rollout wrote"))

    done = await skip(world)("web-1", asked=ANN)

    assert done.job.skipped_because == BY_A_PERSON


# --- status -----------------------------------------------------------------------------------------


async def test_the_status_names_who_is_away_what_waits_and_why_and_what_ended_badly():
    world = a_world("web-1", "web-2", "web-3", onFailure="continue")
    world.policies.put("shop", "broken", match="name:none-*", gap="soon")
    world.azure.scripts["web-1"] = ["MaintenanceAborted"]
    read = ReadStatus(
        clock=world.clock,
        jobs=world.jobs,
        policies=world.policies,
        pauses=world.pauses,
        alerts=world.alerts,
        mode=world.settings.mode,
    )
    before = await read()
    await world.run(30 * MINUTE)
    running = await read()
    await pause(world)("shop", "web", asked=ANN)
    paused = await read()

    assert before.heartbeat is None
    assert (before.away, before.bad, before.pauses) == ((), (), ())
    assert running.heartbeat
    assert running.heartbeat.vms == 3
    assert [job.vm_name for job in running.bad] == ["web-1"]
    broken, web = running.policies
    assert "gap is 'soon'" in broken.problems[0]
    assert (web.rollout, web.counts[JobState.ABORTED], web.closes) == (1, 1, NOW + 7 * 24 * HOUR)
    assert [pause.by for pause in paused.pauses] == ["ann"]
    assert paused.policies[1].why.startswith("web-3: policy shop/web is paused by ann")


def test_who_asks_must_be_named_and_every_text_is_one_line():
    assert Asked.of(" ann\n", "a\tbad\nnight") == Asked("ann", "a bad night")
    assert str(replace(ANN, reason="")) == "ann"
    with pytest.raises(InvalidInput, match="by is"):
        Asked.of(" ")
    with pytest.raises(InvalidInput, match="at most 1000 characters"):
        Asked.of("ann", "x" * 1001)
