"""`./baton explain VM`: where it stands, why it goes now or does not, and what comes next."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli import say
from cli.given import Given, GivenFiles
from cli.picture import moment
from cli.shown_plan import utc
from shared.domain.fleet import Fleet
from shared.domain.job import Job
from shared.domain.ledger import Books
from shared.domain.maintenance import MaintenanceStatus
from shared.domain.mode import Mode
from shared.domain.pace import Pace
from shared.domain.preflight import Surroundings
from shared.ports import PolicyRow
from shared.use_cases.explain import explain_foreseen
from shared.use_cases.explanation import Explanation
from shared.use_cases.preview import foresee
from shared.use_cases.see_fleet import Sight
from shared.use_cases.wording import patches_of

# A file names no settings: these are their defaults.
_PACE = Pace(
    check_interval=timedelta(seconds=30),
    redeploy_timeout=timedelta(hours=2),
    retry_delay=timedelta(minutes=15),
)
_OUTCOMES_MAX = 5
_OUTCOME_COLUMNS = (
    "endedAt",
    "policy",
    "attempt",
    "work",
    "outcome",
    "lastOperationResultCode",
    "lastOperationMessage",
    "reason",
)


def run(name: str, given: Given, clock: datetime, *, as_json: bool) -> int:
    """Explains one VM."""
    now, found = given.instant(), given.files()
    said = from_files(name, found, now=now or clock) if found else asyncio.run(_live(name))
    if as_json:
        say.answer(_as_json(said))
    else:
        tell(say.console(), said)
    return say.OK


def from_files(name: str, given: GivenFiles, *, now: datetime) -> Explanation:
    """What the first discovery of this fleet would make of the VM.

    Raises:
        InvalidInput: No VM is meant, or several are.
    """
    subscriptions = frozenset(vm.subscription_id.lower() for vm in given.fleet.vms)
    fleet = Fleet(
        vms={vm.key: vm for vm in given.fleet.vms},
        absent=frozenset(),
        whole=subscriptions,
        seen_at=now,
        places=given.places,
        surroundings=dict.fromkeys(subscriptions, Surroundings()),
    )
    rows = [
        PolicyRow(team=team, policy=policy, columns=columns)
        for (team, policy), columns in given.columns.items()
    ]
    sight = Sight(
        fleet=fleet,
        count=len(fleet.vms),
        unreadable=given.fleet.unreadable,
        failed={},
        behind={},
    )
    foresight = foresee(Books(guard="", ledgers={}), rows, sight, mode=Mode.LIVE, now=now)
    return explain_foreseen(name, foresight, mode=Mode.LIVE, pace=_PACE)


def tell(console: Console, said: Explanation) -> None:
    """For people."""
    table = Table(box=None, show_header=False, title=Text(said.vm, "bold"), title_justify="left")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _lines(said):
        table.add_row(label, Text(text))
    console.print(table)
    if said.outcomes:
        console.print(Text(), _outcomes(said.outcomes[:_OUTCOMES_MAX]))


async def _live(name: str) -> Explanation:
    from cli.desk import at_the_desk  # noqa: PLC0415 - files need no SDK

    async with at_the_desk() as desk:
        return await desk.explain(name)


def _lines(said: Explanation) -> Iterator[tuple[str, str]]:
    yield "id", said.vm_id
    if job := said.job:
        where = f"{job.team}/{job.policy}, rollout {job.rollout}, stage {job.stage}"
        yield "policy", where + (f", attempt {job.attempt}" if job.attempt > 1 else "")
        yield "state", str(job.state)
        if work := patches_of(job):
            yield "work", work
        if job.planned_start and not job.state.is_end:
            yield "planned start", _planned(said, job.planned_start)
    yield "why", said.why
    for sentence in said.follows:
        yield "next", sentence
    if status := said.maintenance:
        yield from _azure(status)
    for finding in said.findings:
        yield "to know", finding


def _planned(said: Explanation, at: datetime) -> str:
    zone = said.policy.hours.zone_name if said.policy else "UTC"
    shown = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return shown if zone == "UTC" else f"{moment(at, ZoneInfo(zone))} ({zone}), {shown}"


def _azure(status: MaintenanceStatus) -> Iterator[tuple[str, str]]:
    for name, value in _status_json(status).items():
        if value not in (None, ""):
            yield name, str(value).lower() if isinstance(value, bool) else str(value)


def _outcomes(rows: tuple[Mapping[str, object], ...]) -> Table:
    table = Table(title="Last outcomes", title_justify="left", title_style="bold", box=None)
    for column in ("ended", "try", "work", "outcome", "Azure's code", "reason"):
        table.add_column(column, overflow="fold")
    for row in rows:
        ended = row.get("endedAt")
        table.add_row(
            f"{ended:%Y-%m-%d %H:%M}" if isinstance(ended, datetime) else "",
            *(
                Text(str(row.get(column, "")))
                for column in ("attempt", "work", "outcome", "lastOperationResultCode", "reason")
            ),
        )
    return table


def _as_json(said: Explanation) -> dict[str, Any]:
    """Its keys are part of the outer contract."""
    return {
        "now": utc(said.now),
        "vmId": said.vm_id,
        **_job_json(said.job),
        "why": said.why,
        "until": utc(said.until) if said.until else None,
        "next": list(said.follows),
        "maintenance": _status_json(said.maintenance) if said.maintenance else None,
        "findings": list(said.findings),
        "outcomes": [_row_json(row) for row in said.outcomes],
    }


def _job_json(job: Job | None) -> dict[str, Any]:
    planned = job.planned_start if job and not job.state.is_end else None
    return {
        "state": str(job.state) if job else None,
        "team": job.team if job else None,
        "policy": job.policy if job else None,
        "rollout": job.rollout if job else None,
        "stage": job.stage if job else None,
        "attempt": job.attempt if job else None,
        **({"work": patches_of(job)} if job and job.patches else {}),
        "plannedStart": utc(planned) if planned else None,
    }


def _status_json(status: MaintenanceStatus) -> dict[str, Any]:
    """In Azure's own names."""
    times = {
        "preMaintenanceWindowStartTime": status.pre_maintenance_window_start_time,
        "preMaintenanceWindowEndTime": status.pre_maintenance_window_end_time,
        "maintenanceWindowStartTime": status.maintenance_window_start_time,
        "maintenanceWindowEndTime": status.maintenance_window_end_time,
    }
    return {
        "isCustomerInitiatedMaintenanceAllowed": status.is_customer_initiated_maintenance_allowed,
        **{name: utc(at) if at else None for name, at in times.items()},
        "lastOperationResultCode": status.last_operation_result_code,
        "lastOperationMessage": status.last_operation_message,
    }


def _row_json(row: Mapping[str, object]) -> dict[str, Any]:
    found = {name: row[name] for name in _OUTCOME_COLUMNS if name in row}
    return {name: utc(v) if isinstance(v, datetime) else v for name, v in found.items()}
