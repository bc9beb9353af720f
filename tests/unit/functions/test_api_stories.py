"""What the read API tells of one VM: its story, and how it stands in patching."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.heartbeat import LeftAlone
from shared.domain.patching.record import PatchState
from tests.builders import (
    NOW,
    SUBSCRIPTION,
    a_job,
    a_release,
    a_vm_id,
    an_alert,
    an_attempt,
    an_instance,
)
from tests.patch_builders import a_patch, a_patch_record, a_summary, a_windows_vm
from tests.unit.functions.site import Site


@pytest.fixture
def site():
    return Site()


async def test_a_vms_story_has_why_it_waits_its_outcomes_and_what_people_were_told(site):
    job = a_job(
        "web-1", planned_start=NOW + timedelta(hours=1), findings=("It has a temporary disk.",)
    )
    await site.keeps(job)
    await site.outcomes.add(job, an_attempt(outcome="retryLater", terminal=False))
    facts = (("VM", "web-1 (resource group shop, westeurope)"), ("Subscription", SUBSCRIPTION))
    await site.alerts.add(an_alert("mine", facts=facts))
    elsewhere = (("VM", "web-1 (resource group lab, westeurope)"),)
    await site.alerts.add(an_alert("another's", facts=elsewhere))

    story = (await site.get(f"vms/{SUBSCRIPTION}/SHOP/Web-1")).json

    assert story["why"] == "its planned start is in 1h"
    assert story["follows"][0] == "It is planned to start at 2026-03-02 13:00 UTC."
    assert story["findings"] == ["It has a temporary disk."]
    assert story["maintenance"]["isCustomerInitiatedMaintenanceAllowed"] == "true"
    assert [row["outcome"] for row in story["outcomes"]] == ["retryLater"]
    assert [alert["reason"] for alert in story["alerts"]] == ["Azure's operation failed"]


async def test_an_instance_of_a_uniform_scale_set_has_a_story_of_its_own(site):
    await site.keeps(a_job(vm=an_instance(3)), a_job(vm=an_instance(4), planned_start=None))

    story = (await site.get(f"vms/{SUBSCRIPTION}/shop/WEB-vmss~3")).json

    assert (story["vm"], story["vmId"]) == ("web-vmss_3", an_instance(3).id)


async def test_a_vm_that_only_has_patches_due_is_shown_like_any_other(site):
    job = replace(a_job("web-1"), maintenance=None, patches=a_release())
    await site.keeps(job, match="name:web-*", patching="install")

    listed = (await site.get("vms")).json["items"]
    rollout = (await site.get("rollouts/shop/web/1")).json
    story = (await site.get(f"vms/{SUBSCRIPTION}/shop/web-1")).json

    assert [(vm["work"], vm["closes"]) for vm in listed] == [("patch", rollout["deadline"])]
    assert story["maintenance"] == {}
    assert story["why"]


async def test_a_vm_that_could_go_now_is_told_apart_from_what_azure_would_say(site):
    await site.keeps(a_job("web-1"))

    story = (await site.get(f"vms/{SUBSCRIPTION}/shop/web-1")).json

    assert story["why"] == (
        "nothing in Baton's tables is in its way; Azure is asked about the VM when it starts"
    )


async def test_a_vm_left_alone_has_a_story_and_stands_among_the_unmatched(site):
    reason = "no enabled policy matches it"
    alone = LeftAlone(vm_id=a_vm_id("lab-1"), location="westeurope", closes=NOW, reason=reason)
    await site.alerts.keep_left_alone([alone])

    listed = (await site.get("unmatched")).json["items"]
    story = (await site.get(f"vms/{SUBSCRIPTION}/shop/lab-1")).json

    assert [(vm["vm"], vm["reason"]) for vm in listed] == [("lab-1", reason)]
    assert (story["job"], story["why"]) == (None, reason)


async def test_patches_are_counted_by_state_and_listed_the_worst_first(site):
    states = {"win-1": "compliant", "win-2": "overdue", "win-3": "due", "win-4": "due"}
    for name, state in states.items():
        vm = a_windows_vm(name)
        record = a_patch_record(
            vm, state=PatchState(state), patches=(a_patch(),), assessment=a_summary(1)
        )
        await site.patches.keep(record)

    everything = (await site.get("patches")).json
    due = (await site.get("patches?state=due&limit=1")).json

    assert [one["vm"] for one in everything["items"]] == ["win-2", "win-3", "win-4", "win-1"]
    assert everything["items"][0]["due"] == 1
    assert everything["items"][0]["kbs"] == ["KB5034129"]
    assert (due["total"], [one["vm"] for one in due["items"]]) == (2, ["win-3"])
    assert due["counts"] == everything["counts"]
    assert {name: n for name, n in due["counts"].items() if n} == {
        "overdue": 1,
        "due": 2,
        "compliant": 1,
    }


@pytest.mark.parametrize("query", ["team=other", "policy=other", "text=nothing"])
async def test_patches_of_others_are_neither_listed_nor_counted(site, query):
    await site.patches.keep(a_patch_record())

    said = (await site.get(f"patches?{query}")).json

    assert said["items"] == []
    assert sum(said["counts"].values()) == 0


async def test_a_vm_of_which_only_patches_are_known_has_a_story(site):
    record = a_patch_record(a_windows_vm("win-1"), state=PatchState.DUE)
    await site.patches.keep(record)

    said = await site.get(f"vms/{SUBSCRIPTION}/{record.resource_group}/WIN-1")

    assert said.json["job"] is None
    assert said.json["patches"]["state"] == "due"
    assert said.json["patches"]["reason"] == record.reason


async def test_the_patches_of_a_vm_named_as_an_instance_are_not_the_instances(site):
    await site.keeps(a_job(vm=an_instance(3)))
    await site.patches.keep(a_patch_record(a_windows_vm("web-vmss_3")))

    story = (await site.get(f"vms/{SUBSCRIPTION}/shop/web-vmss~3")).json

    assert story["patches"] is None
