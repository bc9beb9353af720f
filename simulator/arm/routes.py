"""Which path leads to which answer, the right it needs, and the token bucket it pays from.

ARM's paths are case-insensitive, which no router of a web framework offers: hence this table.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.arm import patch_responses, responses, scale_sets
from simulator.arm.call import Answer, Call
from simulator.arm.cloud import Cloud

Handler = Callable[[Cloud, Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A path with its answer.

    Attributes:
        action: the right that a 403 names.
        policy: the compute bucket that counts it; empty where only Resource Manager does.
    """

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    action: str
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A path that some route serves; ``route`` is None where none does so with this method."""

    route: Route | None
    params: dict[str, str]


def find(method: str, path: str) -> Match | None:
    """The route of a request; None for a path that nothing serves."""
    known: Match | None = None
    for route in ROUTES:
        if match := route.pattern.fullmatch(path):
            if route.method == method:
                return Match(route, match.groupdict())
            known = Match(None, match.groupdict())
    return known


def _route(method: str, path: str, handler: Handler, action: str, policy: str = "") -> Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(method, re.compile(pattern + "/?", re.IGNORECASE), handler, action, policy)


_SUB: Final = "/subscriptions/{subscription}"
_GROUP: Final = f"{_SUB}/resourceGroups/{{group}}"
_COMPUTE: Final = "/providers/Microsoft.Compute"
_VM: Final = f"{_GROUP}{_COMPUTE}/virtualMachines/{{vm}}"
_FEATURES: Final = f"{_SUB}/providers/Microsoft.Features/providers/Microsoft.Compute/features"
_READ_SUB: Final = "Microsoft.Resources/subscriptions/read"
_READ_GROUP: Final = "Microsoft.Resources/subscriptions/resourceGroups/read"
_READ_VM: Final = "Microsoft.Compute/virtualMachines/read"
_PERMISSIONS: Final = "/providers/Microsoft.Authorization/permissions"
_READ_PERMISSIONS: Final = "Microsoft.Authorization/permissions/read"
_SCALE_SETS: Final = f"{_COMPUTE}/virtualMachineScaleSets"
_SCALE_SET: Final = f"{_GROUP}{_SCALE_SETS}/{{scaleset}}"
_INSTANCE: Final = f"{_SCALE_SET}/virtualMachines/{{instance}}"
_READ_SCALE_SET: Final = "Microsoft.Compute/virtualMachineScaleSets/read"
_READ_INSTANCE: Final = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read"
_OF_SETS: Final = "HighCostGetVMScaleSet"
_READ_SET: Final = "Microsoft.Compute/availabilitySets/read"

ROUTES: Final = (
    _route("GET", "/subscriptions", responses.list_subscriptions, _READ_SUB),
    _route("GET", _SUB, responses.get_subscription, _READ_SUB),
    _route(
        "GET",
        f"{_SUB}/locations",
        responses.list_locations,
        "Microsoft.Resources/subscriptions/locations/read",
    ),
    _route("GET", f"{_SUB}{_PERMISSIONS}", responses.list_permissions, _READ_PERMISSIONS),
    _route("GET", f"{_GROUP}{_PERMISSIONS}", responses.list_permissions, _READ_PERMISSIONS),
    _route("GET", f"{_SUB}/resourceGroups", responses.list_groups, _READ_GROUP),
    _route("GET", _GROUP, responses.get_group, _READ_GROUP),
    _route("GET", f"{_SUB}{_COMPUTE}/virtualMachines", responses.list_vms, _READ_VM, "HighCostGet"),
    _route(
        "GET",
        f"{_SUB}{_COMPUTE}/locations/{{location}}/virtualMachines",
        responses.list_vms,
        _READ_VM,
        "HighCostGet",
    ),
    _route(
        "GET", f"{_GROUP}{_COMPUTE}/virtualMachines", responses.list_vms, _READ_VM, "HighCostGet"
    ),
    _route("GET", _VM, responses.get_vm, _READ_VM, "LowCostGet"),
    _route(
        "GET",
        f"{_VM}/instanceView",
        responses.get_instance_view,
        "Microsoft.Compute/virtualMachines/instanceView/read",
        "LowCostGet",
    ),
    _route(
        "POST",
        f"{_VM}/performMaintenance",
        responses.perform_maintenance,
        "Microsoft.Compute/virtualMachines/performMaintenance/action",
        "UpdateVM",
    ),
    _route(
        "GET",
        f"{_SUB}{_SCALE_SETS}",
        scale_sets.list_scale_sets,
        _READ_SCALE_SET,
        _OF_SETS,
    ),
    _route(
        "GET",
        f"{_GROUP}{_SCALE_SETS}",
        scale_sets.list_scale_sets,
        _READ_SCALE_SET,
        _OF_SETS,
    ),
    _route("GET", _SCALE_SET, scale_sets.get_scale_set, _READ_SCALE_SET, "LowCostGetVMScaleSet"),
    _route(
        "POST",
        f"{_SCALE_SET}/performMaintenance",
        scale_sets.perform_maintenance,
        "Microsoft.Compute/virtualMachineScaleSets/performMaintenance/action",
        "UpdateVMScaleSet",
    ),
    _route(
        "GET",
        f"{_SCALE_SET}/virtualMachines",
        scale_sets.list_instances,
        _READ_INSTANCE,
        _OF_SETS,
    ),
    _route("GET", _INSTANCE, scale_sets.get_instance, _READ_INSTANCE, "GetVMScaleSetVM"),
    _route(
        "GET",
        f"{_INSTANCE}/instanceView",
        scale_sets.get_instance_status,
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/instanceView/read",
        "GetVMScaleSetVM",
    ),
    _route(
        "POST",
        f"{_INSTANCE}/performMaintenance",
        scale_sets.perform_maintenance_of_instance,
        "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/performMaintenance/action",
        "UpdateVMScaleSetVM",
    ),
    _route(
        "POST",
        f"{_VM}/assessPatches",
        patch_responses.assess_patches,
        "Microsoft.Compute/virtualMachines/assessPatches/action",
        "VMGuestPatch",
    ),
    _route(
        "POST",
        f"{_VM}/installPatches",
        patch_responses.install_patches,
        "Microsoft.Compute/virtualMachines/installPatches/action",
        "VMGuestPatch",
    ),
    _route(
        "PATCH",
        _VM,
        patch_responses.update_vm,
        "Microsoft.Compute/virtualMachines/write",
        "UpdateVM",
    ),
    _route(
        "GET",
        f"{_FEATURES}/{{feature}}",
        patch_responses.get_feature,
        "Microsoft.Features/providers/features/read",
    ),
    _route(
        "POST",
        f"{_FEATURES}/{{feature}}/register",
        patch_responses.register_feature,
        "Microsoft.Features/providers/features/register/action",
    ),
    _route(
        "GET",
        f"{_SUB}{_COMPUTE}",
        patch_responses.get_provider,
        "Microsoft.Resources/subscriptions/providers/read",
    ),
    _route(
        "POST",
        f"{_SUB}{_COMPUTE}/register",
        patch_responses.register_provider,
        "Microsoft.Compute/register/action",
    ),
    _route(
        "POST",
        "/providers/Microsoft.ResourceGraph/resources",
        patch_responses.query_graph,
        "Microsoft.ResourceGraph/resources/read",
    ),
    _route(
        "GET",
        f"{_SUB}{_COMPUTE}/locations/{{location}}/operations/{{operation}}",
        responses.get_operation,
        "Microsoft.Compute/locations/operations/read",
        "GetOperation",
    ),
    _route(
        "GET", f"{_SUB}{_COMPUTE}/availabilitySets", responses.list_availability_sets, _READ_SET
    ),
    _route(
        "GET", f"{_GROUP}{_COMPUTE}/availabilitySets", responses.list_availability_sets, _READ_SET
    ),
    _route(
        "GET",
        f"{_GROUP}{_COMPUTE}/availabilitySets/{{set}}",
        responses.get_availability_set,
        _READ_SET,
    ),
    _route(
        "GET",
        f"{_SUB}/providers/Microsoft.Network/publicIPAddresses",
        responses.list_public_addresses,
        "Microsoft.Network/publicIPAddresses/read",
    ),
    _route(
        "GET",
        f"{_SUB}/providers/Microsoft.DevTestLab/schedules",
        responses.list_schedules,
        "Microsoft.DevTestLab/schedules/read",
    ),
    _route(
        "GET",
        f"{_SUB}/providers/Microsoft.Insights/eventtypes/management/values",
        responses.list_activity,
        "Microsoft.Insights/eventtypes/values/read",
    ),
)
