"""What people must know of a plan while there is time to act: who has no start, no policy, no approval."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.alert import Alert, event_id
from shared.domain.errors import Stale
from shared.domain.fleet import Fleet
from shared.domain.heartbeat import LeftAlone
from shared.domain.job import Job
from shared.domain.ledger import PolicyKey
from shared.domain.maintenance import Vm
from shared.domain.own_mechanism import own_mechanism
from shared.domain.policy import Standing
from shared.domain.reconcile import Plan
from shared.domain.rollouts import InNeed
from shared.ports import AlertStore, Clock
from shared.use_cases.tell import Tell
from shared.use_cases.wording import azure_acts, azure_redeploys, facts_of_job, facts_of_vm, utc

# The last call for an approval goes out so long before the first VM would be lost.
_LAST_CALL = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlan:
    """Tells them, each once."""

    clock: Clock
    alerts: AlertStore
    tell: Tell

    async def __call__(
        self, plan: Plan, standings: Mapping[PolicyKey, Standing], fleet: Fleet
    ) -> None:
        """Reports a plan that was written."""
        now = self.clock.now()
        for job in plan.no_fit:
            await self.tell(_no_fit(job, standings[job.team, job.policy], now))
        for job in plan.planned:
            if alert := _preflight(job, standings[job.team, job.policy], fleet, now):
                await self.tell(alert)
        for vm_key, why in plan.unmatched.items():
            vm = fleet.vms[vm_key]
            await self.tell(_unmatched(vm, why, now))
        for key, need in plan.unapproved.items():
            await self.tell(_approval(key, need, standings[key], now))
        with suppress(Stale):  # another discovery keeps its own list at this moment
            await self.alerts.keep_left_alone(list(_left_alone(plan, fleet)))


def _left_alone(plan: Plan, fleet: Fleet) -> Iterator[LeftAlone]:
    for vm_key, why in plan.unmatched.items():
        vm = fleet.vms[vm_key]
        if vm.maintenance:
            closes = vm.maintenance.pre_maintenance_window_end_time
            yield LeftAlone(vm_id=vm.id, location=vm.location, closes=closes, reason=why)


def _no_fit(job: Job, stands: Standing, now: datetime) -> Alert:
    """Told again where the policy or the window changed and it still has no start."""
    closes = job.closes
    return Alert(
        id=event_id("noFit", job.id, closes.isoformat(), repr(stands.policy)),
        kind="noFit",
        subject=job.vm_name,
        reason=f"No start fits it: {job.reason}",
        next_step=(
            f"Change the policy before {utc(closes)}; the next discovery plans it anew. "
            f"Otherwise Azure does it by itself {azure_acts(job)}."
        ),
        raised_at=now,
        team=job.team,
        policy=job.policy,
        facts=facts_of_job(job, now),
        recipients=stands.policy.owners if stands.policy else (),
        deadline=closes,
        vm_id=job.vm_id,
        zone=_zone(stands),
    )


def _preflight(job: Job, stands: Standing, fleet: Fleet, now: datetime) -> Alert | None:
    """Told once for each maintenance and what was found; notes are left to the plan."""
    vm, policy = fleet.vms.get(job.vm_key), stands.policy
    if vm is None or policy is None or job.maintenance is None or vm.key in fleet.told:
        return None
    serious = [each for each in fleet.findings(vm, gap=policy.gap) if each.serious]
    if not serious:
        return None
    when = f"at {utc(job.planned_start)}" if job.planned_start else "once a start fits"
    return Alert(
        id=event_id("preflight", job.id, *(each.kind for each in serious)),
        kind="preflight",
        subject=job.vm_name,
        reason=" ".join(each.text for each in serious),
        next_step=f"Baton redeploys it {when}; to spare it, exclude it in the policy.",
        raised_at=now,
        team=job.team,
        policy=job.policy,
        facts=facts_of_job(job, now),
        recipients=policy.owners,
        deadline=job.planned_start,
        vm_id=job.vm_id,
        zone=_zone(stands),
    )


def _unmatched(vm: Vm, why: str, now: datetime) -> Alert:
    """Told once for each maintenance."""
    status = vm.maintenance
    opens = status.pre_maintenance_window_start_time if status else now
    # No policy makes Baton redeploy what is left to a mechanism of its own.
    mend = "" if own_mechanism(vm) else "Add or mend a policy if Baton is to do it. Otherwise "
    return Alert(
        id=event_id("unmatched", vm.key, opens.isoformat()),
        kind="unmatched",
        subject=vm.name,
        reason=f"Azure offers it a maintenance, and Baton leaves it alone: {why}",
        next_step=f"{mend}Azure does it by itself {azure_redeploys(status) if status else 'later'}.",
        raised_at=now,
        facts=facts_of_vm(vm, status, now) if status else (),
        vm_id=vm.id,
        deadline=status.pre_maintenance_window_end_time if status else None,
    )


def _approval(key: PolicyKey, need: InNeed, stands: Standing, now: datetime) -> Alert:
    """Told when a rollout begins to wait, again when its approval lapsed, and before it would lose a VM."""
    name = "/".join(key)
    last_call = need.last - now <= _LAST_CALL
    again = f" Its approval ended at {utc(need.lapsed)}." if need.lapsed else ""
    return Alert(
        id=event_id("approval", name, str(need.rollout), str(last_call), str(need.lapsed)),
        kind="approval",
        subject=name,
        reason=f"Rollout {need.rollout} of {need.vms} VMs waits for approval.{again}",
        next_step=(
            f"Approve it with ./baton approve {name} before {utc(need.last)}: later it no longer fits whole. "
            "Whatever is not done when its self-service window closes, Azure does by itself."
        ),
        raised_at=now,
        team=key[0],
        policy=key[1],
        recipients=stands.policy.owners if stands.policy else (),
        deadline=need.last,
        zone=_zone(stands),
    )


def _zone(stands: Standing) -> str:
    return stands.policy.hours.zone_name if stands.policy else ""
