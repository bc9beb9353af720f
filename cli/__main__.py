"""The `baton` command: its groups of commands, in the order in which the help lists them.

A command is a short function that calls a module; only light modules are imported before it is called.
"""

import os

import typer
from typer.completion import completion_init  # type: ignore[attr-defined] # it re-exports it

from cli.completion_command import COMPLETE, shell
from cli.hotpatch.commands import hotpatch
from cli.laptop_commands import laptop
from cli.planning_commands import planning
from cli.policy_commands import policy
from cli.project_commands import project
from cli.steer_commands import steer

app = typer.Typer(
    name="baton",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Does planned VM maintenance before Azure does it to you.",
)
for commands in (project, laptop, planning, shell):
    app.add_typer(commands)
app.add_typer(policy, name="policy")
app.add_typer(steer)
app.add_typer(hotpatch, name="hotpatch")

if COMPLETE in os.environ:
    completion_init()
app(prog_name="./baton", complete_var=COMPLETE)
