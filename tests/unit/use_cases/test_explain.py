"""Explaining one VM: whom it means, what is known of it, and what is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.memory import (
    MemoryClock,
    MemoryJobs,
    MemoryMachines,
    MemoryOutcomes,
    MemoryPatchStore,
    MemoryPauses,
    MemoryPolicies,
)
from shared.domain.errors import InvalidInput, Problem, Retryable
from shared.domain.job import JobState
from shared.domain.ledger import Change
from shared.domain.mode import Mode
from shared.domain.pace import Pace
from shared.use_cases.explain import Explain, explain_foreseen
from shared.use_cases.preview import Preview, foresee
from shared.use_cases.see_fleet import SeeFleet
from shared.use_cases.which_vm import meant
from tests.builders import (
    NOW,
    a_head,
    a_job,
    a_policy_row,
    a_status,
    a_view,
    a_vm,
    a_vm_id,
    an_attempt,
    an_instance,
    some_books,
)

HOUR = timedelta(hours=1)
PACE = Pace(check_interval=HOUR / 120, redeploy_timeout=2 * HOUR, retry_delay=HOUR / 4)


class Desk:
    """The stores and Azure in memory, with a policy shop/web that matches web-*."""

    def __init__(self, *vms, mode: Mode = Mode.LIVE) -> None:
        self.machines = MemoryMachines(*vms)
        self.jobs, self.outcomes, self.policies = MemoryJobs(), MemoryOutcomes(), MemoryPolicies()
        self.pauses = MemoryPauses()
        self.policies.put("shop", "web", match="name:web-*")
        clock = MemoryClock(NOW)
        self.explain = Explain(
            clock=clock,
            vms=self.machines,
            policies=self.policies,
            jobs=self.jobs,
            pauses=self.pauses,
            outcomes=self.outcomes,
            preview=Preview(
                clock=clock,
                policies=self.policies,
                jobs=self.jobs,
                pauses=self.pauses,
                see=SeeFleet(clock=clock, vms=self.machines, patches=MemoryPatchStore()),
                mode=mode,
            ),
            mode=mode,
            pace=PACE,
        )

    async def has(self, *jobs) -> None:
        await self.jobs.commit(Change(heads=(a_head(),), jobs=jobs, at=NOW))


async def why(desk: Desk, name: str = "web-1") -> str:
    return (await desk.explain(name)).why


async def test_a_planned_job_says_its_start_and_when_its_window_closes():
    desk = Desk(a_vm("web-1"))
    await desk.has(a_job("web-1", planned_start=NOW + 2 * HOUR))

    said = await desk.explain("WEB-1")

    assert said.why == "its planned start is in 2h"
    assert said.until == NOW + 2 * HOUR
    assert said.follows[0] == "It is planned to start at 2026-03-02 14:00 UTC."
    assert "2026-03-09 12:00 UTC" in said.follows[1]
    assert said.policy
    assert desk.machines.called("models") == []


async def test_a_job_that_may_go_says_that_nothing_is_in_its_way():
    for mode, follows in ((Mode.LIVE, "Its message starts it now"), (Mode.DRY_RUN, "Dry run:")):
        desk = Desk(a_vm("web-1"), mode=mode)
        await desk.has(a_job("web-1", planned_start=NOW))

        said = await desk.explain(a_vm_id("web-1"))
        assert said.why == "nothing is in its way"
        assert said.follows[0].startswith(follows)


async def test_a_vm_that_is_away_says_since_when_and_when_it_times_out():
    desk = Desk(a_vm("web-1"))
    await desk.has(a_job("web-1", state=JobState.REDEPLOYING, started_at=NOW - HOUR, accepted=True))

    said = await desk.explain("web-1")

    assert said.why == "it is away since 2026-03-02 11:00 UTC, attempt 1: Azure redeploys it"
    assert "At 2026-03-02 13:00 UTC it counts as timed out." in said.follows


async def test_a_start_without_an_answer_says_so():
    desk = Desk(a_vm("web-1"))
    await desk.has(a_job("web-1", state=JobState.STARTING, claimed_at=NOW))

    assert "Azure has not answered yet" in await why(desk)


async def test_where_the_vm_cannot_be_read_the_rules_are_told_and_that_it_was_not_read():
    desk = Desk(a_vm("web-1"))
    await desk.has(a_job("web-1", planned_start=NOW), a_job("web-2", planned_start=NOW + HOUR))
    desk.machines.fail_next("get", *[Retryable("ARM is busy")] * 2)

    assert await why(desk, "web-1") == "Azure could not be asked about the VM now: ARM is busy"
    assert await why(desk, "web-2") == "others of its stage go first"


async def test_what_azure_took_back_is_told_whatever_else_is_in_the_way():
    desk = Desk(a_vm("web-1", view=a_view(maintenance=None)))
    await desk.has(
        a_job("web-1", planned_start=NOW + HOUR), a_job("web-2", planned_start=NOW + HOUR)
    )

    withdrawn, gone = await desk.explain("web-1"), await desk.explain("web-2")

    assert "the next discovery ends the job as withdrawn" in withdrawn.follows[0]
    assert "the next discovery ends the job as gone" in gone.follows[0]


async def test_a_window_that_closed_before_its_turn_is_told_as_its_outcome_will_be():
    status = a_status(opens=NOW - 2 * HOUR, closes=NOW)
    desk = Desk(a_vm("web-1", view=a_view(maintenance=status)))
    await desk.has(a_job("web-1", maintenance=status, planned_start=NOW - HOUR))

    said = await desk.explain("web-1")

    assert said.why.startswith("the self-service window closed first")
    assert said.follows == ("The next look at it records the outcome missed.",)


async def test_what_is_wrong_with_the_policys_row_is_found():
    desk = Desk(a_vm("web-1"))
    await desk.has(a_job("web-1", planned_start=NOW, findings=("It has a temporary disk.",)))
    desk.policies.put("shop", "web", gap="soon")

    said = await desk.explain("web-1")

    assert said.findings[0].startswith("Policy shop/web is wrong: gap is 'soon'")
    assert said.findings[1] == "It has a temporary disk."


async def test_closed_hours_are_told_beside_a_planned_start():
    desk = Desk(a_vm("web-1"))
    await desk.has(a_job("web-1", planned_start=NOW + 10 * HOUR))
    desk.policies.put("shop", "web", windows="22:00-04:00")

    said = await desk.explain("web-1")

    assert (
        "Its policy's hours are closed now: its windows (22:00-04:00, UTC) open" in said.follows[1]
    )


async def test_outcomes_are_those_of_the_vm_newest_first():
    desk = Desk(a_vm("web-1"))
    job = a_job("web-1", planned_start=NOW)
    await desk.has(job)
    for number in (1, 2):
        ended = NOW - HOUR / number
        await desk.outcomes.add(job, an_attempt(number=number, ended_at=ended))
    await desk.outcomes.add(a_job("web-2"), an_attempt())

    said = await desk.explain("web-1")

    assert [row["attempt"] for row in said.outcomes] == [2, 1]


# --- without an open job ----------------------------------------------------------------------------


async def test_an_offered_vm_without_a_job_is_explained_by_the_next_discovery():
    desk = Desk(a_vm("web-1"))

    said = await desk.explain("web-1")

    assert said.follows[0] == "It has no job yet: the next discovery makes it."
    assert said.job
    assert said.job.planned_start == NOW
    assert desk.jobs.called("commit") == []


async def test_a_vm_without_a_policy_or_a_maintenance_says_which():
    over = a_status(opens=NOW - 2 * HOUR, closes=NOW)
    desk = Desk(
        a_vm("db-1"),
        a_vm("web-2", view=a_view(maintenance=None)),
        a_vm("web-3", view=a_view(maintenance=a_status(allowed=False))),
        a_vm("web-4", view=a_view(maintenance=over)),
    )

    assert await why(desk, "db-1") == "no enabled policy matches it"
    assert await why(desk, "web-2") == "Azure announces no maintenance for it"
    assert "isCustomerInitiatedMaintenanceAllowed is false" in await why(desk, "web-3")
    assert await why(desk, "web-4") == "its self-service window closed at 2026-03-02 12:00 UTC"


async def test_a_vm_that_is_done_says_how_it_ended_and_what_azure_may_do():
    desk = Desk(a_vm("web-1"), a_vm("web-2"))
    done = {"ended_at": NOW, "accepted": True, "reason": "as it should"}
    await desk.has(
        a_job("web-1", state=JobState.COMPLETED, **done),
        a_job("web-2", state=JobState.FAILED, **done),
    )

    completed, failed = await desk.explain("web-1"), await desk.explain("web-2")

    assert completed.why == "it ended completed at 2026-03-02 12:00 UTC: as it should"
    assert "Azure may do it by itself" not in completed.follows[0]
    assert "Azure may do it by itself between" in failed.follows[0]


async def test_an_answer_that_cannot_be_used_is_named():
    desk = Desk(a_vm("web-1"))
    desk.machines.unreadable[a_vm("web-1").key] = Problem("location", "5", "text")

    assert (
        await why(desk) == "Azure's answer about it cannot be used: location is '5'; expected text"
    )


async def test_a_subscription_that_was_not_read_whole_is_named_as_what_is_in_the_way():
    vm = a_vm("web-1")
    seen = await Desk(vm).explain.preview()
    half = replace(seen.sight.fleet, whole=frozenset())
    sight = replace(seen.sight, fleet=half, failed={vm.subscription_id: "ARM is busy"})
    rows = [a_policy_row()]

    foresight = foresee(some_books(), rows, sight, mode=Mode.LIVE, now=NOW)

    said = explain_foreseen("web-1", foresight, mode=Mode.LIVE, pace=PACE)
    assert said.why.endswith("not known whole, so no new job is made: ARM is busy")


async def test_an_unknown_name_is_refused_and_says_what_could_not_be_read():
    desk = Desk(a_vm("web-1"))
    with pytest.raises(InvalidInput, match=r"one of the 1 VMs that Baton sees$"):
        await desk.explain("nope")

    desk.machines.fail_next("subscriptions", Retryable("ARM is busy"))
    with pytest.raises(InvalidInput, match="Azure could not be read: ARM is busy"):
        await desk.explain("nope")


def test_a_name_that_several_have_is_refused_with_their_ids():
    ids = [a_vm_id("web-1", group=f"rg-{number:02}") for number in range(12)]

    with pytest.raises(InvalidInput) as caught:
        meant("web-1", ids)

    text = str(caught.value)
    assert ids[0].lower() in text
    assert "and 2 more" in text
    assert meant(ids[3].upper(), ids) == ids[3].lower()
    assert meant("web", ids) is None


def test_an_instance_is_meant_by_the_name_that_azure_gives_it():
    ids = [an_instance(number).id for number in range(3)]

    assert meant("WEB-vmss_2", ids) == ids[2].lower()
    assert meant("2", ids) is None
