"""P1 and P2: each start was allowed, by Azure, by its policy, and as one of few."""

from dataclasses import replace

import pytest

from simulator.promises.model import Approval, PolicyEdit, Window
from tests.unit.simulator_promises.telling import Run, a_run, at, broken

# --- P1 ---------------------------------------------------------------------------------------------


def test_a_second_start_is_seen():
    run = a_run()
    run.begin("web-2", 22)

    assert broken(run)["P1"] == ("web-2: start 2 at 12:00:22.000, where 1 was allowed",)


def a_retried_run() -> Run:
    run = a_run(sequence="")
    run.vm("web-3", "web")
    run.begin("web-3", 30)
    run.event("web-3", 31, "retryLater")
    run.row("web-3", 31.5, "retryLater", started=30, terminal=False, code="RetryLater")
    run.redeploy("web-3", 40, 43)
    return run


def test_a_start_after_retry_later_is_allowed():
    assert broken(a_retried_run()) == {}


def test_retry_later_allows_one_more_start_not_two():
    run = a_retried_run()
    run.begin("web-3", 50)

    assert "P1" in broken(run)


def an_aborted_run(*, started_again: bool = True, **rules) -> Run:
    run = a_run(sequence="", onFailure="continue", **rules)
    run.vm("web-3", "web")
    run.begin("web-3", 30)
    run.event("web-3", 31, "aborted")
    run.row("web-3", 31.5, "aborted", started=30, terminal=False, code="MaintenanceAborted")
    if started_again:
        run.redeploy("web-3", 40, 43)
    return run


def test_a_start_after_an_abort_is_allowed_where_the_policy_says_so():
    assert broken(an_aborted_run(retryAborted=True)) == {}


def test_a_start_after_an_abort_is_seen_where_the_policy_does_not_say_so():
    assert broken(an_aborted_run())["P1"] == (
        "web-3: start 2 at 12:00:40.000, where 1 was allowed",
    )


def test_an_abort_allows_one_more_start_not_two():
    run = an_aborted_run(retryAborted=True)
    run.begin("web-3", 50)

    assert "P1" in broken(run)


# --- P2 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-61, 600, 700])
def test_a_start_outside_the_window_is_seen(seconds):
    run = a_run()
    run.begin("web-1", seconds, accepted=False, reason="outsideWindow")
    run.edits = [replace(run.edits[0], at=at(-100))]
    run.windows = [replace(window, since=at(-100)) for window in run.windows]

    assert "outside the window" in broken(run)["P2"][0]


def test_a_start_in_a_window_that_was_moved_away_is_seen():
    run = a_run()
    run.windows.append(Window(vm="web-2", since=at(10), start=at(100), end=at(200), is_new=False))
    run.event("web-2", 10, "windowMoved")

    assert broken(run)["P2"] == (
        "web-2 at 12:00:20.000: outside the window 12:01:40.000 to 12:03:20.000",
    )


def test_a_request_on_its_way_while_azure_withdrew_is_no_violation():
    run = a_run()
    run.begin("web-2", 25, accepted=False, reason="noMaintenance")
    run.event("web-2", 24, "withdrawn")

    assert "P2" not in broken(run)


@pytest.mark.parametrize("reason", ["noMaintenance", "alreadyAttempted", "operationInProgress"])
def test_a_request_where_azure_no_longer_offers_is_seen(reason):
    run = a_run()
    run.begin("web-2", 25, accepted=False, reason=reason)

    assert broken(run)["P2"] == (f"web-2 at 12:00:25.000: Azure did not allow it ({reason})",)


@pytest.mark.parametrize("reason", ["throttled", "busy", "unavailable", "dropped", "refused"])
def test_a_refusal_that_nobody_could_foresee_is_no_violation(reason):
    run = a_run()
    run.begin("web-2", 19, accepted=False, reason=reason)

    assert broken(run) == {}


def test_a_start_of_a_disabled_policy_is_seen():
    run = a_run()
    run.policy(17.5, enabled=False)

    assert broken(run)["P2"] == ("web-2 at 12:00:20.000: no enabled policy takes the VM",)


