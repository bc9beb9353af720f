"""A VM as Baton sees it, and what Azure says of its maintenance."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.errors import Problem
from shared.domain.patching.model import ImageReference, PatchSettings, PatchStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceStatus:
    """Azure's `maintenanceRedeployStatus`, value for value.

    All times are aware. An absent code or message is `""`; the code "None" is Azure's own word for
    "no attempt yet" and stays the string "None". The code is an open set: an unknown word is kept.

    Source: Microsoft.Compute 2026-04-01, VirtualMachineInstanceView.maintenanceRedeployStatus.
    """

    is_customer_initiated_maintenance_allowed: bool
    pre_maintenance_window_start_time: datetime
    pre_maintenance_window_end_time: datetime
    maintenance_window_start_time: datetime | None = None
    maintenance_window_end_time: datetime | None = None
    last_operation_result_code: str = ""
    last_operation_message: str = ""

    def is_offered(self, now: datetime) -> bool:
        """Whether the customer may still redeploy: allowed, or the self-service window lies ahead."""
        if now >= self.pre_maintenance_window_end_time:
            return False
        return (
            self.is_customer_initiated_maintenance_allowed
            or now < self.pre_maintenance_window_start_time
        )

    def is_open(self, now: datetime) -> bool:
        """Whether a redeploy may start at `now`: allowed, and inside the self-service window."""
        return (
            self.is_customer_initiated_maintenance_allowed
            and self.pre_maintenance_window_start_time <= now < self.pre_maintenance_window_end_time
        )

    def overlaps(self, other: "MaintenanceStatus") -> bool:
        """Whether the two self-service windows share an instant."""
        return (
            self.pre_maintenance_window_start_time < other.pre_maintenance_window_end_time
            and other.pre_maintenance_window_start_time < self.pre_maintenance_window_end_time
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceView:
    """What a VM's instance view says now.

    Attributes:
        power_state: The word after `PowerState/` (`running`, `deallocated`, ...); None if absent.
        agent_ready: Whether the VM agent reports Ready.
        update_domain: `platformUpdateDomain`; None where Azure gives none.
        fault_domain: `platformFaultDomain`; None where Azure gives none.
        assigned_host: Lower-cased ARM id of the dedicated host that it runs on, `""` if none.
        maintenance: None outside a maintenance.
        patch_status: None where Azure shows none, as before a VM's first assessment.
    """

    power_state: str | None = None
    agent_ready: bool = False
    update_domain: int | None = None
    fault_domain: int | None = None
    assigned_host: str = ""
    maintenance: MaintenanceStatus | None = None
    patch_status: PatchStatus | None = None

    @property
    def is_running(self) -> bool:
        """Whether the VM is powered on and past its start."""
        return self.power_state == "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vm:
    """One virtual machine: its model, and its instance view where that was read.

    Attributes:
        id: The ARM id as Azure spelt it this time; compare `key` instead.
        zone: Logical zone number in its subscription, `""` if none.
        availability_set: Lower-cased ARM id, `""` if none.
        vm_size: `""` where ARM does not tell.
        os_disk_ephemeral: Whether the OS disk lies on the node itself; None where that is unreadable.
        network_interfaces: Lower-cased ARM ids; None where they are unreadable.
        redeploy_awaits_approval: Whether its scheduledEventsPolicy lets an accepted redeploy wait for
            approval; None where that is unreadable.
        os_type: `Windows` or `Linux`; `""` where ARM does not tell.
        image: None where the VM was made of a disk.
        patch_settings: None where it has no Windows configuration.
        scale_set: Lower-cased ARM id of the scale set that it is of, `""` if none.
        fault_domain_count: Of its flexible scale set, 1 where that spreads as far as it can; None where it
            is not known.
        dedicated_host: Lower-cased ARM id of the dedicated host, or else the host group, that it is placed
            on; `""` if none.
        view: None where only the model was listed.
    """

    id: str
    name: str
    resource_group: str
    subscription_id: str
    location: str
    zone: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    availability_set: str = ""
    provisioning_state: str = ""
    vm_size: str = ""
    os_disk_ephemeral: bool | None = False
    network_interfaces: tuple[str, ...] | None = ()
    redeploy_awaits_approval: bool | None = False
    os_type: str = ""
    image: ImageReference | None = None
    patch_settings: PatchSettings | None = None
    scale_set: str = ""
    fault_domain_count: int | None = None
    dedicated_host: str = ""
    view: InstanceView | None = None

    @property
    def key(self) -> str:
        """The id by which VMs are compared: Azure's casing of ids varies from answer to answer."""
        return self.id.lower()

    @property
    def scale_set_name(self) -> str:
        """Lower-cased name of the scale set that it is of, `""` if none."""
        return self.scale_set.rsplit("/", 1)[-1]

    @property
    def is_uniform(self) -> bool:
        """Whether it is an instance of a scale set with Uniform orchestration."""
        return bool(self.scale_set) and self.key.startswith(f"{self.scale_set}/virtualmachines/")

    @property
    def domain_set(self) -> str:
        """The set whose domains are kept apart (promise P5), lower-cased; `""` if it is in none.

        A flexible scale set that spreads as far as it can has no domains to keep apart.
        """
        if self.availability_set or not self.scale_set:
            return self.availability_set
        return "" if self.fault_domain_count == 1 and not self.is_uniform else self.scale_set

    @property
    def domain(self) -> int | None:
        """Its domain in that set: where Azure updates by domain the update domain, else the fault domain.

        None where it is not known, and then it equals no other.
        """
        if self.view is None:
            return None
        if self.availability_set or self.is_uniform:
            return self.view.update_domain
        return self.view.fault_domain if self.fault_domain_count else None

    @property
    def maintenance(self) -> MaintenanceStatus | None:
        """The maintenance, if the instance view was read and shows one."""
        return self.view.maintenance if self.view else None

    @property
    def patch_status(self) -> PatchStatus | None:
        """Its patch status, if the instance view was read and shows one."""
        return self.view.patch_status if self.view else None

    def with_view(self, view: InstanceView) -> "Vm":
        """The same VM with what its instance view says."""
        return replace(self, view=view)


@dataclass(frozen=True, slots=True)
class ListedStatus:
    """One item of the status list: which VM, and its instance view if the item carried one."""

    vm_id: str
    view: InstanceView | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A VM whose answer from ARM cannot be used; the others go on."""

    vm_id: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that the identity can see.

    Attributes:
        state: Azure's word, `Enabled`, `PastDue`, `Warned`, `Disabled`, `Deleted`; an open set.
    """

    id: str
    name: str
    state: str = "Enabled"

    @property
    def is_read_only(self) -> bool:
        """Whether Azure refuses to change anything in it.

        Source: learn.microsoft.com, cost-management-billing/manage/subscription-states: a disabled or
        expired one can be read; one that is past due or warned takes every operation.
        """
        return self.state.lower() in ("disabled", "expired", "deleted")
