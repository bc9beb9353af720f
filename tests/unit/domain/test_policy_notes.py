from datetime import UTC, datetime

import pytest

from shared.domain.policy_notes import notes
from shared.domain.policy_row import parse_policy

NOW = datetime(2026, 12, 28, 12, tzinfo=UTC)


def notes_on(**columns):
    return notes(parse_policy(("shop", "web"), columns), NOW)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"gap": "7d"},
        {"windows": "22:00-04:00", "gap": "6h"},
        {"windows": "00:00-24:00", "gap": "300d"},
        {"freezes": "2026-12-28"},
        {"patching": "install", "kbExclude": "5034129"},
        {"patching": "observe", "rebootSetting": "Never"},
    ],
)
def test_says_nothing_of_a_policy_that_looks_right(columns):
    assert notes_on(**columns) == ()


def test_a_gap_that_no_window_holds_makes_it_one_vm_per_window():
    (note,) = notes_on(windows="Mon-Fri 22:00-04:00; Sat 12:00-13:00", gap="6h1m")

    assert note == (
        "gap 6h 1m is longer than the longest window (Mon 22:00 to Tue 04:00): "
        "a slot takes one VM per window"
    )


def test_an_estimate_that_no_window_holds_starts_nothing_and_says_so():
    # Friday's late hours and Saturday's early ones are one window of six.
    windows = "Sat 12:00+30m; Fri 22:00-24:00; Sat 00:00-04:00"
    assert notes_on(windows=windows, estimate="6h") == ()

    (note,) = notes_on(windows=windows, estimate="6h1m")

    assert note == (
        "estimate 6h 1m is longer than the longest window (Fri 22:00 to Sat 04:00, 6h): "
        "nothing will ever start"
    )


def test_freezes_that_are_over_are_named():
    assert notes_on(freezes="2026-12-24/2026-12-27; 2026-12-28T00:00/PT12H; 2026-12-31") == (
        "the freeze 2026-12-24/2026-12-27 is over and can be deleted",
        "the freeze 2026-12-28T00:00/PT12H is over and can be deleted",
    )


def test_a_baseline_without_its_reboot_is_said_to_stay_unfinished():
    (note,) = notes_on(patching="install", rebootSetting="Never")

    assert "stands rebootPending" in note


def test_leaving_out_what_azure_itself_would_install_is_said():
    (note,) = notes_on(patching="install", patchClassifications="Definition, Security")

    assert note.startswith("patchClassifications without Critical:")


def test_kbs_of_a_policy_that_installs_nothing_are_said_to_do_nothing():
    (note,) = notes_on(patching="observe", kbInclude="5034129")

    assert note == "kbInclude and kbExclude do nothing while patching is observe"
