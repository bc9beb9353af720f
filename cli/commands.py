"""What the commands share: options, what stands below their help, and how they end.

As light to import as the commands themselves: each loads what it does when it is called, so that
`./baton --help` answers at once.
"""

import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, NoReturn

import typer

from cli.paths import ROOT

Output = Annotated[
    Literal["text", "json"], typer.Option("--output", "-o", help="For people, or for programs.")
]
Json = Annotated[bool, typer.Option("--json", help="As --output json.")]
Vm = Annotated[str, typer.Argument(help="Its name or ARM id.")]
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
"""For a command that hands what it does not know to another."""
_EXITS = "Exit code: 0 done, 1 something is wrong or failed, 2 an argument, a file or a setting is unusable."


def example(*commands: str) -> str:
    """Examples, below the help of a command."""
    return "\n\n".join(f"Example: [bold]{command}[/bold]" for command in commands)


def epilog(*commands: str) -> str:
    """Examples and the exit codes, below the help of an operator's verb."""
    return f"{example(*commands)}\n\n{_EXITS}"


def end(verb: Callable[[], int]) -> NoReturn:
    """Does what the verb does, and ends with its exit code; errors are told as `say` does."""
    from cli import say  # noqa: PLC0415 - only a verb pays for what it loads

    raise typer.Exit(say.run(verb))


def clock() -> datetime:
    """Now."""
    from shared.adapters.system_clock import SystemClock  # noqa: PLC0415 - as `end`

    return SystemClock().now()


def become(module: str, *arguments: str) -> NoReturn:
    """Go on as another module: signals, output and the exit code are then its own."""
    os.chdir(ROOT)
    sys.stdout.flush()
    command = [sys.executable, "-m", module, *arguments]
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted
