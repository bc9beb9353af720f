"""A deployment of Baton and everything around it, on virtual time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cli.simulation.arm import SimulatedArm
from cli.simulation.azure import Azure
from cli.simulation.bus import Broker, Letter
from cli.simulation.bus import Client as BusClient
from cli.simulation.checks.watch import Watch
from cli.simulation.dice import Dice
from cli.simulation.evidence import evidence_of, is_still
from cli.simulation.faults import Faults
from cli.simulation.loop import VirtualLoop
from cli.simulation.process import BEGAN, Process, Wire
from cli.simulation.relay import Relay, SimulatedMailer
from cli.simulation.setup import ApprovalGiven, PolicyWrite, Setup
from cli.simulation.speed import everything_read_once
from cli.simulation.tables import Account, failed
from cli.simulation.tables import Client as TableClient
from cli.simulation.trace import Trace
from shared.adapters.letters import write_mail
from shared.adapters.messages import decode
from shared.adapters.service_bus import ServiceBus
from shared.adapters.table_alerts import TableAlerts
from shared.adapters.table_jobs import TableJobs
from shared.adapters.table_outcomes import TableOutcomes
from shared.adapters.table_policies import TablePolicies
from shared.adapters.tables import TableService
from shared.bootstrap import Outside, Services, build
from shared.domain.mode import Mode
from shared.settings import Settings, read_settings
from shared.use_cases.report_dead_letter import DeadLetter
from simulator.arm.records import VmRecord
from simulator.arm.verdict import Verdict
from simulator.promises import judge
from simulator.promises.policies import owner
from simulator.promises.reading import read_evidence

JOBS, ALERTS = "redeploy-jobs", "alerts"
# A VM that cannot be read so often in one discovery is one that cannot be read.
_READS = 3
# By then a change shows in every read.
_SETTLED = timedelta(minutes=2)
# An alert's longest wait after a refusal (10 minutes), a lease, and a late message.
_RELAY = timedelta(minutes=15)
_CLOSED = ("mailed", "recorded")
_ENDS = ("completed", "aborted", "failed", "timedOut", "missed", "withdrawn", "gone", "skipped")


@dataclass(eq=False)
class Worker:
    """A process and the app in it."""

    process: Process
    app: Services


class World:
    """One simulation.

    Attributes:
        watch: What is checked, and what was broken.
        calm: From this second on nothing goes wrong and nobody edits anything.
    """

    def __init__(self, setup: Setup) -> None:
        seed = setup.seed
        self.setup = setup
        self.trace = Trace(setup.t0)
        self.loop = VirtualLoop(Dice(seed, "order"))
        self.faults = Faults(
            level=setup.level,
            dice=Dice(seed, "faults"),
            until=setup.faults_until.total_seconds(),
            outages=setup.outages,
        )
        evidence = read_evidence(
            scenario=setup.scenario, t0=setup.t0, log=(), vms=(), rows=(), edits=(), mails=()
        )
        skew = timedelta(seconds=2 * setup.level.skew_seconds)
        self.watch = Watch(evidence.machines, evidence.pairs, skew)
        self.azure = Azure(setup.scenario, setup.t0, self.faults, self._of_azure)
        self.account = Account(setup.table_page, self._of_tables)
        self.broker = Broker(self.loop, self.faults, self.trace, self._handle)
        self.relay = Relay(setup.refuses, self._of_mail)
        self.settings: Settings = read_settings(setup.settings)
        self.workers: list[Worker] = []
        self.calm = max([self.faults.until, *(at.total_seconds() for at in _edits(setup))])
        self._dice = Dice(seed, "world")
        self._skews = Dice(seed, "clocks")
        self._jitter = Dice(seed, "jitter")
        self._numbers = 0

    @property
    def now(self) -> datetime:
        """True time."""
        return self.trace.instant(self.loop.time())

    def run(self) -> None:
        """Runs until everything is done with, a promise is broken, or it should long have ended."""
        log = logging.getLogger("baton")
        disabled, log.disabled = log.disabled, True
        loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict) if name.startswith("baton.")]
        for each in loggers:
            each.disabled = True
        try:
            with everything_read_once():
                self.loop.run(self._live())
        finally:
            log.disabled = disabled
            for each in loggers:
                each.disabled = False

    async def _live(self) -> None:
        self._begin()
        quiet = 0
        deadline = self._longest().total_seconds()
        while not self.watch.violations and quiet < 2 and self.loop.time() < deadline:
            await asyncio.sleep(max(self.setup.discovery, self.setup.sweep).total_seconds() + 1)
            self.azure.at(self.loop.time())
            quiet = quiet + 1 if self._is_over() else 0
        if not self.watch.violations:
            self.watch.finish(self.now, is_roomy=self.setup.is_roomy)
        if is_still(self.setup) and not self.watch.violations:
            evidence = evidence_of(self.setup, self.azure, self.account, self.relay)
            # The judge does not know that a plan may give a VM up for a rollout.
            behind = any(job.rollout > 1 for job in self.watch.facts.jobs.values())
            verdicts = [v for v in judge(evidence) if not behind or v.promise not in ("P3", "P4")]
            self.watch.judged(self.now, verdicts)

    def _begin(self) -> None:
        self.watch.begun(self.setup.t0)
        for key, record in self.azure.cloud.vms.items():
            if record.state.maintenance:
                self.watch.announced(self.setup.t0, key, record.state.maintenance.id)
        for write in self.setup.policies:
            self._at(write.at, self._write_policy, write)
        for edit in self.setup.scenario.edits:
            if isinstance(edit.at, timedelta):
                self._at(edit.at, self._edited, edit)
        for given in self.setup.approvals:
            self._at(given.at, self._approve, given)
        for mode in self.setup.modes:
            self._at(mode.at, self._deploy, mode.mode)
        for item in self.setup.garbage:
            self._at(item.at, self._send_garbage, item)
        for bad in self.setup.illegible:
            key = next(k for k, r in self.azure.cloud.vms.items() if r.spec.name == bad.vm)
            self._at(bad.at, self.azure.unreadable.add, key)
            self._at(bad.until, self.azure.unreadable.discard, key)
        for _ in range(self.setup.processes):
            self._new_worker()
        self.loop.call_soon(self._tick, self.setup.discovery, "discover")
        self.loop.call_later(30.0, self._tick, self.setup.sweep, "sweep")

    def _longest(self) -> timedelta:
        """Until when everything must be done with, counted from the beginning.

        From the end of the last self-service window, or of all faults and edits: the longest redeploy,
        two rounds of every timer, a digest, and the longest wait for the mail relay.
        """
        s = self.settings
        rounds = 2 * (self.setup.discovery + self.setup.sweep + 4 * s.check_interval)
        closed = max(self._last_close() - self.setup.t0, timedelta(seconds=self.calm))
        return closed + s.redeploy_timeout + rounds + s.alert_digest + _RELAY

    def _last_close(self) -> datetime:
        """When the last self-service window closes that there is or will be."""
        closes = [self.setup.t0 + w for w in _closes(self.setup)]
        return max(closes, default=self.setup.t0)

    def _is_over(self) -> bool:
        if self.loop.time() < self.calm:
            return False
        jobs = list(self.account.all("BatonJobs"))
        open_jobs = any(
            "state" in row and (row["state"] not in _ENDS or "unsettledAttempt" in row)
            for row in jobs
        )
        unsent = any(row["state"] not in _CLOSED for row in self.account.all("BatonAlerts"))
        waiting = any(letter.due <= self.loop.time() for letter in self.broker.letters.values())
        return not (open_jobs or unsent or waiting or any(True for _ in self._offered()))

    def _offered(self) -> Iterator[tuple[str, str]]:
        """(VM, maintenance) that Azure offers, or will, to a VM that some policy wants."""
        policies = self.watch.facts.counting()
        for key, record in self.azure.cloud.vms.items():
            maintenance = record.state.maintenance
            if maintenance is None or maintenance.is_closed or self.now >= maintenance.pre_end:
                continue
            machine = self.watch.facts.tags[key][-1][1]
            if owner(policies, machine) and not record.state.operation:
                yield key, maintenance.id

    # --- processes ----------------------------------------------------------------------------------

    def _new_worker(self) -> None:
        self._numbers += 1
        off = self.setup.level.skew_seconds
        skew = timedelta(seconds=self._skews.uniform(-off, off))
        process = Process(self._numbers, skew, self.loop, self.trace)
        worker = Worker(process, build(self.settings, self._outside(process)))
        process.died = lambda: self._replace(worker)
        self.workers.append(worker)

    def _replace(self, worker: Worker) -> None:
        self.workers.remove(worker)
        self.loop.call_later(1 + self._dice.random() * 59, self._new_worker)

    def _outside(self, process: Process) -> Outside:
        wire = Wire(process, self.faults)
        client: Any = TableClient(self.account, wire)
        tables = TableService(lambda: client, endpoint="simulated", prefix="Baton")
        bus: Any = BusClient(self.broker, wire, self.setup.batch_max)
        return Outside(
            clock=process,
            vms=SimulatedArm(self.azure, wire, self._of_starts),
            policies=TablePolicies(tables),
            jobs=TableJobs(tables),
            outcomes=TableOutcomes(tables),
            alerts=TableAlerts(tables),
            bus=ServiceBus(lambda: bus, jobs_queue=JOBS, alerts_queue=ALERTS),
            mailer=SimulatedMailer(self.relay, wire),
            letters=write_mail,
            decode=decode,
            jitter=self._jitter.random,
        )

    def _tick(self, every: timedelta, what: str) -> None:
        self.loop.call_later(every.total_seconds(), self._tick, every, what)
        if not self.workers:
            return
        worker = self._dice.choice(self.workers)
        if what == "sweep":
            worker.process.handle(what, worker.app.sweep, lambda _: None)
            return
        before, injected = set(self._offered()), self.faults.injected

        def discovered(how: str) -> None:
            if how == "ended" and injected == self.faults.injected and not self.azure.unreadable:
                self.watch.discovered(sorted(before & set(self._offered())))

        worker.process.handle(what, worker.app.discover, discovered)

    def _handle(self, letter: Letter, then: Callable[[str], None]) -> bool:
        if not self.workers:
            return False
        worker = self._dice.choice(self.workers)
        worker.process.handle(letter.what, _trigger(worker.app, letter), then)
        return True

    # --- people -------------------------------------------------------------------------------------

    def _at(self, at: timedelta, act: Callable[..., None], *what: object) -> None:
        self.loop.call_at(at.total_seconds(), act, *what)

    def _write_policy(self, write: PolicyWrite) -> None:
        keys = {"PartitionKey": write.team, "RowKey": write.name}
        self.account.create_table("BatonPolicies")
        verb = "upsert" if write.columns is not None else "delete"
        try:
            self.account.transact("BatonPolicies", [(verb, {**keys, **(write.columns or {})}, "")])
        except type(failed(404, "")):
            return  # deleted twice
        self._say("people", f"write policy {write.team}/{write.name}: {dict(write.columns or {'gone': True})}")
        key = (write.team, write.name)
        self.watch.policy_written(self.now, key, write.columns, is_wrong=write.is_wrong)

    def _edited(self, edit: Any) -> None:
        """The cloud makes its edits by itself; the checks are told of new tags."""
        self.azure.at(self.loop.time())
        self._say("azure", f"edit {edit.vm or edit.subscription}")
        key = self._key_of(edit.vm.name) if edit.vm else None
        if key and edit.vm.tags is not None:
            machine = replace(self.watch.facts.machines[key], tags=edit.vm.tags)
            self.watch.retagged(self.now, key, machine)
        if key and edit.vm.power:
            self.watch.happened(self.now, key, "power", "")

    def _key_of(self, name: str) -> str | None:
        """The id of the VM of that name, while there is one."""
        vms = self.azure.cloud.vms.items()
        return next((key for key, record in vms if record.spec.name == name), None)

    def _deploy(self, mode: str) -> None:
        self._say("people", f"deploy with BATON_MODE={mode}")
        self.settings = replace(self.settings, mode=Mode(mode))
        for worker in list(self.workers):
            worker.process.die("to be replaced")

    def _approve(self, given: ApprovalGiven) -> None:
        """Somebody approves the rollout that acts, as its policy's head keeps that."""
        rows = list(self.account.all("BatonJobs"))
        head = f"{given.team}|{given.name}|"
        mine = [row for row in rows if row["RowKey"].startswith(head) and row["RowKey"] != head]
        going = [row["rollout"] for row in mine if row["state"] not in _ENDS]
        if not going:
            return
        keys = {"PartitionKey": "jobs", "RowKey": head}
        cells = {"approvedRollout": min(going), "approvedBy": "anna", "approvedAt": self.now}
        self.account.transact("BatonJobs", [("merge", {**keys, **cells}, "")])
        self._say("people", f"approve rollout {min(going)} of {given.team}/{given.name}")
        self.watch.approved(self.now, (given.team, given.name), min(going))

    def _send_garbage(self, item: Any) -> None:
        self.broker.send(item.queue, f"garbage-{self.loop.time()}", item.body, 0.0)

    # --- facts --------------------------------------------------------------------------------------

    def _say(self, who: str, what: str) -> None:
        self.trace.note(self.loop.time(), who, what)

    def _of_azure(self, event: Mapping[str, Any]) -> None:
        if "vmId" not in event:
            return
        vm, name, maintenance = event["vmId"], event["event"], event["maintenanceId"]
        self._say("azure", f"{event['name']} {name} ({event['at']:%H:%M:%S})")
        if name == "announced":
            self.watch.announced(event["at"], vm, maintenance)
        self.watch.happened(event["at"], vm, name, maintenance)

    def _of_starts(self, record: VmRecord, verdict: Verdict, began: float) -> None:
        accepted = verdict.operation is not None
        self.trace.counts["starts" if accepted else "refusals"] += 1
        said = f"takes ({verdict.word})" if accepted else f"refuses ({verdict.reason})"
        self._say("azure", f"{said} the start of {record.spec.name}")
        note = {"accepted": accepted, "maintenanceId": verdict.maintenance, "reason": verdict.reason}
        self.azure.journal.request(self.now, {**note, "vmId": record.key})
        if accepted:
            began_at = self.trace.instant(began)
            maintenance = record.state.maintenance
            self.watch.started(
                self.now,
                began_at,
                record.key,
                verdict.maintenance,
                was_up=record.state.is_agent_ready,
                shown=maintenance.code if maintenance else "",
            )

    def _of_tables(self, table: str, verb: str, cells: Mapping[str, Any] | None) -> None:
        if cells is None:
            return
        if table == "BatonJobs" and "state" in cells:
            where = f"rollout {cells['rollout']}, stage {cells['stage']}"
            self._say("job", f"{cells['vmName']} {cells['state']} ({where}) {cells['reason']}".strip())
            self._of_rollout(cells)
            self.watch.job_written(self.now, cells)
        elif table == "BatonOutcomes":
            self.trace.counts["outcomes"] += 1
            self._say("outcome", f"{cells['vmName']} #{cells['attempt']} {cells['outcome']}")
            self.watch.outcome_written(self.now, verb, cells)

    def _of_rollout(self, cells: Mapping[str, Any]) -> None:
        """The first job of a rollout: every VM that its discovery could see belongs to it."""
        facts = self.watch.facts
        key, rollout = (cells["team"], cells["policy"]), cells["rollout"]
        if (key, rollout) in facts.members:
            return
        began = BEGAN.get()
        policies = facts.counting()
        lately = [what for at, what in self.azure.unanswered if at >= began]
        members = set()
        for vm, _ in self._offered():
            machine = facts.tags[vm][-1][1]
            taken = owner(policies, machine)
            unread = lately.count(vm) >= _READS or machine.subscription in lately
            if taken and (taken.team, taken.name) == key and not unread and self._is_plain(vm, began):
                members.add(vm)
        facts.members[key, rollout] = (self.now, members)

    def _is_plain(self, vm: str, began: float) -> bool:
        """Whether nothing about the VM changed since a little before then, and all of it can be read."""
        since = self.trace.instant(began) - _SETTLED
        facts = self.watch.facts
        changes = [at for at, _, _ in facts.events[vm]] + [at for at, _ in facts.tags[vm][1:]]
        offered = max(offer.since for offer in facts.offers if offer.vm == vm)
        maintenance = self.azure.cloud.vms[vm].state.maintenance
        # Where Azure's clock and the app's disagree whether it has begun, its flag says nothing yet.
        is_beginning = maintenance and abs(maintenance.pre_start - self.now) < _SETTLED
        subscription = self.azure.cloud.subscriptions[facts.machines[vm].subscription]
        edits = [v.since for versions in facts.versions.values() for v in versions[1:]]
        return (
            vm not in self.azure.unreadable
            and not is_beginning
            and not subscription.fault.kind
            and all(at < since for at in (*changes, *edits))
            and (offered < since or offered == self.setup.t0)
        )

    def _of_mail(self, mail: Any) -> None:
        self.trace.counts["mails"] += 1
        self._say("mail", f"{mail.subject} <{mail.id}>")
        self.watch.mailed(self.now, mail.id, mail.text)


def _trigger(app: Services, letter: Letter) -> Callable[[], Awaitable[None]]:
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
    if letter.queue == ALERTS:
        return app.send_alerts

    async def redeploy() -> None:
        await app.redeploy(app.decode(letter.body))

    return redeploy


def _edits(setup: Setup) -> Iterator[timedelta]:
    yield from (write.at for write in setup.policies)
    yield from (given.at for given in setup.approvals)
    yield from (mode.at for mode in setup.modes)
    yield from (item.at for item in setup.garbage)
    yield from (bad.until for bad in setup.illegible)
    yield from (edit.at for edit in setup.scenario.edits if isinstance(edit.at, timedelta))


def _closes(setup: Setup) -> Iterator[timedelta]:
    for vm in setup.scenario.vms:
        if vm.maintenance and isinstance(vm.maintenance.pre_end, timedelta):
            yield vm.maintenance.pre_end
    for edit in setup.scenario.edits:
        closes = edit.vm.windows.get("pre_end") if edit.vm else None
        if isinstance(closes, timedelta):
            yield closes
