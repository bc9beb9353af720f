"""`./baton demo`: the main job from end to end, on real protocols, and a verdict on every promise."""

import asyncio
import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from cli.evidence import first_edits, gather, policy_edit, unended
from cli.live import changes, is_half_way, picture
from cli.paths import ROOT, STATE
from cli.report import tell_mails, tell_outcomes, tell_states, tell_verdicts, unmet
from cli.watch import View, Watcher, get_json
from simulator.laptop import LaptopCloud
from simulator.processes import ProcessError
from simulator.promises import judge
from simulator.promises.model import PolicyEdit
from simulator.scenario_model import Edit
from simulator.scenario_table import ScenarioError, parse_duration, resolve

_LOOK_SECONDS = 0.5
_SECONDS_MAX = "4m"
_QUIET = timedelta(seconds=3)
"""Everything has ended; this long it is watched whether something is done twice after all."""

_RECORDED_WIDTH = 112


@dataclass
class Run:
    """One demo while it runs."""

    cloud: LaptopCloud
    console: Console
    t0: datetime
    edits: list[PolicyEdit] = field(default_factory=list)
    due: list[Edit] = field(default_factory=list)
    frame: View | None = None
    """A moment worth a picture."""

    @property
    def last_change(self) -> datetime:
        """When the scenario's last edit takes effect, Azure's own among them; later where it says that it lasts."""
        moments = (resolve(edit.at, self.t0) for edit in self.cloud.scenario.edits)
        lasts = str(self.cloud.scenario.other.get("demo", {}).get("lasts", "0s"))
        return max([self.t0 + parse_duration(lasts), *moments])


