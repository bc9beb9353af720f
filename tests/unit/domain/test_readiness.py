from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.job import JobState
from shared.domain.pace import Pace
from shared.domain.readiness import end_without_start, vm_in_the_way, with_time_for_both
from shared.domain.rules import Wait
from tests.builders import NOW, a_job, a_policy, a_release, a_status, a_view, a_vm
from tests.patch_builders import a_patched_view, a_windows_vm, an_installation

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PACE = Pace(check_interval=MINUTE, redeploy_timeout=2 * HOUR, retry_delay=15 * MINUTE)
PATCHES = a_job(patches=a_release())
BOTH = a_job(patches=a_release(reboots=True), maintenance=a_status())
INSTALLS = a_policy(patching="install", match="name:*")
RUNNING = an_installation(status="InProgress")


def in_the_way(job, vm, policy=INSTALLS) -> str:
    wait = vm_in_the_way(job, vm, policy, PACE, NOW)
    return wait.reason if wait else ""


@pytest.mark.parametrize(
    ("job", "vm", "policy", "reason"),
    [
        (PATCHES, a_windows_vm(), INSTALLS, ""),
        (BOTH, a_vm(), INSTALLS, ""),
        (PATCHES, None, INSTALLS, "the VM was not read"),
        (BOTH, a_windows_vm(), INSTALLS, "the VM was not read"),
        (PATCHES, a_windows_vm(), None, "its policy no longer matches it"),
        (
            PATCHES,
            a_windows_vm(),
            a_policy(patching="observe"),
            "its policy no longer installs patches (patching is observe)",
        ),
        (
            PATCHES,
            a_windows_vm(view=a_patched_view(power_state="deallocated")),
            INSTALLS,
            "it does not run (PowerState/deallocated), and only a running VM can be patched; start it",
        ),
        (
            PATCHES,
            a_windows_vm(view=a_patched_view(agent_ready=False)),
            INSTALLS,
            "its VM agent is not ready, and without it nothing can be installed; mend the agent",
        ),
        (
            PATCHES,
            a_windows_vm(provisioning_state="Updating"),
            INSTALLS,
            "another operation runs on the VM",
        ),
        (
            PATCHES,
            a_windows_vm(view=a_patched_view(installation=RUNNING)),
            INSTALLS,
            "an installation of patches runs on the VM",
        ),
        (
            BOTH,
            a_vm(view=a_view(maintenance=a_status(allowed=False))),
            INSTALLS,
            "Azure does not allow it now (isCustomerInitiatedMaintenanceAllowed is false)",
        ),
    ],
)
def test_what_at_the_vm_is_in_the_way(job, vm, policy, reason):
    status = vm.maintenance if vm else None
    job = replace(job, maintenance=status) if status and job.maintenance else job

    assert in_the_way(job, vm, policy) == reason


def test_a_maintenance_that_opens_later_is_waited_for_with_its_patches():
    later = a_status(opens=NOW + HOUR)
    job = replace(BOTH, maintenance=later)

    wait = vm_in_the_way(job, a_vm(view=a_view(maintenance=later)), INSTALLS, PACE, NOW)

    assert wait == Wait("its self-service window opens later", NOW + HOUR)


def test_closed_hours_are_waited_for_until_they_open():
    policy = a_policy(patching="install", windows="20:00-22:00")

    wait = vm_in_the_way(PATCHES, a_windows_vm(), policy, PACE, NOW)

    assert wait
    assert wait.until == NOW.replace(hour=20)


@pytest.mark.parametrize(
    ("job", "vm", "outcome", "reason"),
    [
        (PATCHES, None, JobState.GONE, "the VM was deleted"),
        (
            BOTH,
            a_windows_vm(),
            JobState.WITHDRAWN,
            "Azure no longer announces the maintenance",
        ),
        (
            replace(PATCHES, patches=a_release(until=NOW)),
            a_windows_vm(),
            JobState.MISSED,
            "the window for patches closed first: it waited",
        ),
        (
            replace(PATCHES, patches=a_release(until=NOW)),
            a_windows_vm(view=a_patched_view(power_state="stopped")),
            JobState.MISSED,
            (
                "the window for patches closed first: it does not run (PowerState/stopped), and only a "
                "running VM can be patched; start it"
            ),
        ),
    ],
)
def test_what_ends_a_job_without_a_start(job, vm, outcome, reason):
    ended = end_without_start(job, vm, Wait("it waited"), NOW)

    assert ended
    assert (ended.state, ended.reason) == (outcome, reason)


def test_a_job_that_may_still_start_does_not_end():
    assert end_without_start(PATCHES, a_windows_vm(), None, NOW) is None


@pytest.mark.parametrize(
    ("changes", "vm", "policy", "both"),
    [
        ({}, a_vm(), INSTALLS, True),
        ({"maintenance": a_status(closes=NOW + 2 * HOUR)}, a_vm(), INSTALLS, True),
        ({"maintenance": a_status(closes=NOW + HOUR)}, a_vm(), INSTALLS, False),
        ({"patches": a_release(until=NOW)}, a_vm(), INSTALLS, False),
        ({}, a_vm(view=a_view(power_state="stopped")), INSTALLS, False),
        ({}, a_vm(view=a_view(agent_ready=False)), INSTALLS, False),
        ({}, a_vm(), a_policy(patching="none"), False),
        ({}, a_vm(), a_policy(patching="install", windows="12:00-13:00"), True),
        (
            {"maintenance": a_status(closes=NOW + 20 * HOUR)},
            a_vm(),
            a_policy(patching="install", windows="12:00-13:00"),
            False,
        ),
    ],
)
def test_patches_go_before_a_redeploy_only_where_that_cannot_cost_it_its_window(
    changes, vm, policy, both
):
    job = replace(BOTH, **changes)

    left = with_time_for_both(job, vm, policy, PACE, NOW)

    assert left == (job if both else replace(job, patches=None))


@pytest.mark.parametrize(
    ("job", "vm", "policy"),
    [(PATCHES, a_windows_vm(), INSTALLS), (BOTH, None, INSTALLS), (BOTH, a_vm(), None)],
)
def test_a_job_with_one_thing_to_do_or_of_which_nothing_is_known_stays_as_it_is(job, vm, policy):
    assert with_time_for_both(job, vm, policy, PACE, NOW) == job


def test_a_vm_that_was_moved_to_a_dedicated_host_is_left_to_it_at_the_last_look():
    hosted = a_vm(view=a_view(assigned_host="/hostgroups/g/hosts/h1"))

    ended = end_without_start(a_job(), hosted, None, NOW)

    assert ended is not None
    assert (ended.state, ended.skipped_because) == (JobState.SKIPPED, "unmatched")
    assert end_without_start(PATCHES, hosted, None, NOW) is None, "it is patched like any other"
