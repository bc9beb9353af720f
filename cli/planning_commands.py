"""The commands that say what will be, what it costs, and what is missing for it."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.commands import Json, Output, Vm, clock, end, epilog, example

planning = typer.Typer(rich_markup_mode="rich")
_Policies = Annotated[Path | None, typer.Option(help="Policy rows as JSON or YAML; - for stdin.")]
_Fleet = Annotated[
    Path | None,
    typer.Option(help="VMs as Resource Manager answers them, with instance views (JSON)."),
]
_Locations = Annotated[
    Path | None,
    typer.Option(help="Locations as Resource Manager lists them: pairs and zones (JSON)."),
]
_Now = Annotated[
    str | None, typer.Option(help="As of this instant, with its offset; default: the clock.")
]


@planning.command(
    epilog=epilog("./baton plan --policies policies.yaml --fleet vms.json --html plan.html")
    + " A plan in which some VMs have no start is a plan: 0."
)
def plan(
    policies: _Policies = None,
    fleet: _Fleet = None,
    locations: _Locations = None,
    now: _Now = None,
    html: Annotated[Path | None, typer.Option(help="Draw it into this file, one page.")] = None,
    output: Output = "text",
    as_json: Json = False,
) -> None:
    """Show when each offered VM goes, and why one does not. Nothing is written.

    From files: a fleet on which nothing runs yet. Without files: the tables and Azure as they are now.
    """
    from cli import plan as verb  # noqa: PLC0415 - only a verb pays for what it loads
    from cli.given import Given  # noqa: PLC0415

    given = Given(policies=policies, fleet=fleet, locations=locations, now=now)
    end(lambda: verb.run(given, clock(), as_json=as_json or output == "json", html=html))


@planning.command(epilog=example("./baton simulate --policies policies.yaml --fleet vms.json"))
def simulate(
    seed: Annotated[
        int | None, typer.Option(min=0, help="Decides everything; default: a fresh one.")
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many, each with the next seed; default: 100, or 1 of --seed."
        ),
    ] = None,
    policies: _Policies = None,
    fleet: _Fleet = None,
    now: _Now = None,
    faults: Annotated[
        Literal["none", "mild", "wild"] | None,
        typer.Option(help="How much goes wrong; default: by chance, mild with a fleet."),
    ] = None,
) -> None:
    """Try to break every promise, on virtual time: the whole app, with anything going wrong.

    With your own policies and fleet: what would happen to your VMs, faults included.
    One run shows its timeline. Exits with 1 if a promise broke.
    """
    from cli.given import Given  # noqa: PLC0415
    from cli.simulation import command  # noqa: PLC0415

    given = Given(policies=policies, fleet=fleet, now=now)
    asked = command.Asked(given=given, seed=seed, runs=runs, faults=faults)
    end(lambda: command.run(asked, clock()))


@planning.command(epilog=epilog("./baton explain shop-web-02"))
def explain(
    vm: Vm,
    policies: _Policies = None,
    fleet: _Fleet = None,
    locations: _Locations = None,
    now: _Now = None,
    output: Output = "text",
    as_json: Json = False,
) -> None:
    """Say where a VM stands, why it goes now or does not, and what comes next.

    By the rules that Baton itself goes by: from files, or without them from the tables and Azure.
    """
    from cli import explain as verb  # noqa: PLC0415 - only a verb pays for what it loads
    from cli.given import Given  # noqa: PLC0415

    given = Given(policies=policies, fleet=fleet, locations=locations, now=now)
    end(lambda: verb.run(vm, given, clock(), as_json=as_json or output == "json"))


@planning.command(epilog=epilog("./baton approve shop/web --until 8h"))
def approve(
    policy_name: Annotated[
        str, typer.Argument(metavar="TEAM/POLICY", help="The policy whose rollout may go.")
    ],
    until: Annotated[
        str | None,
        typer.Option(help="It counts until then: an instant with its offset, or 8h from now."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who approves; default: this user.")] = None,
    output: Output = "text",
) -> None:
    """Let a rollout go whose policy has `approval` `required`."""
    from cli import approve as verb  # noqa: PLC0415 - only a verb pays for what it loads

    end(lambda: verb.run(policy_name, until, by, clock=clock(), as_json=output == "json"))


@planning.command(epilog=example("./baton cost --vms 5000 --redeploys 2000"))
def cost(
    vms: Annotated[int, typer.Option(min=1, help="In the fleet.")] = 1000,
    redeploys: Annotated[int, typer.Option(min=0, help="In the month.")] = 1000,
    memory: Annotated[
        Literal["512", "2048", "4096"] | None,
        typer.Option(help="MB of an instance; default: as infra deploys it."),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=1, max=120, help="That a VM is away in a redeploy.")
    ] = None,
    output: Output = "text",
    as_json: Json = False,
) -> None:
    """Say what a month costs: operations counted on the simulated Azure, at dated prices."""
    from cli import cost as verb  # noqa: PLC0415 - only a verb pays for what it loads

    gigabytes = int(memory) / 1024 if memory else None
    asked = verb.Asked(vms=vms, redeploys=redeploys, gigabytes=gigabytes, minutes=minutes)
    raise typer.Exit(verb.run(asked, as_json=as_json or output == "json"))


@planning.command(epilog=epilog("./baton doctor --output json"))
def doctor(
    output: Output = "text",
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Also send a mail to BATON_EMAIL_TO.")
    ] = False,
) -> None:
    """Look at everything that Baton needs, and name what is missing and its fix.

    As the identity that runs it. Nothing is changed, but for one row that is written and deleted.
    """
    from cli.doctor import command  # noqa: PLC0415
    from shared.adapters.system_clock import SystemClock  # noqa: PLC0415

    as_json = output == "json"
    end(lambda: command.run(os.environ, SystemClock(), as_json=as_json, send_test=send_test))
