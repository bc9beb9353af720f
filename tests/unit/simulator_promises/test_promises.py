"""The verdict on each promise: a good rollout keeps all, and each way of breaking one is caught."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from simulator.promises import Evidence, judge
from simulator.promises.model import (
    Approval,
    Event,
    Machine,
    PolicyEdit,
    Row,
    SeenMail,
    Start,
    Window,
)

T0 = datetime(2026, 12, 1, 12, tzinfo=UTC)
RULES = {
    "estimate": "3s",
    "match": "tag:owner=shop",
    "sequence": "tag:tier=db; tag:tier=web",
    "gap": "2s",
    "stageGap": "3s",
}


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@dataclass
class Run:
    """A rollout told in seconds: two databases, then two web servers, one at a time, two seconds apart."""

    machines: dict[str, Machine] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    edits: list[PolicyEdit] = field(default_factory=list)
    mails: list[SeenMail] = field(default_factory=list)
    results: dict[str, tuple[str, str]] = field(default_factory=dict)
    approvals: tuple[Approval, ...] | None = None

    def vm(self, name: str, tier: str, **more) -> None:
        self.machines[name] = Machine(
            key=name,
            name=name,
            resource_group="rg-shop",
            subscription="s1",
            location=more.pop("location", "westeurope"),
            tags={"owner": "shop", "tier": tier},
            **more,
        )
        self.windows.append(Window(vm=name, since=T0, start=at(-60), end=at(600), is_new=True))

    def redeploy(self, name: str, start: float, back: float) -> None:
        self.begin(name, start)
        self.event(name, back, "completed")
        self.event(name, back, "back")
        self.row(name, back + 0.5, "completed", started=start, code="MaintenanceCompleted")

    def begin(self, name: str, start: float, **more) -> None:
        more = {"accepted": True, "maintenance": f"{name}#1", **more}
        self.starts.append(Start(vm=name, at=at(start), **more))

    def event(self, name: str, moment: float, what: str) -> None:
        self.events.append(Event(vm=name, at=at(moment), name=what, maintenance=f"{name}#1"))

    def row(
        self, name: str, ended: float, outcome: str, started: float | None = None, **more
    ) -> None:
        self.rows.append(
            Row(
                job=more.pop("job", f"{name}-job"),
                vm=name,
                name=name,
                team="shop",
                policy="tiers",
                attempt=more.pop("attempt", 1),
                outcome=outcome,
                terminal=more.pop("terminal", True),
                ended=at(ended),
                started=None if started is None else at(started),
                **more,
            )
        )

    def policy(self, moment: float, **columns) -> None:
        self.edits.append(PolicyEdit(at=at(moment), team="shop", name="tiers", columns=columns))

    def mail(self, message_id: str, text: str) -> None:
        self.mails.append(SeenMail(message_id=message_id, subject="Baton", text=text))

    def evidence(self) -> Evidence:
        return Evidence(
            machines=self.machines,
            windows=tuple(sorted(self.windows, key=lambda each: each.since)),
            starts=tuple(sorted(self.starts, key=lambda each: each.at)),
            events=tuple(sorted(self.events, key=lambda each: each.at)),
            rows=tuple(sorted(self.rows, key=lambda each: each.ended)),
            edits=tuple(self.edits),
            mails=tuple(self.mails),
            results=self.results,
            approvals=self.approvals,
            pairs={
                "westeurope": frozenset({"northeurope"}),
                "northeurope": frozenset({"westeurope"}),
            },
        )


def a_run(**rules) -> Run:
    run = Run()
    run.policy(0, **{**RULES, **rules})
    for name in ("db-1", "db-2"):
        run.vm(name, "db")
    for name in ("web-1", "web-2"):
        run.vm(name, "web")
    run.redeploy("db-1", 1, 4)
    run.redeploy("db-2", 7, 10)
    run.redeploy("web-1", 14, 17)
    run.redeploy("web-2", 20, 23)
    return run


def broken(run: Run) -> dict[str, tuple[str, ...]]:
    """The promises that were not kept, and what is said about each."""
    return {v.promise: v.violations for v in judge(run.evidence()) if not v.held}


def test_a_good_rollout_keeps_every_promise():
    verdicts = judge(a_run().evidence())

    assert [verdict.promise for verdict in verdicts] == ["P1", "P2", "P3", "P4", "P5", "P6", "P7"]
    assert [verdict.violations for verdict in verdicts] == [()] * 7


def test_a_vm_that_is_in_no_wave_needs_nothing():
    run = a_run()
    run.vm("build-1", "tools")
    run.windows.pop()

    assert broken(run) == {}


def test_an_empty_run_keeps_every_promise():
    assert broken(Run()) == {}


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


# --- P3 ---------------------------------------------------------------------------------------------


def test_a_stage_that_begins_before_the_one_before_ended_is_seen():
    run = a_run(concurrency=4, gap="0s", stageGap="0s")
    run.rows = [replace(row, ended=at(15)) if row.vm == "db-2" else row for row in run.rows]

    assert broken(run) == {
        "P3": (
            "web-1 started at 12:00:14.000, before db-2 of an earlier stage of shop/tiers had its outcome",
        )
    }


def test_a_vm_that_was_never_done_keeps_the_next_stage_waiting():
    run = a_run()
    run.vm("db-3", "db")

    assert len(broken(run)["P3"]) == 2


def test_a_vm_that_no_start_is_left_to_keeps_nobody_waiting():
    run = a_run(windows="12:00-12:01", estimate="5s")
    run.vm("db-3", "db")
    run.windows[-1] = replace(run.windows[-1], start=at(58))
    run.row("db-3", 600, "missed")

    assert "P3" not in broken(run)


@pytest.mark.parametrize(("closes", "held"), [(200, True), (2000, False)])
def test_a_vm_that_opens_so_late_that_a_later_stage_would_lose_its_window_keeps_nobody_waiting(
    closes, held
):
    run = a_run(estimate="5s")
    run.windows = [replace(window, end=at(closes)) for window in run.windows]
    run.vm("db-3", "db")
    run.windows[-1] = replace(run.windows[-1], start=at(300), end=at(600))
    run.redeploy("db-3", 310, 312)

    assert ("P3" not in broken(run)) is held


def test_a_vm_that_is_away_as_its_window_ends_keeps_the_next_stage_waiting():
    run = a_run(concurrency=2)
    run.vm("db-3", "db")
    run.windows[-1] = replace(run.windows[-1], end=at(13))
    run.redeploy("db-3", 2, 30)

    assert "before db-3 of an earlier stage" in broken(run)["P3"][0]


def test_a_vm_that_vanished_before_anybody_looked_keeps_nobody_waiting():
    run = a_run()
    run.vm("db-3", "db")
    run.event("db-3", 0.1, "deleted")

    assert "P3" not in broken(run)


def test_a_vm_announced_after_its_stage_keeps_nobody_waiting():
    run = a_run()
    run.vm("db-3", "db")
    run.windows[-1] = replace(run.windows[-1], since=at(12))
    run.row("db-3", 30, "missed")

    assert "P3" not in broken(run)


def a_failed_run(**rules) -> Run:
    run = a_run(**rules)
    run.rows = [
        replace(row, outcome="aborted", code="MaintenanceAborted") if row.vm == "db-2" else row
        for row in run.rows
    ]
    run.events = [
        replace(event, name="aborted") if (event.vm, event.name) == ("db-2", "completed") else event
        for event in run.events
    ]
    run.mail("<1@baton>", "db-2 was aborted")
    return run


def test_a_start_after_a_failure_that_halts_is_seen():
    assert broken(a_failed_run()) == {
        "P3": (
            "web-1 started at 12:00:14.000 though db-2 had ended aborted and shop/tiers halts",
            "web-2 started at 12:00:20.000 though db-2 had ended aborted and shop/tiers halts",
        )
    }


def test_a_policy_that_continues_may_start_after_a_failure():
    assert broken(a_failed_run(onFailure="continue")) == {}


def test_a_policy_edited_to_continue_may_go_on():
    run = a_failed_run()
    run.policy(12, onFailure="continue")

    assert broken(run) == {}


def test_numbered_stages_are_followed_too():
    run = a_run(sequence="tag:order")
    orders = {"db-1": "2", "db-2": "1", "web-1": "10", "web-2": "none"}
    run.machines = {
        name: replace(machine, tags={**machine.tags, "order": orders[name]})
        for name, machine in run.machines.items()
    }

    assert broken(run)["P3"] == (
        "db-1 started at 12:00:01.000, before db-2 of an earlier stage of shop/tiers had its outcome",
    )


# --- P4 ---------------------------------------------------------------------------------------------


def test_a_gap_that_is_too_short_is_seen():
    run = a_run(gap="3.5s")

    assert broken(run)["P4"][0] == (
        "db-2 at 12:00:07.000: 1 of 1 slots of shop/tiers were taken or within the gap of 3.50 s"
    )


def test_more_vms_away_than_the_concurrency_are_seen():
    run = a_run(gap="0s")
    run.starts[1] = replace(run.starts[1], at=at(3.5))
    run.rows[1] = replace(run.rows[1], started=at(3.5))

    assert "db-2" in broken(run)["P4"][0]


def test_two_slots_may_be_used_at_once():
    run = a_run(concurrency=2)
    run.starts[1] = replace(run.starts[1], at=at(1.5))
    run.rows[1] = replace(run.rows[1], started=at(1.5))

    assert broken(run) == {}


def test_a_slot_of_a_vm_that_never_came_back_rests_from_its_outcome():
    run = a_run(gap="3s", stageGap="0s")
    run.events = [e for e in run.events if (e.vm, e.name) != ("db-1", "back")]

    assert "db-2" in broken(run)["P4"][0]
    assert broken(a_run(gap="3s")) == {}


def test_a_stage_gap_that_is_too_short_is_seen():
    run = a_run(stageGap="5s")

    assert broken(run)["P4"] == (
        "web-1 at 12:00:14.000: 4.00 s after db-2 of the stage before, where shop/tiers asks for 5.00 s",
    )


def test_an_edited_gap_counts_from_its_edit():
    run = a_run(gap="1h", stageGap="1s")
    run.policy(6, gap="1s")

    assert broken(run) == {}


# --- P5 ---------------------------------------------------------------------------------------------


def together(**placed) -> Run:
    """db-1 and db-2 away at the same time, placed so."""
    run = a_run(concurrency=2)
    for name, where in zip(("db-1", "db-2"), placed["each"], strict=True):
        run.machines[name] = replace(run.machines[name], **where)
    run.starts[1] = replace(run.starts[1], at=at(2))
    run.rows[1] = replace(run.rows[1], started=at(2))
    return run


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (
            {"availability_set": "set", "update_domain": 0},
            {"availability_set": "set", "update_domain": 1},
            "update domains 0 and 1 of one set",
        ),
        ({"zone": "1"}, {"zone": "2"}, "zones 1 and 2 of one policy"),
        ({"zone": "1"}, {"zone": "1", "subscription": "s2"}, "zones 1 and 1 of one policy"),
        (
            {"zone": "1", "physical_zone": "we-az1"},
            {"zone": "1", "physical_zone": "we-az2", "subscription": "s2"},
            "zones 1 and 1 of one policy",
        ),
        (
            {"zone": "1", "physical_zone": "we-az1"},
            {"zone": "1", "location": "uksouth"},
            "zones 1 and 1 of one policy",
        ),
        (
            {"availability_set": "set"},
            {"availability_set": "set"},
            "update domains unknown and unknown of one set",
        ),
        (
            {"availability_set": "set", "update_domain": 0},
            {"availability_set": "set"},
            "update domains 0 and unknown of one set",
        ),
        ({}, {"location": "northeurope"}, "westeurope and northeurope, a pair, of one policy"),
    ],
)
def test_vms_that_must_not_be_away_together_are_seen(one, other, why):
    assert broken(together(each=(one, other)))["P5"] == (f"db-1 and db-2 at 12:00:02.000: {why}",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {"availability_set": "set", "update_domain": 1},
            {"availability_set": "set", "update_domain": 1},
        ),
        (
            {"availability_set": "a", "update_domain": 0},
            {"availability_set": "b", "update_domain": 1},
        ),
        ({"zone": "1"}, {"zone": "1"}),
        (
            {"zone": "1", "physical_zone": "we-az2"},
            {"zone": "2", "physical_zone": "we-az2", "subscription": "s2"},
        ),
        ({"zone": "1"}, {"zone": ""}),
        ({}, {"location": "uksouth"}),
    ],
)
def test_vms_that_may_be_away_together_are_no_violation(one, other):
    assert broken(together(each=(one, other))) == {}


def test_zones_of_different_policies_do_not_bind_each_other():
    run = together(each=({"zone": "1"}, {"zone": "2"}))
    run.edits[0] = replace(run.edits[0], columns={**RULES, "concurrency": 2, "match": "!name:db-2"})
    run.edits.append(PolicyEdit(at=at(0), team="erp", name="db", columns={"match": "name:db-2"}))

    assert "P5" not in broken(run)


# --- P6 ---------------------------------------------------------------------------------------------


def without_row(vm: str) -> Callable[[Run], None]:
    def spoil(run: Run) -> None:
        run.rows = [row for row in run.rows if row.vm != vm]

    return spoil


def second_row(run: Run) -> None:
    run.row("web-1", 30, "failed")
    run.mail("<1@baton>", "web-1 failed")


def another_job(run: Run) -> None:
    run.row("web-1", 30, "completed", job="web-1-job-2")


def wrong_code(run: Run) -> None:
    run.rows[2] = replace(run.rows[2], code="RetryLater")


def wrong_message(run: Run) -> None:
    run.results["web-1"] = ("MaintenanceCompleted", "All is well.")


def only_a_retry(run: Run) -> None:
    run.rows[2] = replace(run.rows[2], outcome="retryLater", terminal=False)


def never_offered(run: Run) -> None:
    run.vm("web-9", "web")
    run.windows.pop()
    run.row("web-9", 30, "skipped")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without_row("web-2"), "web-2 was offered maintenance and has no outcome"),
        (without_row("web-2"), "the start of web-2 at 12:00:20.000 is in no outcome"),
        (second_row, "job web-1-job has 2 terminal outcomes"),
        (another_job, "web-1 has 2 final outcomes of 1 maintenances"),
        (wrong_code, "web-1: the outcome says RetryLater, Azure showed MaintenanceCompleted"),
        (wrong_message, "web-1: lastOperationMessage is '', Azure's is 'All is well.'"),
        (only_a_retry, "job web-1-job has 0 terminal outcomes"),
        (never_offered, "web-9 has an outcome and was never offered maintenance"),
    ],
)
def test_a_record_that_is_missing_doubled_or_wrong_is_seen(spoil, said):
    run = a_run()
    spoil(run)

    assert said in broken(run)["P6"]


def test_an_empty_code_is_allowed_where_azure_dropped_it():
    run = a_run()
    run.rows = [replace(row, code="") for row in run.rows]

    assert broken(run) == {}


def test_a_job_may_follow_one_that_never_started():
    run = a_run()
    run.row("web-2", 5, "skipped", job="web-2-earlier")

    assert broken(run) == {}


def test_a_vm_that_no_policy_takes_needs_no_outcome():
    run = a_run(match="tag:owner=shop !name:web-3")
    run.vm("web-3", "web")

    assert broken(run) == {}


# --- P7 ---------------------------------------------------------------------------------------------


def a_mailed_run() -> Run:
    return a_failed_run(onFailure="continue")


def test_a_bad_end_that_nobody_was_told_of_is_seen():
    run = a_mailed_run()
    run.mails.clear()
    run.mail("<1@baton>", "db-20 was aborted, and db-2 too\nmy-db-2: aborted\ndb-2 waits")

    assert broken(run) == {"P7": ("db-2 ended aborted and no mail says so",)}


def test_a_bad_end_told_in_two_mails_is_seen():
    run = a_mailed_run()
    run.mail("<2@baton>", "db-2 was aborted, again")

    assert broken(run) == {"P7": ("db-2 ended aborted, which 2 mails tell",)}


def test_a_mail_that_only_mentions_the_vm_is_about_another():
    run = a_mailed_run()
    run.mail("<2@baton>", "Baton\nweb-9: missed\nthe rollout was halted: db-2 ended aborted")

    assert broken(run) == {}


@pytest.mark.parametrize(
    "told", ["db-2: timed out", "  - DB-2 timedOut", "Hello\n*db-2*: timed out"]
)
def test_an_outcome_may_be_told_in_words(told):
    run = a_mailed_run()
    run.mails.clear()
    run.rows = [
        replace(row, outcome="timedOut") if row.outcome == "aborted" else row for row in run.rows
    ]
    run.mail("<1@baton>", told)

    assert broken(run) == {}


def test_the_same_mail_delivered_twice_is_evidence_not_a_violation():
    run = a_mailed_run()
    run.mail("<1@baton>", "db-2 was aborted")

    (verdict,) = [v for v in judge(run.evidence()) if v.promise == "P7"]

    assert verdict.held
    assert "delivered again under the same Message-ID: 1" in verdict.evidence


@pytest.mark.parametrize("outcome", ["completed", "withdrawn", "gone", "skipped"])
def test_an_end_that_is_not_bad_needs_no_mail(outcome):
    run = Run()
    run.policy(0, match="*")
    run.vm("web-1", "web")
    run.row("web-1", 5, outcome)

    assert broken(run) == {}
