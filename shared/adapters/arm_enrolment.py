"""Enrolment over Resource Manager: features, the compute provider, patch settings, Resource Graph's history."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from azure.core.exceptions import HttpResponseError

from shared.adapters import arm_errors
from shared.adapters.arm_fields import word
from shared.adapters.arm_patch_decode import past_installation_of
from shared.adapters.arm_pipeline import ArmClients
from shared.adapters.arm_reads import READ_WITHIN, ArmReads, parsed_own
from shared.domain.errors import Terminal
from shared.domain.patching.model import PatchMode, PatchSettings
from shared.domain.patching.results import PastInstallation
from shared.ports import Clock

_FEATURES_API = "2015-12-01"
_PROVIDERS_API = "2021-04-01"
_GRAPH_API = "2022-10-01"
_READ_FEATURE = "Microsoft.Features/providers/features/read"
_REGISTER_FEATURE = "Microsoft.Features/providers/features/register/action"
_READ_PROVIDER = "Microsoft.Resources/subscriptions/providers/read"
_REGISTER_PROVIDER = "Microsoft.Compute/register/action"
_WRITE_VM = "Microsoft.Compute/virtualMachines/write"
_READ_HISTORY = "Microsoft.Compute/virtualMachines/read, for Resource Graph,"


class ArmEnrolment:
    """Enrolment; see the port."""

    def __init__(self, clients: ArmClients, reads: ArmReads, clock: Clock) -> None:
        """Shares the connections of VirtualMachines."""
        self._clients = clients
        self._reads = reads
        self._clock = clock

    async def feature(self, subscription_id: str, name: str) -> str:
        """See the port."""
        return await self._feature(subscription_id, name, "GET", "", _READ_FEATURE)

    async def register_feature(self, subscription_id: str, name: str) -> str:
        """See the port."""
        return await self._feature(subscription_id, name, "POST", "/register", _REGISTER_FEATURE)

    async def provider(self, subscription_id: str) -> str:
        """See the port."""
        return await self._provider(subscription_id, "GET", "", _READ_PROVIDER)

    async def register_provider(self, subscription_id: str) -> str:
        """See the port."""
        return await self._provider(subscription_id, "POST", "/register", _REGISTER_PROVIDER)

    async def change_settings(self, vm_id: str, settings: PatchSettings) -> None:
        """See the port."""
        vm = parsed_own(vm_id)
        machines = self._clients.compute(vm.subscription_id).virtual_machines
        body: Any = settings_body(settings)
        try:
            async with asyncio.timeout(READ_WITHIN):
                await machines.begin_update(vm.resource_group, vm.name, body, polling=False)
        except Exception as error:
            raise arm_errors.vm_error(
                error, what=f"settings of {vm_id}", right=_WRITE_VM, now=self._clock.now()
            ) from error

    async def history(self, vm_id: str) -> Sequence[PastInstallation]:
        """See the port."""
        subscription = parsed_own(vm_id).subscription_id
        results = f"{vm_id.lower()}/patchinstallationresults/"
        query = (
            "patchinstallationresources"
            " | where type =~ 'microsoft.compute/virtualmachines/patchinstallationresults'"
            f" | where id startswith '{results.replace(chr(39), chr(92) + chr(39))}'"
            " | order by tostring(properties.lastModifiedDateTime) desc"
        )
        found = await self._asked(
            f"/providers/Microsoft.ResourceGraph/resources?api-version={_GRAPH_API}",
            method="POST",
            body={"subscriptions": [subscription], "query": query},
            what=f"history of {vm_id}",
            right=_READ_HISTORY,
        )
        rows = found.get("data")
        return [past_installation_of(row) for row in rows] if isinstance(rows, list) else []

    async def _feature(
        self, subscription_id: str, name: str, method: str, act: str, right: str
    ) -> str:
        path = f"/subscriptions/{subscription_id}/providers/Microsoft.Features/providers"
        found = await self._asked(
            f"{path}/Microsoft.Compute/features/{name}{act}?api-version={_FEATURES_API}",
            method=method,
            what=f"feature {name} of subscription {subscription_id}",
            right=right,
        )
        return word(found.get("properties"), "state")

    async def _provider(self, subscription_id: str, method: str, act: str, right: str) -> str:
        path = f"/subscriptions/{subscription_id}/providers/Microsoft.Compute"
        found = await self._asked(
            f"{path}{act}?api-version={_PROVIDERS_API}",
            method=method,
            what=f"provider Microsoft.Compute of subscription {subscription_id}",
            right=right,
        )
        return word(found, "registrationState")

    async def _asked(
        self, path: str, *, what: str, right: str, method: str, body: Any = None
    ) -> Mapping[str, Any]:
        """The JSON object that answers; an empty one for a 404 of what is asked about.

        A subscription that is not there is an error, and no feature of it.
        """
        url = f"{self._reads.url}{path}"
        response = await self._reads.send(url, what=what, right=right, method=method, body=body)
        now = self._clock.now()
        if response.status_code not in (200, 201, 202):
            error = HttpResponseError(response=response)
            answer = arm_errors.answer_of(error, now)
            gone = answer is not None and answer.status == 404 and answer.code
            if gone and gone != "SubscriptionNotFound":
                return {}
            raise arm_errors.read_error(error, what=what, right=right, now=now)
        try:
            value = json.loads(response.text() or "{}")
        except (ValueError, RecursionError) as error:
            raise Terminal(f"{what}: the answer is not JSON") from error
        return value if isinstance(value, Mapping) else {}


def settings_body(settings: PatchSettings) -> dict[str, Any]:
    """The body of a VM's update. What stays as it is is written too: an update replaces the whole object."""
    patch: dict[str, Any] = {
        "patchMode": settings.patch_mode,
        "enableHotpatching": settings.enable_hotpatching,
    }
    if settings.assessment_mode:
        patch["assessmentMode"] = settings.assessment_mode
    if settings.patch_mode == PatchMode.AUTOMATIC_BY_PLATFORM and (
        settings.reboot_setting or settings.bypass_platform_safety_checks_on_user_schedule
    ):
        platform: dict[str, Any] = {
            "bypassPlatformSafetyChecksOnUserSchedule": settings.bypass_platform_safety_checks_on_user_schedule
        }
        if settings.reboot_setting:
            platform["rebootSetting"] = settings.reboot_setting
        patch["automaticByPlatformSettings"] = platform
    windows = {"windowsConfiguration": {"patchSettings": patch}}
    return {"properties": {"osProfile": windows}}
