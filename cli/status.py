"""`./baton status`: what is away, what waits and why, what ended badly, and whether Baton is alive."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli import say
from cli.desk import at_the_desk
from cli.shown_plan import utc
from cli.steering import job_json, pause_json
from shared.domain.durations import format_duration
from shared.domain.errors import BatonError, InvalidInput
from shared.domain.job import Job, JobState
from shared.domain.mode import Mode
from shared.use_cases.status import PolicyStatus, Status

# Three discoveries of the default schedule.
_SILENT = timedelta(minutes=15)
_EVERY_SECONDS = 2.0
_NAMES_MAX = 20
_MODES = {
    Mode.DRY_RUN: "dry run (BATON_MODE): it plans and records, and redeploys nothing",
    Mode.PAUSED: "paused (BATON_MODE): it starts nothing",
    Mode.LIVE: "live",
}


def run(*, as_json: bool, watch: bool) -> int:
    """Shows it once, or until Ctrl-C."""
    if watch and not as_json:
        with suppress(KeyboardInterrupt):
            asyncio.run(_watch(say.console()))
        return say.OK
    status = asyncio.run(_once())
    if as_json:
        say.answer(status_json(status))
    else:
        say.console().print(picture(status))
    return say.OK


async def _once() -> Status:
    async with at_the_desk() as desk:
        return await desk.status()


async def _watch(console: Console) -> None:
    """Reads it every two seconds. Tables that are busy are waited for; Ctrl-C ends it."""
    async with at_the_desk() as desk:
        with Live(Text("reading the tables ..."), console=console, auto_refresh=False) as live:
            while True:
                try:
                    live.update(picture(await desk.status()), refresh=True)
                except InvalidInput:
                    raise
                except BatonError as busy:
                    live.update(Text(f"The tables cannot be read now: {busy}", "red"), refresh=True)
                await asyncio.sleep(_EVERY_SECONDS)


# --- what people read -------------------------------------------------------------------------------


def picture(status: Status) -> RenderableType:
    """What needs a person first, then each policy, then who is away and what ended badly."""
    parts: list[RenderableType] = [_health(status)]
    parts += [Text(f"⏸ {pause}", "bold yellow") for pause in status.pauses]
    if not status.policies:
        parts.append(Text("There are no policies: ./baton policy apply FILE writes some."))
    else:
        parts += [Text(), _policies(status)]
    if status.heartbeat and status.heartbeat.behind:
        said = status.heartbeat.not_read(_NAMES_MAX)
        parts += [Text(), *(Text(each, "yellow") for each in said)]
    if status.away:
        parts += [Text(), _away(status)]
    if status.bad:
        parts += [Text(), _bad(status.bad)]
    return Group(*parts)


def _health(status: Status) -> Text:
    beat = status.heartbeat
    if beat is None:
        return Text("No discovery went through yet: is the app deployed, or ./baton host running?")
    ago = format_duration(timedelta(seconds=int((status.now - beat.at).total_seconds())))
    silent = status.now - beat.at >= _SILENT
    seen = f"last discovery {ago} ago saw {beat.vms} VMs"
    more = [
        f"{count} {what}"
        for count, what in (
            (beat.unmatched, "without a policy"),
            (beat.unreadable, "unreadable"),
            (beat.failed_subscriptions, "subscriptions not read whole"),
            (status.unsent, "alerts to be mailed"),
        )
        if count
    ]
    said = ", ".join((f"Mode here: {_MODES[status.mode]}; {seen}", *more))
    return Text(said, "bold red" if silent else "")


def _policies(status: Status) -> Table:
    table = Table(box=None, header_style="bold")
    for column in ("policy", "rollout", "VMs", "next start (UTC)", "windows close (UTC)", ""):
        table.add_column(column, overflow="fold")
    for one in status.policies:
        table.add_row(
            f"{one.team}/{one.policy}",
            str(one.rollout or "-"),
            Text(_counted(one)),
            _moment(one.start),
            _moment(one.closes),
            Text("\n".join(_remarks(one))),
        )
    return table


def _counted(one: PolicyStatus) -> str:
    counts = [f"{one.counts[state]} {state}" for state in JobState if one.counts.get(state)]
    if one.behind:
        counts.append(f"{one.behind} behind")
    return ", ".join(counts) or "none open"


def _remarks(one: PolicyStatus) -> Iterator[str]:
    if one.problems:
        yield f"wrong row: {one.problems[0]}"
    if one.no_start:
        yield f"{one.no_start} without a start"
    if one.why:
        yield one.why


def _away(status: Status) -> Table:
    table = Table(title="Away now", title_justify="left", title_style="bold", box=None)
    for column in ("VM", "policy", "state", "for"):
        table.add_column(column)
    for job in status.away:
        began = job.claimed_at or status.now
        length = timedelta(seconds=int((status.now - began).total_seconds()))
        name = f"{job.team}/{job.policy}"
        table.add_row(Text(job.vm_name), name, str(job.state), format_duration(length))
    return table


def _bad(jobs: tuple[Job, ...]) -> Table:
    table = Table(title="Ended badly", title_justify="left", title_style="bold red", box=None)
    for column in ("VM", "ended (UTC)", "outcome", "reason"):
        table.add_column(column, overflow="fold")
    for job in jobs:
        again = f" ({job.retried_by} asked to try it again)" if job.retried_by else ""
        reason = Text(job.reason + again)
        table.add_row(Text(job.vm_name), _moment(job.ended_at), str(job.state), reason)
    return table


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "-"


# --- what programs read -----------------------------------------------------------------------------


def status_json(status: Status) -> dict[str, Any]:
    """Its keys are part of the outer contract."""
    beat = status.heartbeat
    return {
        "now": utc(status.now),
        "mode": str(status.mode),
        "lastDiscovery": utc(beat.at) if beat else None,
        "vms": beat.vms if beat else None,
        "unmatched": beat.unmatched if beat else None,
        "unreadable": beat.unreadable if beat else None,
        "failedSubscriptions": beat.failed_subscriptions if beat else None,
        "notRead": {key: one.reason for key, one in beat.behind.items()} if beat else None,
        "unsentAlerts": status.unsent,
        "pauses": [pause_json(pause) for pause in status.pauses],
        "policies": [_policy_json(one) for one in status.policies],
        "away": [job_json(job) for job in status.away],
        "bad": [job_json(job) for job in status.bad],
    }


def _policy_json(one: PolicyStatus) -> dict[str, Any]:
    return {
        "team": one.team,
        "policy": one.policy,
        "rollout": one.rollout or None,
        "counts": {str(state): one.counts[state] for state in JobState if one.counts.get(state)},
        "behind": one.behind,
        "nextStart": utc(one.start) if one.start else None,
        "windowsClose": utc(one.closes) if one.closes else None,
        "withoutStart": one.no_start,
        "why": one.why,
        "problems": list(one.problems),
    }
