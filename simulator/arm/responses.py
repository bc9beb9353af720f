"""What each route answers: from a call and the cloud to an answer."""

from typing import Any, Final

from simulator.arm import bodies, errors, surroundings
from simulator.arm.activity import activity, read_filter
from simulator.arm.call import Answer, Call, compute_key, vm_key
from simulator.arm.cloud import Cloud
from simulator.arm.lists import known_group, page, vms_under, wanted_scale_set, whole_list
from simulator.arm.locations import location_body
from simulator.arm.operations import Operation, timestamp
from simulator.arm.records import SubscriptionRecord, VmRecord, scale_set_id
from simulator.arm.verdict import Verdict
from simulator.patch_model import PatchWord
from simulator.scenario_model import AvailabilitySet, Word

_TENANT: Final = "00000000-0000-4000-8000-000000000001"
"""The tenant of the one identity."""

_VM: Final = "Microsoft.Compute/virtualMachines"
_INSTANCE: Final = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
_SET: Final = "Microsoft.Compute/availabilitySets"


def list_subscriptions(cloud: Cloud, _call: Call) -> Answer:
    """Every subscription, those that will answer 403 too: Azure lists by another right."""
    return whole_list([_subscription(it) for it in cloud.subscriptions.values()])


def get_subscription(cloud: Cloud, call: Call) -> Answer:
    """One subscription."""
    return Answer(200, _subscription(cloud.subscriptions[call.params["subscription"].lower()]))


def list_locations(cloud: Cloud, call: Call) -> Answer:
    """All regions, with pairs, and zones as this subscription numbers them."""
    subscription = cloud.subscriptions[call.params["subscription"].lower()]
    return whole_list(
        [
            location_body(it, subscription.id, subscription.rotation)
            for it in cloud.locations.values()
        ]
    )


def list_groups(cloud: Cloud, call: Call) -> Answer:
    """The resource groups of a subscription."""
    subscription = cloud.subscriptions[call.params["subscription"].lower()]
    return whole_list(
        [
            _group(subscription.id, name, location)
            for (owner, _), (name, location) in sorted(cloud.groups.items())
            if owner == subscription.id.lower()
        ]
    )


def get_group(cloud: Cloud, call: Call) -> Answer:
    """One resource group."""
    name, location = known_group(cloud, call)
    subscription = cloud.subscriptions[call.params["subscription"].lower()]
    return Answer(200, _group(subscription.id, name, location))


def list_vms(cloud: Cloud, call: Call) -> Answer:
    """The VMs of a subscription, a resource group or a region, a page at a time.

    Instances of uniform scale sets are not among them; those of flexible ones are.
    """
    prefix = f"/subscriptions/{call.params['subscription']}/".lower()
    if "group" in call.params:
        known_group(cloud, call)
        prefix += f"resourcegroups/{call.params['group']}/".lower()
    region = call.params.get("location", "").lower()
    of_set = wanted_scale_set(call)
    found = [
        vm
        for vm in vms_under(cloud, prefix)
        if not vm.spec.instance_id
        and region in {"", vm.spec.location}
        and (not of_set or (vm.spec.scale_set and of_set == scale_set_id(vm.spec).lower()))
    ]
    settings = cloud.scenario.arm
    if call.query.get("statusonly", "").lower() == "true":
        return page(cloud, call, found, lambda vm: bodies.vm_status(vm, call.now, settings))
    shouting, expanded = settings.id_case == "mixed", "$expand" in call.query

    def body(vm: VmRecord) -> dict[str, Any]:
        model = bodies.vm_model(vm, shouting=shouting)
        if expanded:
            model["properties"]["instanceView"] = bodies.instance_view(vm, call.now, settings)
        return model

    return page(cloud, call, found, body)


def get_vm(cloud: Cloud, call: Call) -> Answer:
    """One VM, with its instance view where ``$expand`` asks for it."""
    record = known_vm(cloud, call)
    body = bodies.vm_model(record)
    expand = call.query.get("$expand", "").lower()
    if expand not in {"", "instanceview", "userdata", "resiliencyview"}:
        raise errors.invalid_parameter("$expand", expand, "Use instanceView.")
    if expand == "instanceview":
        view = bodies.instance_view(record, call.now, cloud.scenario.arm)
        body["properties"]["instanceView"] = view
    return Answer(200, body)


def get_instance_view(cloud: Cloud, call: Call) -> Answer:
    """The instance view of one VM."""
    record = known_vm(cloud, call)
    return Answer(200, bodies.instance_view(record, call.now, cloud.scenario.arm))


def perform_maintenance(cloud: Cloud, call: Call) -> Answer:
    """Begin the redeploy of a VM, or say why not."""
    record = known_vm(cloud, call)
    verdict = cloud.perform_maintenance(record, call.now, call.request)
    call.note["maintenanceId"] = verdict.maintenance
    return answered(cloud, call, verdict)


def answered(cloud: Cloud, call: Call, verdict: Verdict) -> Answer:
    """The answer to a request that starts something; the journal learns what became of it."""
    call.note.update(
        accepted=verdict.operation is not None,
        script=str(verdict.word) if verdict.word else "",
        reason=verdict.reason,
    )
    if verdict.error is not None:
        raise verdict.error
    if verdict.operation is None:
        return Answer(None)
    call.note["operationId"] = verdict.operation.id
    if verdict.word in (Word.DROP_AFTER, PatchWord.DROP_AFTER):
        return Answer(None)
    return Answer(202, None, operation_headers(cloud, call, verdict.operation))


