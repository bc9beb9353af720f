"""Seeing the fleet: two lists per subscription, and each VM's own view where the lists do not suffice."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.errors import BatonError, InvalidInput, Retryable, VmNotFound
from shared.domain.fleet import Fleet
from shared.domain.job import Job
from shared.domain.maintenance import InstanceView, Subscription, Unreadable, Vm
from shared.domain.offers import Available, available_to
from shared.domain.places import Location, Places
from shared.domain.preflight import Surroundings
from shared.domain.vm_ids import name_of
from shared.patch_ports import PatchStore
from shared.ports import Clock, VirtualMachines
from shared.use_cases.see_scale_sets import see_scale_sets

log = logging.getLogger("baton.discover")

# Reads at once. Far below Compute's published throttles (8,000 low-cost reads a minute), so that nobody
# else in the subscription is hurt.
_SUBSCRIPTIONS_AT_ONCE = 8
_VMS_AT_ONCE = 24  # a discovery is paid for by the second
_VIEWS_TRIED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen, and what could not be.

    Attributes:
        unreadable: VMs whose answers cannot be used.
        failed: Subscription (its id; `""` for the list of subscriptions) → why it could not be read.
    """

    fleet: Fleet
    unreadable: tuple[Unreadable, ...]
    failed: Mapping[str, str]


