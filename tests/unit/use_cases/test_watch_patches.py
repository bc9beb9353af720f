"""Watching patches: one row per VM, assessments within a budget, and mail where somebody must act."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.memory import (
    MemoryAlerts,
    MemoryBus,
    MemoryClock,
    MemoryJobs,
    MemoryMachines,
    MemoryPatches,
    MemoryPatchStore,
    MemoryPolicies,
)
from shared.domain.errors import Problem, Refused, Retryable, StartUnknown, Terminal
from shared.domain.maintenance import Subscription
from shared.domain.patching.model import PatchError
from shared.domain.patching.record import PatchState
from shared.ports import Accepted, Operation, PatchOperation
from shared.use_cases.assess_vm import AssessVm
from shared.use_cases.report_patches import ReportPatches
from shared.use_cases.see_fleet import SeeFleet
from shared.use_cases.tell import Tell
from shared.use_cases.watch_patches import WatchPatches
from tests.builders import NOW, OWNER, a_view, a_vm
from tests.patch_builders import (
    RELEASED,
    a_patch,
    a_patched_view,
    a_summary,
    a_windows_vm,
    an_assessment,
    an_installation,
    with_settings,
)

HOUR = timedelta(hours=1)
UNASSESSED = a_view(maintenance=None)


class Watch:
    """The use case on memory, and a policy shop/web that observes name:win-*."""

    def __init__(self, *vms, acts=True, **columns):
        self.clock = MemoryClock(NOW)
        self.machines = MemoryMachines(*vms)
        self.patches = MemoryPatches(self.machines)
        self.store = MemoryPatchStore()
        self.alerts = MemoryAlerts()
        self.policies = MemoryPolicies()
        self.policies.put(
            "shop",
            "web",
            **({"match": "name:win-*", "owners": OWNER, "patching": "observe"} | columns),
        )
        tell = Tell(
            clock=self.clock,
            alerts=self.alerts,
            bus=MemoryBus(),
            recipients=("ops@example.com",),
            digest=timedelta(minutes=2),
        )
        self.run = WatchPatches(
            clock=self.clock,
            policies=self.policies,
            jobs=MemoryJobs(),
            vms=self.machines,
            store=self.store,
            see=SeeFleet(clock=self.clock, vms=self.machines, patches=self.store),
            assess=AssessVm(clock=self.clock, patches=self.patches),
            report=ReportPatches(clock=self.clock, tell=tell),
            acts=acts,
        )

    async def after(self, wait=timedelta(0)):
        """The records after a look at this time from now, by VM name."""
        self.clock.advance(wait)
        await self.run()
        return {record.vm_name: record for record in await self.store.records()}

    def told(self):
        return [(alert.kind, alert.subject, alert.reason) for alert in self.alerts.alerts()]

    def finish(self, result=None, *, status="succeeded", code="", message=""):
        """Every assessment that is under way ends."""
        for url in self.patches.assessments:
            operation = Operation(status=status, code=code, message=message)
            self.patches.assessments[url] = PatchOperation(operation=operation, result=result)


async def test_each_watched_vm_has_a_row_with_its_state_and_no_other_has_one():
    watch = Watch(
        a_windows_vm("win-1"),
        with_settings(a_windows_vm("win-2"), enable_hotpatching=False),
        a_vm("web-1"),
    )

    records = await watch.after()

    assert {name: one.state for name, one in records.items()} == {
        "win-1": PatchState.COMPLIANT,
        "win-2": PatchState.NOT_ENROLLED,
    }
    assert (records["win-1"].team, records["win-1"].policy) == ("shop", "web")


async def test_nothing_is_read_of_the_fleet_while_no_policy_watches():
    watch = Watch(a_windows_vm("win-1"), patching="none")

    assert await watch.after() == {}
    assert watch.machines.calls == []


async def test_a_status_list_without_patches_has_each_watched_vm_asked_itself():
    vm = a_windows_vm("win-1")
    watch = Watch(vm, a_vm("web-1", view=a_view()))
    listed = watch.machines.statuses

    async def bare(subscription):
        async for item in listed(subscription):
            yield replace(item, view=replace(item.view, patch_status=None))

    watch.machines.statuses = bare  # type: ignore[method-assign]

    records = await watch.after()

    assert records["win-1"].state is PatchState.COMPLIANT


async def test_a_missing_assessment_is_asked_for_once_and_read_at_the_next_look():
    watch = Watch(a_windows_vm("win-1", view=UNASSESSED))

    first = await watch.after()
    assert first["win-1"].state is PatchState.UNKNOWN
    assert first["win-1"].assessing_url
    assert [start.vm_id for start in watch.patches.starts] == [first["win-1"].vm_id]

    still = await watch.after(HOUR)
    assert still["win-1"].assessing_url == first["win-1"].assessing_url

    watch.finish(an_assessment(a_patch()))
    done = await watch.after(HOUR)
    assert done["win-1"].state is PatchState.DUE
    assert done["win-1"].due_patches == (a_patch(),)
    assert "None needs a reboot." in done["win-1"].reason
    assert len(watch.patches.starts) == 1


@pytest.mark.parametrize("patching", ["observe", "install"])
async def test_a_rehearsal_asks_for_no_assessment(patching):
    watch = Watch(a_windows_vm("win-1", view=UNASSESSED), acts=False, patching=patching)

    await watch.after()

    assert watch.patches.starts == []


async def test_a_run_asks_for_no_more_than_its_budget_and_the_next_for_the_rest():
    watch = Watch(*(a_windows_vm(f"win-{n}", view=UNASSESSED) for n in range(3)))
    watch.run = replace(watch.run, assessments_max=2)

    await watch.after()
    assert len(watch.patches.starts) == 2
    await watch.after(HOUR)

    assert len({start.vm_id for start in watch.patches.starts}) == 3


async def test_an_assessment_that_never_ends_is_given_up_and_named():
    watch = Watch(a_windows_vm("win-1", view=UNASSESSED))
    await watch.after()

    record = (await watch.after(3 * HOUR + timedelta(seconds=1)))["win-1"]

    assert "an assessment did not end within 3h" in record.reason
    assert record.assessment_failures == 1


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        ({"status": "failed", "code": "VMAgent", "message": "no"}, "failed: VMAgent: no"),
        ({"status": "succeeded"}, "ended without a result"),
        ({"status": "unknown"}, "Microsoft.Compute/locations/operations/read"),
        (
            {"result": an_assessment(status="Failed", error=PatchError(code="E", message="m"))},
            "Failed: E: m",
        ),
    ],
)
async def test_an_assessment_that_comes_to_nothing_is_named_in_the_row(operation, says):
    watch = Watch(a_windows_vm("win-1", view=UNASSESSED))
    await watch.after()
    watch.finish(**operation)

    record = (await watch.after(timedelta(minutes=1)))["win-1"]

    assert record.state is PatchState.UNKNOWN
    assert says in record.reason


async def test_after_three_failures_in_a_row_somebody_is_told_once():
    watch = Watch(a_windows_vm("win-1", view=UNASSESSED))
    for _ in range(5):
        await watch.after(timedelta(days=1))
        watch.finish(status="failed", code="VMAgent", message="The agent is away.")

    [(kind, subject, reason)] = watch.told()

    assert (kind, subject) == ("patch", "win-1")
    assert "VMAgent" in reason


@pytest.mark.parametrize(
    ("answer", "asked_again", "failures"),
    [
        (Refused(status=409, code="Conflict", message="x", may_pass=True), True, 0),
        (Refused(status=403, code="AuthorizationFailed", message="x", may_pass=False), False, 1),
        (StartUnknown("no answer"), False, 0),
        (Terminal("no token"), False, 1),
        (Accepted(operation_url="", correlation_id="c"), False, 0),
    ],
    ids=["busy", "refused", "no answer", "terminal", "no operation"],
)
async def test_a_start_that_did_not_go_well_stops_nothing(answer, asked_again, failures):
    watch = Watch(a_windows_vm("win-1", view=UNASSESSED), a_windows_vm("win-2"))
    watch.patches.answer_start(a_windows_vm("win-1").id, answer)

    records = await watch.after()
    assert records["win-1"].assessment_failures == failures
    assert records["win-2"].state is PatchState.COMPLIANT

    await watch.after(timedelta(minutes=30))
    assert (len(watch.patches.starts) == 2) is asked_again


async def test_an_operation_that_is_busy_is_looked_at_again():
    watch = Watch(a_windows_vm("win-1", view=UNASSESSED))
    first = await watch.after()
    watch.patches.fail_next("assessment", Retryable("429"))

    assert (await watch.after(HOUR))["win-1"].assessing_url == first["win-1"].assessing_url


async def test_one_row_that_cannot_be_written_stops_no_other():
    watch = Watch(a_windows_vm("win-1"), a_windows_vm("win-2"))
    watch.store.fail_next("keep", Retryable("503"))

    assert len(await watch.after()) == 1


async def test_rows_of_vms_that_are_gone_or_no_longer_watched_go_too():
    gone, excluded = a_windows_vm("win-1"), a_windows_vm("win-2")
    watch = Watch(gone, excluded, a_windows_vm("win-3"))
    await watch.after()

    watch.machines.remove(gone)
    watch.policies.put("shop", "web", match="name:win-3", patching="observe")
    assert list(await watch.after()) == ["win-3"]

    watch.policies.put("shop", "web", match="name:win-3")
    assert await watch.after() == {}


async def test_a_subscription_that_cannot_be_read_keeps_its_rows():
    watch = Watch(a_windows_vm("win-1"))
    watch.machines.extra_subscriptions = [Subscription("s2", "Other")]
    before = await watch.after()
    watch.machines.fail_next("models", Terminal("403"))

    assert await watch.after() == before


async def test_a_vm_whose_answer_cannot_be_used_is_unknown_with_the_field():
    vm = a_windows_vm("win-1")
    watch = Watch(vm)
    await watch.after()
    watch.machines.unreadable[vm.key] = Problem("location", "7", "text")

    record = (await watch.after())["win-1"]

    assert record.state is PatchState.UNKNOWN
    assert "location is '7'" in record.reason


async def test_whoever_must_act_is_told_once_with_the_reason():
    watch = Watch(
        a_windows_vm("win-1", view=a_patched_view(a_summary(1))),
        a_windows_vm("win-2", image=None),
        with_settings(a_windows_vm("win-3"), enable_hotpatching=False),
    )
    late = RELEASED + timedelta(days=31)
    watch.clock.set(late)
    fresh = a_patched_view(a_summary(1, last_modified_time=late))
    record = (await watch.after())["win-1"]
    watch.machines.show(watch.machines.vms[record.key], fresh)
    # It has been due since February; March's release does not make it new.
    await watch.store.keep(replace(record, due_since=RELEASED))
    for _ in range(2):
        await watch.after()

    told = watch.told()

    assert sorted(subject for _, subject, _ in told) == ["win-1", "win-2", "win-3"]
    [overdue] = [reason for _, subject, reason in told if subject == "win-1"]
    assert "Azure was to install by itself until" in overdue
    assert all(alert.recipients == ("ops@example.com", OWNER) for alert in watch.alerts.alerts())


@pytest.mark.parametrize(("patching", "told"), [("observe", 1), ("install", 0)])
async def test_azures_own_failed_installation_is_told_where_baton_installs_nothing(patching, told):
    failed = an_installation(status="Failed", error=PatchError(code="E", message="m"))
    view = a_patched_view(a_summary(1), failed)
    watch = Watch(a_windows_vm("win-1", view=view), patching=patching)

    await watch.after()
    await watch.after()

    assert len(watch.told()) == told


async def test_an_unplanned_baseline_is_announced_once_to_everybody_it_concerns():
    names = ("win-1", "win-2")
    watch = Watch(*map(a_windows_vm, names))
    await watch.after()
    for name in names:  # something is due since this morning
        watch.machines.show(a_windows_vm(name), a_patched_view(a_summary(1)))
    await watch.after()
    patch = a_patch("5099999", reboot_behavior="AlwaysRequiresReboot", published_date=NOW)
    watch.finish(an_assessment(patch))
    for _ in range(2):
        await watch.after()

    [alert] = watch.alerts.alerts()

    assert (alert.kind, alert.subject) == ("baseline", "KB5099999 of 2026-02")
    assert ("Seen on", "win-1, win-2") in alert.facts
    assert alert.recipients == ("ops@example.com", OWNER)
