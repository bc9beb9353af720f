"""`./baton hotpatch ...`: one short function per verb, as in `__main__`, and as light to import."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

hotpatch = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Hotpatch: enrol subscriptions and VMs, see how each stands, and the calendar of reboots.",
)
_Output = Annotated[
    Literal["text", "json"], typer.Option("--output", "-o", help="For people, or for programs.")
]
_Json = Annotated[bool, typer.Option("--json", help="As --output json.")]
_Vm = Annotated[str, typer.Argument(help="Its name or ARM id.")]
_Subscription = Annotated[
    str | None, typer.Option(help="Id of a subscription: how far its onboarding is.")
]
_EXITS = (
    "Exit code: 0 done, 1 something is wrong or failed, 2 an argument or a setting is unusable."
)


def _example(command: str) -> str:
    return f"Example: [bold]./baton hotpatch {command}[/bold]\n\n{_EXITS}"


@hotpatch.command(epilog=_example("onboard --subscription 11111111-1111-1111-1111-111111111111"))
def onboard(
    subscription: Annotated[str, typer.Option(help="Id of the subscription.")],
    every: Annotated[str, typer.Option(hidden=True)] = "10s",
) -> None:
    """Register the preview features of Hotpatch and then the compute provider, where Azure still has them.

    It may take 15 minutes. Interrupted, it goes on where it was: Azure remembers.
    """
    from cli import say  # noqa: PLC0415 - only a verb pays for what it loads
    from cli.hotpatch import onboard as verb  # noqa: PLC0415

    raise typer.Exit(say.run(lambda: verb.run(subscription, every)))


@hotpatch.command(epilog=_example("status"))
def status(
    vm: Annotated[str | None, typer.Argument(help="Name or ARM id of one VM, read now.")] = None,
    subscription: _Subscription = None,
    output: _Output = "text",
    as_json: _Json = False,
) -> None:
    """Show how every watched VM stands, or one VM as Azure has it now, or a subscription."""
    from cli import say  # noqa: PLC0415
    from cli.hotpatch import status as verb  # noqa: PLC0415

    raise typer.Exit(
        say.run(lambda: verb.run(vm, subscription, as_json=as_json or output == "json"))
    )


@hotpatch.command(epilog=_example("enable shop-web-02"))
def enable(vm: _Vm) -> None:
    """Enrol a VM: patchMode AutomaticByPlatform, and hotpatching on."""
    from cli import say  # noqa: PLC0415
    from cli.hotpatch import enrol  # noqa: PLC0415

    raise typer.Exit(say.run(lambda: enrol.enable(vm)))


@hotpatch.command(epilog=_example("disable shop-web-02 --yes"))
def disable(
    vm: _Vm,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it, say what it means.")
    ] = False,
) -> None:
    """Take a VM out of Hotpatch. It can come back with the next baseline, and not before."""
    from cli import say  # noqa: PLC0415
    from cli.hotpatch import enrol  # noqa: PLC0415

    raise typer.Exit(say.run(lambda: enrol.disable(vm, yes=yes)))


@hotpatch.command(epilog=_example("calendar 2027 --svg calendar.svg"))
def calendar(
    year: Annotated[
        int | None, typer.Argument(min=2000, max=2199, help="Default: this one.")
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file.")] = None,
    output: _Output = "text",
    as_json: _Json = False,
) -> None:
    """Show a year's patch Tuesdays, and which of them make VMs with Hotpatch reboot."""
    from cli import say  # noqa: PLC0415
    from cli.hotpatch import calendar as verb  # noqa: PLC0415

    raise typer.Exit(
        say.run(lambda: verb.run(year, _clock(), svg=svg, as_json=as_json or output == "json"))
    )


@hotpatch.command(epilog=_example("assess shop-web-02"))
def assess(
    vm: _Vm,
    output: _Output = "text",
    as_json: _Json = False,
    every: Annotated[str, typer.Option(hidden=True)] = "5s",
) -> None:
    """Have a VM assessed now, and list what it lacks."""
    from cli import say  # noqa: PLC0415
    from cli.hotpatch import assess as verb  # noqa: PLC0415

    raise typer.Exit(say.run(lambda: verb.run(vm, every, as_json=as_json or output == "json")))


@hotpatch.command(epilog=_example("history shop-web-02"))
def history(vm: _Vm, output: _Output = "text", as_json: _Json = False) -> None:
    """List a VM's installations of the last 30 days, whoever asked for them."""
    from cli import say  # noqa: PLC0415
    from cli.hotpatch import history as verb  # noqa: PLC0415

    raise typer.Exit(say.run(lambda: verb.run(vm, as_json=as_json or output == "json")))


def _clock() -> datetime:
    from shared.adapters.system_clock import SystemClock  # noqa: PLC0415

    return SystemClock().now()
