"""`./baton policy ...`: one short function per verb, as in `__main__`, and as light to import."""

from pathlib import Path
from typing import Annotated, Literal

import typer

policy = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The rows of BatonPolicies: check a file, apply it, list and export what is there.",
)
_Output = Annotated[
    Literal["text", "json"], typer.Option("--output", "-o", help="For people, or for programs.")
]
_Json = Annotated[bool, typer.Option("--json", help="As --output json.")]
_PolicyFile = Annotated[
    Path,
    typer.Argument(help="Rows as JSON or YAML; - for stdin. docs/policies.md has the columns."),
]
_EXITS = "Exit code: 0 done, 1 something is wrong or failed, 2 an argument, a file or a setting is unusable."


def _example(command: str) -> str:
    return f"Example: [bold]./baton policy {command}[/bold]\n\n{_EXITS}"


@policy.command(epilog=_example("validate policies.yaml --fleet vms.json"))
def validate(
    file: _PolicyFile,
    fleet: Annotated[
        Path | None,
        typer.Option(help="VMs as Resource Manager lists them (JSON), to find ties and idle rows."),
    ] = None,
    output: _Output = "text",
    as_json: _Json = False,
) -> None:
    """Say everything that is wrong with a file of policies: row, line, column, value, and the fix."""
    from cli import policy_check, say  # noqa: PLC0415 - only a verb pays for what it loads
    from shared.adapters.system_clock import SystemClock  # noqa: PLC0415

    now = SystemClock().now()
    raise typer.Exit(
        say.run(
            lambda: policy_check.validate(file, fleet, as_json=as_json or output == "json", now=now)
        )
    )


@policy.command(epilog=_example("apply policies.yaml"))
def apply(
    file: _PolicyFile,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete the rows that the file does not have.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do delete them, after --prune.")] = False,
    output: _Output = "text",
    as_json: _Json = False,
) -> None:
    """Make the table's rows as the file has them; Baton's own columns of a row stay.

    Nothing is written where any row is wrong.
    """
    from cli import policies, say  # noqa: PLC0415

    raise typer.Exit(
        say.run(
            lambda: policies.apply(file, prune=prune, yes=yes, as_json=as_json or output == "json")
        )
    )


@policy.command("list", epilog=_example("list"))
def list_policies(output: _Output = "text", as_json: _Json = False) -> None:
    """List the policies, and what Baton says of each."""
    from cli import policies, say  # noqa: PLC0415

    raise typer.Exit(say.run(lambda: policies.show(as_json=as_json or output == "json")))


@policy.command(epilog=_example("export --format json > policies.json"))
def export(
    form: Annotated[
        Literal["yaml", "json"], typer.Option("--format", help="Form of the file.")
    ] = "yaml",
) -> None:
    """Print the policies as a file that `validate` and `apply` take."""
    from cli import policies, say  # noqa: PLC0415

    raise typer.Exit(say.run(lambda: policies.export(as_json=form == "json")))
