"""What each route answers: from a call and the cloud to an answer."""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlencode

from simulator.arm import bodies, errors, surroundings
from simulator.arm.activity import activity, read_filter
from simulator.arm.call import Answer, Call
from simulator.arm.cloud import Cloud
from simulator.arm.locations import location_body
from simulator.arm.operations import Operation, timestamp
from simulator.arm.records import SubscriptionRecord, VmRecord
from simulator.scenario_model import AvailabilitySet, Word

_VM: Final = "Microsoft.Compute/virtualMachines"
_SET: Final = "Microsoft.Compute/availabilitySets"


def list_subscriptions(cloud: Cloud, _call: Call) -> Answer:
    """Every subscription, those that will answer 403 too: Azure lists by another right."""
    return _list([_subscription(it) for it in cloud.subscriptions.values()])


def get_subscription(cloud: Cloud, call: Call) -> Answer:
    """One subscription."""
    return Answer(200, _subscription(cloud.subscriptions[call.params["subscription"].lower()]))


def list_locations(cloud: Cloud, call: Call) -> Answer:
    """All regions, with pairs, and zones as this subscription numbers them."""
    subscription = cloud.subscriptions[call.params["subscription"].lower()]
    return _list(
        [
            location_body(it, subscription.id, subscription.rotation)
            for it in cloud.locations.values()
        ]
    )


def list_groups(cloud: Cloud, call: Call) -> Answer:
    """The resource groups of a subscription."""
    subscription = cloud.subscriptions[call.params["subscription"].lower()]
    return _list(
        [
            _group(subscription.id, name, location)
            for (owner, _), (name, location) in sorted(cloud.groups.items())
            if owner == subscription.id.lower()
        ]
    )


def get_group(cloud: Cloud, call: Call) -> Answer:
    """One resource group."""
    name, location = _known_group(cloud, call)
    subscription = cloud.subscriptions[call.params["subscription"].lower()]
    return Answer(200, _group(subscription.id, name, location))


def list_vms(cloud: Cloud, call: Call) -> Answer:
    """The VMs of a subscription, a resource group or a region, a page at a time."""
    if "$expand" in call.query:
        raise errors.invalid_parameter(
            "$expand", call.query["$expand"], "It needs a $filter on a virtual machine scale set."
        )
    prefix = f"/subscriptions/{call.params['subscription']}/".lower()
    if "group" in call.params:
        _known_group(cloud, call)
        prefix += f"resourcegroups/{call.params['group']}/".lower()
    region = call.params.get("location", "").lower()
    found = [vm for vm in _vms_under(cloud, prefix) if region in {"", vm.spec.location}]
    if call.query.get("statusonly", "").lower() == "true":
        return _page(
            cloud, call, found, lambda vm: bodies.vm_status(vm, call.now, cloud.scenario.arm)
        )
    shouting = cloud.scenario.arm.id_case == "mixed"
    return _page(cloud, call, found, lambda vm: bodies.vm_model(vm, shouting=shouting))


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
    """Begin the redeploy of a VM, or say why not; the journal learns which."""
    record = known_vm(cloud, call)
    verdict = cloud.perform_maintenance(record, call.now, call.request)
    call.note.update(
        accepted=verdict.operation is not None,
        maintenanceId=verdict.maintenance,
        script=str(verdict.word) if verdict.word else "",
        reason=verdict.reason,
    )
    if verdict.error is not None:
        raise verdict.error
    if verdict.operation is None:
        return Answer(None)
    call.note["operationId"] = verdict.operation.id
    if verdict.word == Word.DROP_AFTER:
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
        _known_group(cloud, call)
        prefix += f"resourcegroups/{call.params['group']}/".lower()
    return _list(
        [
            _set_body(cloud, key, it)
            for key, it in sorted(cloud.availability_sets.items())
            if key.startswith(prefix)
        ]
    )


