"""A VM's whole story from the tables: what it waits for, what came of it, what people were told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.alert import Alert
from shared.domain.errors import InvalidInput
from shared.domain.heartbeat import LeftAlone
from shared.domain.job import Job
from shared.domain.maintenance import MaintenanceStatus
from shared.domain.mode import Mode
from shared.domain.pace import Pace
from shared.domain.pause import pause_of
from shared.domain.placement import set_conflict
from shared.domain.policy import Standing
from shared.domain.vm_ids import VmId, name_of
from shared.ports import AlertStore, Clock, JobStore, OutcomeStore, PatchStore
from shared.use_cases.explanation import Explanation, Facts, explain_job
from shared.use_cases.look import Look, Seen
from shared.use_cases.show import ALERTS_FOR, show_alert, show_vm
from shared.use_cases.show_patches import show_patches
from shared.use_cases.shown import ShownStory

# Explaining reads a VM anew; a page that is open all night must not.
_NOT_ASKED = "nothing in Baton's tables is in its way; Azure is asked about the VM when it starts"
_OF_TABLE = ("PartitionKey", "RowKey", "Timestamp", "vmId", "vmName")


@dataclass(frozen=True, slots=True, kw_only=True)
class TellStory:
    """Tells it, and asks Resource Manager nothing."""

    clock: Clock
    look: Look
    jobs: JobStore
    outcomes: OutcomeStore
    alerts: AlertStore
    patches: PatchStore
    mode: Mode
    pace: Pace

    async def __call__(self, vm_id: str) -> ShownStory | None:
        """Tells it; None where Baton knows nothing of such a VM.

        Args:
            vm_id: ARM id, in any case.

        Raises:
            Retryable: The tables are busy.
        """
        seen, key = await self.look(), vm_id.lower()
        job = _latest(job for job in seen.jobs() if job.vm_key == key)
        alone = next((vm for vm in await self.alerts.left_alone() if vm.vm_id.lower() == key), None)
        # The rows of a VM are found by its name as Azure spells it.
        known_id = job.vm_id if job else alone.vm_id if alone else vm_id
        outcomes = await self.outcomes.of(known_id)
        record = await self.patches.record(known_id)
        if record and record.key != known_id.lower():
            record = None  # of a VM that is named as this instance of a scale set
        if job is None and alone is None and record is None and not outcomes:
            return None
        said = await self._explained(job, seen) if job else None
        name = name_of(known_id)
        raised = await self.alerts.raised_since(self.clock.now() - ALERTS_FOR)
        return ShownStory(
            vm_id=known_id,
            vm=name,
            job=show_vm(job, seen) if job else None,
            why=said.why if said else _without_job(alone),
            follows=said.follows if said else (),
            findings=said.findings if said else (),
            zone=said.policy.hours.zone_name if said and said.policy else "UTC",
            maintenance=_azure(said.maintenance) if said and said.maintenance else {},
            outcomes=tuple(map(_row, outcomes)),
            alerts=tuple(show_alert(alert) for alert in raised if _is_about(alert, known_id)),
            patches=show_patches(record) if record else None,
        )

    async def _explained(self, job: Job, seen: Seen) -> Explanation:
        key, unread = (job.team, job.policy), _NOT_ASKED
        if job.domain_set:
            try:
                conflict = set_conflict(job, await self.jobs.away(job.domain_set))
            except InvalidInput as wrong:
                conflict = str(wrong)
            unread = conflict or unread
        facts = Facts(
            job=job,
            ledger=seen.books.ledgers[key],
            stands=seen.standings.get(key) or Standing(key=key, policy=None),
            vm=None,
            unread=unread,
            pause=pause_of(seen.pauses, *key),
        )
        return explain_job(facts, mode=self.mode, pace=self.pace, now=self.clock.now())


def _latest(jobs: Iterable[Job]) -> Job | None:
    """The open one, else the one that ended last."""
    first = datetime.min.replace(tzinfo=UTC)
    return max(jobs, key=lambda job: (not job.state.is_end, job.ended_at or first), default=None)


def _without_job(alone: LeftAlone | None) -> str:
    return alone.reason if alone else "Baton has no job for it now; its outcomes are below"


def _is_about(alert: Alert, vm_id: str) -> bool:
    """By its facts where it was raised by a version that kept no id, and the name alone could be another VM's."""
    if alert.vm_id:
        return alert.vm_id.lower() == vm_id.lower()
    vm = VmId.parse(vm_id)
    group, subscription = vm.resource_group, vm.subscription_id
    facts = dict(alert.facts)
    return (
        alert.subject.lower() == vm.name.lower()
        and facts.get("Subscription", subscription).lower() == subscription.lower()
        and f"resource group {group}".lower() in facts.get("VM", f"resource group {group}").lower()
    )


def _azure(status: MaintenanceStatus) -> dict[str, str]:
    """By Azure's own names."""
    fields = {
        "isCustomerInitiatedMaintenanceAllowed": status.is_customer_initiated_maintenance_allowed,
        "preMaintenanceWindowStartTime": status.pre_maintenance_window_start_time,
        "preMaintenanceWindowEndTime": status.pre_maintenance_window_end_time,
        "maintenanceWindowStartTime": status.maintenance_window_start_time,
        "maintenanceWindowEndTime": status.maintenance_window_end_time,
        "lastOperationResultCode": status.last_operation_result_code,
        "lastOperationMessage": status.last_operation_message,
    }
    return {name: _text(value) for name, value in fields.items()}


def _row(row: Mapping[str, object]) -> dict[str, str]:
    return {name: _text(cell) for name, cell in row.items() if name not in _OF_TABLE}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else str(value)
