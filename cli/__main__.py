"""The `baton` command: one short function per verb. What a verb does is in the module it calls.

Only light modules are imported here, so that `./baton --help` answers at once.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import checks, locks
from cli.paths import ROOT

app = typer.Typer(
    name="baton",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Does planned VM maintenance before Azure does it to you.",
)
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def _example(command: str) -> str:
    return f"Example: [bold]{command}[/bold]"


@app.command(context_settings=_PASS_ON, epilog=_example("./baton test tests/unit -k window"))
def test(context: typer.Context) -> None:
    """Run every test a laptop can run. What follows is passed on to pytest."""
    # Two workers: the slow tests wait for processes rather than compute. Tests of one file
    # stay together, so that two demos never meet in one folder; and in the order of the folders
    # the longest files come early, so that no worker is left alone with one at the end.
    options = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", *context.args]
    _become("pytest", *options)


@app.command(epilog=_example("./baton check"))
def check() -> None:
    """Check format, lint, types, import contracts, spelling, and that the locks follow pyproject."""
    findings = checks.run_checks()
    raise typer.Exit(code=int(not all(finding.passed for finding in findings)))


@app.command(epilog=_example("./baton fix --upgrade"))
def fix(
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Move every package to its newest fitting version.")
    ] = False,
) -> None:
    """Repair what `check` can repair by itself: format, lint fixes, lock files."""
    repaired = checks.fix()
    try:
        if locks.write(upgrade=upgrade):
            print("Lock files written; the next ./baton installs them.")
    except locks.LockError as error:
        print(f"Lock files left as they were: {error}", file=sys.stderr)
        repaired = False
    raise typer.Exit(code=int(not repaired))


@app.command(epilog=_example("./baton bench plan"))
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which benchmarks; all where none is named.")
    ] = None,
) -> None:
    """Measure, and print the results as JSON lines."""
    from cli.bench import run_benches  # noqa: PLC0415 - it loads what it measures

    raise typer.Exit(code=run_benches(names or []))


@app.command(context_settings=_PASS_ON, epilog=_example("BATON_MODE=live ./baton host --port 7071"))
def host(context: typer.Context) -> None:
    """Run the app on the endpoints that the BATON_... settings name, in the foreground.

    Prints `ready` once it listens, stops cleanly on SIGTERM. Options are those of the trigger host
    (simulator/host).
    """
    _become("simulator.host", *context.args)


@app.command(epilog=_example("./baton demo lying"))
def demo(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario, or a path to a .toml file.")
    ] = "default",
    plain: Annotated[
        bool, typer.Option("--plain", help="Lines of progress instead of the live picture.")
    ] = False,
    record: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Watch a fleet go through a maintenance, on real protocols, with a verdict on every promise."""
    from cli.demo import run_demo  # noqa: PLC0415 - it loads the SDKs

    raise typer.Exit(code=run_demo(scenario, plain=plain, record=record))


@app.command(epilog=_example("./baton up --scenario edited"))
def up(
    scenario: Annotated[
        str, typer.Option(help="Name of a built-in scenario, or a path to a .toml file.")
    ] = "default",
    host: Annotated[
        bool, typer.Option(help="Start the app's trigger host too, or leave that to you.")
    ] = True,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay here; Ctrl-C ends it.")
    ] = False,
) -> None:
    """Start the laptop cloud on its usual ports and leave it running."""
    from cli import laptop  # noqa: PLC0415 - it loads the table SDK

    start = laptop.serve if foreground else laptop.up
    raise typer.Exit(code=start(scenario, host=host))


@app.command(epilog=_example("./baton down"))
def down() -> None:
    """End what `up` started."""
    from cli import laptop  # noqa: PLC0415 - it loads the table SDK

    raise typer.Exit(code=laptop.down())


def _become(module: str, *arguments: str) -> None:
    """Go on as another module: signals, output and the exit code are then its own."""
    os.chdir(ROOT)
    sys.stdout.flush()
    command = [sys.executable, "-m", module, *arguments]
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


app(prog_name="./baton")
