"""Patches over Azure Resource Manager, by azure-mgmt-compute.

Their operation is followed at Location, not at Azure-AsyncOperation: only there the result comes with the end.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from shared.adapters import arm_answers, arm_patch_decode
from shared.adapters.arm_activity import read_activities
from shared.adapters.arm_fields import word
from shared.adapters.arm_pipeline import ArmClients
from shared.adapters.arm_posts import post_once
from shared.adapters.arm_reads import ArmReads, parsed_own
from shared.domain.patching.model import PatchError, PatchOperationStatus
from shared.domain.patching.results import Assessment, Installation, InstallRequest
from shared.ports import Accepted, Activity, Clock, Operation, PatchOperation

log = logging.getLogger("baton.arm")

_URL_HEADERS = ("Location", "Azure-AsyncOperation")
_STATUS_OF = {
    PatchOperationStatus.FAILED: "failed",
    PatchOperationStatus.IN_PROGRESS: "inProgress",
    PatchOperationStatus.UNKNOWN: "unknown",
}

_R = TypeVar("_R", Assessment, Installation)


class ArmPatches:
    """Patches; see the port."""

    def __init__(self, clients: ArmClients, reads: ArmReads, clock: Clock) -> None:
        """Shares the connections and the pace of VirtualMachines."""
        self._clients = clients
        self._reads = reads
        self._clock = clock

    async def start_assessment(self, vm_id: str, *, request_id: str, within: timedelta) -> Accepted:
        """See the port."""
        vm = parsed_own(vm_id)
        machines = self._clients.compute(vm.subscription_id).virtual_machines
        return await post_once(
            partial(machines.begin_assess_patches, vm.resource_group, vm.name),
            what=f"the assessment of {vm_id}",
            request_id=request_id,
            within=within,
            clock=self._clock,
            url_headers=_URL_HEADERS,
        )

    async def start_installation(
        self, vm_id: str, *, request: InstallRequest, request_id: str, within: timedelta
    ) -> Accepted:
        """See the port."""
        vm = parsed_own(vm_id)
        machines = self._clients.compute(vm.subscription_id).virtual_machines
        return await post_once(
            partial(
                machines.begin_install_patches, vm.resource_group, vm.name, install_body(request)
            ),
            what=f"the installation on {vm_id}",
            request_id=request_id,
            within=within,
            clock=self._clock,
            url_headers=_URL_HEADERS,
        )

    async def assessment(self, url: str) -> PatchOperation[Assessment]:
        """See the port."""
        return await self._asked(url, "assessmentActivityId", arm_patch_decode.assessment_of)

    async def installation(self, url: str) -> PatchOperation[Installation]:
        """See the port."""
        return await self._asked(url, "installationActivityId", arm_patch_decode.installation_of)

    async def installation_activities(self, vm_id: str, *, since: datetime) -> Sequence[Activity]:
        """See the port."""
        parsed_own(vm_id)
        return await read_activities(
            self._reads, vm_id, operation=arm_answers.INSTALL_PATCHES, since=since
        )

    async def _asked(
        self, url: str, identity: str, read: Callable[[object], _R]
    ) -> PatchOperation[_R]:
        answer = await self._reads.operation(url)
        if answer is None:
            return PatchOperation(operation=Operation(status="unknown"))
        return operation_in(*answer, identity, read)


def operation_in(
    status: int,
    body: str,
    wait: timedelta | None,
    identity: str,
    read: Callable[[object], _R],
) -> PatchOperation[_R]:
    """How an assessment or an installation stands, by ARM's answer.

    Args:
        status: Of HTTP.
        body: As text.
        wait: When ARM wants to be asked again.
        identity: The field that a result has.
        read: Decodes a result.
    """
    held = _result_in(body, identity) if status == 200 else None
    if held is None:
        return PatchOperation(operation=arm_answers.operation_of(status, body, wait))
    result = read(held)
    error = result.error or PatchError()
    said = _STATUS_OF.get(PatchOperationStatus(result.status)) if _is_known(result) else None
    operation = Operation(
        status=said or "succeeded",
        code=error.code,
        message=error.message,
        retry_after=wait if said == "inProgress" else None,
    )
    return PatchOperation(operation=operation, result=result)


def install_body(request: InstallRequest) -> dict[str, Any]:
    """The body of installPatches. Empty lists are left out: Azure takes an empty one for a choice of none."""
    minutes = max(int(request.maximum_duration.total_seconds() // 60), 1)
    lists = {
        "classificationsToInclude": request.classifications,
        "kbNumbersToInclude": request.kb_include,
        "kbNumbersToExclude": request.kb_exclude,
    }
    windows: dict[str, Any] = {name: list(map(str, ones)) for name, ones in lists.items() if ones}
    if request.exclude_kbs_requiring_reboot:
        windows["excludeKbsRequiringReboot"] = True
    return {
        "maximumDuration": f"PT{minutes}M",
        "rebootSetting": str(request.reboot_setting),
        "windowsParameters": windows,
    }


def _is_known(result: Assessment | Installation) -> bool:
    return result.status in set(PatchOperationStatus)


def _result_in(body: str, identity: str) -> Mapping[str, Any] | None:
    """The result in an answer: the whole body at Location, `properties.output` at Azure-AsyncOperation."""
    try:
        value = json.loads(body) if body.strip() else None
    except (ValueError, RecursionError):
        return None
    properties = value.get("properties") if isinstance(value, Mapping) else None
    output = properties.get("output") if isinstance(properties, Mapping) else None
    for held in (value, output):
        if isinstance(held, Mapping) and word(held, identity):
            return held
    return None
