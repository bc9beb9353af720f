from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.due import DuePatches
from shared.domain.job import JobState
from shared.domain.offers import Available, Offer, Offers, available_to, due_patches, together
from shared.domain.patching.record import PatchState
from shared.domain.steering import BY_A_PERSON
from tests.builders import NOW, a_job, a_policy, a_release, a_status, a_view, a_vm
from tests.patch_builders import RELEASED, a_patch, a_patch_record, a_summary

DAY = timedelta(days=1)
BASELINE = a_patch("5034200", reboot_behavior="AlwaysRequiresReboot")
INSTALLS = a_policy(patching="install")
RELEASE = a_release(reboots=True, kbs=("5034200",), until=RELEASED.replace(hour=0) + 30 * DAY)


def due(*patches, policy=INSTALLS) -> DuePatches | None:
    return due_patches(Available(at=NOW, patches=patches), policy)


def test_what_is_due_is_a_release_with_a_window_until_azures_thirty_days_end():
    older = replace(a_patch("5033000"), published_date=RELEASED - 40 * DAY)

    assert due(a_patch(), older) == DuePatches(
        release="2026-02-10",
        since=NOW,
        until=RELEASED.replace(hour=0) + 30 * DAY,
        kbs=("5033000", "5034129"),
        needs_reboot=False,
        may_reboot=True,
    )


def test_one_patch_that_may_reboot_makes_the_release_reboot_unless_the_policy_never_does():
    found = due(a_patch(), BASELINE)
    never = due(a_patch(), BASELINE, policy=a_policy(patching="install", rebootSetting="Never"))

    assert found
    assert found.reboots
    assert never
    assert (never.needs_reboot, never.reboots) == (True, False)


@pytest.mark.parametrize(
    ("columns", "kbs"),
    [
        ({}, ("5030001", "5030002")),
        ({"kbExclude": "KB5030001"}, ("5030002",)),
        ({"patchClassifications": "Critical"}, ("5030002",)),
        ({"kbInclude": "5030003"}, ("5030001", "5030002", "5030003")),
        ({"patchClassifications": "Tools"}, None),
        ({"patching": "observe"}, None),
        ({"patching": "none"}, None),
    ],
)
def test_only_what_the_policy_would_have_installed_is_due(columns, kbs):
    patches = (
        a_patch("5030001"),
        a_patch("5030002", classifications=("Critical",)),
        a_patch("5030003", classifications=("Updates",)),
    )

    found = due(*patches, policy=a_policy(**{"patching": "install", **columns}))

    assert (found and found.kbs) == kbs


def test_a_patch_without_a_date_counts_as_released_when_it_was_seen():
    found = due(a_patch(published_date=None))

    assert found
    assert found.release == "2026-03-02"


@pytest.mark.parametrize(
    ("summary", "kbs"),
    [(a_summary(1, other_patch_count=1), {"1", "2"}), (a_summary(0, other_patch_count=1), {"2"})],
)
def test_a_later_count_of_none_takes_patches_off_the_list(summary, kbs):
    patches = (a_patch("1"), a_patch("2", classifications=("Updates",)))
    record = a_patch_record(
        state=PatchState.DUE, assessment=summary, patches=patches, patches_at=NOW
    )

    found = available_to(record)

    assert found
    assert {patch.kb_id for patch in found.patches} == kbs


def test_a_vm_that_lacks_nothing_by_azures_count_has_nothing_available_without_a_list():
    found = available_to(a_patch_record(assessment=a_summary(0, other_patch_count=0)))

    assert found
    assert found.patches == ()


@pytest.mark.parametrize(
    "record",
    [
        a_patch_record(state=PatchState.UNKNOWN, patches=(a_patch(),), patches_at=NOW),
        a_patch_record(state=PatchState.NOT_ELIGIBLE, patches=(a_patch(),), patches_at=NOW),
        a_patch_record(state=PatchState.DUE, assessment=a_summary(1)),
        a_patch_record(assessment=None),
    ],
)
def test_of_a_vm_whose_patches_are_not_known_nothing_is(record):
    assert available_to(record) is None


def test_both_go_together_unless_the_patches_window_ends_before_the_maintenance_begins():
    release = a_release()
    far = a_status(opens=release.until, closes=release.until + DAY)

    assert together(a_status(), release) == Offer(maintenance=a_status(), patches=release)
    assert together(far, release) == Offer(patches=release)
    assert together(far, None) == Offer(maintenance=far)


def offered(offer: Offer, *before, dry_run=False, policy=INSTALLS) -> Offer:
    """Of a VM that Azure shows so."""
    vm = a_vm(view=a_view(maintenance=offer.maintenance))
    patches = (BASELINE,) if offer.patches else ()
    known = {vm.key: Available(at=NOW - timedelta(hours=1), patches=patches)}
    return Offers(known, dry_run=dry_run, now=NOW).new(vm, policy, before)


def test_a_release_that_was_tried_is_never_offered_again_nor_is_an_earlier_one():
    offer = Offer(patches=RELEASE)
    tried = a_job(patches=a_release(), state=JobState.FAILED, tried_release="2026-02-10")

    assert not offered(offer, tried)
    assert not offered(offer, replace(tried, tried_release="2026-02-20"))
    assert offered(offer, replace(tried, tried_release="2026-01-13")) == offer


@pytest.mark.parametrize("state", [JobState.MISSED, JobState.WITHDRAWN, JobState.SKIPPED])
def test_a_release_that_was_never_tried_may_be_offered_again(state):
    offer = Offer(patches=RELEASE)

    assert offered(offer, a_job(patches=a_release(), state=state)) == offer


def test_a_release_that_somebody_skipped_stays_out_until_that_is_taken_back_or_a_later_one_comes():
    by_ann = {"state": JobState.SKIPPED, "skipped_because": BY_A_PERSON}
    offer = Offer(patches=RELEASE)

    assert not offered(offer, a_job(patches=RELEASE, **by_ann))
    assert offered(offer, a_job(patches=RELEASE, retried_at=NOW, **by_ann)) == offer
    earlier = replace(RELEASE, release="2025-12-09")
    assert offered(offer, a_job(patches=earlier, **by_ann)) == offer


def test_a_dry_run_shows_a_release_once_and_going_live_offers_it():
    shown = a_job(patches=a_release(), state=JobState.SKIPPED, skipped_because="dryRun")
    offer = Offer(patches=RELEASE)

    assert not offered(offer, shown, dry_run=True)
    assert offered(offer, shown) == offer


def test_patches_whose_window_has_ended_are_no_offer():
    old = replace(BASELINE, published_date=NOW - 31 * DAY)
    known = {a_vm().key: Available(at=NOW, patches=(old,))}

    assert not Offers(known, dry_run=False, now=NOW).new(
        a_vm(view=a_view(maintenance=None)), INSTALLS, ()
    )


def test_the_patches_of_a_vm_whose_maintenance_is_done_are_offered_alone():
    done = a_job(state=JobState.COMPLETED, accepted=True)
    offer = Offer(maintenance=a_status(), patches=RELEASE)

    assert offered(offer, done) == Offer(patches=RELEASE)


def test_a_job_of_patches_alone_says_nothing_of_the_maintenance():
    patched = a_job(patches=a_release(), state=JobState.COMPLETED, tried_release="2026-02-10")
    offer = Offer(maintenance=a_status())

    assert offered(offer, patched) == offer
