"""The commands that run Baton on a laptop: alone, or with the cloud that it needs."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands import PASS_ON, become, example

laptop = typer.Typer(rich_markup_mode="rich")
_Scenario = Annotated[
    str, typer.Argument(help="Name of a built-in scenario, or a path to a .toml file.")
]


@laptop.command(
    context_settings=PASS_ON, epilog=example("BATON_MODE=live ./baton host --port 7071")
)
def host(context: typer.Context) -> None:
    """Run the app on the endpoints that the BATON_... settings name, in the foreground.

    Prints `ready` once it listens, stops cleanly on SIGTERM. Options are those of the trigger host
    (simulator/host).
    """
    become("simulator.host", *context.args)


@laptop.command(epilog=example("./baton demo lying"))
def demo(
    scenario: _Scenario = "default",
    plain: Annotated[
        bool, typer.Option("--plain", help="Lines of progress instead of the live picture.")
    ] = False,
    acs: Annotated[
        bool, typer.Option("--acs", help="Mail by Communication Services' wire instead of SMTP.")
    ] = False,
    record: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Watch a fleet go through a maintenance, on real protocols, with a verdict on every promise."""
    from cli.demo import run_demo  # noqa: PLC0415 - it loads the SDKs

    raise typer.Exit(code=run_demo(scenario, plain=plain, acs=acs, record=record))


@laptop.command(epilog=example("./baton chaos --kills 60 --seed 7"))
def chaos(
    scenario: _Scenario = "chaos",
    kills: Annotated[int, typer.Option(help="How often the host is killed with SIGKILL.")] = 60,
    seed: Annotated[
        int | None, typer.Option(help="Of faults and kills; a new one each time by default.")
    ] = None,
) -> None:
    """Let every service misbehave and kill the host every few seconds; a verdict on every promise."""
    from cli.chaos import run_chaos  # noqa: PLC0415 - it loads the SDKs

    raise typer.Exit(code=run_chaos(scenario, kills=kills, seed=seed))


@laptop.command(epilog=example("./baton up --scenario edited"))
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
    from cli import laptop as cloud  # noqa: PLC0415 - it loads the table SDK

    start = cloud.serve if foreground else cloud.up
    raise typer.Exit(code=start(scenario, host=host))


@laptop.command(epilog=example("./baton down"))
def down() -> None:
    """End what `up` started."""
    from cli import laptop as cloud  # noqa: PLC0415 - it loads the table SDK

    raise typer.Exit(code=cloud.down())
