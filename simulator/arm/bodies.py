"""The JSON of VMs and what surrounds them, as the compute provider writes it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.arm.patch_bodies import patch_status, windows_configuration
from simulator.arm.records import VmRecord, compute_id, scale_set_id
from simulator.arm.state import VmState
from simulator.scenario_model import ArmSettings, AvailabilitySet, Vm

Json = dict[str, Any]

_HEARTBEAT: Final = timedelta(seconds=15)
"""How often a ready agent's status time moves on; a client must not take an old one for new."""

_POWER_TEXT: Final[Mapping[str, str]] = {
    "running": "VM running",
    "stopping": "VM stopping",
    "stopped": "VM stopped",
    "starting": "VM starting",
    "deallocated": "VM deallocated",
}
_PROVISIONING_TEXT: Final[Mapping[str, str]] = {
    "Succeeded": "Provisioning succeeded",
    "Updating": "Updating",
    "Failed": "Provisioning failed",
}


def vm_model(record: VmRecord, *, shouting: bool = False) -> Json:
    """The full model of a VM, without its instance view.

    ``shouting`` upper-cases the resource group in the ids, as Azure's lists often do.
    """
    spec, name = record.spec, record.spec.name
    identity = _echoed(record.id, spec.resource_group, shouting=shouting)
    scope = identity.split("/providers/", maxsplit=1)[0]
    properties: Json = {
        "vmId": record.guid,
        "hardwareProfile": {"vmSize": spec.size},
        "storageProfile": _storage(spec, scope),
        "osProfile": {
            "computerName": name[:15],
            "adminUsername": "azureuser",
            **_os_configuration(record),
            "secrets": [],
            "allowExtensionOperations": True,
        },
        "networkProfile": {
            "networkInterfaces": [
                {"id": network_interface_id(scope, name), "properties": {"primary": True}}
            ]
        },
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        "provisioningState": record.state.provisioning,
        "timeCreated": "2025-03-04T08:15:30.1234567+00:00",
    }
    if spec.scheduled_events:
        approval = {"automaticallyApprove": spec.scheduled_events == "approve"}
        properties["scheduledEventsPolicy"] = {
            "userInitiatedRedeploy": approval,
            "userInitiatedReboot": approval,
        }
    if spec.availability_set:
        # Azure really writes the set's id in capitals here and not in the set itself.
        set_scope = record.id.split("/resourceGroups/", maxsplit=1)[0]
        properties["availabilitySet"] = {
            "id": f"{set_scope}/resourceGroups/{spec.resource_group.upper()}"
            f"/providers/Microsoft.Compute/availabilitySets/{spec.availability_set.upper()}"
        }
    if spec.scale_set:
        properties["virtualMachineScaleSet"] = {"id": scale_set_id(spec)}
    if spec.host:
        properties["host"] = {"id": _host(record)}
    elif spec.host_group:
        properties["hostGroup"] = {"id": _host(record).rsplit("/hosts/", 1)[0]}
    body = _resource(record, identity)
    if record.state.tags:
        body["tags"] = dict(record.state.tags)
    if spec.zone:
        body["zones"] = [spec.zone]
    return {**body, "properties": properties}


def vm_status(record: VmRecord, now: datetime, settings: ArmSettings) -> Json:
    """A VM in the list with ``statusOnly=true``: no tags, no profiles, the statuses."""
    view: Json = {"statuses": _statuses(record.state)}
    maintenance = maintenance_status(record.state, now, settings)
    if settings.status_list_carries_maintenance and maintenance is not None:
        view["maintenanceRedeployStatus"] = maintenance
    if settings.status_list_carries_patches and (patches := patch_status(record.state.patches)):
        view["patchStatus"] = patches
    return {
        **_resource(record, record.id),
        "properties": {
            "vmId": record.guid,
            "provisioningState": record.state.provisioning,
            "instanceView": view,
        },
    }


def instance_view(record: VmRecord, now: datetime, settings: ArmSettings) -> Json:
    """The instance view of a VM; a deallocated one has neither agent nor name to tell."""
    spec, state = record.spec, record.state
    view = _place(record)
    if state.power != "deallocated":
        view |= {
            "computerName": spec.name[:15],
            "osName": "Windows Server 2022 Datacenter",
            "osVersion": "10.0.20348.2762",
            "vmAgent": _agent(state, now),
        }
    provisioned = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "time": _time(state.provisioning_since),
    }
    view |= {
        "disks": [{"name": f"{spec.name}_OsDisk", "statuses": [provisioned]}],
        "bootDiagnostics": {},
        "hyperVGeneration": "V2",
        "isVMInStandbyPool": False,
    }
    maintenance = maintenance_status(state, now, settings)
    if maintenance is not None:
        view["maintenanceRedeployStatus"] = maintenance
    if patches := patch_status(state.patches):
        view["patchStatus"] = patches
    view["statuses"] = _statuses(state)
    return view


