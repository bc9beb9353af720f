"""The picture of a running rollout, and the lines that stand for it where there is no terminal."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from cli.live import changes, is_half_way, picture
from cli.watch import View, _sentence
from shared.domain.job import Job, JobState
from shared.domain.ledger import Head, Ledger
from shared.domain.maintenance import MaintenanceStatus

T0 = datetime(2026, 12, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def a_job(name: str, state: JobState = JobState.PLANNED, **more) -> Job:
    vm_id = f"/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/{name}"
    status = MaintenanceStatus(
        is_customer_initiated_maintenance_allowed=True,
        pre_maintenance_window_start_time=at(-60),
        pre_maintenance_window_end_time=at(600),
    )
    return Job(
        **{
            "id": f"{name}-job",
            "vm_id": vm_id,
            "vm_name": name,
            "resource_group": "rg",
            "subscription_id": "s",
            "location": "westeurope",
            "team": "shop",
            "policy": "tiers",
            "rollout": 1,
            "stage": 1,
            "maintenance": status,
            "discovered_at": T0,
            "state": state,
            **more,
        }
    )


def a_view(*jobs: Job, seconds: float = 10, **more) -> View:
    ledger = Ledger(head=Head(team="shop", policy="tiers"), jobs=jobs)
    return View(now=at(seconds), began=T0, ledgers=(ledger,), **more)


def shown(view: View) -> str:
    console = Console(width=110, file=io.StringIO())
    console.print(picture(view, "Two teams"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_vm_shows_where_it_stands():
    away = a_job("db-1", JobState.REDEPLOYING, started_at=at(4))
    back = a_job("db-2", JobState.REDEPLOYING, started_at=at(4))
    done = a_job("db-3", JobState.COMPLETED, started_at=at(1), verified_at=at(6))
    text = shown(
        a_view(
            *(away, back, done, a_job("web-1", stage=2), a_job("db-4", JobState.ABORTED)),
            places={away.vm_key: ("away", at(5)), back.vm_key: ("back", at(9))},
            next_starts={"web-1-job": at(13)},
            lines=("12:00:09 Redeploy of db-2 accepted",),
        )
    )

    for expected in (
        *("db-1 away 6 s", "db-2 back, being verified", "db-3 completed in 5 s", "db-4 aborted"),
        *("web-1 starts in 3 s", "stage 1 2 of 4", "next: web-1 in 3 s", "Redeploy of db-2"),
    ):
        assert expected in " ".join(text.split())


def test_a_vm_that_was_back_before_its_second_start_is_away():
    again = a_job("db-1", JobState.REDEPLOYING, started_at=at(9))

    assert "db-1 away 1 s" in " ".join(
        shown(a_view(again, places={again.vm_key: ("back", at(5))})).split()
    )


def test_a_picture_without_jobs_says_what_is_going_on():
    assert "looking for VMs" in shown(View(now=T0, began=T0))


def test_only_what_changed_is_told():
    planned = a_view(a_job("db-1"), a_job("db-2"), seconds=1)
    starting = a_view(a_job("db-1", JobState.STARTING), a_job("db-2"), seconds=2, mails=1)

    assert len(list(changes(None, planned))) == 2
    assert [line.split()[2:4] for line in changes(planned, starting)] == [
        ["db-1", "starting"],
        ["mail", "1"],
    ]


def test_a_rollout_is_over_when_all_is_recorded_and_mailed():
    ended = a_job("db-1", JobState.COMPLETED)

    assert a_view(ended).is_over
    assert not a_view(ended, a_job("db-2")).is_over
    assert not a_view(ended, unsent=1).is_over
    assert not View(now=T0, began=T0).is_over


def test_half_way_somebody_is_away_and_somebody_done():
    done, away = a_job("a", JobState.COMPLETED), a_job("b", JobState.REDEPLOYING)

    assert is_half_way(a_view(done, away))
    assert not is_half_way(a_view(done, replace(away, state=JobState.PLANNED)))


def test_only_the_apps_own_log_lines_are_shown():
    assert _sentence('{"time": "2026-12-01T12:00:01.5Z", "message": "Up", "action": "a"}') == (
        "12:00:01 Up"
    )
    assert [_sentence(line) for line in ("info: host", "[1]", '{"message": "no action"}')] == [
        ""
    ] * 3
