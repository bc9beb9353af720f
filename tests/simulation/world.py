"""The whole app on virtual time: its real use cases over ports in memory, and an Azure that moves VMs.

`World.run` delivers messages and fires timers in the order of their instants. A test can have the process
die at any call of a port, before or after the call took effect; the message is then delivered again.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.adapters.memory import (
    MemoryAlerts,
    MemoryBus,
    MemoryClock,
    MemoryJobs,
    MemoryMachines,
    MemoryMailer,
    MemoryOutbox,
    MemoryOutcomes,
    MemoryPatchStore,
    MemoryPauses,
    MemoryPolicies,
    MemoryReceiver,
)
from shared.bootstrap import build
from shared.domain.alert import Mail
from shared.domain.errors import Refused, StartUnknown
from shared.domain.lifecycle import Event
from shared.domain.maintenance import Vm
from shared.outside import Outside
from shared.ports import Accepted, Activity, Operation
from shared.settings import read_settings
from shared.use_cases.send_events import Outgoing
from tests.builders import NOW
from tests.simulation.patching import Patching

AWAY = timedelta(minutes=6)
LOCK = timedelta(minutes=1)


class Died(BaseException):
    """The process died here; nothing catches it."""


@dataclass(frozen=True)
class Start:
    """An accepted performMaintenance."""

    vm: str
    at: datetime
    back: datetime | None
    result: str


class Azure(MemoryMachines):
    """Takes starts and moves VMs as time goes by. `scripts`: VM name → results of its accepted starts."""

    def __init__(self, clock: MemoryClock, *vms: Vm) -> None:
        super().__init__(*vms)
        self.clock = clock
        self.scripts: dict[str, list[str]] = {}
        self.started: list[Start] = []
        self.refused: list[str] = []
        self.silent = 0  # accepted starts whose answer gets lost
        self._running: dict[str, Start] = {}
        self.patching_goes_on = lambda: None

    async def start_maintenance(self, vm_id, *, request_id, within):
        async with self.call("start_maintenance", vm_id):
            self._pass_time()
            vm = self.known(vm_id)
            now = self.clock.now()
            status = vm.maintenance
            if status is None or not status.is_open(now) or vm.key in self._running:
                self.refused.append(vm.name)
                raise Refused(
                    status=409, code="OperationNotAllowed", message="not now", may_pass=False
                )
            script = self.scripts.get(vm.name, [])
            result = script.pop(0) if script else "MaintenanceCompleted"
            if result == "Throttled":
                raise Refused(
                    status=429, code="TooManyRequests", message="slow down", may_pass=True
                )
            back = now + AWAY if result != "Hang" else None
            start = Start(vm.name, now, back, result)
            self.started.append(start)
            self._running[vm.key] = start
            self.put(
                replace(
                    vm,
                    provisioning_state="Updating",
                    view=replace(
                        vm.view,
                        power_state="stopped",
                        agent_ready=False,
                        maintenance=replace(
                            status, is_customer_initiated_maintenance_allowed=False
                        ),
                    ),
                )
            )
            url = f"https://arm/{vm.name}/{len(self.started)}"
            self.operations[url] = Operation(status="inProgress")
            self.activities_of[vm.key].append(
                Activity(at=now, status="Accepted", request_id=request_id, correlation_id="c")
            )
            if self.silent:
                self.silent -= 1
                raise StartUnknown("connection lost")
            return Accepted(operation_url=url, correlation_id=f"c{len(self.started)}")

    def delete(self, vm_id: str) -> None:
        """Deletes a VM, whatever runs on it."""
        del self.vms[vm_id.lower()]
        self._running.pop(vm_id.lower(), None)

    async def get(self, vm_id):
        self._pass_time()
        return await super().get(vm_id)

    async def operation(self, url):
        self._pass_time()
        return await super().operation(url)

    async def models(self, subscription_id):
        self._pass_time()
        async for item in super().models(subscription_id):
            yield item

    def _pass_time(self):
        self.patching_goes_on()
        for key, start in list(self._running.items()):
            if start.back is None or start.back > self.clock.now():
                continue
            del self._running[key]
            vm = self.vms[key]
            again = start.result == "RetryLater"
            status = replace(
                vm.maintenance,
                last_operation_result_code=start.result,
                is_customer_initiated_maintenance_allowed=again,
            )
            self.put(
                replace(
                    vm,
                    provisioning_state="Succeeded",
                    view=replace(
                        vm.view, power_state="running", agent_ready=True, maintenance=status
                    ),
                )
            )
            for url in self.operations:
                if url.startswith(f"https://arm/{start.vm}/"):
                    self.operations[url] = Operation(status="succeeded")


class Mailer(MemoryMailer):
    """Keeps what was sent even where the sender dies before it knows."""


class World:
    """A deployment of Baton and what is around it."""

    def __init__(self, *vms: Vm, policies: dict[str, dict[str, object]], **settings: str) -> None:
        self.clock = MemoryClock(NOW)
        self.azure = Azure(self.clock, *vms)
        self.patches = Patching(self.azure)
        self.patch_store = MemoryPatchStore()
        self.policies = MemoryPolicies()
        tells = "BATON_EVENTS_URL" in settings
        self.jobs = MemoryJobs(keeps_events=tells)
        self.outbox = MemoryOutbox(self.jobs)
        self.receiver = MemoryReceiver()
        self.outgoing = Outgoing(outbox=self.outbox, receiver=self.receiver) if tells else None
        self.pauses = MemoryPauses()
        self.outcomes = MemoryOutcomes()
        self.alerts = MemoryAlerts()
        self.bus = MemoryBus()
        self.mailer = Mailer()
        for name, columns in policies.items():
            self.policies.put("shop", name, **columns)
        environment = {
            "BATON_MODE": "live",
            "BATON_TABLES": "AccountName=a;AccountKey=b;",
            "BATON_BUS": "Endpoint=sb://x;SharedAccessKey=y",
            "BATON_EMAIL_URL": "smtp://127.0.0.1:25",
            "BATON_EMAIL_FROM": "baton@example.com",
            "BATON_EMAIL_TO": "ops@example.com",
            **settings,
        }
        self.settings = read_settings(environment)
        self.deaths = 0
        self._dies_at: int | None = None
        self._counted = 0
        for port in (
            self.azure,
            self.patches,
            self.policies,
            self.jobs,
            self.pauses,
            self.outcomes,
            self.alerts,
            self.bus,
            self.mailer,
            self.outbox,
            self.receiver,
        ):
            self._watch(port)
        self.restart()

    def restart(self) -> None:
        """A fresh process: nothing in memory but the code."""
        outside = Outside(
            clock=self.clock,
            vms=self.azure,
            patches=self.patches,
            policies=self.policies,
            jobs=self.jobs,
            pauses=self.pauses,
            outcomes=self.outcomes,
            alerts=self.alerts,
            patch_store=self.patch_store,
            bus=self.bus,
            mailer=self.mailer,
            letters=letter,
            decode=lambda _: None,
            jitter=lambda: 0.0,
            outgoing=self.outgoing,
        )
        self.app = build(self.settings, outside)

    def set_mode(self, mode: str) -> None:
        self.settings = replace(self.settings, mode=type(self.settings.mode)(mode))
        self.restart()

    # --- dying ------------------------------------------------------------------------------------

    def die_at(self, call: int | None) -> None:
        """The process dies at its n-th call of a port from now: even n before it, odd n after it."""
        self._counted = 0
        self._dies_at = call

    @property
    def calls(self) -> int:
        """How many chances to die there were, so far."""
        return self._counted

    def _watch(self, port) -> None:
        fail = port._raise

        def die_or_fail(method: str, *, done: bool) -> None:
            fail(method, done=done)
            self._counted += 1
            if self._counted - 1 == self._dies_at:
                self.deaths += 1
                raise Died(f"{type(port).__name__}.{method}, {'after' if done else 'before'}")

        port._raise = die_or_fail

    # --- running ----------------------------------------------------------------------------------

    async def run(self, until: timedelta, *, copies: int = 1, outcomes: int | None = None) -> None:
        """Runs until that long from now.

        Args:
            until: How long.
            outcomes: Stop earlier, once there are so many terminal outcomes and nothing is left to do.
            copies: How many handlers get each message at once, as after a lost lock.
        """
        end = self.clock.now() + until
        timers = {
            self._discover: self.clock.now(),
            self._sweep: self.clock.now() + timedelta(seconds=30),
        }
        every = {self._discover: timedelta(minutes=5), self._sweep: timedelta(minutes=1)}
        while True:
            upcoming = [*timers.values(), *(message.at for message in self.bus.messages)]
            now = max(self.clock.now(), min(upcoming))
            if now > end:
                self.clock.set(end)
                return
            if outcomes is not None and self._is_done(outcomes):
                return
            self.clock.set(now)
            for timer, at in timers.items():
                if at <= now:
                    timers[timer] = at + every[timer]
                    await self._survive([timer()])
            for message in self.bus.take(now):
                handlers = [self._handle(message) for _ in range(copies)]
                if await self._survive(handlers):
                    self.bus.messages.append(replace(message, at=now + LOCK))

    def _is_done(self, outcomes: int) -> bool:
        jobs = self.jobs.jobs()
        unsent = [alert for alert in self.alerts.alerts() if alert.state in ("raised", "mailing")]
        return (
            sum(row["terminal"] for row in self.outcomes.rows()) >= outcomes
            and all(job.state.is_end and not job.unsettled for job in jobs)
            and not unsent
            and not self.jobs.values(Event)
        )

    async def _survive(self, handlers) -> bool:
        """Runs handlers at once; whether the process died under them."""
        results = await asyncio.gather(*handlers, return_exceptions=True)
        errors = [result for result in results if isinstance(result, BaseException)]
        died = [error for error in errors if isinstance(error, Died)]
        for error in errors:
            if not isinstance(error, Died):
                raise error
        if died:
            self.restart()
        return bool(died)

    async def _handle(self, message) -> None:
        if message.wake is None:
            await self.app.send_alerts()
            await self.app.send_events()
        else:
            await self.app.redeploy(message.wake)

    async def _discover(self) -> None:
        await self.app.discover()

    async def _sweep(self) -> None:
        await self.app.sweep()

    # --- what came of it --------------------------------------------------------------------------

    def terminal(self) -> dict[str, str]:
        """VM → outcome; a VM with two terminal rows shows both, so that no test can miss it."""
        found = defaultdict(list)
        for row in self.outcomes.rows():
            if row["terminal"]:
                found[row["vmName"]].append(row["outcome"])
        return {vm: "+".join(sorted(outcomes)) for vm, outcomes in found.items()}

    def told(self, vm: str = "") -> list[str]:
        """The kinds of the events that arrived, of one VM or all, each id once, in the order of their first."""
        first = {event.id: event for event in reversed(self.receiver.received)}
        events = sorted(first.values(), key=self.receiver.received.index)
        return [str(e.kind) for e in events if vm in ("", e.data["vmName"])]

    def starts(self) -> list[str]:
        return [start.vm for start in self.azure.started]

    def mailed(self) -> list[str]:
        """The events mailed, each as often as there are different mails with it."""
        mails = {mail.id: mail for mail in self.mailer.sent}
        return sorted(line for mail in mails.values() for line in mail.text.splitlines())


def letter(alerts, *, mail_id, recipients, mode, now) -> Mail:
    text = "\n".join(f"{alert.kind} {alert.subject}" for alert in alerts)
    return Mail(id=mail_id, recipients=recipients, subject="Baton", text=text, html="", at=now)
