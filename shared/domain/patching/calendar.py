"""When Microsoft releases patches, and in which months a baseline makes VMs reboot.

Windows' security updates come on the second Tuesday of a month at 10:00 Pacific time (learn.microsoft.com,
windows/deployment/update/release-cycle). Of hotpatches, a baseline begins each quarter and two months
without a reboot follow (learn.microsoft.com, windows-server/get-started/hotpatch). That is a plan: Microsoft
may release a baseline in a hotpatch month.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from shared.domain.patching.results import AvailablePatch, Classification
from shared.domain.timezones import first_pass, zone_of

BASELINE_MONTHS = (1, 4, 7, 10)
# Azure installs critical and security patches by itself within it (automatic-vm-guest-patching).
AZURE_INSTALLS_WITHIN = timedelta(days=30)
_PACIFIC, _HOUR = "America/Los_Angeles", time(10)


class ReleaseKind(StrEnum):
    """What a month's patches ask of a VM with hotpatch."""

    BASELINE = "baseline"  # a reboot
    HOTPATCH = "hotpatch"  # none, unless Microsoft says otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A month's patches, as planned."""

    day: date
    at: datetime
    kind: ReleaseKind

    @property
    def month(self) -> str:
        """Such as `2026-11`."""
        return f"{self.day:%Y-%m}"

    @property
    def azure_installs_by(self) -> datetime:
        """Until when Azure installs it by itself, where it is left to it."""
        return self.at + AZURE_INSTALLS_WITHIN


def patch_tuesday(year: int, month: int) -> date:
    """The second Tuesday of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(calendar.TUESDAY - first.weekday()) % 7 + 7)


def release_of(year: int, month: int) -> Release:
    """A month's release."""
    day = patch_tuesday(year, month)
    kind = ReleaseKind.BASELINE if month in BASELINE_MONTHS else ReleaseKind.HOTPATCH
    at = first_pass(datetime.combine(day, _HOUR), zone_of(_PACIFIC))
    return Release(day=day, at=at, kind=kind)


def releases(year: int) -> tuple[Release, ...]:
    """A year's twelve."""
    return tuple(release_of(year, month) for month in range(1, 13))


def last_release(now: datetime) -> Release:
    """The newest that is out."""
    this = release_of(now.astimezone(UTC).year, now.astimezone(UTC).month)
    if this.at <= now:
        return this
    before = this.day.replace(day=1) - timedelta(days=1)
    return release_of(before.year, before.month)


def next_release(now: datetime) -> Release:
    """The first that is not out yet."""
    after = (last_release(now).day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return release_of(after.year, after.month)


def baseline_of(release: Release) -> Release:
    """The planned baseline that a month's hotpatches build on; a baseline is its own."""
    month = max(one for one in BASELINE_MONTHS if one <= release.day.month)
    return release_of(release.day.year, month)


def unplanned_baseline(
    patches: Iterable[AvailablePatch], release: Release, *, compliant_at: datetime | None
) -> tuple[AvailablePatch, ...]:
    """The security patches of a hotpatch month that need a reboot: Microsoft replaced the hotpatch.

    A VM that is not on the quarter's baseline is offered reboots every month, so that only one which was
    compliant since then tells anything. .NET's patches are outside of hotpatch and no baseline [assumption:
    Microsoft names them so].

    Args:
        patches: What a VM with hotpatch lacks.
        release: The month's.
        compliant_at: When the VM was last seen to lack nothing.
    """
    baseline = baseline_of(release)
    if release.kind is ReleaseKind.BASELINE or not compliant_at or compliant_at < baseline.at:
        return ()
    return tuple(
        patch
        for patch in patches
        if Classification.SECURITY in patch.classifications
        and patch.may_reboot
        and ".net" not in patch.name.lower()
        and patch.published_date
        and patch.published_date.astimezone(UTC).date() >= release.day
    )
