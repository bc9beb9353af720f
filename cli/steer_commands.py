"""The commands with which people see and steer what runs; each is a short function that calls its module."""

from typing import Annotated

import typer

from cli.commands import Output, Vm, end, epilog

steer = typer.Typer(rich_markup_mode="rich")

_By = Annotated[str | None, typer.Option(help="Who asks; default: this user.")]
_Reason = Annotated[str, typer.Option(help="Why; it is kept, and shown wherever it matters.")]
_Scope = Annotated[
    str,
    typer.Argument(metavar="[TEAM[/POLICY]]", help="A team or a policy; everything without it."),
]


@steer.command(epilog=epilog("./baton status --watch", "./baton status --output json"))
def status(
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds.")] = False,
    output: Output = "text",
) -> None:
    """Show what is away, what waits and why, what ended badly, and whether Baton is alive.

    From the tables alone; Azure is not asked.
    """
    from cli import status as verb  # noqa: PLC0415 - only a verb pays for what it loads

    end(lambda: verb.run(as_json=output == "json", watch=watch))


@steer.command(
    epilog=epilog("./baton pause", "./baton pause shop/web --reason 'Black Friday until Monday'")
)
def pause(
    scope: _Scope = "", reason: _Reason = "", by: _By = None, output: Output = "text"
) -> None:
    """Start nothing more: of everything, a team or a policy. What runs is finished; nothing is lost.

    It holds from the moment this returns until somebody resumes exactly that. A self-service window that
    closes meanwhile is missed, and Azure acts by itself.
    """
    from cli import steering  # noqa: PLC0415 - only a verb pays for what it loads

    request = steering.Request(by=by, reason=reason, as_json=output == "json")
    end(lambda: steering.pause(scope, request))


@steer.command(epilog=epilog("./baton resume", "./baton resume shop/web"))
def resume(
    scope: _Scope = "", reason: _Reason = "", by: _By = None, output: Output = "text"
) -> None:
    """End the pause of everything, a team or a policy; says what still holds it."""
    from cli import steering  # noqa: PLC0415 - only a verb pays for what it loads

    request = steering.Request(by=by, reason=reason, as_json=output == "json")
    end(lambda: steering.resume(scope, request))


@steer.command(epilog=epilog("./baton skip shop-web-02 --reason 'migrated tomorrow'"))
def skip(vm: Vm, reason: _Reason = "", by: _By = None, output: Output = "text") -> None:
    """Leave a VM out of its maintenance: Azure does it by itself later, unless you `retry` the VM in time."""
    from cli import steering  # noqa: PLC0415 - only a verb pays for what it loads

    request = steering.Request(by=by, reason=reason, as_json=output == "json")
    end(lambda: steering.skip(vm, request))


@steer.command(
    name="go-ahead",
    epilog=epilog("./baton go-ahead shop-web-02", "./baton go-ahead shop-web-02 --no"),
)
def go_ahead(
    vm: Vm,
    no: Annotated[bool, typer.Option("--no", help="Refuse it: the VM is skipped.")] = False,
    reason: _Reason = "",
    by: _By = None,
    output: Output = "text",
) -> None:
    """Answer a VM that asked for a go-ahead, as its policy's goAhead has it do when its turn comes."""
    from cli import steering  # noqa: PLC0415 - only a verb pays for what it loads

    request = steering.Request(by=by, reason=reason, as_json=output == "json")
    end(lambda: steering.go_ahead(vm, request, allow=not no))


@steer.command(epilog=epilog("./baton retry shop-web-02 --reason 'disk is mended'"))
def retry(vm: Vm, reason: _Reason = "", by: _By = None, output: Output = "text") -> None:
    """Try a VM again that failed, was aborted or skipped, where no promise forbids it; says why not.

    The next discovery gives it a new job, under every rule of its policy. Its failure then halts nothing more.
    """
    from cli import steering  # noqa: PLC0415 - only a verb pays for what it loads

    request = steering.Request(by=by, reason=reason, as_json=output == "json")
    end(lambda: steering.retry(vm, request))


@steer.command(epilog=epilog("./baton calendar shop > shop.ics"))
def calendar(team: Annotated[str, typer.Argument(help="Whose redeploys.")]) -> None:
    """Print a team's redeploys as an iCalendar file: planned, under way, done, cancelled.

    The app serves the same at /api/calendar/TEAM.ics, for calendars that subscribe.
    """
    from cli import steering  # noqa: PLC0415 - only a verb pays for what it loads

    end(lambda: steering.calendar(team))