@dataclass(slots=True)
class _Gathered:
    """What reading one subscription gave, as far as it came."""

    vms: dict[str, Vm] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    unreadable: list[Unreadable] = field(default_factory=list)
    locations: Sequence[Location] = ()
    surroundings: Surroundings | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeeFleet:
    """Reads every VM of the subscriptions."""

    clock: Clock
    vms: VirtualMachines
    patches: PatchStore

    async def __call__(self, open_jobs: Iterable[Job]) -> Sight:
        """Reads the fleet. One bad VM or subscription never stops the others.

        Args:
            open_jobs: Their VMs are read by themselves even if no list has them.
        """
        seen_at = self.clock.now()
        jobs: dict[str, list[Job]] = {}
        for job in open_jobs:
            jobs.setdefault(job.subscription_id.lower(), []).append(job)
        failed: dict[str, str] = {}
        try:
            subscriptions = list(await self.vms.subscriptions())
        except BatonError as error:
            failed[""] = str(error)
            subscriptions = []
        listed = {subscription.id.lower() for subscription in subscriptions}
        # Open jobs are followed even where their subscription is no longer listed.
        subscriptions += [Subscription(key, key) for key in jobs if key not in listed]
        at_once = asyncio.Semaphore(_SUBSCRIPTIONS_AT_ONCE)
        gathered = await asyncio.gather(
            *(
                self._subscription(
                    subscription,
                    jobs.get(subscription.id.lower(), []),
                    at_once,
                    listed=subscription.id.lower() in listed,
                )
                for subscription in subscriptions
            )
        )
        sight = _sight(subscriptions, gathered, failed, listed, seen_at)
        return replace(sight, fleet=replace(sight.fleet, available=await self._available()))

    async def _available(self) -> Mapping[str, Available]:
        """What is known of patches; where that cannot be read, nothing is, which changes no job."""
        try:
            records = await self.patches.records()
        except BatonError as error:
            log.warning("Patches were not read: %s", error, extra={"action": "patches_unread"})
            return {}
        found = {record.key: available_to(record) for record in records}
        return {key: available for key, available in found.items() if available}

    async def _subscription(
        self,
        subscription: Subscription,
        jobs: list[Job],
        at_once: asyncio.Semaphore,
        *,
        listed: bool,
    ) -> _Gathered:
        found = _Gathered()
        async with at_once:
            try:
                if listed:
                    found.locations = await self.vms.locations(subscription.id)
                    await self._lists(subscription.id, found, {job.vm_key for job in jobs})
            except BatonError as error:
                found.failure = str(error)
            if listed and not found.failure:
                found.failure = await see_scale_sets(
                    self.vms, subscription.id, found.vms, found.unreadable
                )
            missing = [job.vm_id for job in jobs if job.vm_key not in found.vms]
            await self._own_views(missing, found)
            if any(vm.maintenance for vm in found.vms.values()):
                found.surroundings = await self.vms.surroundings(subscription.id)
        return found

    async def _lists(self, subscription_id: str, found: _Gathered, followed: set[str]) -> None:
        """The model list and the status list, merged by lower-cased id."""
        models: dict[str, Vm] = {}
        views: dict[str, InstanceView | None] = {}
        async for item in self.vms.models(subscription_id):
            if isinstance(item, Unreadable):
                found.unreadable.append(item)
            else:
                models[item.key] = item
        async for status in self.vms.statuses(subscription_id):
            if isinstance(status, Unreadable):
                # Its own view decides: the list may be the one that is garbled.
                views[status.vm_id.lower()] = None
            else:
                views[status.vm_id.lower()] = status.view
        # Azure documents nowhere that this list carries the maintenance. Where it does for one VM of the
        # subscription, its silence about another means none; else every VM is asked by itself.
        carries = any(view and view.maintenance for view in views.values())
        now = self.clock.now()
        ask: list[str] = []
        for key, vm in models.items():
            view = views.get(key)
            if view is None or not carries or key in followed or _offers(view, now):
                ask.append(vm.id)
            else:
                found.vms[key] = vm.with_view(view)
        await self._own_views(ask, found)

    async def _own_views(self, vm_ids: Iterable[str], found: _Gathered) -> None:
        """Each VM's own view, asked for anew where ARM was busy.

        A VM that is left out is not in its rollout, and a later stage would start before it.
        """
        at_once = asyncio.Semaphore(_VMS_AT_ONCE)
        left = list(vm_ids)
        for _ in range(_VIEWS_TRIED):
            busy = await asyncio.gather(*(self._own_view(vm_id, found, at_once) for vm_id in left))
            left = [vm_id for vm_id, error in zip(left, busy, strict=True) if error]
        for vm_id in left:
            # One VM that cannot be read now stops no other; the next discovery asks again.
            log.warning(
                "%s was not read",
                name_of(vm_id),
                extra={"action": "vm_unread", "vm": vm_id},
            )

    async def _own_view(
        self, vm_id: str, found: _Gathered, at_once: asyncio.Semaphore
    ) -> Retryable | None:
        """Reads one; returns the error if asking again may help."""
        async with at_once:
            try:
                vm = await self.vms.get(vm_id)
            except VmNotFound:
                found.absent.add(vm_id.lower())
            except InvalidInput as wrong:
                found.unreadable.append(Unreadable(vm_id, wrong.problems[0]))
            except Retryable as busy:
                return busy
            except BatonError as error:
                extra = {"action": "vm_unread", "vm": vm_id}
                log.warning("%s was not read: %s", name_of(vm_id), error, extra=extra)
            else:
                found.vms[vm.key] = vm
            return None


def _offers(view: InstanceView, now: datetime) -> bool:
    return bool(view.maintenance and view.maintenance.is_offered(now))


def _sight(
    subscriptions: list[Subscription],
    gathered: list[_Gathered],
    failed: dict[str, str],
    listed: set[str],
    seen_at: datetime,
) -> Sight:
    for subscription, found in zip(subscriptions, gathered, strict=True):
        if found.failure:
            failed[subscription.id] = found.failure
    return Sight(
        fleet=Fleet(
            vms={key: vm for found in gathered for key, vm in found.vms.items()},
            absent=frozenset(key for found in gathered for key in found.absent),
            whole=frozenset(
                subscription.id.lower()
                for subscription in subscriptions
                if subscription.id not in failed and subscription.id.lower() in listed
            ),
            seen_at=seen_at,
            places=Places.of(location for found in gathered for location in found.locations),
            surroundings={
                subscription.id.lower(): found.surroundings
                for subscription, found in zip(subscriptions, gathered, strict=True)
                if found.surroundings
            },
        ),
        unreadable=tuple(item for found in gathered for item in found.unreadable),
        failed=failed,
    )
