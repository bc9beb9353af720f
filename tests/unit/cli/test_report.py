"""What the demo says at the end."""

import io
from datetime import UTC, datetime

from rich.console import Console

from cli.report import tell_mails, tell_outcomes, tell_verdicts, unmet
from simulator.promises import Verdict

ROWS = [
    {
        "endedAt": datetime(2026, 12, 1, 12, 0, 5, tzinfo=UTC),
        "vmName": "db-1",
        "team": "shop",
        "policy": "tiers",
        "stage": 1,
        "attempt": 1,
        "outcome": outcome,
        "reason": "[red]not markup[/red]",
    }
    for outcome in ("completed", "completed", "aborted")
]
MAILS = [{"messageId": "<1@b>", "subject": "db-1 was aborted", "to": "a@b", "text": "Why: [x]"}]


def said(tell, *what) -> str:
    console = Console(width=160, file=io.StringIO())
    tell(console, *what)
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().split())


def test_expectations_that_are_met_are_silent():
    assert unmet({"completed": 2, "aborted": 1, "mails": 1, "failed": 0}, ROWS, MAILS) == []


def test_a_mail_delivered_twice_is_one_mail():
    assert unmet({"mails": 1}, ROWS, MAILS * 2) == []


def test_a_mail_that_only_announces_is_none_that_was_expected():
    subjects = (
        "Baton: 2 VMs of shop/web planned (shop), by 2026-03-09 12:00 UTC",
        "Baton: 7 completed: rollout 1 of shop/web done (shop)",
        "Baton: 1 planned, 1 done (erp, shop)",
    )
    news = [{**MAILS[0], "messageId": subject, "subject": subject} for subject in subjects]

    assert unmet({"mails": 1}, ROWS, [*MAILS, *news]) == []


def test_expectations_that_are_not_met_are_told():
    assert unmet({"completed": 3, "mails": 0}, ROWS, MAILS) == [
        "expected 3 completed, there are 2",
        "expected 0 mails, there is 1",
    ]


def test_what_no_mail_tells_is_missed():
    news = {**MAILS[0], "subject": "Baton: 1 planned (shop)", "text": "db-2"}

    assert unmet({"mailed": ["Why"]}, ROWS, MAILS) == []
    assert unmet({"mailed": ["Why", "db-2"]}, ROWS, [*MAILS, news]) == [
        "expected a mail about db-2, there is none"
    ]


def test_azures_words_are_shown_as_they_are():
    assert "12:00:05 db-1 shop/tiers 1 1 aborted [red]not markup[/red]" in said(tell_outcomes, ROWS)
    assert "Mail To: a@b Subject: db-1 was aborted Why: [x]" in said(tell_mails, MAILS)
    assert "No mail." in said(tell_mails, [])


def test_a_broken_promise_shows_how_it_was_broken():
    verdicts = [
        Verdict("P1", "never twice", "3 starts"),
        Verdict("P6", "one outcome each", "2 jobs", ("web-2 has no outcome",)),
    ]

    text = said(tell_verdicts, verdicts)

    assert "P1 held never twice 3 starts" in text
    assert "P6 BROKEN one outcome each 2 jobs web-2 has no outcome" in text
