"""The commands with which people see and steer what runs; each is a short function that calls its module."""

from typing import Annotated, Literal

import typer

steer = typer.Typer(rich_markup_mode="rich")

_EXITS = "Exit code: 0 done, 1 refused or failed, 2 an argument or a setting is unusable."
_Output = Annotated[
    Literal["text", "json"], typer.Option("--output", "-o", help="For people, or for programs.")
]
_By = Annotated[str | None, typer.Option(help="Who asks; default: this user.")]
_Reason = Annotated[str, typer.Option(help="Why; it is kept, and shown wherever it matters.")]
_Scope = Annotated[
    str,
    typer.Argument(metavar="[TEAM[/POLICY]]", help="A team or a policy; everything without it."),
]
_Vm = Annotated[str, typer.Argument(help="Its name or ARM id.")]


def _epilog(*examples: str) -> str:
    shown = "\n\n".join(f"Example: [bold]{example}[/bold]" for example in examples)
    return f"{shown}\n\n{_EXITS}"


@steer.command(epilog=_epilog("./baton status --watch", "./baton status --output json"))
def status(
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds.")] = False,
    output: _Output = "text",
) -> None:
    """Show what is away, what waits and why, what ended badly, and whether Baton is alive.

    From the tables alone; Azure is not asked.
    """
    from cli import say  # noqa: PLC0415 - only a verb pays for what it loads
    from cli import status as verb  # noqa: PLC0415

    raise typer.Exit(say.run(lambda: verb.run(as_json=output == "json", watch=watch)))


@steer.command(
    epilog=_epilog("./baton pause", "./baton pause shop/web --reason 'Black Friday until Monday'")
)
def pause(
    scope: _Scope = "", reason: _Reason = "", by: _By = None, output: _Output = "text"
) -> None:
    """Start nothing more: of everything, a team or a policy. What runs is finished; nothing is lost.

    It holds from the moment this returns until somebody resumes exactly that. A self-service window that
    closes meanwhile is missed, and Azure acts by itself.
    """
    from cli import say, steering  # noqa: PLC0415 - only a verb pays for what it loads

    request = steering.Request(by=by, reason=reason, as_json=output == "json")
    raise typer.Exit(say.run(lambda: steering.pause(scope, request)))


@steer.command(epilog=_epilog("./baton resume", "./baton resume shop/web"))
def resume(
    scope: _Scope = "", reason: _Reason = "", by: _By = None, output: _Output = "text"
) -> None:
    """End the pause of everything, a team or a policy; says what still holds it."""
    from cli import say, steering  # noqa: PLC0415 - only a verb pays for what it loads

    request = steering.Request(by=by, reason=reason, as_json=output == "json")
    raise typer.Exit(say.run(lambda: steering.resume(scope, request)))


@steer.command(epilog=_epilog("./baton skip shop-web-02 --reason 'migrated tomorrow'"))
def skip(vm: _Vm, reason: _Reason = "", by: _By = None, output: _Output = "text") -> None:
    """Leave a VM out of its maintenance: Azure does it by itself later, unless you `retry` the VM in time."""
    from cli import say, steering  # noqa: PLC0415 - only a verb pays for what it loads

    request = steering.Request(by=by, reason=reason, as_json=output == "json")
    raise typer.Exit(say.run(lambda: steering.skip(vm, request)))


@steer.command(
    name="go-ahead",
    epilog=_epilog("./baton go-ahead shop-web-02", "./baton go-ahead shop-web-02 --no"),
)
def go_ahead(
    vm: _Vm,
    no: Annotated[bool, typer.Option("--no", help="Refuse it: the VM is skipped.")] = False,
    reason: _Reason = "",
    by: _By = None,
    output: _Output = "text",
) -> None:
    """Answer a VM that asked for a go-ahead, as its policy's goAhead has it do when its turn comes."""
    from cli import say, steering  # noqa: PLC0415 - only a verb pays for what it loads

    request = steering.Request(by=by, reason=reason, as_json=output == "json")
    raise typer.Exit(say.run(lambda: steering.go_ahead(vm, request, allow=not no)))


@steer.command(epilog=_epilog("./baton retry shop-web-02 --reason 'disk is mended'"))
def retry(vm: _Vm, reason: _Reason = "", by: _By = None, output: _Output = "text") -> None:
    """Try a VM again that failed, was aborted or skipped, where no promise forbids it; says why not.

    The next discovery gives it a new job, under every rule of its policy. Its failure then halts nothing more.
    """
    from cli import say, steering  # noqa: PLC0415 - only a verb pays for what it loads

    request = steering.Request(by=by, reason=reason, as_json=output == "json")
    raise typer.Exit(say.run(lambda: steering.retry(vm, request)))


@steer.command(epilog=_epilog("./baton calendar shop > shop.ics"))
def calendar(team: Annotated[str, typer.Argument(help="Whose redeploys.")]) -> None:
    """Print a team's redeploys as an iCalendar file: planned, under way, done, cancelled.

    The app serves the same at /api/calendar/TEAM.ics, for calendars that subscribe.
    """
    from cli import say, steering  # noqa: PLC0415 - only a verb pays for what it loads

    raise typer.Exit(say.run(lambda: steering.calendar(team)))