def get_availability_set(cloud: Cloud, call: Call) -> Answer:
    """One availability set."""
    group, _ = _known_group(cloud, call)
    key = _key(call, "availabilitysets", call.params["set"])
    found = cloud.availability_sets.get(key)
    if found is None:
        raise errors.resource_not_found(_SET, call.params["set"], group)
    return Answer(200, _set_body(cloud, key, found))


def list_public_addresses(cloud: Cloud, call: Call) -> Answer:
    """The public addresses of a subscription: those of its VMs, here."""
    vms = _vms_under(cloud, f"/subscriptions/{call.params['subscription']}/")
    found = [vm for vm in vms if vm.spec.public_address]
    return _page(cloud, call, found, surroundings.public_address)


def list_schedules(cloud: Cloud, call: Call) -> Answer:
    """The DevTest Labs schedules of a subscription: the auto-shutdowns of its VMs, here."""
    vms = _vms_under(cloud, f"/subscriptions/{call.params['subscription']}/")
    found = [vm for vm in vms if vm.spec.auto_shutdown]
    return _page(cloud, call, found, surroundings.shutdown_schedule)


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
    return _list([entry for entry in entries if all(passes(entry) for passes in wanted)])


def list_permissions(cloud: Cloud, call: Call) -> Answer:
    """What the one identity may do in a subscription, and so in each of its groups: all but its `denied`."""
    record = cloud.subscriptions[call.params["subscription"].lower()]
    permission = {
        "actions": ["*"],
        "notActions": sorted(record.denied),
        "dataActions": [],
        "notDataActions": [],
    }
    return _list([permission])


def _list(value: list[dict[str, Any]]) -> Answer:
    return Answer(200, {"value": value})


def _vms_under(cloud: Cloud, prefix: str) -> Iterable[VmRecord]:
    lowered = prefix.lower()
    return [vm for key, vm in sorted(cloud.vms.items()) if key.startswith(lowered)]


def _page(
    cloud: Cloud,
    call: Call,
    found: list[VmRecord],
    body_of: Callable[[VmRecord], dict[str, Any]],
) -> Answer:
    after = _read_token(call.query["$skiptoken"]) if "$skiptoken" in call.query else ""
    size = cloud.scenario.arm.page_size
    rest = [vm for vm in found if vm.key > after]
    page = rest[:size]
    body: dict[str, Any] = {"value": [body_of(vm) for vm in page]}
    if len(rest) > size:
        # By key and not by number: a VM deleted between two pages must not hide its neighbour.
        token = base64.urlsafe_b64encode(page[-1].key.encode()).decode()
        query = {**call.query, "$skiptoken": token}
        body["nextLink"] = f"{call.base_url}{call.path}?{urlencode(query)}"
    return Answer(200, body)


def _read_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError) as error:
        raise errors.invalid_parameter("$skiptoken", token, "Follow nextLink.") from error


def _known_group(cloud: Cloud, call: Call) -> tuple[str, str]:
    name = call.params["group"]
    found = cloud.groups.get((call.params["subscription"].lower(), name.lower()))
    if found is None:
        raise errors.group_not_found(name)
    return found


def known_vm(cloud: Cloud, call: Call) -> VmRecord:
    """The VM that a path is about.

    Raises:
        ArmError: 404, it or its group is not there.
    """
    group, _ = _known_group(cloud, call)
    record = cloud.vms.get(_key(call, "virtualmachines", call.params["vm"]))
    if record is None:
        raise errors.resource_not_found(_VM, call.params["vm"], group)
    return record


def _key(call: Call, kind: str, name: str) -> str:
    return (
        f"/subscriptions/{call.params['subscription']}/resourcegroups/{call.params['group']}"
        f"/providers/microsoft.compute/{kind}/{name}"
    ).lower()


def _subscription(record: SubscriptionRecord) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{record.id}",
        "subscriptionId": record.id,
        "tenantId": "00000000-0000-4000-8000-000000000001",
        "displayName": record.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
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
