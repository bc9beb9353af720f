"""`./baton hotpatch ...`: one short function per verb, as light to import as the others."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands import Json, Output, Vm, clock, end, epilog

hotpatch = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Hotpatch: enrol subscriptions and VMs, see how each stands, and the calendar of reboots.",
)
_Subscription = Annotated[
    str | None, typer.Option(help="Id of a subscription: how far its onboarding is.")
]


@hotpatch.command(
    epilog=epilog("./baton hotpatch onboard --subscription 11111111-1111-1111-1111-111111111111")
)
def onboard(
    subscription: Annotated[str, typer.Option(help="Id of the subscription.")],
    every: Annotated[str, typer.Option(hidden=True)] = "10s",
) -> None:
    """Register the preview features of Hotpatch and then the compute provider, where Azure still has them.

    It may take 15 minutes. Interrupted, it goes on where it was: Azure remembers.
    """
    from cli.hotpatch import onboard as verb  # noqa: PLC0415

    end(lambda: verb.run(subscription, every))


@hotpatch.command(epilog=epilog("./baton hotpatch status"))
def status(
    vm: Annotated[str | None, typer.Argument(help="Name or ARM id of one VM, read now.")] = None,
    subscription: _Subscription = None,
    output: Output = "text",
    as_json: Json = False,
) -> None:
    """Show how every watched VM stands, or one VM as Azure has it now, or a subscription."""
    from cli.hotpatch import status as verb  # noqa: PLC0415

    end(lambda: verb.run(vm, subscription, as_json=as_json or output == "json"))


@hotpatch.command(epilog=epilog("./baton hotpatch enable shop-web-02"))
def enable(vm: Vm) -> None:
    """Enrol a VM: patchMode AutomaticByPlatform, and hotpatching on."""
    from cli.hotpatch import enrol  # noqa: PLC0415

    end(lambda: enrol.enable(vm))


@hotpatch.command(epilog=epilog("./baton hotpatch disable shop-web-02 --yes"))
def disable(
    vm: Vm,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it, say what it means.")
    ] = False,
) -> None:
    """Take a VM out of Hotpatch. It can come back with the next baseline, and not before."""
    from cli.hotpatch import enrol  # noqa: PLC0415

    end(lambda: enrol.disable(vm, yes=yes))


@hotpatch.command(epilog=epilog("./baton hotpatch calendar 2027 --svg calendar.svg"))
def calendar(
    year: Annotated[
        int | None, typer.Argument(min=2000, max=2199, help="Default: this one.")
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw it into this file.")] = None,
    output: Output = "text",
    as_json: Json = False,
) -> None:
    """Show a year's patch Tuesdays, and which of them make VMs with Hotpatch reboot."""
    from cli.hotpatch import calendar as verb  # noqa: PLC0415

    end(lambda: verb.run(year, clock(), svg=svg, as_json=as_json or output == "json"))


@hotpatch.command(epilog=epilog("./baton hotpatch assess shop-web-02"))
def assess(
    vm: Vm,
    output: Output = "text",
    as_json: Json = False,
    every: Annotated[str, typer.Option(hidden=True)] = "5s",
) -> None:
    """Have a VM assessed now, and list what it lacks."""
    from cli.hotpatch import assess as verb  # noqa: PLC0415

    end(lambda: verb.run(vm, every, as_json=as_json or output == "json"))


@hotpatch.command(epilog=epilog("./baton hotpatch history shop-web-02"))
def history(vm: Vm, output: Output = "text", as_json: Json = False) -> None:
    """List a VM's installations of the last 30 days, whoever asked for them."""
    from cli.hotpatch import history as verb  # noqa: PLC0415

    end(lambda: verb.run(vm, as_json=as_json or output == "json"))
