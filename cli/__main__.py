"""The `baton` command: one short function per verb. What a verb does is in the module it calls.

Only light modules are imported here, so that `./baton --help` answers at once.
"""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer.completion import completion_init  # type: ignore[attr-defined] # it re-exports it

from cli import checks, locks
from cli.hotpatch.commands import hotpatch
from cli.paths import ROOT
from cli.policy_commands import policy
from cli.steer_commands import steer

app = typer.Typer(
    name="baton",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Does planned VM maintenance before Azure does it to you.",
)
app.add_typer(policy, name="policy")
app.add_typer(steer)
app.add_typer(hotpatch, name="hotpatch")
_COMPLETE = "_BATON_COMPLETE"
"""Set by a shell that asks for completions."""
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

_EXITS = "Exit code: 0 done, 1 something is wrong or failed, 2 an argument, a file or a setting is unusable."
_Json = Annotated[bool, typer.Option("--json", help="As --output json.")]
_Output = Annotated[Literal["text", "json"], typer.Option(help="json: for programs.")]
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


def _example(command: str) -> str:
    return f"Example: [bold]{command}[/bold]"


@app.command(context_settings=_PASS_ON, epilog=_example("./baton test tests/unit -k window"))
def test(context: typer.Context) -> None:
    """Run every test a laptop can run. What follows is passed on to pytest."""
    # Two workers: the slow tests wait for processes rather than compute. Tests of one file
    # stay together, so that two demos never meet in one folder; and in the order of the folders
    # the longest files come early, so that no worker is left alone with one at the end.
    options = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", *context.args]
    _become("pytest", *options)


@app.command(epilog=_example("./baton check"))
def check() -> None:
    """Check format, lint, types, import contracts, spelling, and that the locks follow pyproject."""
    findings = checks.run_checks()
    raise typer.Exit(code=int(not all(finding.passed for finding in findings)))


@app.command(epilog=_example("./baton package released-package.zip"))
def package(
    out: Annotated[Path, typer.Argument(help="The zip to write.")] = Path("released-package.zip"),
) -> None:
    """Write what is deployed to Azure as a zip, with its libraries in it. docs/deploy.md says when."""
    from cli.package import build  # noqa: PLC0415 - for this alone
    from cli.say import run  # noqa: PLC0415 - rich, which nobody else here needs

    def verb() -> int:
        print(f"{out}: {build(out) / 2**20:.1f} MiB")
        return 0

    raise typer.Exit(code=run(verb))


@app.command(epilog=_example("./baton fix --upgrade"))
def fix(
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Move every package to its newest fitting version.")
    ] = False,
) -> None:
    """Repair what `check` can repair by itself: format, lint fixes, lock files."""
    repaired = checks.fix()
    try:
        if locks.write(upgrade=upgrade):
            print("Lock files written; the next ./baton installs them.")
    except locks.LockError as error:
        print(f"Lock files left as they were: {error}", file=sys.stderr)
        repaired = False
    raise typer.Exit(code=int(not repaired))


@app.command(epilog=_example("./baton bench plan"))
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which benchmarks; all where none is named.")
    ] = None,
) -> None:
    """Measure, and print the results as JSON lines."""
    from cli.bench import run_benches  # noqa: PLC0415 - it loads what it measures

    raise typer.Exit(code=run_benches(names or []))


@app.command(epilog=_example("./baton screenshots"))
def screenshots() -> None:
    """Take the page's pictures in docs/ anew."""
    from cli.screenshots import take  # noqa: PLC0415 - it starts a cloud and a browser

    raise typer.Exit(code=take())


@app.command(context_settings=_PASS_ON, epilog=_example("BATON_MODE=live ./baton host --port 7071"))
def host(context: typer.Context) -> None:
    """Run the app on the endpoints that the BATON_... settings name, in the foreground.

    Prints `ready` once it listens, stops cleanly on SIGTERM. Options are those of the trigger host
    (simulator/host).
    """
    _become("simulator.host", *context.args)


