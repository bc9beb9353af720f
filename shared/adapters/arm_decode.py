"""ARM's JSON of VMs and scale sets → the domain. It is read as ARM sent it, not as the SDK's models read it.

The SDK's attributes turn a time without an offset into a naive datetime and a wrong type into an error that
names nothing; here each unusable value becomes an InvalidInput that names VM, field, value and the fix.
What only preflight asks for is not worth that: there an unusable value is unknown.
"""

import re
from collections.abc import Mapping, Sequence

from shared.adapters import arm_patch_decode as patches
from shared.adapters.arm_fields import TIME, Fields, identity_of, unless_odd, word
from shared.domain.errors import InvalidInput, Problem
from shared.domain.maintenance import (
    InstanceView,
    ListedStatus,
    MaintenanceStatus,
    Vm,
)
from shared.domain.places import spelt
from shared.domain.scale_sets import UNIFORM, ScaleSet
from shared.domain.vm_ids import VmId

_MESSAGE_MAX = 2**20  # a row keeps the beginning
_SET_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.Compute"
    r"/virtualMachineScaleSets/(?P<name>[^/]+)/?",
    re.IGNORECASE,
)


def vm_of(item: object) -> Vm:
    """A VM of a list, or of a get: its model, and its instance view where the answer carries one.

    An instance of a uniform scale set is read alike: it says its set by its id, and its size by its SKU.

    Raises:
        InvalidInput: Some value cannot be used; the first one is named.
    """
    vm = Fields.of_vm(item)
    properties = vm.object("properties")
    view = properties.object("instanceView", required=False)
    parts = _parts(vm)
    return Vm(
        id=vm.text("id"),
        name=parts.name,
        resource_group=parts.resource_group,
        subscription_id=parts.subscription_id,
        location=spelt(vm.text("location")),
        zone=_zone(vm),
        tags=vm.texts("tags"),
        availability_set=_id_of(properties, "availabilitySet"),
        provisioning_state=properties.text("provisioningState", required=False),
        vm_size=unless_odd("", lambda: _vm_size(vm, properties)),
        os_disk_ephemeral=unless_odd(None, lambda: _os_disk_ephemeral(properties)),
        network_interfaces=unless_odd(None, lambda: _network_interfaces(properties)),
        redeploy_awaits_approval=unless_odd(None, lambda: _awaits_approval(properties)),
        os_type=unless_odd("", lambda: _os_type(properties)),
        image=unless_odd(None, lambda: patches.image_of(_storage(properties))),
        patch_settings=patches.settings_of(properties),
        scale_set=_scale_set(vm, properties),
        dedicated_host=_id_of(properties, "host") or _id_of(properties, "hostGroup"),
        view=_view(view) if view.present else None,
    )


def seen_vm_of(item: object) -> Vm:
    """A VM that was asked for with its instance view, and so must have one.

    Raises:
        InvalidInput: As for `vm_of`; or the view is missing, which must not be taken for "no maintenance".
    """
    vm = vm_of(item)
    if vm.view is None:
        problem = Problem("properties.instanceView", "", "the instance view that was asked for")
        raise InvalidInput(vm.id, (problem,))
    return vm


def listed_status_of(item: object) -> ListedStatus:
    """An item of the status list; it may lack its view.

    Raises:
        InvalidInput: Some value cannot be used.
    """
    vm = Fields.of_vm(item)
    _parts(vm)
    view = vm.object("properties", required=False).object("instanceView", required=False)
    return ListedStatus(vm.text("id"), _view(view) if view.present else None)


def is_scale_set(item: object) -> bool:
    """Whether an item of a list is a scale set, by its id."""
    return bool(_SET_ID.fullmatch(identity_of(item)))


def scale_set_of(item: object) -> ScaleSet:
    """A scale set.

    Raises:
        InvalidInput: Some value cannot be used.
    """
    scale_set = Fields.of_vm(item)
    found = _SET_ID.fullmatch(scale_set.text("id"))
    if found is None:
        raise scale_set.wrong("id", scale_set.text("id"), "the ARM id of a scale set")
    properties = scale_set.object("properties")
    return ScaleSet(
        id=scale_set.text("id"),
        name=found["name"],
        resource_group=found["group"],
        subscription_id=found["subscription"],
        tags=scale_set.texts("tags"),
        orchestration_mode=properties.text("orchestrationMode", required=False) or UNIFORM,
        fault_domain_count=properties.number("platformFaultDomainCount"),
        host_group=_id_of(properties, "hostGroup"),
    )


def _parts(vm: Fields) -> VmId:
    try:
        return VmId.parse(vm.text("id"))
    except ValueError:
        raise vm.wrong("id", vm.text("id"), "the ARM id of a virtual machine") from None


