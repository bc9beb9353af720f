"""Showing what Baton has in its tables, to the API and the page. Asks Resource Manager nothing."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain import go_ahead
from shared.domain.alert import Alert
from shared.domain.heartbeat import Heartbeat
from shared.domain.job import Job
from shared.domain.mode import Mode
from shared.domain.patching.record import PatchState
from shared.domain.pause import Pause
from shared.domain.policy import Policy, Standing
from shared.domain.vm_ids import name_of
from shared.ports import AlertStore, Clock, PolicyRow
from shared.use_cases.look import Look, Seen
from shared.use_cases.show_rollouts import rollouts, span
from shared.use_cases.shown import (
    Kind,
    Page,
    Phase,
    ShownAlert,
    ShownGoAhead,
    ShownHeartbeat,
    ShownLeftAlone,
    ShownPause,
    ShownPolicy,
    ShownRollout,
    ShownStatus,
    ShownVm,
    kind_of,
)
from shared.version import VERSION

# Discoveries go every few minutes; one that stays away for so long is trouble, whatever the schedule.
_SILENT = timedelta(minutes=30)
_MAIL_LATE = timedelta(hours=1)
# A banner is read at a glance; the alerts have them all.
_NAMES_MAX = 5
ALERTS_FOR = timedelta(days=30)
_ORDER = {kind: number for number, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list should hold; an empty value asks for everything.

    Attributes:
        text: Part of a name: of the VM, its resource group, subscription, team or policy.
    """

    team: str = ""
    policy: str = ""
    rollout: int = 0
    kind: Kind | None = None
    phase: Phase | None = None
    patches: PatchState | None = None
    text: str = ""

    def wants(self, team: str, policy: str, *texts: str) -> bool:
        """Whether something of that policy, with these names, is meant."""
        text = self.text.lower()
        return (
            (not self.team or team == self.team)
            and (not self.policy or policy == self.policy)
            and (not text or any(text in each.lower() for each in (team, policy, *texts)))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """Answers what is asked, each from one look at the tables.

    Every method raises Retryable where the tables are busy.
    """

    clock: Clock
    look: Look
    alerts: AlertStore
    mode: Mode
    mails: bool

    async def status(self) -> ShownStatus:
        """How Baton itself is."""
        now = self.clock.now()
        seen, heartbeat, unsent = await asyncio.gather(
            self.look(), self.alerts.heartbeat(), self.alerts.unsent()
        )
        names: dict[str, list[str]] = defaultdict(list)
        for row in seen.rows:
            names[row.team].append(row.policy)
        wrong = sum(bool(_problems(row, seen.standings[row.team, row.policy])) for row in seen.rows)
        counts = Counter(kind_of(job) for job in seen.jobs())
        late = [alert for alert in unsent if now - alert.raised_at > _MAIL_LATE]
        return ShownStatus(
            version=VERSION,
            mode=self.mode,
            problems=tuple(self._troubles(seen, heartbeat, wrong, len(late), now)),
            heartbeat=_beat(heartbeat) if heartbeat else None,
            counts={str(kind): counts[kind] for kind in Kind},
            policies={team: tuple(policies) for team, policies in names.items()},
            wrong_policies=wrong,
            waiting_alerts=len(unsent),
            pauses=tuple(map(_pause, seen.pauses)),
        )

    async def rollouts(self, wanted: Wanted, *, skip: int, limit: int) -> Page[ShownRollout]:
        """Rollouts: running, planned, past."""
        found = rollouts(await self.look(), self.mode, self.clock.now())
        kept = [
            one
            for one in found
            if wanted.wants(one.team, one.policy)
            and wanted.phase in (None, one.phase)
            and (wanted.kind is None or one.counts[wanted.kind])
        ]
        return Page.of(kept, skip, limit)

    async def rollout(self, team: str, policy: str, number: int) -> ShownRollout | None:
        """One rollout; None if there is none."""
        found = await self.rollouts(Wanted(team=team, policy=policy), skip=0, limit=10_000)
        return next((one for one in found.items if one.number == number), None)

    async def vms(self, wanted: Wanted, *, skip: int, limit: int) -> Page[ShownVm]:
        """VMs with a job: those that ask first, then those that are away, went wrong, have no start, and so on."""
        seen = await self.look()
        jobs = [
            job
            for job in seen.jobs()
            if wanted.kind in (None, kind_of(job))
            and wanted.rollout in (0, job.rollout)
            and wanted.wants(
                job.team, job.policy, job.vm_name, job.resource_group, job.subscription_id
            )
        ]
        page = Page.of(sorted(jobs, key=_by_need), skip, limit)
        shown = tuple(show_vm(job, seen) for job in page.items)
        return Page(skip=page.skip, total=page.total, items=shown)

    async def policies(self, wanted: Wanted, *, skip: int, limit: int) -> Page[ShownPolicy]:
        """Every policy row, the wrong ones first."""
        seen = await self.look()
        follow = Counter((job.team, job.policy) for job in seen.jobs() if not job.state.is_end)
        shown = [
            _policy(row, seen.standings[row.team, row.policy], follow[row.team, row.policy])
            for row in seen.rows
            if wanted.wants(row.team, row.policy)
        ]
        return Page.of(sorted(shown, key=lambda one: not one.problems), skip, limit)

    async def unmatched(self, wanted: Wanted, *, skip: int, limit: int) -> Page[ShownLeftAlone]:
        """The VMs that have a maintenance and no policy, as the last discovery found them."""
        text = wanted.text.lower()
        found = [
            ShownLeftAlone(
                vm_id=vm.vm_id,
                vm=name_of(vm.vm_id),
                location=vm.location,
                closes=vm.closes,
                reason=vm.reason,
            )
            for vm in await self.alerts.left_alone()
            if text in vm.vm_id.lower()
        ]
        return Page.of(sorted(found, key=lambda vm: (vm.closes, vm.vm_id)), skip, limit)

    async def told(self, wanted: Wanted, *, skip: int, limit: int) -> Page[ShownAlert]:
        """The alerts of the last 30 days, newest first."""
        alerts = await self.alerts.raised_since(self.clock.now() - ALERTS_FOR)
        shown = [
            show_alert(alert)
            for alert in alerts
            if wanted.wants(alert.team, alert.policy, alert.subject)
        ]
        return Page.of(shown, skip, limit)

    def _troubles(
        self, seen: Seen, heartbeat: Heartbeat | None, wrong: int, late: int, now: datetime
    ) -> Iterator[str]:
        """What a person should see to, a sentence each."""
        if heartbeat is None:
            yield "No discovery has gone through yet: look at the log of the function discover."
        elif now - heartbeat.at > _SILENT:
            minutes = (now - heartbeat.at) // timedelta(minutes=1)
            yield (
                f"The last discovery went through {minutes} minutes ago: look at the log of the function discover."
            )
        if heartbeat:
            yield from heartbeat.not_read(_NAMES_MAX)
        if heartbeat and heartbeat.unreadable:
            yield f"{_count(heartbeat.unreadable, 'VM')} not understood from Azure's answers: the alerts name them."
        if wrong:
            yield f"{_count(wrong, 'policy row')} wrong: see Policies."
        for row in seen.books.unread:
            yield f"Row {row} of the jobs table cannot be read; nothing of its policy starts until it is mended or deleted."
        if late:
            yield f"{_count(late, 'alert')} not mailed within an hour: look at the log of the function alerts."
        if not self.mails:
            yield "No mail service is set (BATON_EMAIL_URL): alerts are only recorded."


def _count(number: int, thing: str) -> str:
    return f"1 {thing} is" if number == 1 else f"{number} {thing}s are"


def show_vm(job: Job, seen: Seen) -> ShownVm:
    """A job's VM."""
    policy = seen.policy((job.team, job.policy))
    start, end = span(job, policy)
    return ShownVm(
        vm_id=job.vm_id,
        vm=job.vm_name,
        resource_group=job.resource_group,
        subscription_id=job.subscription_id,
        location=job.location,
        team=job.team,
        policy=job.policy,
        rollout=job.rollout,
        stage=job.stage,
        attempt=job.attempt,
        work=", ".join(job.works),
        state=job.state,
        kind=kind_of(job),
        start=start,
        end=end,
        closes=job.closes,
        reason=job.reason,
        go_ahead=_go_ahead(job, policy),
    )


def show_alert(alert: Alert) -> ShownAlert:
    """An alert, without the addresses of those who are told."""
    return ShownAlert(
        id=alert.id,
        kind=alert.kind,
        subject=alert.subject,
        team=alert.team,
        policy=alert.policy,
        reason=alert.reason,
        next_step=alert.next_step,
        raised_at=alert.raised_at,
        state=str(alert.state),
        note=alert.note,
    )


def _go_ahead(job: Job, policy: Policy | None) -> ShownGoAhead | None:
    wanted = policy.go_ahead if policy else None
    deadline = go_ahead.deadline(job, wanted) if go_ahead.is_asking(job) else None
    if wanted is None or deadline is None:
        return None
    return ShownGoAhead(version=go_ahead.version(job), deadline=deadline, default=wanted.default)


def _beat(heartbeat: Heartbeat) -> ShownHeartbeat:
    return ShownHeartbeat(
        at=heartbeat.at,
        vms=heartbeat.vms,
        changed=heartbeat.changed,
        unmatched=heartbeat.unmatched,
        unreadable=heartbeat.unreadable,
        failed_subscriptions=heartbeat.failed_subscriptions,
        not_read={key: one.reason for key, one in heartbeat.behind.items()},
    )


def _pause(pause: Pause) -> ShownPause:
    return ShownPause(
        team=pause.team,
        policy=pause.policy,
        by=pause.by,
        at=pause.at,
        reason=pause.reason,
        text=str(pause),
    )


def _by_need(job: Job) -> tuple[int, datetime, str, str]:
    """Those that a person may have to see to come first."""
    at = job.claimed_at or job.planned_start or job.closes
    return _ORDER[kind_of(job)], at, job.vm_key, job.id


def _problems(row: PolicyRow, stands: Standing) -> tuple[str, ...]:
    """What is wrong with a row now; a tie is seen by a discovery alone, which writes it into the row."""
    if stands.problems:
        return tuple(map(str, stands.problems))
    return (row.status_message,) if row.status == "error" and row.status_message else ()


def _policy(row: PolicyRow, stands: Standing, vms: int) -> ShownPolicy:
    acts = "nothing" if stands.policy is None else "lastGood" if stands.problems else "row"
    return ShownPolicy(
        team=row.team,
        policy=row.policy,
        enabled=stands.policy.enabled if stands.policy else False,
        columns={name: str(value) for name, value in sorted(row.columns.items())},
        acts=acts,
        problems=_problems(row, stands),
        vms=vms,
    )
