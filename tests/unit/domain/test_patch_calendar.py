"""The calendar against what Microsoft published, and against the rule that it states."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.patching.calendar import (
    ReleaseKind,
    baseline_of,
    last_release,
    next_release,
    patch_tuesday,
    release_of,
    releases,
    unplanned_baseline,
)
from tests.patch_builders import a_patch

# Microsoft's security update dates, written out by hand from the rule: second Tuesdays.
PUBLISHED = {
    2026: "01-13 02-10 03-10 04-14 05-12 06-09 07-14 08-11 09-08 10-13 11-10 12-08",
    2027: "01-12 02-09 03-09 04-13 05-11 06-08 07-13 08-10 09-14 10-12 11-09 12-14",
}
BASELINES = ["january", "april", "july", "october"]


@pytest.mark.parametrize("year", PUBLISHED)
def test_a_years_releases_are_the_published_patch_tuesdays(year):
    assert [f"{one.day:%m-%d}" for one in releases(year)] == PUBLISHED[year].split()


@pytest.mark.parametrize("year", PUBLISHED)
def test_a_year_has_four_planned_baselines_and_eight_hotpatch_months(year):
    baselines = [one for one in releases(year) if one.kind is ReleaseKind.BASELINE]

    assert [f"{one.day:%B}".lower() for one in baselines] == BASELINES
    assert len(releases(year)) - len(baselines) == 8


def test_patches_come_at_ten_in_the_morning_of_redmond_whatever_its_clocks_do():
    assert release_of(2026, 1).at == datetime(2026, 1, 13, 18, tzinfo=UTC)
    assert release_of(2026, 3).at == datetime(
        2026, 3, 10, 17, tzinfo=UTC
    )  # two days into summer time
    assert release_of(2026, 11).at == datetime(2026, 11, 10, 18, tzinfo=UTC)


def test_azure_installs_within_thirty_days():
    assert release_of(2026, 11).azure_installs_by == datetime(2026, 12, 10, 18, tzinfo=UTC)


def test_a_release_counts_from_its_hour_on():
    at = release_of(2026, 2).at

    assert last_release(at).month == "2026-02"
    assert last_release(at - timedelta(microseconds=1)).month == "2026-01"
    assert next_release(at - timedelta(microseconds=1)).month == "2026-02"
    assert next_release(at).month == "2026-03"
    assert last_release(datetime(2027, 1, 2, tzinfo=UTC)).month == "2026-12"


@pytest.mark.parametrize(("month", "baseline"), [(1, 1), (3, 1), (4, 4), (9, 7), (12, 10)])
def test_hotpatches_build_on_their_quarters_baseline(month, baseline):
    assert baseline_of(release_of(2026, month)) == release_of(2026, baseline)


@given(st.integers(1990, 2200), st.integers(1, 12))
def test_a_patch_tuesday_is_the_second_tuesday(year, month):
    day = patch_tuesday(year, month)

    assert (day.year, day.month, day.weekday()) == (year, month, 1)
    assert 8 <= day.day <= 14


@given(
    st.integers(946_684_800, 4_102_444_800).map(  # 2000 to 2100
        lambda seconds: datetime.fromtimestamp(seconds, UTC)
    )
)
def test_every_instant_is_between_two_releases_that_follow_each_other(now):
    last, following = last_release(now), next_release(now)

    assert last.at <= now < following.at
    assert timedelta(days=27) < following.at - last.at < timedelta(days=36)


REBOOTS = {"reboot_behavior": "AlwaysRequiresReboot"}
FEBRUARY = release_of(2026, 2)
JANUARY = release_of(2026, 1).at


def test_a_security_patch_with_a_reboot_in_a_hotpatch_month_is_an_unplanned_baseline():
    patch = a_patch("5099999", **REBOOTS)

    assert unplanned_baseline([a_patch(), patch], FEBRUARY, compliant_at=JANUARY) == (patch,)


@pytest.mark.parametrize(
    ("patch", "release", "compliant_at"),
    [
        (a_patch(), FEBRUARY, JANUARY),
        (a_patch(classifications=("Updates",), **REBOOTS), FEBRUARY, JANUARY),
        (a_patch(name="2026-02 Cumulative Update for .NET", **REBOOTS), FEBRUARY, JANUARY),
        (a_patch(published_date=JANUARY, **REBOOTS), FEBRUARY, JANUARY),
        (a_patch(published_date=None, **REBOOTS), FEBRUARY, JANUARY),
        (a_patch(**REBOOTS), release_of(2026, 4), release_of(2026, 4).at),
        (a_patch(**REBOOTS), FEBRUARY, JANUARY - timedelta(days=1)),
        (a_patch(**REBOOTS), FEBRUARY, None),
    ],
    ids=[
        "no reboot",
        "no security patch",
        ".NET",
        "of an earlier month",
        "of no known date",
        "a planned baseline",
        "the VM was behind before the quarter's baseline",
        "the VM was never seen compliant",
    ],
)
def test_nothing_else_is_one(patch, release, compliant_at):
    assert unplanned_baseline([patch], release, compliant_at=compliant_at) == ()


def test_a_hotpatch_month_is_named_by_its_month():
    assert (FEBRUARY.month, FEBRUARY.day) == ("2026-02", date(2026, 2, 10))
