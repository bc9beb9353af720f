"""Valid things around one fixed instant; a test overrides what it is about."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.alert import Alert, event_id
from shared.domain.attempt import Attempt
from shared.domain.due import DuePatches
from shared.domain.heartbeat import Heartbeat
from shared.domain.job import Job
from shared.domain.job_ids import job_id
from shared.domain.ledger import Away, Books, Head, Ledger
from shared.domain.maintenance import InstanceView, MaintenanceStatus, Vm
from shared.domain.places import Places
from shared.domain.policy import Policy
from shared.domain.policy_row import parse_policy
from shared.domain.scale_sets import ScaleSet
from shared.domain.vm_ids import VmId
from shared.ports import PolicyRow
from shared.use_cases.see_fleet import Sight

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
OWNER = "shop@example.com"


def a_vm_id(name: str = "web-1", *, group: str = "shop", subscription: str = SUBSCRIPTION) -> str:
    return (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.Compute/virtualMachines/{name}"
    )


def a_set_id(name: str = "web", *, group: str = "shop") -> str:
    path = f"resourcegroups/{group}/providers/microsoft.compute/availabilitysets/{name}"
    return f"/subscriptions/{SUBSCRIPTION}/{path}".lower()


def a_status(
    *,
    allowed: bool = True,
    opens: datetime | None = None,
    closes: datetime | None = None,
    **other: Any,
) -> MaintenanceStatus:
    """Offered and open: the self-service window is from an hour before NOW to a week after it."""
    opens = opens or NOW - timedelta(hours=1)
    closes = closes or NOW + timedelta(days=7)
    defaults: dict[str, Any] = {
        "maintenance_window_start_time": closes,
        "maintenance_window_end_time": closes + timedelta(days=7),
        "last_operation_result_code": "None",
    }
    return MaintenanceStatus(
        is_customer_initiated_maintenance_allowed=allowed,
        pre_maintenance_window_start_time=opens,
        pre_maintenance_window_end_time=closes,
        **(defaults | other),
    )


OFFERED = a_status()


def a_view(*, maintenance: MaintenanceStatus | None = OFFERED, **other: Any) -> InstanceView:
    """Running, its agent ready, and offered a maintenance."""
    defaults: dict[str, Any] = {"power_state": "running", "agent_ready": True}
    return InstanceView(maintenance=maintenance, **(defaults | other))


VIEW = a_view()


def a_vm(name: str = "web-1", *, view: InstanceView | None = VIEW, **other: Any) -> Vm:
    """A running VM that is offered a maintenance; its parts follow its id."""
    vm_id = other.pop("id", None) or a_vm_id(
        name,
        group=other.pop("resource_group", "shop"),
        subscription=other.pop("subscription_id", SUBSCRIPTION),
    )
    parts = VmId.parse(vm_id)
    defaults: dict[str, Any] = {"location": "westeurope", "provisioning_state": "Succeeded"}
    return Vm(
        id=vm_id,
        name=parts.name,
        resource_group=parts.resource_group,
        subscription_id=parts.subscription_id,
        view=view,
        **(defaults | other),
    )


def a_scale_set(name: str = "web-vmss", **other: Any) -> ScaleSet:
    """With Uniform orchestration, without tags."""
    path = "resourceGroups/shop/providers/Microsoft.Compute/virtualMachineScaleSets"
    defaults: dict[str, Any] = {"resource_group": "shop", "subscription_id": SUBSCRIPTION}
    return ScaleSet(
        id=f"/subscriptions/{SUBSCRIPTION}/{path}/{name}", name=name, **(defaults | other)
    )


def an_instance(
    number: int = 0,
    *,
    of: ScaleSet | None = None,
    update_domain: int | None = 0,
    fault_domain: int | None = 0,
    **other: Any,
) -> Vm:
    """A running instance of a uniform scale set that is offered a maintenance."""
    scale_set = of or a_scale_set()
    view = other.pop("view", a_view(update_domain=update_domain, fault_domain=fault_domain))
    vm_id = f"{scale_set.id}/virtualMachines/{number}"
    return a_vm(id=vm_id, scale_set=scale_set.key, view=view, **other)


def a_job(name: str = "web-1", *, vm: Vm | None = None, **other: Any) -> Job:
    """To start at NOW in stage 1 of rollout 1 of shop/web; its VM and maintenance are `vm`'s if one is given.

    With `patches` it has a maintenance too only if one is given.
    """
    vm = vm or a_vm(name)
    maintenance = other.pop("maintenance", None)
    if not other.get("patches"):
        maintenance = maintenance or vm.maintenance or OFFERED
    zone = other.get("zone", vm.zone)
    defaults: dict[str, Any] = {
        "id": job_id(
            vm.key,
            maintenance.pre_maintenance_window_start_time
            if maintenance
            else other["patches"].release,
        ),
        "team": "shop",
        "policy": "web",
        "rollout": 1,
        "stage": 1,
        "discovered_at": NOW,
        "planned_start": NOW,
        "zone": vm.zone,
        "zone_key": Places().zone_of(vm.subscription_id, vm.location, zone),
        "domain_set": vm.domain_set,
        "domain": vm.domain,
    }
    return Job(
        vm_id=vm.id,
        vm_name=vm.name,
        resource_group=vm.resource_group,
        subscription_id=vm.subscription_id,
        location=vm.location,
        maintenance=maintenance,
        **(defaults | other),
    )


def a_release(*, reboots: bool = False, **other: Any) -> DuePatches:
    """Due since an hour before NOW, and without a reboot."""
    defaults: dict[str, Any] = {
        "release": "2026-02-10",
        "since": NOW - timedelta(hours=1),
        "until": NOW + timedelta(days=8),
        "kbs": ("5034129",),
        "needs_reboot": reboots,
    }
    return DuePatches(**(defaults | other))


def an_attempt(**other: Any) -> Attempt:
    """The first attempt, completed at NOW."""
    defaults: dict[str, Any] = {
        "number": 1,
        "outcome": "completed",
        "terminal": True,
        "reason": "Azure reports MaintenanceCompleted, and the VM runs again",
        "ended_at": NOW,
        "started_at": NOW - timedelta(minutes=20),
        "verified_at": NOW,
        "last_operation_result_code": "MaintenanceCompleted",
        "correlation_id": "correlation-1",
    }
    return Attempt(**(defaults | other))


def a_head(team: str = "shop", policy: str = "web", **columns: object) -> Head:
    """A head whose last good row has these columns."""
    columns = columns or {"match": "name:web-*"}
    return Head(team=team, policy=policy, columns=columns, version=f"v-{sorted(columns.items())}")


def a_ledger(*jobs: Job, head: Head | None = None) -> Ledger:
    """The jobs' ledger; its head is that of their policy."""
    if head is None:
        head = a_head(jobs[0].team, jobs[0].policy) if jobs else a_head()
    return Ledger(head=head, jobs=jobs)