def test_a_start_on_its_way_while_its_policy_was_disabled_is_no_violation():
    run = a_run()
    run.policy(18.5, enabled=False)

    assert broken(run) == {}


def test_a_start_of_a_vm_that_no_policy_means_is_seen():
    run = a_run(exclude="name:web-2")

    assert broken(run)["P2"] == ("web-2 at 12:00:20.000: no enabled policy takes the VM",)


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (
            {"windows": "12:00+14s"},
            "0:00:03 from then on are not inside one window of shop/tiers",
        ),
        (
            {"windows": "13:00-14:00", "timeZone": "Asia/Tokyo"},
            "0:00:03 from then on are not inside one window of shop/tiers",
        ),
        (
            {"freezes": "2026-12-01T12:00:16/PT1S"},
            "0:00:03 from then on meet a freeze of shop/tiers",
        ),
        (
            {"lead": "15s"},
            "announced at 12:00:00.000, and shop/tiers gives 0:00:15 of notice",
        ),
    ],
)
def test_a_start_outside_the_hours_of_its_policy_is_seen(hours, said):
    run = a_run(estimate="5s", **hours)

    assert f"web-1 at 12:00:14.000: {said}" in broken(run)["P2"]


@pytest.mark.parametrize(
    "hours",
    [
        {"windows": "12:00+10s; 12:00-12:01"},
        {"windows": "Mon 23:00-11:00; Tue 21:00-21:01", "timeZone": "Asia/Tokyo"},
        {"freezes": "2026-12-01T12:00:30/2026-12-03; 2026-11-30"},
        {"lead": "1s"},
    ],
)
def test_starts_inside_the_hours_of_their_policy_are_no_violation(hours):
    assert broken(a_run(estimate="5s", **hours)) == {}


def test_a_request_that_was_decided_in_time_may_arrive_a_little_later():
    # The last start that fits is at 12:00:54.
    run = a_run(estimate="6s", windows="12:00-12:01", gap="1s", stageGap="1s")
    run.vm("web-3", "web")
    run.redeploy("web-3", 55.5, 57)

    assert broken(run) == {}


def test_hours_that_are_being_edited_are_those_before_and_after():
    run = a_run(windows="12:00-12:01", estimate="5s")
    run.policy(19, windows="13:00-14:00")

    assert broken(run) == {}


def test_a_start_that_nobody_approved_is_seen():
    run = a_run(approval="required")
    run.approvals = (Approval(at=at(8), team="shop", name="tiers"),)

    assert [said.partition(" at ")[0] for said in broken(run)["P2"]] == ["db-1", "db-2"]


def test_starts_after_an_approval_are_no_violation():
    run = a_run(approval="required")
    run.approvals = (Approval(at=at(0.5), team="shop", name="tiers"),)

    assert broken(run) == {}


def test_without_notes_of_approvals_nothing_is_judged_by_them():
    assert broken(a_run(approval="required")) == {}


def test_a_row_that_becomes_wrong_counts_as_it_was():
    run = a_run()
    run.policy(12, freeze="2026-12-01", enabled=False)

    assert broken(run) == {}


def test_a_start_under_a_row_that_never_was_right_is_seen():
    run = a_run(freeze="2026-12-24")

    assert len(broken(run)["P2"]) == 4


def test_a_row_that_never_was_right_keeps_its_vms_from_others():
    run = a_run(freeze="2026-12-24")
    run.edits.append(PolicyEdit(at=at(0), team="erp", name="rest", columns={"priority": 200}))

    assert len(broken(run)["P2"]) == 4


def test_rows_that_were_written_at_one_instant_never_stood_one_without_the_other():
    run = a_run(freeze="2026-12-24")
    rest = PolicyEdit(at=at(0), team="erp", name="rest", columns={"priority": 200})
    run.edits.insert(0, rest)
    run.starts, run.events, run.rows = [], [], []

    assert broken(run) == {}
