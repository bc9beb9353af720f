"""What the routes of scale sets answer: the sets, a uniform one's instances, and their redeploys."""

import uuid
from typing import Any, Final

from simulator.arm import errors, responses
from simulator.arm.call import Answer, Call, scale_set_key, vm_key
from simulator.arm.cloud import Cloud
from simulator.arm.lists import known_group, page, vms_under, whole_list
from simulator.arm.operations import REDEPLOY_SET, Operation
from simulator.arm.records import NAMESPACE, VmRecord, compute_id, scale_set_id
from simulator.arm.responses import known_vm, operation_headers
from simulator.arm.scale_set_bodies import instance_body, instance_status, scale_set_body
from simulator.arm.verdict import Verdict
from simulator.scenario_model import ScaleSet

_SET: Final = "Microsoft.Compute/virtualMachineScaleSets"


def list_scale_sets(cloud: Cloud, call: Call) -> Answer:
    """The scale sets of a subscription or of a resource group."""
    prefix = f"/subscriptions/{call.params['subscription']}/".lower()
    if "group" in call.params:
        known_group(cloud, call)
        prefix += f"resourcegroups/{call.params['group']}/".lower()
    found = sorted(cloud.scale_sets.items())
    return whole_list([_body(cloud, it) for key, it in found if key.startswith(prefix)])


def get_scale_set(cloud: Cloud, call: Call) -> Answer:
    """One scale set."""
    return Answer(200, _body(cloud, _known(cloud, call)))


def list_instances(cloud: Cloud, call: Call) -> Answer:
    """The instances of a uniform scale set, a page at a time, with their views where asked for."""
    scale_set = _known(cloud, call)
    if scale_set.mode == "flexible":
        raise errors.instances_not_listed(scale_set.name)
    settings, expanded = cloud.scenario.arm, _expands(call)

    def body(record: VmRecord) -> dict[str, Any]:
        return _instance(
            cloud, call, record, expanded=expanded, shouting=settings.id_case == "mixed"
        )

    return page(cloud, call, _instances(cloud, scale_set), body)


def get_instance(cloud: Cloud, call: Call) -> Answer:
    """One instance, with its view where ``$expand`` asks for it."""
    _check_numbered(call)
    return Answer(200, _instance(cloud, call, known_vm(cloud, call), expanded=_expands(call)))


def get_instance_status(cloud: Cloud, call: Call) -> Answer:
    """The instance view of one instance."""
    _check_numbered(call)
    return Answer(200, instance_status(known_vm(cloud, call), call.now, cloud.scenario.arm))


def perform_maintenance(cloud: Cloud, call: Call) -> Answer:
    """Begin the redeploy of the instances that the body names, of every one where it names none.

    How Azure answers where it takes some and refuses others is not known: here it takes what it can,
    and refuses where it can take none.
    """
    scale_set = _known(cloud, call)
    asked = [str(each) for each in call.body.get("instanceIds") or ()]
    named = [it for it in _instances(cloud, scale_set) if not asked or it.spec.instance_id in asked]
    for each in set(asked) - {it.spec.instance_id for it in named}:
        raise errors.no_instance(each)
    verdicts = [(it, cloud.perform_maintenance(it, call.now, call.request)) for it in named]
    operations = [verdict.operation for _, verdict in verdicts if verdict.operation]
    call.note.update(
        accepted=bool(operations),
        asked=asked,
        instances=[_noted(record, verdict) for record, verdict in verdicts],
    )
    if not operations:
        refusals = [verdict.error for _, verdict in verdicts if verdict.error]
        raise refusals[0] if refusals else errors.not_allowed(scale_set.name, "it has no instances")
    whole = _of_all(cloud, call, scale_set, operations)
    return Answer(202, None, operation_headers(cloud, call, whole))


def perform_maintenance_of_instance(cloud: Cloud, call: Call) -> Answer:
    """Begin the redeploy of one instance, or say why not; the journal learns which."""
    _check_numbered(call)
    _known(cloud, call)
    if vm_key(call.params) not in cloud.vms:
        raise errors.no_instance(call.params["instance"])
    return responses.perform_maintenance(cloud, call)


def _noted(record: VmRecord, verdict: Verdict) -> dict[str, Any]:
    return {
        "vmId": record.key,
        "accepted": verdict.operation is not None,
        "maintenanceId": verdict.maintenance,
        "reason": verdict.reason,
    }


def _of_all(
    cloud: Cloud, call: Call, scale_set: ScaleSet, operations: list[Operation]
) -> Operation:
    """The operation that ends with the last of those of its instances."""
    ends = [each.ends_at for each in operations]
    known = [each for each in ends if each is not None]
    whole = Operation(
        id=str(uuid.uuid5(NAMESPACE, f"set#operation{len(cloud.operations)}")),
        vm=compute_id(scale_set, "virtualMachineScaleSets"),
        location=scale_set.location,
        started=call.now,
        ends_at=max(known) if len(known) == len(ends) else None,
        error=next((each.error for each in operations if each.error), None),
        request=call.request,
        action=REDEPLOY_SET,
    )
    cloud.operations[whole.id] = whole
    return whole


def _known(cloud: Cloud, call: Call) -> ScaleSet:
    group, _ = known_group(cloud, call)
    found = cloud.scale_sets.get(scale_set_key(call.params))
    if found is None:
        raise errors.resource_not_found(_SET, call.params["scaleset"], group)
    return found


def _check_numbered(call: Call) -> None:
    if not call.params["instance"].isdecimal():
        raise errors.not_numbered()


def _expands(call: Call) -> bool:
    expand = call.query.get("$expand", "").lower()
    if expand not in {"", "instanceview"}:
        raise errors.invalid_parameter("$expand", expand, "Use instanceView.")
    return expand != ""


def _instance(
    cloud: Cloud, call: Call, record: VmRecord, *, expanded: bool, shouting: bool = False
) -> dict[str, Any]:
    body = instance_body(record, shouting=shouting)
    if expanded:
        view = instance_status(record, call.now, cloud.scenario.arm)
        body["properties"]["instanceView"] = view
    return body


def _instances(cloud: Cloud, scale_set: ScaleSet) -> list[VmRecord]:
    prefix = f"{compute_id(scale_set, 'virtualMachineScaleSets')}/"
    return vms_under(cloud, prefix)


def _body(cloud: Cloud, scale_set: ScaleSet) -> dict[str, Any]:
    identity = compute_id(scale_set, "virtualMachineScaleSets")
    scope = identity.split("/providers/", maxsplit=1)[0]
    members = [
        it
        for it in vms_under(cloud, f"{scope}/")
        if it.spec.scale_set and scale_set_id(it.spec) == identity
    ]
    return scale_set_body(scale_set, len(members))
