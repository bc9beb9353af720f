"""Dead letters: whatever stands in them, they are told once and handled."""

from datetime import timedelta

import pytest

from shared.adapters.memory import MemoryAlerts, MemoryBus, MemoryClock, MemoryJobs
from shared.adapters.messages import decode, encode
from shared.ports import Wake
from shared.use_cases.report_dead_letter import DeadLetter, ReportDeadLetter
from shared.use_cases.tell import Tell
from tests.builders import NOW


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b"[" * 4000,
        encode(Wake(team="a|b", policy="p", job_id="j")),
        encode(Wake(team="!set", policy="p", job_id="j")),
        encode(Wake(team="a/b", policy="p", job_id="j")),
        encode(Wake(team="t", policy="p", job_id="j")),
    ],
)
async def test_a_letter_of_a_stranger_is_told_whatever_names_it_has(body):
    """One that raised instead would stay in the queue and come again for ever."""
    clock, alerts = MemoryClock(NOW), MemoryAlerts()
    tell = Tell(
        clock=clock, alerts=alerts, bus=MemoryBus(), recipients=(), digest=timedelta(minutes=2)
    )
    report = ReportDeadLetter(clock=clock, jobs=MemoryJobs(), tell=tell, decode=decode)

    await report(
        DeadLetter(
            queue="redeploy-jobs",
            message_id="m",
            body=body,
            reason="",
            description="",
            delivery_count=10,
        )
    )

    [alert] = alerts.alerts()
    assert (alert.kind, alert.team) == ("deadLettered", "")