def get_operation(cloud: Cloud, call: Call) -> Answer:
    """How an operation stands: by its body, or (``monitor=true``, the Location) by its status."""
    operation = cloud.operations.get(call.params["operation"].lower())
    if operation is None:
        raise errors.operation_not_found(call.params["operation"])
    call.note.update(operationId=operation.id, vmId=operation.vm.lower())
    status = operation.status(call.now)
    pending = {} if status != "InProgress" else {"Retry-After": str(cloud.scenario.arm.retry_after)}
    if call.query.get("monitor") != "true":
        return Answer(200, _operation(operation, status), pending)
    if pending:
        return Answer(202, None, operation_headers(cloud, call, operation))
    if operation.error is not None:
        raise errors.ArmError(409, *operation.error)
    return Answer(200, operation.result)


def list_availability_sets(cloud: Cloud, call: Call) -> Answer:
    """The availability sets of a subscription or of a resource group."""
    prefix = f"/subscriptions/{call.params['subscription']}/".lower()
    if "group" in call.params:
        known_group(cloud, call)
        prefix += f"resourcegroups/{call.params['group']}/".lower()
    return whole_list(
        [
            _set_body(cloud, key, it)
            for key, it in sorted(cloud.availability_sets.items())
            if key.startswith(prefix)
        ]
    )


def get_availability_set(cloud: Cloud, call: Call) -> Answer:
    """One availability set."""
    group, _ = known_group(cloud, call)
    key = compute_key(call.params, "availabilitySets", call.params["set"])
    found = cloud.availability_sets.get(key)
    if found is None:
        raise errors.resource_not_found(_SET, call.params["set"], group)
    return Answer(200, _set_body(cloud, key, found))


def list_public_addresses(cloud: Cloud, call: Call) -> Answer:
    """The public addresses of a subscription: those of its VMs, here."""
    vms = vms_under(cloud, f"/subscriptions/{call.params['subscription']}/")
    found = [vm for vm in vms if vm.spec.public_address]
    return page(cloud, call, found, surroundings.public_address)


def list_schedules(cloud: Cloud, call: Call) -> Answer:
    """The DevTest Labs schedules of a subscription: the auto-shutdowns of its VMs, here."""
    vms = vms_under(cloud, f"/subscriptions/{call.params['subscription']}/")
    found = [vm for vm in vms if vm.spec.auto_shutdown]
    return page(cloud, call, found, surroundings.shutdown_schedule)


def list_activity(cloud: Cloud, call: Call) -> Answer:
    """The Activity Log of a subscription, as far as ``$filter`` asks."""
    wanted = read_filter(call.query.get("$filter", ""))
    prefix = f"/subscriptions/{call.params['subscription']}/".lower()
    entries = activity(
        (it for it in cloud.operations.values() if it.vm.lower().startswith(prefix)),
        (it for it in cloud.refusals if it.vm.lower().startswith(prefix)),
        call.now,
        cloud.scenario.arm.activity_log_delay,
    )
    return whole_list([entry for entry in entries if all(passes(entry) for passes in wanted)])


def list_permissions(cloud: Cloud, call: Call) -> Answer:
    """What the one identity may do in a subscription, and so in each of its groups: all but its `denied`."""
    record = cloud.subscriptions[call.params["subscription"].lower()]
    permission = {
        "actions": ["*"],
        "notActions": sorted(record.denied),
        "dataActions": [],
        "notDataActions": [],
    }
    return whole_list([permission])


def known_vm(cloud: Cloud, call: Call) -> VmRecord:
    """The VM, or the instance of a uniform scale set, that a path is about.

    Raises:
        ArmError: 404, it or its group is not there.
    """
    group, _ = known_group(cloud, call)
    record = cloud.vms.get(vm_key(call.params))
    if record is None:
        params = call.params
        kind, name = (_VM, params["vm"]) if "vm" in params else (_INSTANCE, params["instance"])
        raise errors.resource_not_found(kind, name, group)
    return record


def _subscription(record: SubscriptionRecord) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{record.id}",
        "subscriptionId": record.id,
        "tenantId": record.tenant or _TENANT,
        "displayName": record.name,
        "state": "Disabled" if record.fault.kind == "disabled" else "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
        "managedByTenants": [{"tenantId": _TENANT}] if record.tenant else [],
    }


def _group(subscription: str, name: str, location: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "properties": {"provisioningState": "Succeeded"},
    }


def _set_body(cloud: Cloud, key: str, availability_set: AvailabilitySet) -> dict[str, Any]:
    scope = key.split("/providers/", maxsplit=1)[0]
    members = [
        vm
        for vm_key, vm in sorted(cloud.vms.items())
        if vm_key.startswith(f"{scope}/") and vm.spec.availability_set == availability_set.name
    ]
    return bodies.availability_set_body(availability_set, members)


def _operation(operation: Operation, status: str) -> dict[str, Any]:
    body: dict[str, Any] = {"startTime": timestamp(operation.started), "status": status}
    if status != "InProgress" and operation.ends_at is not None:
        body["endTime"] = timestamp(operation.ends_at)
    if status == "Failed" and operation.error is not None:
        body["error"] = {"code": operation.error[0], "message": operation.error[1]}
    return {**body, "name": operation.id}


def operation_headers(cloud: Cloud, call: Call, operation: Operation) -> dict[str, str]:
    """Where an operation can be followed."""
    subscription = operation.vm.split("/")[2]
    url = (
        f"{call.base_url}/subscriptions/{subscription}/providers/Microsoft.Compute"
        f"/locations/{operation.location}/operations/{operation.id}"
    )
    version = call.query["api-version"]
    headers = {"Retry-After": str(cloud.scenario.arm.retry_after)}
    if cloud.scenario.arm.operation_header in {"azure-asyncoperation", "both"}:
        headers["Azure-AsyncOperation"] = f"{url}?api-version={version}"
    if cloud.scenario.arm.operation_header in {"location", "both"}:
        headers["Location"] = f"{url}?monitor=true&api-version={version}"
    return headers
