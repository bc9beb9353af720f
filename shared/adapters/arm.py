"""VirtualMachines over Azure Resource Manager, by azure-mgmt-compute.

Reads are retried a little and bounded in time, since a handler lives five minutes. The start is sent once:
no policy in its chain sends it again, and whatever is no clear answer is StartUnknown.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from shared.adapters import arm_answers, arm_errors
from shared.adapters import arm_decode as decode
from shared.adapters.arm_activity import read_activities
from shared.adapters.arm_enrolment import ArmEnrolment
from shared.adapters.arm_fields import identity_of
from shared.adapters.arm_locations import location_of
from shared.adapters.arm_patches import ArmPatches
from shared.adapters.arm_pipeline import ArmClients
from shared.adapters.arm_posts import post_once
from shared.adapters.arm_reads import READ_WITHIN, ArmReads, Kept, parsed
from shared.adapters.arm_surroundings import read_surroundings
from shared.domain.errors import BatonError, InvalidInput, Retryable, VmNotFound
from shared.domain.maintenance import ListedStatus, Subscription, Unreadable, Vm
from shared.domain.places import Location
from shared.domain.preflight import Surroundings
from shared.domain.scale_sets import ScaleSet, with_set
from shared.ports import Accepted, Activity, Clock, Operation

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

log = logging.getLogger("baton.arm")

# Regions change by the year; addresses and schedules when somebody works on them.
_LOCATIONS_KEPT = timedelta(days=1)
_SURROUNDINGS_KEPT = timedelta(hours=1)

# Every look at an instance without tags of its own asks for its set's.
_SETS_KEPT = timedelta(minutes=1)

_COMPUTE_API = "2026-04-01"  # azure-mgmt-compute 39's, so that lists and VMs tell the same
_READ_VMS = "Microsoft.Compute/virtualMachines/read and .../instanceView/read"
_READ_SETS = "Microsoft.Compute/virtualMachineScaleSets/read"
_READ_INSTANCES = f"{_READ_SETS.rpartition('/')[0]}/virtualMachines/read and .../instanceView/read"
_READ_SUBSCRIPTIONS = "Microsoft.Resources/subscriptions/read"
_READ_LOCATIONS = "Microsoft.Resources/subscriptions/locations/read"

_T = TypeVar("_T")


def connect_arm(
    url: str,
    credential: "AsyncTokenCredential | str",
    subscriptions: tuple[str, ...],
    *,
    clock: Clock,
) -> "Arm":
    """VirtualMachines of these subscriptions. Opens nothing yet.

    Args:
        url: BATON_ARM_URL.
        credential: The app's identity; a static token where `url` is plain http on loopback.
        subscriptions: Their ids; empty for every enabled one that the identity can read.
        clock: For how long answers are kept and ARM is left alone, and for Retry-After dates.

    Raises:
        InvalidInput: The URL and the credential do not go together.
    """
    return Arm(ArmClients(url, credential, clock), subscriptions, clock)


class Arm:
    """VirtualMachines; see the port.

    Attributes:
        patches, enrolment: The ports Patches and Enrolment, over the same connections.
    """

    def __init__(self, clients: ArmClients, subscriptions: tuple[str, ...], clock: Clock) -> None:
        """Use `connect_arm`."""
        self._clients = clients
        self._configured = subscriptions
        self._clock = clock
        self._reads = ArmReads(clients, clock)
        self.patches = ArmPatches(clients, self._reads, clock)
        self.enrolment = ArmEnrolment(clients, self._reads, clock)
        self._sets: Kept[ScaleSet] = Kept(clock, _SETS_KEPT)
        self._locations: Kept[tuple[Location, ...]] = Kept(clock, _LOCATIONS_KEPT)
        self._surroundings: Kept[Surroundings] = Kept(clock, _SURROUNDINGS_KEPT)

    async def close(self) -> None:
        """Closes the connections."""
        await self._clients.close()

    async def subscriptions(self) -> Sequence[Subscription]:
        """See the port. One list tells of them all; who is configured and not in it is asked for by itself."""
        try:
            listed = {one.id.lower(): one async for one in self._listed()}
        except BatonError:
            if not self._configured:
                raise
            listed = {}
        if not self._configured:
            return [one for one in listed.values() if one.state != "Deleted"]
        return await asyncio.gather(
            *(self._named(one, listed.get(one.lower())) for one in self._configured)
        )

    async def models(self, subscription_id: str) -> AsyncIterator[Vm | Unreadable]:
        """See the port."""
        what = f"VMs of subscription {subscription_id}"
        async for item in self._listed_vms(subscription_id, "", what):
            yield _or_unreadable(decode.vm_of, item)

    async def statuses(self, subscription_id: str) -> AsyncIterator[ListedStatus | Unreadable]:
        """See the port."""
        what = f"statuses of the VMs of subscription {subscription_id}"
        async for item in self._listed_vms(subscription_id, "&statusOnly=true", what):
            yield _or_unreadable(decode.listed_status_of, item)

    async def _listed_vms(self, subscription_id: str, query: str, what: str) -> AsyncIterator[Any]:
        """The items as ARM sent them: the SDK's models of thousands of VMs take most of a discovery's time."""
        path = f"/subscriptions/{subscription_id}/providers/Microsoft.Compute/virtualMachines"
        url = f"{self._reads.url}{path}?api-version={_COMPUTE_API}{query}"
        pages = self._reads.pages(url, what=what, right=_READ_VMS, garbled=Retryable)
        async for page in pages:
            for item in page:
                yield item

    async def scale_sets(self, subscription_id: str) -> AsyncIterator[ScaleSet | Unreadable]:
        """See the port."""
        sets = self._clients.compute(subscription_id).virtual_machine_scale_sets
        what = f"scale sets of subscription {subscription_id}"
        async for item in self._reads.items(sets.list_all().by_page(), what=what, right=_READ_SETS):
            yield _or_unreadable(decode.scale_set_of, item)

    async def instances(self, scale_set: ScaleSet) -> AsyncIterator[Vm | Unreadable]:
        """See the port."""
        machines = self._clients.compute(scale_set.subscription_id).virtual_machine_scale_set_vms
        listed = machines.list(scale_set.resource_group, scale_set.name, expand="instanceView")
        what = f"instances of scale set {scale_set.id}"
        with suppress(VmNotFound):
            async for item in self._reads.items(
                listed.by_page(), what=what, right=_READ_INSTANCES, meaning=arm_errors.vm_error
            ):
                yield _or_unreadable(decode.seen_vm_of, item)

    async def get(self, vm_id: str) -> Vm:
        """See the port."""
        vm = parsed(vm_id)
        compute = self._clients.compute(vm.subscription_id)
        if not vm.scale_set:
            read = compute.virtual_machines.get(vm.resource_group, vm.name, expand="instanceView")
            return decode.seen_vm_of(await self._one(read, f"VM {vm_id}", _READ_VMS))
        read_instance = compute.virtual_machine_scale_set_vms.get(
            vm.resource_group, vm.scale_set, vm.instance_id, expand="instanceView"
        )
        found = decode.seen_vm_of(await self._one(read_instance, f"VM {vm_id}", _READ_INSTANCES))
        if found.tags:
            return found
        kept = self._sets.get(found.scale_set)
        if kept is None:
            read_set = compute.virtual_machine_scale_sets.get(vm.resource_group, vm.scale_set)
            item = await self._one(read_set, f"the scale set of {vm_id}", _READ_SETS)
            kept = self._sets.keep(found.scale_set, decode.scale_set_of(item))
        return with_set(found, {found.scale_set: kept})

    async def start_maintenance(
        self, vm_id: str, *, request_id: str, within: timedelta
    ) -> Accepted:
        """See the port."""
        vm = parsed(vm_id)
        compute = self._clients.compute(vm.subscription_id)
        # Of a scale set never the set's own performMaintenance: without ids that is every instance's.
        begin = (
            partial(
                compute.virtual_machine_scale_set_vms.begin_perform_maintenance,
                vm.resource_group,
                vm.scale_set,
                vm.instance_id,
            )
            if vm.scale_set
            else partial(
                compute.virtual_machines.begin_perform_maintenance, vm.resource_group, vm.name
            )
        )
        return await post_once(
            begin,
            what=f"the start of {vm_id}",
            request_id=request_id,
            within=within,
            clock=self._clock,
        )

    async def operation(self, url: str) -> Operation:
        """See the port."""
        answer = await self._reads.operation(url)
        return arm_answers.operation_of(*answer) if answer else Operation(status="unknown")

    async def activities(self, vm_id: str, *, since: datetime) -> Sequence[Activity]:
        """See the port."""
        operation = arm_answers.maintenance_of(parsed(vm_id))
        return await read_activities(self._reads, vm_id, operation=operation, since=since)

    async def locations(self, subscription_id: str) -> Sequence[Location]:
        """See the port. Kept for a day."""
        kept = self._locations.get(subscription_id)
        if kept is not None:
            return kept
        listed = self._clients.subscriptions().subscriptions.list_locations(subscription_id)
        what = f"locations of subscription {subscription_id}"
        items = self._reads.items(listed.by_page(), what=what, right=_READ_LOCATIONS)
        found = [location_of(item, subscription_id) async for item in items]
        return self._locations.keep(subscription_id, tuple(one for one in found if one))

    async def surroundings(self, subscription_id: str) -> Surroundings:
        """See the port. Kept for an hour, where all of it could be read."""
        kept = self._surroundings.get(subscription_id)
        if kept is not None:
            return kept
        found = await read_surroundings(self._reads, subscription_id)
        return found if found.unread else self._surroundings.keep(subscription_id, found)

    async def _one(self, read: Awaitable[object], what: str, right: str) -> object:
        """One thing, read within its time."""
        try:
            async with asyncio.timeout(READ_WITHIN):
                return await read
        except Exception as error:
            now = self._clock.now()
            raise arm_errors.vm_error(error, what=what, right=right, now=now) from error

    async def _listed(self) -> AsyncIterator[Subscription]:
        pages = self._clients.subscriptions().subscriptions.list().by_page()
        what = "the list of subscriptions"
        async for item in self._reads.items(pages, what=what, right=_READ_SUBSCRIPTIONS):
            if found := arm_answers.subscription_of(item):
                yield found

    async def _named(self, subscription_id: str, listed: Subscription | None) -> Subscription:
        if listed:
            return listed
        try:
            async with asyncio.timeout(READ_WITHIN):
                item = await self._clients.subscriptions().subscriptions.get(subscription_id)
            found = arm_answers.subscription_of(item)
        except Exception as error:  # noqa: BLE001 - only the name is at stake
            extra = {"action": "subscription_unnamed", "subscription": subscription_id}
            log.warning("Subscription not looked up: %s", type(error).__name__, extra=extra)
            found = None
        return found or Subscription(subscription_id, subscription_id)


def _or_unreadable(read: Callable[[object], _T], item: object) -> _T | Unreadable:
    try:
        return read(item)
    except InvalidInput as wrong:
        return Unreadable(identity_of(item), wrong.problems[0])
