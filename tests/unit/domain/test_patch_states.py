"""How a VM stands in patching, with the reason that a person reads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Problem
from shared.domain.patching.model import PatchError, PatchStatus
from shared.domain.patching.observe import (
    ASSESS_AFTER,
    assessed,
    failed,
    observed,
    wants_assessment,
)
from shared.domain.patching.record import PatchState
from tests.builders import NOW, a_view
from tests.patch_builders import (
    RELEASED,
    a_patch,
    a_patch_record,
    a_patched_view,
    a_summary,
    a_windows_vm,
    an_assessment,
    an_installation,
    with_settings,
)

KEY = ("shop", "web")
DAY = timedelta(days=1)


def look(vm, before=None, *, now=NOW):
    return observed(vm, before, key=KEY, now=now)


def seen(summary=None, installation=None, **other):
    return look(a_windows_vm(view=a_patched_view(summary, installation, **other)))


def test_nothing_missing_is_compliant():
    record = seen()

    assert record.state is PatchState.COMPLIANT
    assert record.reason == "No critical or security patch was missing on 2026-03-02."
    assert record.compliant_at == NOW


def test_something_missing_is_due_until_azures_thirty_days_are_over():
    record = seen(a_summary(2))

    assert record.state is PatchState.DUE
    assert (record.due_since, record.azure_installs_by) == (RELEASED, RELEASED + 30 * DAY)
    assert record.reason == (
        "2 critical or security patches are missing since 2026-02-10; "
        "Azure installs by itself until 2026-03-12 (10 days left)."
    )
    assert record.compliant_at is None


def test_after_thirty_days_it_is_overdue():
    vm = a_windows_vm(view=a_patched_view(a_summary(1)))
    late = RELEASED + 30 * DAY
    fresh = replace(vm, view=a_patched_view(a_summary(1, last_modified_time=late)))

    assert look(fresh, look(vm), now=late - timedelta(seconds=1)).state is PatchState.DUE
    record = look(fresh, look(vm), now=late)
    assert record.state is PatchState.OVERDUE
    assert "Azure was to install by itself until 2026-03-12." in record.reason


def test_a_newer_cumulative_update_in_the_place_of_a_missed_one_keeps_it_due_since_the_first():
    march = datetime(2026, 3, 10, 17, tzinfo=UTC)
    now = march + 3 * DAY
    before = a_patch_record(patches=(a_patch(),), patches_at=NOW, due_since=RELEASED)
    vm = a_windows_vm(view=a_patched_view(a_summary(1, last_modified_time=now)))
    superseding = replace(before, patches=(a_patch("5040000", published_date=march),))

    record = look(vm, superseding, now=now)

    assert record.due_since == RELEASED
    assert record.state is PatchState.OVERDUE


def test_what_was_missing_and_is_no_more_is_forgotten():
    before = look(a_windows_vm(view=a_patched_view(a_summary(1))))

    record = look(a_windows_vm(), before)

    assert (record.due_since, record.azure_installs_by) == (None, None)


def test_a_list_loses_what_azure_counts_no_more():
    rollup = a_patch("890830", classifications=("UpdateRollUp",))
    before = a_patch_record(patches=(a_patch(), rollup), patches_at=NOW)

    assert look(a_windows_vm(), before).patches == (rollup,)


def test_while_an_assessment_is_under_way_the_last_one_counts_and_one_that_never_ends_does_not():
    running = a_summary(status="InProgress", last_modified_time=NOW)
    vm = a_windows_vm(view=a_patched_view(running))
    before = look(a_windows_vm())

    assert look(vm, before, now=NOW + timedelta(hours=3)).state is PatchState.COMPLIANT
    stuck = look(vm, before, now=NOW + timedelta(hours=3, seconds=1))
    assert stuck.state is PatchState.UNKNOWN
    assert "is InProgress" in stuck.reason


def test_patches_that_wait_for_a_reboot_are_named_before_what_is_missing():
    record = seen(a_summary(1, reboot_pending=True))

    assert record.state is PatchState.REBOOT_PENDING
    assert "not in force before a reboot" in record.reason


def test_a_due_patch_says_which_of_them_reboot_once_that_is_known():
    vm = a_windows_vm(view=a_patched_view(a_summary(2)))
    rebooting = a_patch("5099999", reboot_behavior="AlwaysRequiresReboot")

    calm = look(vm, a_patch_record(patches=(a_patch(),), patches_at=NOW))
    loud = look(vm, a_patch_record(patches=(a_patch(), rebooting), patches_at=NOW))

    assert "None needs a reboot." in calm.reason
    assert "A reboot comes with KB5099999." in loud.reason


def test_a_failed_installation_is_in_the_reason_with_azures_error():
    error = PatchError(code="0x80070643", message="Fatal error during installation.")

    record = seen(a_summary(1), an_installation(status="Failed", error=error))

    assert record.reason.endswith(
        "The last installation, of 2026-02-27, failed: 0x80070643: Fatal error during installation."
    )


@pytest.mark.parametrize(
    ("view", "says"),
    [
        (a_view(maintenance=None), "It was never assessed."),
        (
            a_view(maintenance=None, power_state="deallocated"),
            "it cannot be, while it is deallocated",
        ),
        (a_view(maintenance=None, agent_ready=False), "its agent is not ready"),
        (
            a_patched_view(a_summary(status="Failed", error=PatchError(code="E7", message="no"))),
            "The assessment of 2026-03-02 is Failed: E7: no",
        ),
        (a_patched_view(a_summary(status="InProgress")), "is InProgress"),
        (a_patched_view(a_summary(status="Meditating")), "is Meditating"),
        (a_patched_view(a_summary(None)), "has no count"),
        (
            a_patched_view(a_summary(last_modified_time=NOW - 8 * DAY)),
            "It was last assessed 8d ago, on 2026-02-22",
        ),
    ],
)
def test_what_is_not_known_is_unknown_and_says_why(view, says):
    record = look(a_windows_vm(view=view))

    assert record.state is PatchState.UNKNOWN
    assert says in record.reason


def test_an_assessment_from_before_the_release_says_nothing_of_its_patches():
    now = RELEASED + timedelta(hours=2)
    vm = a_windows_vm(view=a_patched_view(a_summary(last_modified_time=RELEASED - DAY)))

    record = look(vm, now=now)

    assert record.state is PatchState.UNKNOWN
    assert "before the patches of 2026-02-10" in record.reason


def test_a_view_that_could_not_be_read_is_unknown():
    assert look(replace(a_windows_vm(), view=None)).state is PatchState.UNKNOWN


def test_settings_or_a_status_that_cannot_be_used_are_named():
    problem = Problem("osProfile.x", "yes", "true or false")
    odd = look(with_settings(a_windows_vm(), problems=(problem,)))
    view = a_view(maintenance=None, patch_status=PatchStatus(problems=(problem,)))

    assert odd.state is PatchState.UNKNOWN
    assert "osProfile.x is 'yes'" in odd.reason
    assert "osProfile.x is 'yes'" in look(a_windows_vm(view=view)).reason


def test_a_vm_that_is_not_enrolled_or_not_eligible_says_each_reason_and_fix():
    off = with_settings(a_windows_vm(), enable_hotpatching=False, patch_mode="AutomaticByOS")

    record = look(off)

    assert record.state is PatchState.NOT_ENROLLED
    assert "patchMode is AutomaticByOS" in record.reason
    assert "enableHotpatching is not set" in record.reason
    assert look(replace(off, image=None)).state is PatchState.NOT_ELIGIBLE


def test_looks_in_off_peak_hours_are_counted_from_the_release_on():
    night, noon = NOW.replace(hour=23), NOW
    vm = a_windows_vm()
    off = replace(vm, view=a_patched_view(power_state="deallocated", agent_ready=False))

    record = look(off, look(vm, now=noon), now=night)
    assert (record.off_peak_seen, record.off_peak_running) == (1, 0)
    record = look(vm, record, now=night + DAY)
    assert (record.off_peak_seen, record.off_peak_running) == (2, 1)
    record = look(vm, record, now=datetime(2026, 3, 10, 23, tzinfo=UTC))
    assert (record.off_peak_seen, record.off_peak_running) == (1, 1)


def test_a_due_vm_that_never_runs_in_its_off_peak_hours_is_told_so():
    view = a_patched_view(a_summary(1), power_state="deallocated")

    record = look(a_windows_vm(view=view), now=NOW.replace(hour=23))

    assert (
        "never seen running in its off-peak hours (22:00-06:00 W. Europe Standard Time)"
        in record.reason
    )


def test_an_assessment_of_batons_own_brings_the_list():
    running = a_patch_record(assessing_url="u", assessing_since=NOW, assessment_failures=2)

    record = assessed(running, an_assessment(a_patch()), NOW)

    assert (record.patches, record.patches_at) == ((a_patch(),), NOW)
    assert (record.due_count, record.assessment.at) == (1, NOW)
    assert (record.assessing_url, record.assessment_failures) == ("", 0)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (an_assessment(status="Failed", error=PatchError(code="E", message="m")), "Failed: E: m"),
        (an_assessment(status="Failed"), "Azure gives no error"),
        (an_assessment(status=""), "without a status"),
    ],
)
def test_an_assessment_that_failed_keeps_what_was_known_and_says_why(result, says):
    known = a_patch_record(patches=(a_patch(),), assessing_url="u")

    record = assessed(known, result, NOW)

    assert record.patches == (a_patch(),)
    assert says in record.assessment_problem
    assert record.assessment_failures == 1


def wants(vm, record=None, now=NOW):
    return wants_assessment(vm, record or look(vm, now=now), now)


def test_a_fresh_assessment_with_nothing_missing_is_left_alone():
    assert not wants(a_windows_vm())


@pytest.mark.parametrize(
    "view",
    [
        a_view(maintenance=None),
        a_patched_view(a_summary(last_modified_time=NOW - ASSESS_AFTER - timedelta(seconds=1))),
        a_patched_view(a_summary(status="Failed")),
        a_patched_view(a_summary(1)),
    ],
    ids=["never assessed", "a day old", "failed", "something is due and no list tells what"],
)
def test_what_is_old_or_not_known_is_assessed(view):
    assert wants(a_windows_vm(view=view))


def test_a_list_from_before_an_installation_is_made_anew():
    vm = a_windows_vm(view=a_patched_view(a_summary(1), an_installation(last_modified_time=NOW)))
    listed = a_patch_record(patches=(a_patch(),), patches_at=NOW - timedelta(hours=1))

    assert wants(vm, look(vm, listed))
    assert not wants(vm, look(vm, replace(listed, patches_at=NOW)))


@pytest.mark.parametrize(
    "vm",
    [
        a_windows_vm(view=a_view(maintenance=None, power_state="stopped")),
        a_windows_vm(view=a_view(maintenance=None, agent_ready=False)),
        a_windows_vm(view=a_view(maintenance=None), image=None),
    ],
    ids=["stopped", "no agent", "not eligible"],
)
def test_a_vm_that_cannot_be_assessed_is_not(vm):
    assert not wants(vm)


def test_one_that_is_under_way_is_not_asked_for_again():
    vm = a_windows_vm(view=a_view(maintenance=None))

    assert not wants(vm, a_patch_record(assessment=None, assessing_url="u", assessing_since=NOW))


def test_after_each_failure_it_is_left_alone_for_longer_a_day_at_most():
    vm = a_windows_vm(view=a_view(maintenance=None))
    record = a_patch_record(assessment=None, assessing_since=NOW)
    waits = []
    for _ in range(8):
        waits.append(next(h for h in range(49) if wants(vm, record, NOW + timedelta(hours=h))))
        record = failed(record, "no")

    assert waits == [1, 2, 4, 8, 16, 24, 24, 24]


@given(
    due=st.integers(0, 3) | st.none(),
    pending=st.booleans() | st.none(),
    status=st.sampled_from(["Succeeded", "Failed", "CompletedWithWarnings", "InProgress", "", "X"]),
    age=st.timedeltas(timedelta(0), timedelta(days=60)) | st.none(),
    power=st.sampled_from(["running", "deallocated", None]),
    later=st.timedeltas(timedelta(0), timedelta(days=60)),
)
def test_every_vm_has_one_state_and_a_reason_that_is_a_sentence(
    due, pending, status, age, power, later
):
    at = None if age is None else NOW - age
    summary = a_summary(
        due, status=status, reboot_pending=pending, last_modified_time=at, start_time=at
    )
    vm = a_windows_vm(view=a_patched_view(summary, power_state=power))

    record = look(vm, look(vm), now=NOW + later)

    assert record.state in PatchState
    assert record.reason.endswith(".")
    assert "None" not in record.reason
    assert (record.due_since is not None) == bool(due)
    if record.state is PatchState.COMPLIANT:
        assert due == 0
    if record.state is PatchState.OVERDUE:
        assert NOW + later >= record.azure_installs_by