def run_demo(scenario: str, *, plain: bool, acs: bool, record: Path | None) -> int:
    """Run it; the exit code: 0 if every promise held and all was as the scenario expects.

    Args:
        scenario: name of a built-in one, or a path.
        plain: lines of progress even on a terminal.
        acs: mail by the wire of Communication Services.
        record: where to write a picture of the live view, as SVG.
    """
    console = Console(highlight=False)
    # On a pipe nothing wraps: a line is an outcome, a promise, a violation.
    if not console.is_terminal:
        console = Console(highlight=False, width=200, soft_wrap=True)
    started = time.perf_counter()
    folder = STATE / "demo"
    try:
        console.print(
            "Starting Azurite, Service Bus, Resource Manager and mail on this machine ..."
        )
        with LaptopCloud(folder, scenario=scenario, acs=acs, say=_say) as cloud:
            passed = asyncio.run(_demo(cloud, console, started, plain=plain, record=record))
    except (ProcessError, ScenarioError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if not passed:
        logs = folder / "logs"
        shown = logs.relative_to(ROOT) if logs.is_relative_to(ROOT) else logs
        console.print(f"What happened is in {shown}/host.log and {shown.parent}/arm.jsonl.")
    return 0 if passed else 1


async def _demo(
    cloud: LaptopCloud, console: Console, started: float, *, plain: bool, record: Path | None
) -> bool:
    t0 = datetime.fromisoformat(cloud.services["arm"].facts["t0"])
    run = Run(cloud, console, t0, due=sorted(cloud.scenario.edits, key=lambda e: resolve(e.at, t0)))
    run.edits = first_edits(cloud, t0)
    cloud.start_host()
    ready = time.perf_counter()
    console.print(f"Running after {ready - started:.1f} s: {cloud.scenario.title}\n")
    finished = await _watch(run, plain=plain)
    ended = time.perf_counter()
    code = await asyncio.to_thread(cloud.stop_host)
    _tamper(run)
    problems = [] if finished else [f"it did not end within {_seconds_max(cloud)}"]
    if code:
        problems.append(f"the host ended with exit code {code} when asked to stop")
    passed = _report(run, problems)
    if record and run.frame:
        _record(run.frame, cloud.scenario.title, record)
    stopped = time.perf_counter()
    console.print(
        f"Set-up {ready - started:.1f} s, maintenance {ended - ready:.1f} s, "
        f"verdict {stopped - ended:.1f} s."
    )
    return passed


async def _watch(run: Run, *, plain: bool) -> bool:
    """Follow the rollout to its end, making the scenario's policy edits on the way; False: too long."""
    watcher = Watcher(run.cloud, run.t0)
    deadline = run.t0 + parse_duration(_seconds_max(run.cloud))
    before: View | None = None
    over_since: datetime | None = None
    try:
        with _shown(run, plain=plain) as show:
            while (now := _now()) < deadline:
                await asyncio.to_thread(_edit, run)
                view = await watcher.look(now)
                show(before, view)
                if is_half_way(view):
                    run.frame = run.frame or view
                over_since = (over_since or now) if _is_over(run, view) else None
                if over_since and now - over_since >= _QUIET:
                    return True
                if run.cloud.host and not run.cloud.host.running:
                    raise ProcessError(f"the host died; its log: {run.cloud.host.log}")
                before = view
                await asyncio.sleep(_LOOK_SECONDS)
            return False
    finally:
        await watcher.close()


@contextmanager
def _shown(run: Run, *, plain: bool) -> Iterator[Any]:
    """A function that shows one view after another."""
    console, title = run.console, run.cloud.scenario.title
    if plain or not console.is_terminal:

        def tell(before: View | None, view: View) -> None:
            for line in changes(before, view):
                console.print(line, markup=False)

        yield tell
        console.print()
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield lambda _before, view: live.update(picture(view, title), refresh=True)


def _is_over(run: Run, view: View) -> bool:
    """Every edit is made, and every VM that was offered maintenance has its terminal outcome."""
    if run.due or view.now < run.last_change + _QUIET or not view.is_over:
        return False
    return not unended(run.cloud, run.t0, run.edits, view.outcomes)


def _edit(run: Run) -> None:
    """Make the policy edits that are due; those of VMs the ARM emulator makes by itself."""
    while run.due and resolve(run.due[0].at, run.t0) <= _now():
        edit = run.due.pop(0)
        if edit.policy is not None:
            run.cloud.merge_policies(dict(edit.policy))
            run.edits.append(policy_edit(edit.policy, _now()))


def _tamper(run: Run) -> None:
    """A scenario may ask for evidence to be lost, to show that the verdict notices."""
    lost = run.cloud.scenario.other.get("demo", {}).get("lose_outcome_of")
    for row in run.cloud.outcomes():
        if row["vmName"] == lost:
            run.console.print(f"The outcome of {lost} is deleted by hand, as the scenario asks.\n")
            run.cloud.delete_outcome(row)


def _report(run: Run, problems: list[str]) -> bool:
    """Tell everything; whether all promises held and all was as expected."""
    rows = run.cloud.outcomes()
    mails = get_json(f"{run.cloud.mail_url}/mails")
    verdicts = judge(gather(run.cloud, run.t0, run.edits))
    patches = run.cloud.patches()
    tell_outcomes(run.console, rows)
    tell_states(run.console, patches)
    tell_mails(run.console, mails)
    tell_verdicts(run.console, verdicts)
    problems = [*problems, *unmet(run.cloud.scenario.expect, rows, mails, patches)]
    for problem in problems:
        run.console.print(f"[bold red]Not as it should be:[/bold red] {problem}")
    return not problems and all(verdict.held for verdict in verdicts)


def _record(view: View, title: str, path: Path) -> None:
    console = Console(record=True, width=_RECORDED_WIDTH, file=io.StringIO(), highlight=False)
    console.print(picture(view, title))
    console.save_svg(str(path), title="./baton demo")


def _seconds_max(cloud: LaptopCloud) -> str:
    return str(cloud.scenario.other.get("demo", {}).get("ends_within", _SECONDS_MAX))


def _say(text: str) -> None:
    print(f"baton: {text}", file=sys.stderr, flush=True)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one clock of this process
