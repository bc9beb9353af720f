"""The app deployed: worker processes that come and go, their timers and their triggers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cli.simulation.arm import SimulatedArm
from cli.simulation.bus import Broker, Letter
from cli.simulation.bus import Client as BusClient
from cli.simulation.dice import Dice
from cli.simulation.hook import SimulatedReceiver
from cli.simulation.patches import SimulatedPatches
from cli.simulation.process import Process, Wire
from cli.simulation.relay import SimulatedMailer
from cli.simulation.site import Site
from cli.simulation.tables import Client as TableClient
from shared.adapters.letters import write_mail
from shared.adapters.messages import decode
from shared.adapters.service_bus import ServiceBus
from shared.adapters.table_alerts import TableAlerts
from shared.adapters.table_jobs import TableJobs
from shared.adapters.table_outbox import TableOutbox
from shared.adapters.table_outcomes import TableOutcomes
from shared.adapters.table_patches import TablePatches
from shared.adapters.table_pauses import TablePauses
from shared.adapters.table_policies import TablePolicies
from shared.adapters.tables import TableService
from shared.bootstrap import Services, build
from shared.domain.mode import Mode
from shared.outside import Outside
from shared.settings import read_settings
from shared.use_cases.report_dead_letter import DeadLetter
from shared.use_cases.send_events import Outgoing

# Until a process that died is replaced.
_REPLACED_SECONDS = (1.0, 60.0)


@dataclass(frozen=True, slots=True)
class Worker:
    """A process and the app in it."""

    process: Process
    app: Services


class Deployment:
    """Baton on some worker processes.

    Attributes:
        broker: Its two queues.
    """

    def __init__(self, site: Site) -> None:
        seed = site.setup.seed
        self.broker = Broker(site.loop, site.faults, site.trace, self._handle)
        self._site = site
        self._settings = read_settings(site.setup.settings)
        self._workers: list[Worker] = []
        self._dice = Dice(seed, "deployment")
        self._skews = Dice(seed, "clocks")
        self._jitter = Dice(seed, "jitter")
        self._made = 0

    def begin(self) -> None:
        """Starts the processes and the timers."""
        setup, loop = self._site.setup, self._site.loop
        for _ in range(setup.processes):
            self._new_worker()
        loop.call_soon(self._discover)
        loop.call_later(30.0, self._sweep)
        if setup.looks_at_patches:
            loop.call_soon(self._look_at_patches)

    def longest(self) -> timedelta:
        """How long after the last window closed, and all faults and edits ended, all must be done with.

        The longest redeploy, two rounds of every timer, a digest, and the longest wait for the mail relay:
        ten minutes after a refusal, a lease, and a late message.
        """
        setup, settings = self._site.setup, self._settings
        rounds = 2 * (setup.discovery + setup.sweep + 4 * settings.check_interval)
        return settings.redeploy_timeout + rounds + settings.alert_digest + timedelta(minutes=15)

    def deploy(self, mode: str) -> None:
        """Replaces every process by one with another BATON_MODE."""
        self._settings = replace(self._settings, mode=Mode(mode))
        for worker in list(self._workers):
            worker.process.die("to be replaced")

    # --- processes ----------------------------------------------------------------------------------

    def _new_worker(self) -> None:
        self._made += 1
        off = self._site.setup.level.skew_seconds
        skew = timedelta(seconds=self._skews.uniform(-off, off))
        process = Process(self._made, skew, self._site.loop, self._site.trace)
        worker = Worker(process, build(self._settings, self._outside(process)))
        process.died = lambda: self._replace(worker)
        self._workers.append(worker)

    def _replace(self, worker: Worker) -> None:
        self._workers.remove(worker)
        self._site.loop.call_later(self._dice.uniform(*_REPLACED_SECONDS), self._new_worker)

    def _outside(self, process: Process) -> Outside:
        site, settings = self._site, self._settings
        wire = Wire(process, site.faults)
        client: Any = TableClient(site.account, wire)
        tables = TableService(lambda: client, endpoint="simulated", prefix="Baton")
        bus: Any = BusClient(self.broker, wire, site.setup.batch_max)
        arm = SimulatedArm(site.azure, wire, site.of_start)
        return Outside(
            clock=process,
            vms=arm,
            patches=SimulatedPatches(arm, wire, site.of_install),
            policies=TablePolicies(tables),
            jobs=TableJobs(tables, keeps_events=bool(settings.events_url)),
            pauses=TablePauses(tables),
            outcomes=TableOutcomes(tables),
            alerts=TableAlerts(tables),
            patch_store=TablePatches(tables),
            bus=ServiceBus(
                lambda: bus, jobs_queue=settings.jobs_queue, alerts_queue=settings.alerts_queue
            ),
            mailer=SimulatedMailer(site.relay, wire),
            letters=write_mail,
            decode=decode,
            jitter=self._jitter.random,
            outgoing=Outgoing(
                outbox=TableOutbox(tables), receiver=SimulatedReceiver(site.hook, wire)
            )
            if settings.events_url
            else None,
        )

    # --- triggers -----------------------------------------------------------------------------------

    def _discover(self) -> None:
        site = self._site
        site.loop.call_later(site.setup.discovery.total_seconds(), self._discover)
        if not self._workers:
            return
        worker = self._dice.choice(self._workers)
        before, faults = site.readable(), site.faults.injected

        def over(how: str) -> None:
            """Where nothing went wrong it should have seen what was offered from its beginning to its end."""
            if how != "died" and faults == site.faults.injected and not site.azure.unreadable:
                site.watch.discovered(sorted(before & site.readable()))

        worker.process.handle("discover", worker.app.discover, over)

    def _sweep(self) -> None:
        self._site.loop.call_later(self._site.setup.sweep.total_seconds(), self._sweep)
        if self._workers:
            worker = self._dice.choice(self._workers)
            worker.process.handle("sweep", worker.app.sweep, lambda _: None)

    def _look_at_patches(self) -> None:
        every = self._site.setup.looks_at_patches or timedelta.max
        self._site.loop.call_later(every.total_seconds(), self._look_at_patches)
        if self._workers:
            worker = self._dice.choice(self._workers)
            worker.process.handle("patches", worker.app.watch_patches, lambda _: None)

    def _handle(self, letter: Letter, then: Callable[[str], None]) -> bool:
        if not self._workers:
            return False
        worker = self._dice.choice(self._workers)
        worker.process.handle(letter.what, self._trigger(worker.app, letter), then)
        return True

    def _trigger(self, app: Services, letter: Letter) -> Callable[[], Awaitable[None]]:
        """What the Functions trigger of the letter's queue does."""
        if letter.is_dead:
            dead = DeadLetter(
                queue=letter.queue,
                message_id=letter.id,
                body=letter.body,
                reason="MaxDeliveryCountExceeded",
                description="",
                delivery_count=10,
            )
            return lambda: app.report_dead_letter(dead)

        async def alerts() -> None:
            await app.send_alerts()
            await app.send_events()

        if letter.queue == self._settings.alerts_queue:
            return alerts

        async def redeploy() -> None:
            await app.redeploy(app.decode(letter.body))

        return redeploy
