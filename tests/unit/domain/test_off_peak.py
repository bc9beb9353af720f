"""Off-peak hours by the VM's own clock, over both clock changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.patching.off_peak import off_peak_hours
from tests.patch_builders import a_windows_vm, with_settings

AMSTERDAM = a_windows_vm()  # W. Europe Standard Time
SYDNEY = with_settings(AMSTERDAM, time_zone="AUS Eastern Standard Time")


def hours_of(vm, day):
    """The off-peak hours that begin on an evening, in UTC."""
    since = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    if vm is SYDNEY:
        since -= timedelta(hours=10)
    ((start, end),) = off_peak_hours(vm).intervals(since, since + timedelta(days=1))
    return f"{start:%d %H:%M}", f"{end:%d %H:%M}", end - start


@pytest.mark.parametrize(
    ("vm", "day", "start", "end", "hours"),
    [
        (AMSTERDAM, "2026-03-27", "27 21:00", "28 05:00", 8),
        (AMSTERDAM, "2026-03-28", "28 21:00", "29 04:00", 7),  # clocks go forward
        (AMSTERDAM, "2026-03-29", "29 20:00", "30 04:00", 8),
        (AMSTERDAM, "2026-10-24", "24 20:00", "25 05:00", 9),  # clocks go back
        (AMSTERDAM, "2026-10-25", "25 21:00", "26 05:00", 8),
        (SYDNEY, "2026-04-04", "04 11:00", "04 20:00", 9),  # clocks go back
        (SYDNEY, "2026-10-03", "03 12:00", "03 19:00", 7),  # clocks go forward
    ],
)
def test_off_peak_is_ten_to_six_on_the_wall_clock_whatever_it_does(vm, day, start, end, hours):
    assert hours_of(vm, day) == (start, end, timedelta(hours=hours))


def test_both_passes_of_a_doubled_hour_are_off_peak_and_the_gap_is_none():
    off_peak = off_peak_hours(AMSTERDAM)
    for hour in (0, 1):  # 02:30 summer time, then 02:30 winter time
        doubled = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        assert off_peak.contains(doubled, doubled)
    for minute in (0, 59):  # 01:59 and then 03:00
        around = datetime(2026, 3, 29, minute // 59, minute, tzinfo=UTC)
        assert off_peak.contains(around, around)


@pytest.mark.parametrize("zone", ["", "Middle-earth Standard Time"])
def test_without_a_known_time_zone_utc_counts(zone):
    assert off_peak_hours(with_settings(AMSTERDAM, time_zone=zone)).zone_name == "UTC"
    assert off_peak_hours(replace(AMSTERDAM, patch_settings=None)).zone_name == "UTC"


def test_vms_of_a_flexible_scale_set_are_patched_at_all_hours():
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)

    assert off_peak_hours(replace(AMSTERDAM, scale_set="/sets/web")).contains(noon, noon)
    assert not off_peak_hours(AMSTERDAM).contains(noon, noon)
