"""Everything around the app, in one place, and what is seen there told to the checks."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from cli.simulation.azure import Azure
from cli.simulation.checks.facts import CLOSED, ENDS
from cli.simulation.checks.watch import Watch
from cli.simulation.dice import Dice
from cli.simulation.faults import Faults
from cli.simulation.hook import Hook
from cli.simulation.hotpatch import INSTALLED
from cli.simulation.loop import VirtualLoop
from cli.simulation.process import BEGAN
from cli.simulation.relay import Relay
from cli.simulation.setup import Setup, offset
from cli.simulation.tables import Account
from cli.simulation.trace import Trace
from shared.domain.alert import Mail
from shared.domain.lifecycle import Event
from simulator.arm.records import VmRecord
from simulator.arm.verdict import Verdict
from simulator.promises.policies import owner
from simulator.promises.reading import read_evidence

# A VM that cannot be read so often in one discovery is one that cannot be read.
_READS = 3
# By then a change shows in every read, and clocks agree on whether a window has begun.
_SETTLED = timedelta(minutes=2)


class Site:
    """Time, faults, Azure, the tables and the mail relay.

    Attributes:
        watch: What is checked, and what was broken.
        calm: From this second on nothing goes wrong and nobody edits anything.
    """

    def __init__(self, setup: Setup, faults: Faults | None = None) -> None:
        """`faults`: others than the setup's own, for a test that says which request fails."""
        self.setup = setup
        self.trace = Trace(setup.t0)
        self.loop = VirtualLoop(Dice(setup.seed, "order"))  # type: ignore[abstract] # no files, no threads
        self.faults = faults or Faults(
            level=setup.level,
            dice=Dice(setup.seed, "faults"),
            until=setup.faults_until.total_seconds(),
            outages=setup.outages,
        )
        nothing: dict[str, Any] = {"log": (), "vms": (), "rows": (), "edits": (), "mails": ()}
        fleet = read_evidence(scenario=setup.scenario, t0=setup.t0, **nothing)
        skew = timedelta(seconds=2 * setup.level.skew_seconds)
        self.watch = Watch(fleet.machines, fleet.pairs, skew)
        self.watch.facts.releases = tuple(
            setup.t0 + offset(release.at)
            for release in setup.scenario.releases
            if release.kb != INSTALLED.kb
        )
        self.azure = Azure(setup.scenario, setup.t0, self.faults, self._of_azure)
        self.account = Account(setup.table_page, self._of_tables)
        by_acs = Dice(setup.seed, "mail").happens(0.5)
        self.relay = Relay(setup.refuses, self._of_mail, can_be_asked=by_acs)
        self.hook = Hook(setup.seed, self._of_event)
        self.calm = max(self.faults.until, *(at.total_seconds() for at in setup.acts()), 0.0)
        self._announced()

    @property
    def now(self) -> datetime:
        """True time."""
        return self.trace.instant(self.loop.time())

    def say(self, who: str, what: str) -> None:
        """Notes something in the trace."""
        self.trace.note(self.loop.time(), who, what)

    def offered(self) -> Iterator[tuple[str, str]]:
        """(VM, maintenance) that Azure offers, or will, to a VM that some policy wants."""
        policies = self.watch.facts.counting()
        for key, record in self.azure.cloud.vms.items():
            maintenance = record.state.maintenance
            if maintenance is None or maintenance.is_closed or self.now >= maintenance.pre_end:
                continue
            machine = self.watch.facts.tags[key][-1][1]
            if owner(policies, machine) and not record.state.operation:
                yield key, maintenance.id

    def readable(self) -> set[tuple[str, str]]:
        """Those of `offered` whose subscription answers."""
        subscriptions = self.azure.cloud.subscriptions
        return {
            (vm, maintenance)
            for vm, maintenance in self.offered()
            if not subscriptions[vm.split("/")[2]].fault.kind
        }

    def is_settled(self) -> bool:
        """Whether nothing is offered any more, and all that was has its outcome, its mail and its events."""
        rows = [row for row in self.account.all("BatonJobs") if "state" in row or "eventId" in row]
        if any("eventId" in row for row in rows):
            return False
        open_jobs = any(row["state"] not in ENDS or "unsettledAttempt" in row for row in rows)
        # The heartbeat stands among the alerts and has no state.
        alerts = [row for row in self.account.all("BatonAlerts") if "state" in row]
        unsent = any(row["state"] not in CLOSED for row in alerts)
        return not open_jobs and not unsent and next(self.offered(), None) is None

    # --- what is seen -------------------------------------------------------------------------------

    def of_start(self, record: VmRecord, verdict: Verdict, began: float) -> None:
        """A performMaintenance reached Azure; `began`: when the handler that sent it did."""
        accepted = verdict.operation is not None
        self.trace.counts["starts" if accepted else "refusals"] += 1
        said = f"takes ({verdict.word})" if accepted else f"refuses ({verdict.reason})"
        self.say("azure", f"{said} the start of {record.spec.name}")
        note = {
            "accepted": accepted,
            "maintenanceId": verdict.maintenance,
            "reason": verdict.reason,
            "path": "performMaintenance",
        }
        self.azure.journal.request(self.now, {**note, "vmId": record.key})
        patches = record.state.patches.is_installing
        self.watch.asked(self.now, record.key, "redeploy", other_runs=patches)
        if accepted:
            maintenance = record.state.maintenance
            self.watch.started(
                self.now,
                self.trace.instant(began),
                record.key,
                verdict.maintenance,
                was_up=record.state.is_agent_ready,
                shown=maintenance.code if maintenance else "",
            )

    def of_install(
        self, record: VmRecord, verdict: Verdict, asked: Mapping[str, Any], began: float
    ) -> None:
        """An installPatches reached Azure, with this body."""
        accepted = verdict.operation is not None
        self.trace.counts["installations" if accepted else "refusals"] += 1
        said = f"takes ({verdict.word})" if accepted else f"refuses ({verdict.reason})"
        setting = asked["rebootSetting"]
        self.say("azure", f"{said} the installation on {record.spec.name}, reboot {setting}")
        note = {
            "accepted": accepted,
            "asked": asked,
            "reason": verdict.reason,
            "path": "installPatches",
        }
        self.azure.journal.request(self.now, {**note, "vmId": record.key})
        redeploys = bool(record.state.operation)
        self.watch.asked(self.now, record.key, "patch", other_runs=redeploys)
        if accepted:
            self.watch.installed(
                self.now,
                self.trace.instant(began),
                record.key,
                was_up=record.state.is_agent_ready,
                reboots=setting != "Never",
            )

    def _announced(self) -> None:
        """The VMs and their maintenances as they are at first."""
        self.watch.begun(self.setup.t0)
        for key, record in self.azure.cloud.vms.items():
            if record.state.maintenance:
                self.watch.announced(self.setup.t0, key, record.state.maintenance.id)

    def _of_azure(self, event: Mapping[str, Any]) -> None:
        if "vmId" not in event:
            return
        vm, name, maintenance = event["vmId"], event["event"], event["maintenanceId"]
        self.say("azure", f"{event['name']} {name} ({event['at']:%H:%M:%S})")
        if name == "announced":
            self.watch.announced(event["at"], vm, maintenance)
        self.watch.happened(event["at"], vm, name, maintenance)

    def _of_tables(self, table: str, verb: str, cells: Mapping[str, Any] | None) -> None:
        if cells is None:
            return
        if table == "BatonJobs" and "state" in cells:
            where = f"rollout {cells['rollout']}, stage {cells['stage']}"
            self.say(
                "job", f"{cells['vmName']} {cells['state']} ({where}) {cells['reason']}".strip()
            )
            self._of_rollout(cells)
            self.watch.job_written(self.now, cells)
        elif "eventId" in cells:
            self.watch.event_written(cells)
        elif table == "BatonPauses" and cells.get("resumedAt"):
            self.watch.resumed(self.now, (cells["team"], cells["policy"]))
        elif cells.get("approvedRollout"):
            self._of_approval(cells)
        elif table == "BatonOutcomes":
            self.trace.counts["outcomes"] += 1
            self.say("outcome", f"{cells['vmName']} #{cells['attempt']} {cells['outcome']}")
            self.watch.outcome_written(self.now, verb, cells)

    def _of_approval(self, cells: Mapping[str, Any]) -> None:
        key, rollout = (cells["team"], cells["policy"]), cells["approvedRollout"]
        approval = (cells["approvedAt"], key, rollout, cells.get("approvedUntil"))
        if approval not in self.watch.facts.approvals:
            self.say("people", f"approve rollout {rollout} of {'/'.join(key)}")
            self.watch.approved(*approval)

    def _of_mail(self, mail: Mail) -> None:
        self.trace.counts["mails"] += 1
        self.say("mail", f"{mail.subject} <{mail.id}>")
        self.watch.mailed(self.now, mail.id, mail.text, once=self.relay.can_be_asked)

    def _of_event(self, event: Event) -> None:
        self.trace.counts["events"] += 1
        self.say("event", f"{event.data['vmName']} {event.kind}")
        self.watch.event_arrived(self.now, event.id, str(event.data["jobId"]), str(event.kind))

    def _of_rollout(self, cells: Mapping[str, Any]) -> None:
        """The first job of a rollout: every VM that its discovery could see belongs to it."""
        facts = self.watch.facts
        key, rollout = (cells["team"], cells["policy"]), cells["rollout"]
        if (key, rollout) in facts.members:
            return
        began, policies, members = BEGAN.get(), facts.counting(), set()
        lately = [what for at, what in self.azure.unanswered if at >= began]
        for vm, _ in self.offered():
            machine = facts.tags[vm][-1][1]
            taken = owner(policies, machine)
            is_unread = lately.count(vm) >= _READS or machine.subscription in lately
            is_mine = taken is not None and (taken.team, taken.name) == key
            if is_mine and not is_unread and self._is_plain(vm, began):
                members.add(vm)
        facts.members[key, rollout] = (self.now, members)

    def _is_plain(self, vm: str, began: float) -> bool:
        """Whether nothing about the VM changed since a little before then, and all of it can be read."""
        facts, cloud = self.watch.facts, self.azure.cloud
        since = self.trace.instant(began) - _SETTLED
        changes = [at for at, _, _ in facts.events[vm]] + [at for at, _ in facts.tags[vm][1:]]
        changes += [v.since for versions in facts.versions.values() for v in versions[1:]]
        changes += [o.since for o in facts.offers if o.vm == vm and o.since != self.setup.t0]
        maintenance = cloud.vms[vm].state.maintenance
        is_beginning = maintenance and abs(maintenance.pre_start - self.now) < _SETTLED
        is_faulty = cloud.subscriptions[facts.machines[vm].subscription].fault.kind
        is_readable = vm not in self.azure.unreadable and not is_faulty and not is_beginning
        return is_readable and all(at < since for at in changes)