def _zone(vm: Fields) -> str:
    zones = vm.values("zones")
    if zones and not isinstance(zones[0], str):
        raise vm.wrong("zones", zones[0], 'zone numbers as text, such as ["1"]')
    return zones[0] if zones else ""


def _vm_size(vm: Fields, properties: Fields) -> str:
    profile = properties.object("hardwareProfile", required=False)
    own = profile.text("vmSize", required=False)
    return own or vm.object("sku", required=False).text("name", required=False)


def _scale_set(vm: Fields, properties: Fields) -> str:
    head, found, _ = vm.text("id").lower().partition("/virtualmachines/")
    if found and "/virtualmachinescalesets/" in head:
        return head
    return _id_of(properties, "virtualMachineScaleSet")


def _id_of(properties: Fields, name: str) -> str:
    return properties.object(name, required=False).text("id", required=False).lower()


def _storage(properties: Fields) -> Fields:
    return properties.object("storageProfile", required=False)


def _os_type(properties: Fields) -> str:
    disk = _storage(properties).object("osDisk", required=False)
    return disk.text("osType", required=False).capitalize()


def _os_disk_ephemeral(properties: Fields) -> bool:
    disk = _storage(properties).object("osDisk", required=False)
    settings = disk.object("diffDiskSettings", required=False)
    return settings.text("option", required=False).lower() == "local"


def _network_interfaces(properties: Fields) -> tuple[str, ...]:
    profile = properties.object("networkProfile", required=False)
    ids = [word(item, "id").lower() for item in profile.values("networkInterfaces")]
    if "" in ids:
        raise profile.wrong("networkInterfaces", ids, "network interfaces, each with its id")
    return tuple(ids)


def _awaits_approval(properties: Fields) -> bool:
    """Whether an accepted redeploy becomes a scheduled event that nobody approves by itself.

    Without a policy only a guest that asks for its events has them; Azure does not show which do.
    """
    policy = properties.object("scheduledEventsPolicy", required=False)
    approves = policy.object("userInitiatedRedeploy", required=False).choice("automaticallyApprove")
    targets = policy.object("scheduledEventsAdditionalPublishingTargets", required=False)
    published = targets.object("eventGridAndResourceGraph", required=False).flag("enable")
    return approves is False or (published and approves is None)


def _view(view: Fields) -> InstanceView:
    return InstanceView(
        power_state=_power_state(view.values("statuses")),
        agent_ready=any(
            _says_ready(s) for s in view.object("vmAgent", required=False).values("statuses")
        ),
        update_domain=view.number("platformUpdateDomain"),
        fault_domain=unless_odd(None, lambda: view.number("platformFaultDomain")),
        assigned_host=view.text("assignedHost", required=False).lower(),
        maintenance=_maintenance(view.object("maintenanceRedeployStatus", required=False)),
        patch_status=patches.status_of(view),
    )


def _power_state(statuses: Sequence[object]) -> str | None:
    """Chosen by prefix: the array may hold other statuses, in any order, or lack this one."""
    codes = [s.get("code") for s in statuses if isinstance(s, Mapping)]
    powers = [c for c in codes if isinstance(c, str) and c.lower().startswith("powerstate/")]
    return powers[-1].split("/", 1)[1].lower() if powers else None


def _says_ready(status: object) -> bool:
    if not isinstance(status, Mapping):
        return False
    code, shown = status.get("code"), status.get("displayStatus")
    return str(code).lower() == "provisioningstate/succeeded" or str(shown).lower() == "ready"


def _maintenance(status: Fields) -> MaintenanceStatus | None:
    """Azure's status; None where there is no maintenance that a customer could start.

    A missing flag means "not allowed now": the safe reading. With the flag false and no self-service
    window there is nothing that Baton may do, so that the VM counts as outside any maintenance. With the
    flag true a missing window is an error, since a start without a window would break promise P2.
    """
    if not status.present:
        return None
    allowed = status.flag("isCustomerInitiatedMaintenanceAllowed")
    opens, closes = "preMaintenanceWindowStartTime", "preMaintenanceWindowEndTime"
    start, end = status.time(opens), status.time(closes)
    if not allowed and start is None and end is None:
        return None
    if start is None:
        raise status.wrong(opens, None, TIME)
    if end is None:
        raise status.wrong(closes, None, TIME)
    if allowed and end < start:
        raise status.wrong(closes, end.isoformat(), f"a time after {opens}")
    return MaintenanceStatus(
        is_customer_initiated_maintenance_allowed=allowed,
        pre_maintenance_window_start_time=start,
        pre_maintenance_window_end_time=end,
        maintenance_window_start_time=status.time("maintenanceWindowStartTime"),
        maintenance_window_end_time=status.time("maintenanceWindowEndTime"),
        last_operation_result_code=status.text("lastOperationResultCode", required=False),
        last_operation_message=status.text(
            "lastOperationMessage", required=False, at_most=_MESSAGE_MAX
        ),
    )
