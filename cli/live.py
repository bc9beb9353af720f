"""How a running rollout looks: a live picture on a terminal, lines of progress anywhere else."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.watch import View
from shared.domain.job import Job, JobState
from shared.domain.ledger import Ledger

_MARKS = {
    JobState.PLANNED: ("○", "dim"),
    JobState.STARTING: ("◔", "yellow"),
    JobState.REDEPLOYING: ("◑", "bold yellow"),
    JobState.COMPLETED: ("●", "green"),
}
_BAD, _NEVER = ("✖", "bold red"), ("◌", "cyan")
_LOG_LINES = 6


def picture(view: View, title: str) -> RenderableType:
    """The whole picture."""
    policies = Table.grid(expand=True, padding=(0, 1))
    for _ in view.ledgers:
        policies.add_column(ratio=1)
    policies.add_row(*(_policy(ledger, view) for ledger in view.ledgers))
    log = Text("\n".join(view.lines[-_LOG_LINES:]), style="dim", no_wrap=True, overflow="ellipsis")
    looking = Text("  looking for VMs with maintenance ...", style="dim")
    return Panel(
        Group(policies if view.ledgers else looking, log, Text(), _footer(view)),
        title=f"[bold]{title}[/bold]",
        subtitle=f"{_elapsed(view):.0f} s",
        border_style="blue",
    )


def changes(before: View | None, view: View) -> Iterator[str]:
    """A line for each VM whose standing is another than before, and for each mail."""
    known = {job.id: _standing(job, before) for job in before.jobs} if before else {}
    for job in sorted(view.jobs, key=lambda job: (job.team, job.policy, job.stage, job.vm_name)):
        standing = _standing(job, view)
        if known.get(job.id) != standing:
            where = f"{job.team}/{job.policy} stage {job.stage}"
            yield f"{_elapsed(view):6.1f} s  {job.vm_name:<16} {standing:<12} {where}"
    if view.mails > (before.mails if before else 0):
        yield f"{_elapsed(view):6.1f} s  {'mail':<16} {view.mails} so far"


def _policy(ledger: Ledger, view: View) -> RenderableType:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
    stages = sorted({job.stage for job in ledger.jobs})
    for stage in stages:
        jobs = [job for job in ledger.jobs if job.stage == stage]
        done = sum(job.state.is_end for job in jobs)
        table.add_row("", Text(f"stage {stage}", style="bold"), Text(f"{done} of {len(jobs)}"))
        for job in sorted(jobs, key=lambda job: job.vm_name):
            mark, style = _mark(job.state)
            table.add_row(
                Text(mark, style=style),
                Text(job.vm_name, style=style),
                Text(_detail(job, view), style=style),
            )
    return Panel(
        table, title=f"{ledger.head.team}/{ledger.head.policy}", title_align="left", style="none"
    )


def _footer(view: View) -> Text:
    counts = Counter(_standing(job, view) for job in view.jobs)
    parts = [f"{count} {standing}" for standing, count in counts.most_common()]
    parts.append(f"{view.mails} mails")
    soonest = min(
        ((at, job) for job in view.jobs if (at := view.next_starts.get(job.id))),
        key=lambda turn: (turn[0], turn[1].vm_name),
        default=None,
    )
    if soonest:
        parts.append(f"next: {soonest[1].vm_name} in {_seconds(view.now, soonest[0])}")
    return Text(" · ".join(parts), style="bold")


def _mark(state: JobState) -> tuple[str, str]:
    if state in _MARKS:
        return _MARKS[state]
    return _BAD if state.is_bad else _NEVER


def _standing(job: Job, view: View | None) -> str:
    """One or two words: planned, starting, away, back, or how it ended."""
    if job.state is not JobState.REDEPLOYING or view is None:
        again = job.state is JobState.PLANNED and job.attempt > 1
        return f"attempt {job.attempt}" if again else str(job.state)
    place, at = view.places.get(job.vm_key, ("", view.began))
    since = job.started_at or view.began
    return "back" if place in ("back", "completed") and at >= since else "away"


def _detail(job: Job, view: View) -> str:
    """What there is to say about it beside its mark."""
    standing = _standing(job, view)
    if job.state is JobState.PLANNED:
        at = view.next_starts.get(job.id)
        when = f"starts in {_seconds(view.now, at)}" if at else ""
        return ", ".join(filter(None, (standing if job.attempt > 1 else "", when)))
    if standing == "away":
        return f"away {_seconds(job.started_at or view.began, view.now)}"
    if standing == "back":
        return "back, being verified"
    if job.state is JobState.COMPLETED and job.started_at and job.verified_at:
        return f"completed in {_seconds(job.started_at, job.verified_at)}"
    return standing


def _seconds(start: datetime, end: datetime) -> str:
    return f"{max(0.0, (end - start).total_seconds()):.0f} s"


def _elapsed(view: View) -> float:
    return (view.now - view.began).total_seconds()


def is_half_way(view: View) -> bool:
    """A moment that shows something: several done, someone away."""
    jobs = view.jobs
    ended = sum(job.state.is_end for job in jobs)
    return bool(jobs) and ended * 2 >= len(jobs) and any(_away(jobs))


def _away(jobs: Iterable[Job]) -> Iterator[bool]:
    return (job.state is JobState.REDEPLOYING for job in jobs)
