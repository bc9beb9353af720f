"""The port `VirtualMachines` in one process: the simulated Azure's JSON through Baton's own decoders."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from azure.core.exceptions import HttpResponseError, ServiceResponseError

from cli.simulation.azure import Azure, Json
from cli.simulation.process import BEGAN, Wire
from cli.simulation.refusals import BROKEN, ERRORS, sdk_error
from shared.adapters import arm_answers, arm_errors
from shared.adapters import arm_decode as decode
from shared.adapters.arm_locations import location_of
from shared.domain.errors import BatonError, InvalidInput
from shared.domain.maintenance import ListedStatus, Subscription, Unreadable, Vm
from shared.domain.places import Location
from shared.domain.preflight import Surroundings
from shared.domain.scale_sets import ScaleSet
from shared.domain.vm_ids import VmId, name_of
from shared.ports import Accepted, Activity, Operation
from simulator.arm.activity import activity
from simulator.arm.errors import ArmError
from simulator.arm.locations import location_body
from simulator.arm.operations import Request
from simulator.arm.records import VmRecord
from simulator.arm.verdict import Verdict
from simulator.scenario_model import Word

T = TypeVar("T")
Asked = Callable[[VmRecord, Verdict, float], None]
"""Called with each performMaintenance that reached Azure, and when the handler that sent it began."""

_URL = "https://management.azure.com/operations/"
# Whoever gives up waiting for an answer after so long is not to blame for having none.
_SILENT_SECONDS = 20.0
_NAMESPACE = uuid.UUID("3d0c3a0e-52f1-4a3e-9a3c-6d7a0c1f3b11")


class SimulatedArm:
    """VirtualMachines; see the port. Differs from the real adapter in that no SDK carries the JSON."""

    def __init__(self, azure: Azure, wire: Wire, asked: Asked) -> None:
        self.azure = azure
        self._wire = wire
        self._asked = asked
        self._locations: dict[str, list[Location]] = {}

    async def subscriptions(self) -> Sequence[Subscription]:
        """See the port."""
        items = [
            {"subscriptionId": it.id, "displayName": it.name, "state": "Enabled"}
            for it in self.azure.cloud.subscriptions.values()
        ]
        listed = await self._read("subscriptions", lambda _: items)
        found = [arm_answers.subscription_of(item) for item in listed]
        return [one for one in found if one]

    async def models(self, subscription_id: str) -> AsyncIterator[Vm | Unreadable]:
        """See the port."""
        async for item in self._list(subscription_id, lambda it, _: self.azure.model(it)):
            yield self._or_unreadable(decode.vm_of, item)

    async def statuses(self, subscription_id: str) -> AsyncIterator[ListedStatus | Unreadable]:
        """See the port."""
        async for item in self._list(subscription_id, self.azure.status):
            yield self._or_unreadable(decode.listed_status_of, item)

    async def scale_sets(self, subscription_id: str) -> AsyncIterator[ScaleSet | Unreadable]:
        """See the port."""

        def effect(_: datetime) -> list[Json]:
            self._refuse_subscription(subscription_id)
            sets = self.azure.cloud.scale_sets.values()
            wanted = subscription_id.lower()
            return [self.azure.scale_set(it) for it in sets if it.subscription.lower() == wanted]

        for item in await self._read("list of scale sets", effect, about=subscription_id):
            yield decode.scale_set_of(item)

    async def instances(self, scale_set: ScaleSet) -> AsyncIterator[Vm | Unreadable]:
        """See the port."""
        prefix = f"{scale_set.key}/"
        async for item in self._list(scale_set.subscription_id, self.azure.whole, prefix):
            yield self._or_unreadable(decode.seen_vm_of, item)

    async def get(self, vm_id: str) -> Vm:
        """See the port."""

        def effect(now: datetime) -> Json:
            return self.azure.whole(self.record(vm_id), now)

        item = await self._read(
            f"get {name_of(vm_id).lower()}", effect, arm_errors.vm_error, about=vm_id
        )
        return self._decoded(decode.seen_vm_of, item)

    async def start_maintenance(
        self, vm_id: str, *, request_id: str, within: timedelta
    ) -> Accepted:
        """See the port."""

        def effect() -> Verdict:
            return self._perform(vm_id, request_id)

        operation = (
            await self.start_once(f"start {name_of(vm_id).lower()}", effect, within)
        ).operation
        return Accepted(
            operation_url=_URL + operation.id if operation else "",
            correlation_id=operation.request.correlation_id if operation else "",
            retry_after=timedelta(seconds=self.azure.cloud.scenario.arm.retry_after),
        )

    async def operation(self, url: str) -> Operation:
        """See the port."""
        identity = url.removeprefix(_URL)
        status, body, wait = await self._read(
            f"operation {identity}", lambda now: self.azure.operation(identity, now)
        )
        return arm_answers.operation_of(
            status, json.dumps(body), timedelta(seconds=wait) if wait else None
        )

    async def start_once(self, what: str, effect: Callable[[], T], within: timedelta) -> T:
        """Sends something that is never sent twice."""
        seconds = within.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await self._wire.ask("arm", what, effect, ERRORS, deadline=seconds)
        except (HttpResponseError, ServiceResponseError, TimeoutError) as error:
            now = self._wire.process.now()
            raise arm_errors.start_error(error, what=what, sent=True, now=now) from error

    async def activities(self, vm_id: str, *, since: datetime) -> Sequence[Activity]:
        """See the port."""
        operation = arm_answers.maintenance_of(VmId.parse(vm_id))
        return await self.logged(vm_id, since=since, operation=operation)

    async def logged(self, vm_id: str, *, since: datetime, operation: str) -> Sequence[Activity]:
        """What the activity log has of an operation on the VM."""
        page = await self._read(
            f"activities {name_of(vm_id).lower()}", lambda now: self._activities(vm_id, now)
        )
        items, _ = arm_answers.page_of(page, what="activity log")
        found = [event for item in items if (event := arm_answers.activity_of(item, operation))]
        return sorted((one for one in found if one.at >= since), key=lambda one: one.at)

    async def locations(self, subscription_id: str) -> Sequence[Location]:
        """See the port. Kept by the process, as by the real adapter."""

        def effect(_: datetime) -> list[Json]:
            subscription = self.azure.cloud.subscriptions[subscription_id.lower()]
            return [
                location_body(it, subscription.id, subscription.rotation)
                for it in self.azure.cloud.locations.values()
            ]

        kept = self._locations.get(subscription_id)
        if kept is None:
            items = await self._read("locations", effect, about=subscription_id)
            found = [location_of(item, subscription_id) for item in items]
            kept = self._locations[subscription_id] = [one for one in found if one]
        return kept

    async def surroundings(self, subscription_id: str) -> Surroundings:  # noqa: ARG002 - the port's
        """See the port. What stands around VMs changes no start, so nothing stands there."""
        return Surroundings()

    # --- Azure's side -------------------------------------------------------------------------------

    def _perform(self, vm_id: str, request_id: str) -> Verdict:
        now = self.now()
        record = self.record(vm_id)
        number = len(self.azure.cloud.operations) + len(self.azure.cloud.refusals)
        identity = str(uuid.uuid5(_NAMESPACE, f"{vm_id.lower()} {number}"))
        request = Request(identity, identity, request_id)
        verdict = self.azure.cloud.perform_maintenance(record, now, request)
        self.azure.remember(now)
        self._asked(record, verdict, BEGAN.get())
        if verdict.error is not None:
            raise sdk_error(verdict.error)
        if verdict.operation is None or verdict.word is Word.DROP_AFTER:
            raise ServiceResponseError("connection lost")
        return verdict

    def _activities(self, vm_id: str, now: datetime) -> str:
        cloud = self.azure.cloud
        delay = cloud.scenario.arm.activity_log_delay
        events = activity(cloud.operations.values(), cloud.refusals, now, delay)
        mine = [event for event in events if event["resourceId"].lower() == vm_id.lower()]
        return json.dumps({"value": mine})

    def record(self, vm_id: str) -> VmRecord:
        """The VM of an id; raises what Azure would answer where there is none, or it may not be read."""
        record = self.azure.cloud.vms.get(vm_id.lower())
        if record is None:
            raise sdk_error(ArmError(404, "ResourceNotFound", f"{vm_id} was not found"))
        self._refuse_subscription(record.spec.subscription)
        return record

    def _refuse_subscription(self, subscription_id: str) -> None:
        fault = self.azure.cloud.subscriptions[subscription_id.lower()].fault
        if fault.kind == "forbidden":
            raise sdk_error(ArmError(403, "AuthorizationFailed", "no right to read"))
        if fault.kind == "unavailable":
            raise sdk_error(BROKEN)

    def now(self) -> datetime:
        """True time."""
        return self.azure.at(self._wire.process.loop.time())

    # --- reading ------------------------------------------------------------------------------------

    async def _list(
        self,
        subscription_id: str,
        show: Callable[[VmRecord, datetime], Json],
        of_set: str = "",
    ) -> AsyncIterator[Json]:
        """A list in pages, which others' changes and faults may come between.

        Args:
            subscription_id: Its VMs, but for the instances of uniform scale sets.
            show: A VM's body.
            of_set: Instead of those the VMs whose keys begin so.
        """
        size = self.azure.cloud.scenario.arm.page_size
        prefix = of_set or f"/subscriptions/{subscription_id.lower()}/"
        after = ""

        def page(now: datetime) -> list[tuple[str, Json]]:
            self._refuse_subscription(subscription_id)
            if after and self.azure.cloud.subscriptions[subscription_id.lower()].fault.kind:
                raise sdk_error(BROKEN)  # `page2`
            keys = sorted(
                key
                for key, record in self.azure.cloud.vms.items()
                if key > after
                and key.startswith(prefix)
                and bool(record.spec.instance_id) == bool(of_set)
            )
            return [(key, show(self.azure.cloud.vms[key], now)) for key in keys[:size]]

        while True:
            what = f"list of {subscription_id[:8]}"
            items = await self._read(what, page, about=subscription_id)
            for _, item in items:
                yield item
            if len(items) < size:
                return
            after = items[-1][0]

    async def _read(
        self,
        what: str,
        effect: Callable[[datetime], T],
        meaning: Callable[..., BatonError] = arm_errors.read_error,
        about: str = "",
    ) -> T:
        loop = self._wire.process.loop
        began = loop.time()
        try:
            return await self._wire.ask("arm", what, lambda: effect(self.now()), ERRORS)
        except asyncio.CancelledError:
            if loop.time() - began >= _SILENT_SECONDS:
                self.azure.unanswered.append((loop.time(), about.lower()))
            raise
        except (HttpResponseError, ServiceResponseError) as error:
            self.azure.unanswered.append((loop.time(), about.lower()))
            now = self._wire.process.now()
            raise meaning(error, what=what, right="the role", now=now) from error

    def _or_unreadable(self, read: Callable[[object], T], item: Json) -> T | Unreadable:
        try:
            return self._decoded(read, item)
        except InvalidInput as wrong:
            return Unreadable(str(item.get("id")), wrong.problems[0])

    def _decoded(self, read: Callable[[object], T], item: Json) -> T:
        """What Baton's decoder makes of a body; the same body is decoded once."""
        found: T = self.azure.read(id(item), lambda: read(item))
        return found
