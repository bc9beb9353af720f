"""Somebody's terminal in the simulation: it never fails, and its requests take no time to speak of."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from cli.simulation.arm import SimulatedArm
from cli.simulation.dice import Dice
from cli.simulation.faults import NONE, Faults
from cli.simulation.process import Process, Wire
from cli.simulation.site import Site
from cli.simulation.tables import Client as TableClient
from shared.adapters.table_jobs import TableJobs
from shared.adapters.table_pauses import TablePauses
from shared.adapters.table_policies import TablePolicies
from shared.adapters.tables import TableService
from shared.domain.errors import BatonError, InvalidInput
from shared.use_cases.approve import Approve
from shared.use_cases.asking import Asked
from shared.use_cases.give_go_ahead import GiveGoAhead
from shared.use_cases.pause_policies import PausePolicies
from shared.use_cases.resume_policies import ResumePolicies
from shared.use_cases.retry_vm import RetryVm
from shared.use_cases.skip_vm import SkipVm

_ANNA = Asked("anna")


class Desk:
    """What people ask for, by the same use cases as at a real terminal."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._process = Process(0, timedelta(0), site.loop, site.trace)
        wire = Wire(self._process, Faults(level=NONE, dice=Dice(0, "desk"), until=0.0))
        client: Any = TableClient(site.account, wire)
        tables = TableService(lambda: client, endpoint="simulated", prefix="Baton")
        self._jobs = TableJobs(tables)
        stores: dict[str, Any] = {
            "clock": self._process,
            "jobs": self._jobs,
            "policies": TablePolicies(tables),
            "pauses": TablePauses(tables),
        }
        self._pause, self._resume = PausePolicies(**stores), ResumePolicies(**stores)
        self._skip = SkipVm(clock=self._process, jobs=self._jobs)
        self._go_ahead = GiveGoAhead(clock=self._process, jobs=self._jobs)
        vms = SimulatedArm(site.azure, wire, site.of_start)
        self._retry = RetryVm(clock=self._process, vms=vms, jobs=self._jobs)

    def approve(self, team: str, name: str, counts_for: timedelta | None) -> None:
        """Somebody approves the rollout that acts."""
        until = self._process.now() + counts_for if counts_for else None

        async def work() -> None:
            with suppress(InvalidInput):  # nothing waits
                await Approve(clock=self._process, jobs=self._jobs)(
                    team, name, by=_ANNA.by, until=until
                )

        self._process.handle(f"approve {team}/{name}", work, lambda _: None)

    def ask(self, verb: str, what: tuple[str, str]) -> None:
        """Somebody pauses, resumes, skips or retries; whatever is refused is refused."""
        site, (first, second) = self._site, what

        async def pause() -> None:
            await self._pause(first, second, asked=_ANNA)
            site.watch.paused(site.now, (first, second))

        work: dict[str, Callable[[], Awaitable[object]]] = {
            "pause": pause,
            "resume": lambda: self._resume(first, second, asked=_ANNA),
            "skip": lambda: self._skip(first, asked=_ANNA),
            "retry": lambda: self._retry(first, asked=_ANNA),
            "go": lambda: self._go_ahead(first, allow=True, asked=_ANNA),
            "noGo": lambda: self._go_ahead(first, allow=False, asked=_ANNA),
        }

        async def handle() -> None:
            with suppress(BatonError):
                await work[verb]()

        name = "/".join(filter(None, what)) or "everything"
        site.say("people", f"{verb} {name}")
        self._process.handle(f"{verb} {name}", handle, lambda _: None)