def maintenance_status(state: VmState, now: datetime, settings: ArmSettings) -> Json | None:
    """``maintenanceRedeployStatus``; None where Azure leaves it out: there is no maintenance."""
    maintenance = state.maintenance
    if maintenance is None or now >= maintenance.end:
        return None
    if settings.drop_status_when_done and maintenance.code == "MaintenanceCompleted":
        return None
    return {
        "isCustomerInitiatedMaintenanceAllowed": state.is_offered(now),
        "preMaintenanceWindowStartTime": maintenance.pre_start.isoformat(),
        "preMaintenanceWindowEndTime": maintenance.pre_end.isoformat(),
        "maintenanceWindowStartTime": maintenance.start.isoformat(),
        "maintenanceWindowEndTime": maintenance.end.isoformat(),
        "lastOperationResultCode": maintenance.code,
        "lastOperationMessage": maintenance.message,
    }


def availability_set_body(availability_set: AvailabilitySet, vms: list[VmRecord]) -> Json:
    """An availability set with references to its VMs, their ids in capitals as Azure has them."""
    return {
        "name": availability_set.name,
        "id": compute_id(availability_set, "availabilitySets"),
        "type": "Microsoft.Compute/availabilitySets",
        "location": availability_set.location,
        "sku": {"name": "Aligned"},
        "properties": {
            "platformUpdateDomainCount": availability_set.update_domains,
            "platformFaultDomainCount": 2,
            "virtualMachines": [
                {"id": f"{vm.id.rsplit('/', 1)[0]}/{vm.spec.name.upper()}"} for vm in vms
            ],
        },
    }


def network_interface_id(scope: str, vm_name: str) -> str:
    """The id of a VM's one network interface in its resource group, ``scope``."""
    return f"{scope}/providers/Microsoft.Network/networkInterfaces/{vm_name}-nic"


def _place(record: VmRecord) -> Json:
    """The domains of its set that a VM is in, and the host that it was put on without naming one."""
    spec = record.spec
    if spec.host_group and not spec.host:
        return {"assignedHost": _host(record)}
    if spec.availability_set:
        domain = spec.update_domain
        return {"platformUpdateDomain": domain, "platformFaultDomain": domain % 2}
    if not spec.scale_set:
        return {}
    updated = {"platformUpdateDomain": spec.update_domain} if spec.instance_id else {}
    return {**updated, "platformFaultDomain": spec.fault_domain}


def _host(record: VmRecord) -> str:
    """The id of the dedicated host that a VM runs on."""
    spec, scope = record.spec, record.id.split("/providers/", maxsplit=1)[0]
    group = f"{scope}/providers/Microsoft.Compute/hostGroups/{spec.host_group}"
    return f"{group}/hosts/{spec.host or f'{spec.host_group}-1'}"


def _resource(record: VmRecord, identity: str) -> Json:
    return {
        "name": record.spec.name,
        "id": identity,
        "type": "Microsoft.Compute/virtualMachines",
        "location": record.spec.location,
    }


def _echoed(identity: str, group: str, *, shouting: bool) -> str:
    plain = f"/resourceGroups/{group}/"
    return identity.replace(plain, plain.replace(group, group.upper())) if shouting else identity


def _storage(spec: Vm, scope: str) -> Json:
    disk = f"{spec.name}_OsDisk"
    ephemeral = {"diffDiskSettings": {"option": "Local", "placement": "CacheDisk"}}
    return {
        **_image(spec),
        "osDisk": {
            "osType": spec.os,
            "name": disk,
            "createOption": "FromImage",
            "caching": "ReadWrite",
            "managedDisk": {"id": f"{scope}/providers/Microsoft.Compute/disks/{disk}"},
            "deleteOption": "Delete" if spec.ephemeral_os_disk else "Detach",
            **(ephemeral if spec.ephemeral_os_disk else {}),
        },
        "dataDisks": [],
        "diskControllerType": "SCSI",
    }


def _os_configuration(record: VmRecord) -> Json:
    if record.spec.os == "Linux":
        return {"linuxConfiguration": {"provisionVMAgent": True}}
    return {"windowsConfiguration": windows_configuration(record.state.patches)}


def _image(spec: Vm) -> Json:
    if not spec.image:
        return {}
    publisher, offer, sku = spec.image.split(":")
    names = {"publisher": publisher, "offer": offer, "sku": sku}
    return {"imageReference": {**names, "version": "latest", "exactVersion": "20348.2762.241006"}}


def _statuses(state: VmState) -> list[Json]:
    return [
        {
            "code": f"ProvisioningState/{state.provisioning.lower()}",
            "level": "Error" if state.provisioning == "Failed" else "Info",
            "displayStatus": _PROVISIONING_TEXT[state.provisioning],
            "time": _time(state.provisioning_since),
        },
        {
            "code": f"PowerState/{state.power}",
            "level": "Info",
            "displayStatus": _POWER_TEXT[state.power],
        },
    ]


def _agent(state: VmState, now: datetime) -> Json:
    if state.is_agent_ready:
        beats = (now - state.agent_since) // _HEARTBEAT
        status = {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Ready",
            "message": "GuestAgent is running and processing the extensions.",
            "time": _time(state.agent_since + beats * _HEARTBEAT),
        }
        return {"vmAgentVersion": "2.7.41491.1149", "statuses": [status], "extensionHandlers": []}
    status = {
        "code": "ProvisioningState/Unavailable",
        "level": "Warning",
        "displayStatus": "Not Ready",
        "message": "VM status blob is found but not yet populated.",
        "time": _time(now),
    }
    return {"vmAgentVersion": "Unknown", "statuses": [status]}


def _time(at: datetime) -> str:
    """A status time as compute writes it: seven digits of a second, which Python has not."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}0+00:00"
