"""The port `Patches` in one process: the emulator's own patching, its JSON through Baton's own decoders."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from azure.core.exceptions import HttpResponseError, ServiceResponseError

from cli.simulation.arm import SimulatedArm
from cli.simulation.process import BEGAN, Wire
from cli.simulation.refusals import ERRORS, sdk_error
from shared.adapters import arm_answers, arm_errors, arm_patch_decode
from shared.adapters.arm_patches import install_body, operation_in
from shared.domain.patching.results import Assessment, Installation, InstallRequest
from shared.domain.vm_ids import name_of
from shared.ports import Accepted, Activity, PatchOperation
from simulator.arm import patching
from simulator.arm.errors import ArmError
from simulator.arm.operations import Request
from simulator.arm.records import VmRecord
from simulator.arm.verdict import Verdict
from simulator.patch_model import PatchWord

T = TypeVar("T")
R = TypeVar("R", Assessment, Installation)
AskedToInstall = Callable[[VmRecord, Verdict, Mapping[str, Any], float], None]
"""Called with each installPatches that reached Azure, its body, and when the handler that sent it began."""

_URL = "https://management.azure.com/patches/"
_NAMESPACE = uuid.UUID("7a2f5f0c-0a3d-4a55-9f43-0b7ad5b2ce77")


class SimulatedPatches:
    """Patches; see the port."""

    def __init__(self, arm: SimulatedArm, wire: Wire, asked: AskedToInstall) -> None:
        self._arm = arm
        self._azure = arm.azure
        self._wire = wire
        self._asked = asked

    async def start_assessment(self, vm_id: str, *, request_id: str, within: timedelta) -> Accepted:
        """See the port."""

        def effect() -> Verdict:
            record, now = self._arm.record(vm_id), self._arm.now()
            request = self._request(vm_id, request_id)
            return self._taken(patching.assess(self._azure.cloud, record, now, request), now)

        return await self._start(f"assess {name_of(vm_id)}", effect, within)

    async def start_installation(
        self, vm_id: str, *, request: InstallRequest, request_id: str, within: timedelta
    ) -> Accepted:
        """See the port."""
        body = install_body(request)

        def effect() -> Verdict:
            record, now = self._arm.record(vm_id), self._arm.now()
            asked = self._request(vm_id, request_id)
            try:
                verdict = patching.install(self._azure.cloud, record, now, asked, body)
            except ArmError as error:
                raise sdk_error(error) from error
            self._asked(record, verdict, body, BEGAN.get())
            return self._taken(verdict, now)

        return await self._start(f"install {name_of(vm_id)}", effect, within)

    async def assessment(self, url: str) -> PatchOperation[Assessment]:
        """See the port."""
        return await self._operation(url, "assessmentActivityId", arm_patch_decode.assessment_of)

    async def installation(self, url: str) -> PatchOperation[Installation]:
        """See the port."""
        return await self._operation(
            url, "installationActivityId", arm_patch_decode.installation_of
        )

    async def installation_activities(self, vm_id: str, *, since: datetime) -> Sequence[Activity]:
        """See the port."""
        return await self._arm.logged(vm_id, since=since, operation=arm_answers.INSTALL_PATCHES)

    # --- Azure's side -------------------------------------------------------------------------------

    async def _start(self, what: str, effect: Callable[[], Verdict], within: timedelta) -> Accepted:
        operation = (await self._arm.start_once(what, effect, within)).operation
        if operation is None:
            raise ValueError("a start that is neither taken nor refused")
        return Accepted(
            operation_url=_URL + operation.id,
            correlation_id=operation.request.correlation_id,
            retry_after=timedelta(seconds=self._azure.cloud.scenario.arm.retry_after),
        )

    def _request(self, vm_id: str, request_id: str) -> Request:
        number = len(self._azure.cloud.operations) + len(self._azure.cloud.refusals)
        identity = str(uuid.uuid5(_NAMESPACE, f"{vm_id.lower()} {number}"))
        return Request(identity, identity, request_id)

    def _taken(self, verdict: Verdict, now: datetime) -> Verdict:
        self._azure.remember(now)
        if verdict.error is not None:
            raise sdk_error(verdict.error)
        if verdict.operation is None or verdict.word is PatchWord.DROP_AFTER:
            raise ServiceResponseError("connection lost")
        return verdict

    async def _operation(
        self, url: str, activity: str, read: Callable[[object], R]
    ) -> PatchOperation[R]:
        """As the real adapter reads it at Location."""
        identity = url.removeprefix(_URL)
        what = f"patch operation {identity}"
        status, body, wait = await self._read(what, lambda now: self._azure.patched(identity, now))
        pause = timedelta(seconds=wait) if wait else None
        return operation_in(status, json.dumps(body), pause, activity, read)

    async def _read(self, what: str, effect: Callable[[datetime], T]) -> T:
        try:
            return await self._wire.ask("arm", what, lambda: effect(self._arm.now()), ERRORS)
        except (HttpResponseError, ServiceResponseError) as error:
            now = self._wire.process.now()
            raise arm_errors.read_error(error, what=what, right="the role", now=now) from error
