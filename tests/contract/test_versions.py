"""Rows and messages as version 0.1.0 wrote them; this version reads them, and 0.1.0 would read this one's.

Recorded by 0.1.0's own `rows` and `messages`: a job in each kind of state, and one of every other row.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from shared.adapters import alert_rows, job_rows, messages
from shared.domain.job import JobState

RECORDED = json.loads(Path(__file__).with_name("version-0.1.0.json").read_text())
KINDS: dict[str, tuple[Any, Any]] = {
    "jobs": (job_rows.job_of, job_rows.job_row),
    "heads": (job_rows.head_of, job_rows.head_row),
    "away": (job_rows.away_of, job_rows.away_row),
    "alerts": (alert_rows.alert_of, alert_rows.alert_row),
    "heartbeats": (alert_rows.heartbeat_of, alert_rows.heartbeat_row),
}


def entity(recorded: dict[str, Any]) -> dict[str, Any]:
    """A recorded row as the tables would give it."""
    return {
        name: datetime.fromisoformat(cell["time"]) if isinstance(cell, dict) else cell
        for name, cell in recorded.items()
    }


EVERY = [(kind, entity(row)) for kind in KINDS for row in RECORDED[kind]]


@pytest.mark.parametrize(("kind", "row"), EVERY)
def test_a_row_that_is_read_and_written_again_keeps_all_that_the_older_version_needs(kind, row):
    read, write = KINDS[kind]

    written = write(read(row, "e"))

    assert {name: written.get(name) for name in row} == row
    assert {name: type(written[name]) for name in row} == {n: type(cell) for n, cell in row.items()}


def test_every_kind_of_standing_was_recorded():
    states = {row["state"] for kind, row in EVERY if kind == "jobs"}

    assert {JobState.PLANNED, JobState.STARTING, JobState.REDEPLOYING} < states
    assert {JobState.COMPLETED, JobState.ABORTED, JobState.SKIPPED} < states
    assert any("unsettledOutcome" in row for _, row in EVERY)


def test_messages_are_what_the_older_version_sent_and_reads():
    (wake,) = RECORDED["wakes"]
    (alerts_wake,) = RECORDED["alertsWakes"]

    assert messages.encode(messages.decode(wake.encode())).decode() == wake
    assert messages.encode_alerts_wake().decode() == alerts_wake
