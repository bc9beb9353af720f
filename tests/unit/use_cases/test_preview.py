"""Preview: what the next discovery would write, found without writing."""

from datetime import timedelta

from shared.adapters.memory import (
    MemoryClock,
    MemoryJobs,
    MemoryMachines,
    MemoryPatchStore,
    MemoryPauses,
    MemoryPolicies,
)
from shared.domain.job import JobState
from shared.domain.ledger import Change
from shared.domain.mode import Mode
from shared.use_cases.preview import Preview
from shared.use_cases.see_fleet import SeeFleet
from tests.builders import NOW, a_head, a_job, a_vm
from tests.simulation.world import World

HOUR = timedelta(hours=1)


async def foreseen(*vms, jobs=(), now=None):
    store, policies, clock = MemoryJobs(), MemoryPolicies(), MemoryClock(NOW)
    policies.put("shop", "web", match="name:web-*")
    if jobs:
        await store.commit(Change(heads=(a_head(),), jobs=jobs, at=NOW))
    before = len(store.calls)
    see = SeeFleet(clock=clock, vms=MemoryMachines(*vms), patches=MemoryPatchStore())
    preview = Preview(
        clock=clock,
        policies=policies,
        jobs=store,
        pauses=MemoryPauses(),
        see=see,
        mode=Mode.LIVE,
    )
    found = await preview(now=now)
    assert [name for name, _ in store.calls[before:]] == ["books"]
    assert policies.called("write_status") == []
    return found


async def test_it_is_what_a_discovery_then_writes():
    world = World(a_vm("web-1"), a_vm("web-2"), policies={"web": {"match": "name:web-*"}})
    preview = Preview(
        clock=world.clock,
        policies=world.policies,
        jobs=world.jobs,
        pauses=world.pauses,
        see=SeeFleet(clock=world.clock, vms=world.azure, patches=world.patch_store),
        mode=Mode.LIVE,
    )

    foresight = await preview()
    await world.app.discover()

    planned = {job.vm_name: (job.rollout, job.planned_start) for job in foresight.jobs()}
    assert planned == {job.vm_name: (job.rollout, job.planned_start) for job in world.jobs.jobs()}
    assert len({start for _, start in planned.values()}) == 2


async def test_jobs_on_their_way_stay_beside_those_that_are_new():
    away = a_job("web-1", state=JobState.REDEPLOYING, started_at=NOW, accepted=True)
    ended = a_job("web-9", state=JobState.COMPLETED, ended_at=NOW, accepted=True)

    foresight = await foreseen(a_vm("web-1"), a_vm("web-2"), jobs=(away, ended))

    found = {job.vm_name: job.state for job in foresight.jobs()}
    assert found == {"web-1": JobState.REDEPLOYING, "web-2": JobState.PLANNED}
    assert len(foresight.ledgers["shop", "web"].jobs) == 3


async def test_vms_that_no_policy_has_are_there_with_their_reasons():
    foresight = await foreseen(a_vm("db-1"))

    assert foresight.jobs() == []
    assert list(foresight.plan.unmatched.values()) == ["no enabled policy matches it"]


async def test_another_instant_can_be_asked_about():
    foresight = await foreseen(a_vm("web-1"), now=NOW + HOUR)

    assert [job.planned_start for job in foresight.jobs()] == [NOW + HOUR]