def some_books(*ledgers: Ledger, guard: str = 'W/"1"') -> Books:
    return Books(guard=guard, ledgers={ledger.head.key: ledger for ledger in ledgers})


def an_away(domain_set: str = "", **jobs: int | None) -> Away:
    return Away(domain_set=domain_set or a_set_id(), jobs=jobs)


def a_policy_row(
    team: str = "shop",
    policy: str = "web",
    *,
    etag: str = "",
    columns: Mapping[str, object] | None = None,
) -> PolicyRow:
    """A row that matches web-* and tells its owner."""
    if columns is None:
        columns = {"match": "name:web-*", "owners": OWNER}
    return PolicyRow(team=team, policy=policy, columns=columns, etag=etag)


def an_alert(*about: str, **other: Any) -> Alert:
    """Raised at NOW about a failed redeploy; other parts of its event give it another id."""
    kind = other.get("kind", "failed")
    defaults: dict[str, Any] = {
        "id": event_id(kind, *(about or ("web-1",))),
        "kind": kind,
        "subject": "web-1",
        "team": "shop",
        "policy": "web",
        "reason": "Azure's operation failed",
        "next_step": "The rollout is halted; look at the VM.",
        "facts": (("VM", a_vm_id()), ("lastOperationResultCode", "MaintenanceAborted")),
        "recipients": (OWNER,),
        "raised_at": NOW,
    }
    return Alert(**(defaults | other))


def a_policy(**columns: object) -> Policy:
    """shop/web, by its columns."""
    return parse_policy(("shop", "web"), columns)


def a_heartbeat(sight: Sight) -> Heartbeat:
    """The heartbeat of the discovery that saw this."""
    return Heartbeat(
        at=NOW,
        vms=sight.count,
        changed=0,
        unmatched=0,
        unreadable=0,
        failed_subscriptions=len(sight.behind),
        seen_at=NOW,
        behind=sight.behind,
    )
