"""Takes each fact as it happens, and checks what it could break."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cli.simulation.checks import order, records, starts
from cli.simulation.checks.facts import (
    CODES,
    OPEN,
    Cells,
    Facts,
    JobSeen,
    MailSeen,
    OfferSeen,
    PauseSeen,
    PolicyKey,
    StartSeen,
    Version,
)
from cli.simulation.checks.told import Told
from simulator.promises.model import Machine, Verdict
from simulator.promises.policies import Policy

# A handler lives no longer.
_WRITE_TAKES = timedelta(minutes=5)
_OVER = {
    "redeploy": ("back", "aborted", "retryLater", "deleted"),
    "patch": ("installed", "installFailed", "deleted"),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, when, and how."""

    promise: str
    at: datetime
    text: str

    def __str__(self) -> str:
        return f"{self.promise} broken at {self.at:%m-%d %H:%M:%S}: {self.text}"


class Watch:
    """Checks.

    Attributes:
        slack: By how much two clocks of the app may differ; nothing timed is judged more finely.
        violations: What was broken so far.
    """

    def __init__(
        self, machines: Mapping[str, Machine], pairs: Mapping[str, frozenset[str]], slack: timedelta
    ) -> None:
        self.facts = Facts(machines=machines, pairs=pairs)
        self.slack = slack
        self.told = Told()
        self.violations: list[Violation] = []

    def begun(self, at: datetime) -> None:
        """The VMs as they are at first."""
        for key, machine in self.facts.machines.items():
            self.facts.tags[key] = [(at, machine)]

    def policy_written(
        self, at: datetime, key: PolicyKey, columns: Cells | None, *, is_wrong: bool
    ) -> None:
        """People wrote or deleted a policy's row."""
        policy = None if columns is None else Policy(*key, columns)
        self.facts.versions.setdefault(key, []).append(Version(at, policy, is_wrong=is_wrong))

    def approved(self, at: datetime, key: PolicyKey, rollout: int, until: datetime | None) -> None:
        """Somebody approved a rollout."""
        self.facts.approvals.append((at, key, rollout, until))

    def paused(self, at: datetime, scope: PolicyKey) -> None:
        """Somebody paused it, and was told so."""
        self.facts.pauses.append(PauseSeen(scope, at))

    def resumed(self, at: datetime, scope: PolicyKey) -> None:
        """Somebody resumed it."""
        for pause in self.facts.pauses:
            if pause.scope == scope and pause.until is None:
                pause.until = at

    def retagged(self, at: datetime, vm: str, machine: Machine) -> None:
        """A VM's owner changed its tags."""
        self.facts.tags.setdefault(vm, []).append((at, machine))

    def announced(self, at: datetime, vm: str, maintenance: str) -> None:
        """Azure announced a maintenance."""
        self.facts.offers.append(OfferSeen(vm, maintenance, at))

    def discovered(self, offers: Iterable[tuple[str, str]]) -> None:
        """A discovery saw everything, from before to after which these maintenances were offered."""
        offered = set(offers)
        for offer in self.facts.offers:
            if (offer.vm, offer.maintenance) in offered:
                offer.seen += 1

    def happened(self, at: datetime, vm: str, name: str, maintenance: str) -> None:
        """Something happened to a VM in Azure."""
        self.facts.events[vm].append((at, name, maintenance))
        if name in CODES:
            self.facts.codes[vm].add(CODES[name])
        for start in self.facts.starts:
            # A VM that was not up before is as it was as soon as Azure is done with it.
            is_over = name in _OVER[start.work] or (name == "completed" and not start.was_up)
            if start.vm == vm and start.over is None and is_over:
                start.over = at

    def started(
        self, at: datetime, began: datetime, vm: str, maintenance: str, *, was_up: bool, shown: str
    ) -> None:
        """Azure took a performMaintenance."""
        claimed = [j for j in self.facts.jobs.values() if j.vm == vm and j.state in OPEN]
        if not claimed:
            self._broken("P1", at, [f"{self.facts.name(vm)} was started without a job"])
            return
        self._started(StartSeen(vm, at, began, maintenance, claimed[-1], was_up, shown))

    def installed(
        self, at: datetime, began: datetime, vm: str, *, was_up: bool, reboots: bool
    ) -> None:
        """Azure took an installPatches; `reboots`: it may reboot the VM."""
        claimed = [j for j in self.facts.jobs.values() if j.vm == vm and j.state in OPEN]
        if not claimed:
            self._broken("P1", at, [f"{self.facts.name(vm)} was patched without a job"])
            return
        self._started(
            StartSeen(vm, at, began, "", claimed[-1], was_up, "", work="patch", reboots=reboots)
        )

    def asked(self, at: datetime, vm: str, work: str, *, other_runs: bool) -> None:
        """A start of either kind reached Azure, taken or not."""
        self._broken("P1", at, starts.apart(self.facts, vm, work, other_runs=other_runs))

    def _started(self, start: StartSeen) -> None:
        at = start.at
        self._broken("P1", at, starts.once(self.facts, start))
        self._broken("P2", at, starts.allowed(self.facts, start, self.slack))
        self._broken("P3", at, order.stages(self.facts, start))
        self._broken("P3", at, order.left_out(self.facts, start))
        self._broken("P4", at, order.slots(self.facts, start, self.slack))
        self._broken("P5", at, order.placement(self.facts, start))
        self.facts.starts.append(start)

    def job_written(self, at: datetime, cells: Cells) -> None:
        """A job's row was written."""
        state, old = cells["state"], self.facts.jobs.get(cells["jobId"])
        self.told.job_written(cells)
        job = JobSeen(
            id=cells["jobId"],
            vm=cells["vmId"].lower(),
            key=(cells["team"], cells["policy"]),
            rollout=cells["rollout"],
            state=state,
            unsettled="unsettledAttempt" in cells,
            retried="retriedAt" in cells,
            discovered=cells["discoveredAt"],
            born=old.born if old else at,
            followed=state == "redeploying" or bool(old and old.followed),
            asked=cells.get("askedAt"),
            allowed=cells.get("allowedAt"),
        )
        if old:
            job.claimed, job.ended, job.freed = old.claimed, old.ended, old.freed
            job.answer = old.answer
            if old.state not in OPEN and state != old.state:
                self._broken("P6", at, [f"job {job.id} was {old.state}, and is {state} again"])
        if state == "starting" and (old is None or old.state != "starting"):
            job.claimed, job.freed = at, None
            job.answer = (old.asked, old.allowed) if old else (None, None)
        if (
            old
            and old.state in ("starting", "redeploying")
            and state not in ("starting", "redeploying")
        ):
            # It was given up when that was decided; the write may have taken a while.
            job.freed = max(at - _WRITE_TAKES, min(at, cells.get("freedAt", at)))
        if state not in OPEN and (old is None or old.state in OPEN):
            job.ended = at
        self.facts.jobs[job.id] = job
        for start in self.facts.starts:
            if start.job.id == job.id:
                start.job = job

    def event_written(self, cells: Cells) -> None:
        """The row of an event was written."""
        self.told.written.add(cells["eventId"])

    def event_arrived(self, at: datetime, identity: str, job: str, kind: str) -> None:
        """The receiver of events took one."""
        self._broken("events", at, self.told.event_arrived(identity, job, kind))

    def outcome_written(self, at: datetime, verb: str, cells: Cells) -> None:
        """A row of the outcome table was written."""
        self._broken("P6", at, records.outcome(self.facts, verb, cells))
        self.facts.rows.append((at, cells))

    def mailed(self, at: datetime, identity: str, text: str, *, once: bool) -> None:
        """The relay took a mail, which it can do `once` where it can be asked what it took."""
        known = self.facts.mails.get(identity)
        if known:
            known.copies += 1
            if once:
                self._broken("P7", at, [f"the mail {identity} was sent {known.copies} times"])
            if records.told(known.text) != records.told(text):
                self._broken("P7", at, [f"two different mails have the Message-ID {identity}"])
            return
        self.facts.mails[identity] = MailSeen(identity, text)
        self._broken("P7", at, records.never_twice(self.facts))

    def finish(self, at: datetime, *, is_roomy: bool, are_told: bool) -> None:
        """Everything is done with, or should be; `are_told`: events go somewhere."""
        self._broken("P6", at, records.unrecorded(self.facts))
        self._broken("P6", at, records.lost(self.facts))
        self._broken("P7", at, records.never_none(self.facts))
        if are_told:
            self._broken("events", at, self.told.untold())
        if is_roomy:
            self._broken("plan", at, records.missed(self.facts))

    def judged(self, at: datetime, verdicts: Iterable[Verdict]) -> None:
        """The demo's judge has looked at all of it."""
        for verdict in verdicts:
            self._broken(verdict.promise, at, (f"judge: {text}" for text in verdict.violations))

    def _broken(self, promise: str, at: datetime, texts: Iterable[Any]) -> None:
        self.violations += [Violation(promise, at, str(text)) for text in texts]
