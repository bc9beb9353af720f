"""The command that gives a shell what it needs to complete the others."""

import os
from typing import Annotated, Literal

import typer

from cli.commands import become, example

COMPLETE = "_BATON_COMPLETE"
"""Set by a shell that asks for completions."""
shell = typer.Typer(rich_markup_mode="rich")


@shell.command(epilog=example('eval "$(./baton completion bash)"'))
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Whose script.")],
) -> None:
    """Print a script that has your shell complete commands and options of `./baton`."""
    os.environ[COMPLETE] = f"source_{shell}"
    become("cli")
