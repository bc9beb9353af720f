"""`./baton policy ...`: one short function per verb, as light to import as the others."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.commands import Json, Output, clock, end, epilog

policy = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The rows of BatonPolicies: check a file, apply it, list and export what is there.",
)
_PolicyFile = Annotated[
    Path,
    typer.Argument(help="Rows as JSON or YAML; - for stdin. docs/policies.md has the columns."),
]


@policy.command(epilog=epilog("./baton policy validate policies.yaml --fleet vms.json"))
def validate(
    file: _PolicyFile,
    fleet: Annotated[
        Path | None,
        typer.Option(help="VMs as Resource Manager lists them (JSON), to find ties and idle rows."),
    ] = None,
    output: Output = "text",
    as_json: Json = False,
) -> None:
    """Say everything that is wrong with a file of policies: row, line, column, value, and the fix."""
    from cli import policy_check  # noqa: PLC0415 - only a verb pays for what it loads

    as_json = as_json or output == "json"
    end(lambda: policy_check.validate(file, fleet, as_json=as_json, now=clock()))


@policy.command(epilog=epilog("./baton policy apply policies.yaml"))
def apply(
    file: _PolicyFile,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete the rows that the file does not have.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do delete them, after --prune.")] = False,
    output: Output = "text",
    as_json: Json = False,
) -> None:
    """Make the table's rows as the file has them; Baton's own columns of a row stay.

    Nothing is written where any row is wrong.
    """
    from cli import policies  # noqa: PLC0415

    as_json = as_json or output == "json"
    end(lambda: policies.apply(file, prune=prune, yes=yes, as_json=as_json))


@policy.command("list", epilog=epilog("./baton policy list"))
def list_policies(output: Output = "text", as_json: Json = False) -> None:
    """List the policies, and what Baton says of each."""
    from cli import policies  # noqa: PLC0415

    end(lambda: policies.show(as_json=as_json or output == "json"))


@policy.command(epilog=epilog("./baton policy export --format json > policies.json"))
def export(
    form: Annotated[
        Literal["yaml", "json"], typer.Option("--format", help="Form of the file.")
    ] = "yaml",
) -> None:
    """Print the policies as a file that `validate` and `apply` take."""
    from cli import policies  # noqa: PLC0415

    end(lambda: policies.export(as_json=form == "json"))