@app.command(epilog=_example("./baton demo lying"))
def demo(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario, or a path to a .toml file.")
    ] = "default",
    plain: Annotated[
        bool, typer.Option("--plain", help="Lines of progress instead of the live picture.")
    ] = False,
    acs: Annotated[
        bool, typer.Option("--acs", help="Mail by Communication Services' wire instead of SMTP.")
    ] = False,
    record: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Watch a fleet go through a maintenance, on real protocols, with a verdict on every promise."""
    from cli.demo import run_demo  # noqa: PLC0415 - it loads the SDKs

    raise typer.Exit(code=run_demo(scenario, plain=plain, acs=acs, record=record))


@app.command(epilog=_example("./baton chaos --kills 60 --seed 7"))
def chaos(
    scenario: Annotated[
        str, typer.Argument(help="Name of a built-in scenario, or a path to a .toml file.")
    ] = "chaos",
    kills: Annotated[int, typer.Option(help="How often the host is killed with SIGKILL.")] = 60,
    seed: Annotated[
        int | None, typer.Option(help="Of faults and kills; a new one each time by default.")
    ] = None,
) -> None:
    """Let every service misbehave and kill the host every few seconds; a verdict on every promise."""
    from cli.chaos import run_chaos  # noqa: PLC0415 - it loads the SDKs

    raise typer.Exit(code=run_chaos(scenario, kills=kills, seed=seed))


@app.command(epilog=_example("./baton up --scenario edited"))
def up(
    scenario: Annotated[
        str, typer.Option(help="Name of a built-in scenario, or a path to a .toml file.")
    ] = "default",
    host: Annotated[
        bool, typer.Option(help="Start the app's trigger host too, or leave that to you.")
    ] = True,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay here; Ctrl-C ends it.")
    ] = False,
) -> None:
    """Start the laptop cloud on its usual ports and leave it running."""
    from cli import laptop  # noqa: PLC0415 - it loads the table SDK

    start = laptop.serve if foreground else laptop.up
    raise typer.Exit(code=start(scenario, host=host))


@app.command(epilog=_example("./baton down"))
def down() -> None:
    """End what `up` started."""
    from cli import laptop  # noqa: PLC0415 - it loads the table SDK

    raise typer.Exit(code=laptop.down())


@app.command(
    epilog=f"{_example('./baton plan --policies policies.yaml --fleet vms.json --html plan.html')}"
    f"\n\n{_EXITS} A plan in which some VMs have no start is a plan: 0."
)
def plan(
    policies: _Policies = None,
    fleet: _Fleet = None,
    locations: _Locations = None,
    now: _Now = None,
    html: Annotated[Path | None, typer.Option(help="Draw it into this file, one page.")] = None,
    output: _Output = "text",
    as_json: _Json = False,
) -> None:
    """Show when each offered VM goes, and why one does not. Nothing is written.

    From files: a fleet on which nothing runs yet. Without files: the tables and Azure as they are now.
    """
    from cli import plan as verb  # noqa: PLC0415 - only a verb pays for what it loads
    from cli import say  # noqa: PLC0415
    from cli.given import Given  # noqa: PLC0415

    given = Given(policies=policies, fleet=fleet, locations=locations, now=now)
    raise typer.Exit(
        say.run(lambda: verb.run(given, _clock(), as_json=as_json or output == "json", html=html))
    )


@app.command(epilog=_example("./baton simulate --policies policies.yaml --fleet vms.json"))
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
    from cli import say  # noqa: PLC0415 - only a verb pays for what it loads
    from cli.given import Given  # noqa: PLC0415
    from cli.simulation import command  # noqa: PLC0415

    given = Given(policies=policies, fleet=fleet, now=now)
    asked = command.Asked(given=given, seed=seed, runs=runs, faults=faults)
    raise typer.Exit(say.run(lambda: command.run(asked, _clock())))


@app.command(epilog=f"{_example('./baton explain shop-web-02')}\n\n{_EXITS}")
def explain(
    vm: Annotated[str, typer.Argument(help="Its name or ARM id.")],
    policies: _Policies = None,
    fleet: _Fleet = None,
    locations: _Locations = None,
    now: _Now = None,
    output: _Output = "text",
    as_json: _Json = False,
) -> None:
    """Say where a VM stands, why it goes now or does not, and what comes next.

    By the rules that Baton itself goes by: from files, or without them from the tables and Azure.
    """
    from cli import explain as verb  # noqa: PLC0415 - only a verb pays for what it loads
    from cli import say  # noqa: PLC0415
    from cli.given import Given  # noqa: PLC0415

    given = Given(policies=policies, fleet=fleet, locations=locations, now=now)
    raise typer.Exit(
        say.run(lambda: verb.run(vm, given, _clock(), as_json=as_json or output == "json"))
    )


@app.command(epilog=f"{_example('./baton approve shop/web --until 8h')}\n\n{_EXITS}")
def approve(
    policy_name: Annotated[
        str, typer.Argument(metavar="TEAM/POLICY", help="The policy whose rollout may go.")
    ],
    until: Annotated[
        str | None,
        typer.Option(help="It counts until then: an instant with its offset, or 8h from now."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who approves; default: this user.")] = None,
    output: _Output = "text",
) -> None:
    """Let a rollout go whose policy has `approval` `required`."""
    from cli import approve as verb  # noqa: PLC0415 - only a verb pays for what it loads
    from cli import say  # noqa: PLC0415

    as_json = output == "json"
    raise typer.Exit(
        say.run(lambda: verb.run(policy_name, until, by, clock=_clock(), as_json=as_json))
    )


@app.command(epilog=_example("./baton cost --vms 5000 --redeploys 2000"))
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
    output: _Output = "text",
    as_json: _Json = False,
) -> None:
    """Say what a month costs: operations counted on the simulated Azure, at dated prices."""
    from cli import cost as verb  # noqa: PLC0415 - only a verb pays for what it loads

    gigabytes = int(memory) / 1024 if memory else None
    asked = verb.Asked(vms=vms, redeploys=redeploys, gigabytes=gigabytes, minutes=minutes)
    raise typer.Exit(verb.run(asked, as_json=as_json or output == "json"))


@app.command(epilog=f"{_example('./baton doctor --output json')}\n\n{_EXITS}")
def doctor(
    output: _Output = "text",
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Also send a mail to BATON_EMAIL_TO.")
    ] = False,
) -> None:
    """Look at everything that Baton needs, and name what is missing and its fix.

    As the identity that runs it. Nothing is changed, but for one row that is written and deleted.
    """
    from cli import say  # noqa: PLC0415 - only a verb pays for what it loads
    from cli.doctor import command  # noqa: PLC0415
    from shared.adapters.system_clock import SystemClock  # noqa: PLC0415

    as_json, clock = output == "json", SystemClock()
    raise typer.Exit(
        say.run(lambda: command.run(os.environ, clock, as_json=as_json, send_test=send_test))
    )


@app.command(epilog=_example('eval "$(./baton completion bash)"'))
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Whose script.")],
) -> None:
    """Print a script that has your shell complete commands and options of `./baton`."""
    os.environ[_COMPLETE] = f"source_{shell}"
    _become("cli")


def _clock() -> datetime:
    from shared.adapters.system_clock import SystemClock  # noqa: PLC0415

    return SystemClock().now()


def _become(module: str, *arguments: str) -> None:
    """Go on as another module: signals, output and the exit code are then its own."""
    os.chdir(ROOT)
    sys.stdout.flush()
    command = [sys.executable, "-m", module, *arguments]
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if _COMPLETE in os.environ:
    completion_init()
app(prog_name="./baton", complete_var=_COMPLETE)
