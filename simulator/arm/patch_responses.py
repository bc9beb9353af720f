"""What the routes about patches, features and Resource Graph answer."""

import re
from typing import Any

from simulator.arm import bodies, errors, patching
from simulator.arm.call import Answer, Call
from simulator.arm.cloud import Cloud
from simulator.arm.features import Features
from simulator.arm.records import VmRecord
from simulator.arm.responses import answered, known_vm

_VM_ID = re.compile(r"/subscriptions/[^'\"\s|]+/virtualmachines/[^'\"\s|/]+", re.IGNORECASE)


def assess_patches(cloud: Cloud, call: Call) -> Answer:
    """Begin an assessment, or say why not."""
    record = known_vm(cloud, call)
    return answered(cloud, call, patching.assess(cloud, record, call.now, call.request))


def install_patches(cloud: Cloud, call: Call) -> Answer:
    """Begin an installation, or say why not; the journal learns what was asked."""
    record = known_vm(cloud, call)
    call.note["asked"] = dict(call.body)
    verdict = patching.install(cloud, record, call.now, call.request, call.body)
    return answered(cloud, call, verdict)


def update_vm(cloud: Cloud, call: Call) -> Answer:
    """PATCH of a VM: its patch settings alone."""
    record = known_vm(cloud, call)
    patching.update_settings(record, call.body, call.now)
    return Answer(200, bodies.vm_model(record))


def get_feature(cloud: Cloud, call: Call) -> Answer:
    """The state of a preview feature."""
    return Answer(200, _features(cloud, call).feature(call.params["feature"], call.now))


def register_feature(cloud: Cloud, call: Call) -> Answer:
    """Begin the registration of a preview feature."""
    return Answer(200, _features(cloud, call).register(call.params["feature"], call.now))


def get_provider(cloud: Cloud, call: Call) -> Answer:
    """The compute provider as a subscription has it."""
    return Answer(200, _features(cloud, call).provider(call.now))


def register_provider(cloud: Cloud, call: Call) -> Answer:
    """Register the compute provider anew, which propagates features."""
    return Answer(200, _features(cloud, call).register_provider(call.now))


def query_graph(cloud: Cloud, call: Call) -> Answer:
    """Resource Graph, as far as a query asks for the installations of one VM."""
    query = str(call.body.get("query", ""))
    wanted = _VM_ID.search(query)
    if "patchinstallationresources" not in query.lower() or wanted is None:
        raise errors.invalid_parameter("query", query, "It knows patchinstallationresources alone.")
    record = cloud.vms.get(wanted[0].lower())
    rows = [] if record is None else [_row(record, one) for one in _history(cloud, record, call)]
    body = {"totalRecords": len(rows), "count": len(rows), "data": rows, "resultTruncated": "false"}
    return Answer(200, body)


def _history(cloud: Cloud, record: VmRecord, call: Call) -> list[dict[str, Any]]:
    owner = cloud.subscriptions[record.spec.subscription.lower()]
    return [] if owner.fault.kind == "forbidden" else patching.history_of(record, call.now)


def _row(record: VmRecord, one: dict[str, Any]) -> dict[str, Any]:
    counts = {name: one[name] for name in one if name.endswith("PatchCount")}
    activity = one["installationActivityId"]
    return {
        "id": f"{record.key}/patchinstallationresults/{activity}",
        "name": activity,
        "type": "microsoft.compute/virtualmachines/patchinstallationresults",
        "properties": {
            "status": one["status"],
            "installationActivityId": activity,
            "startDateTime": one["startDateTime"],
            "lastModifiedDateTime": one["endedAt"],
            "rebootStatus": one["rebootStatus"],
            "maintenanceWindowExceeded": one["maintenanceWindowExceeded"],
            **counts,
            "startedBy": "User",
            "osType": "Windows",
            "errorDetails": one["error"],
        },
    }


def _features(cloud: Cloud, call: Call) -> Features:
    return cloud.subscriptions[call.params["subscription"].lower()].features
