"""`./baton doctor`: what is missing and its fix first, then everything else."""

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from typing import Any

from rich.text import Text

from cli import say
from cli.doctor import azure, data, here
from cli.doctor.look import Look, look_at
from shared.adapters.arm import connect_arm
from shared.adapters.credentials import Identity, client_id
from shared.adapters.probe_arm import ArmProbe
from shared.adapters.probe_bus import BusProbe
from shared.adapters.tables import connect_tables
from shared.connections import connect_mailer, connect_receiver
from shared.domain import health
from shared.domain.errors import InvalidInput
from shared.domain.health import Finding, State
from shared.ports import Clock
from shared.settings import Settings, read_settings

_MARKS = {
    State.BROKEN: ("✖", "bold red"),
    State.UNKNOWN: ("?", "yellow"),
    State.NOTE: ("•", "cyan"),
    State.OK: ("✔", "green"),
}
# What of a connection string or an URL is nobody's business.
_SECRET = re.compile(r"(?:Key|Signature|sig|code)=([^;&]+)|//[^:/@]*:([^@/]+)@", re.IGNORECASE)


def run(environment: Mapping[str, str], clock: Clock, *, as_json: bool, send_test: bool) -> int:
    """Looks at everything and says what it found; 1 where something is broken, 2 where a setting is."""
    with _only_us_talking():
        findings = asyncio.run(examine(environment, clock, send_test=send_test))
    ordered = sorted(findings, key=lambda finding: list(State).index(finding.state))
    if as_json:
        say.answer(_document(ordered))
    else:
        _show(ordered)
    broken = [finding for finding in ordered if finding.state is State.BROKEN]
    if any(finding.name.startswith("setting ") for finding in broken):
        return say.BAD_INPUT
    return say.PROBLEMS if broken else say.OK


async def examine(
    environment: Mapping[str, str], clock: Clock, *, send_test: bool
) -> list[Finding]:
    """Every finding, in the order in which one thing needs another; no secret is in any."""
    findings = [*here.versions(), *here.strange_settings(environment)]
    try:
        settings = read_settings(environment)
    except InvalidInput as wrong:
        says = "not looked at, because a setting is wrong"
        rest = Finding(name="everything else", state=State.UNKNOWN, says=says)
        findings += [*here.wrong_settings(wrong), rest]
    else:
        findings += [here.right_settings(settings)]
        async with AsyncExitStack() as opened:
            findings += await look_at(_groups(settings, environment, clock, opened, send_test))
        findings += [health.mode(settings.mode)]
    return [_without_secrets(finding, environment) for finding in findings]


def _groups(
    settings: Settings,
    environment: Mapping[str, str],
    clock: Clock,
    opened: AsyncExitStack,
    send_test: bool,
) -> Iterator[list[Look]]:
    def identity(connection: str) -> Identity:
        found = Identity(client_id(environment, connection))
        opened.push_async_callback(found.close)
        return found

    credential = settings.arm_token or identity("BATON_ARM")
    probe = ArmProbe(settings.arm_url, credential, clock=clock)
    arm = connect_arm(settings.arm_url, credential, settings.subscriptions, clock=clock)
    opened.push_async_callback(probe.close)
    opened.push_async_callback(arm.close)
    yield azure.looks(probe, arm, settings.mode, clock)
    tables = connect_tables(
        settings.tables, settings.tables_endpoint, identity("BATON_TABLES"), settings.table_prefix
    )
    opened.push_async_callback(tables.close)
    yield data.of_tables(tables, clock)
    bus = BusProbe(settings.bus, settings.bus_namespace, identity("BATON_BUS"))
    opened.push_async_callback(bus.close)
    yield data.of_queue(bus, settings.jobs_queue, "BATON_JOBS_QUEUE")
    yield data.of_queue(bus, settings.alerts_queue, "BATON_ALERTS_QUEUE")
    mailer = connect_mailer(settings, clock, identity)
    if mailer:
        opened.push_async_callback(mailer.close)
    yield data.of_mail(mailer, settings, clock, send_test=send_test)
    receiver = connect_receiver(settings, clock, identity)
    if receiver:
        opened.push_async_callback(receiver.close)
        yield data.of_events(receiver)


def _without_secrets(finding: Finding, environment: Mapping[str, str]) -> Finding:
    """The SDKs' errors and ours name hosts and never keys; this holds even if one of them does not."""
    says, fix = finding.says, finding.fix
    for secret in _secrets(environment):
        says, fix = says.replace(secret, "***"), fix.replace(secret, "***")
    return replace(finding, says=says, fix=fix)


def _secrets(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if name.startswith("BATON_"):
            yield from (found for match in _SECRET.findall(value) for found in match if found)


@contextmanager
def _only_us_talking() -> Iterator[None]:
    """What the adapters and the SDKs would log, the findings say better."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _document(findings: Iterable[Finding]) -> dict[str, Any]:
    told = [
        {"name": one.name, "state": str(one.state), "says": one.says, "fix": one.fix}
        for one in findings
    ]
    return {"healthy": all(one["state"] != State.BROKEN for one in told), "findings": told}


def _show(findings: list[Finding]) -> None:
    console = say.console()
    broken = [finding for finding in findings if finding.state is State.BROKEN]
    if broken:
        things = "one thing" if len(broken) == 1 else f"{len(broken)} things"
        console.print(f"Baton needs {things}; begin with the first.", style="bold red")
    else:
        console.print("Baton is well.", style="bold green")
    for finding in findings:
        mark, style = _MARKS[finding.state]
        console.print(Text.assemble((f"{mark} {finding.name}", style), f": {finding.says}"))
        if finding.fix:
            console.print(Text(f"  fix: {finding.fix}", style="italic"))
