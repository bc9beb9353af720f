"""The commands with which Baton itself is built, tested and measured."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import checks, locks
from cli.commands import PASS_ON, become, end, example

project = typer.Typer(rich_markup_mode="rich")


@project.command(context_settings=PASS_ON, epilog=example("./baton test tests/unit -k window"))
def test(context: typer.Context) -> None:
    """Run every test a laptop can run. What follows is passed on to pytest."""
    # Two workers: the slow tests wait for processes rather than compute. Tests of one file
    # stay together, so that two demos never meet in one folder; and in the order of the folders
    # the longest files come early, so that no worker is left alone with one at the end.
    options = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", *context.args]
    become("pytest", *options)


@project.command(epilog=example("./baton check"))
def check() -> None:
    """Check format, lint, types, import contracts, spelling, and that the locks follow pyproject."""
    findings = checks.run_checks()
    raise typer.Exit(code=int(not all(finding.passed for finding in findings)))


@project.command(epilog=example("./baton package released-package.zip"))
def package(
    out: Annotated[Path, typer.Argument(help="The zip to write.")] = Path("released-package.zip"),
) -> None:
    """Write what is deployed to Azure as a zip, with its libraries in it. docs/deploy.md says when."""
    from cli.package import build  # noqa: PLC0415 - for this alone

    def verb() -> int:
        print(f"{out}: {build(out) / 2**20:.1f} MiB")
        return 0

    end(verb)


@project.command(epilog=example("./baton fix --upgrade"))
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


@project.command(epilog=example("./baton bench plan"))
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which benchmarks; all where none is named.")
    ] = None,
) -> None:
    """Measure, and print JSON lines, then a table with each aim. docs/performance.md explains the figures."""
    from cli.bench import run_benches  # noqa: PLC0415 - it loads what it measures

    raise typer.Exit(code=run_benches(names or []))


@project.command(epilog=example("./baton screenshots"))
def screenshots() -> None:
    """Take the page's pictures in docs/ anew."""
    from cli.screenshots import take  # noqa: PLC0415 - it starts a cloud and a browser

    raise typer.Exit(code=take())
