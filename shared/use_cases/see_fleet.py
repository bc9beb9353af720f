"""Seeing the fleet: every subscription at its own pace, none in the way of another, and all of it in time."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from shared.domain.errors import BatonError
from shared.domain.fleet import Fleet
from shared.domain.heartbeat import Behind, Heartbeat, LeftAlone
from shared.domain.job import Job
from shared.domain.known import Known, known_of
from shared.domain.maintenance import Subscription, Unreadable, Vm
from shared.domain.offers import Available, available_to
from shared.domain.places import Places
from shared.domain.turns import Turns
from shared.ports import Clock, PatchStore, VirtualMachines
from shared.use_cases.see_subscription import Looking, SeeSubscription

log = logging.getLogger("baton.discover")

# So many at once keep memory small: each holds a page. One that waits for Azure holds none, and makes room.
_SUBSCRIPTIONS_AT_ONCE = 16
_MAKES_ROOM_AFTER_SECONDS = 5.0
_VIEWS_AT_ONCE = 96
# Counted from the beginning, of the five minutes that the function has (host.json): planning and writing
# need the rest.
_LOOKED_BY_SECONDS = 120.0
_REST_BY_SECONDS = 180.0
_AROUND_BY_SECONDS = 210.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen, and what could not be.

    Attributes:
        count: How many VMs there are; the fleet holds those that something concerns.
        unreadable: VMs whose answers cannot be used.
        failed: Subscription (its id; `""` for the list of subscriptions) → why it could not be read whole.
        read_only: Ids of those among them in which Azure lets nobody change anything.
        behind: Lower-cased id of each subscription of which anything is missing.
        again: Those among them of which the discovery before missed something too.
    """

    fleet: Fleet
    count: int
    unreadable: tuple[Unreadable, ...]
    failed: Mapping[str, str]
    read_only: frozenset[str] = frozenset()
    behind: Mapping[str, Behind]
    again: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeeFleet:
    """Reads the VMs of the subscriptions."""

    clock: Clock
    vms: VirtualMachines
    patches: PatchStore

    async def __call__(
        self,
        jobs: Iterable[Job],
        *,
        last: Heartbeat | None = None,
        left_alone: Iterable[LeftAlone] = (),
        keeps: Callable[[Vm], bool] = lambda _: True,
        asks_vms: bool = True,
    ) -> Sight:
        """Reads the fleet. One bad VM or subscription never stops the others.

        Args:
            jobs: Open ones have their VMs read even if no list has them.
            last: The discovery before, so that VMs of which no list tells are read in turns; None: all are.
            left_alone: VMs with a maintenance that has no job.
            keeps: Which VMs are wanted, of those that neither a maintenance, patches nor a job concerns.
            asks_vms: Whether VMs are asked for their own views, where the lists do not tell enough.
        """
        now = self.clock.now()
        known = known_of(jobs, left_alone, now)
        looking = Looking(
            vms=self.vms,
            now=now,
            known=known,
            open_jobs=_open_jobs(known),
            available=await self._available(),
            keeps=keeps,
            asks_vms=asks_vms,
            at_once=asyncio.Semaphore(_VIEWS_AT_ONCE),
        )
        failed: dict[str, str] = {}
        try:
            listed = list(await self.vms.subscriptions())
        except BatonError as error:
            failed[""] = str(error)
            listed = []
        seen = _each(listed, looking, last)
        await _see_all(seen)
        sight = _sight(seen, looking, failed)
        again = sight.behind.keys() & (last.behind.keys() if last else ())
        return replace(sight, again=frozenset(again))

    async def _available(self) -> Mapping[str, Available]:
        """What is known of patches; where that cannot be read, nothing is, which changes no job."""
        try:
            records = await self.patches.records()
        except BatonError as error:
            log.warning("Patches were not read: %s", error, extra={"action": "patches_unread"})
            return {}
        found = {record.key: available_to(record) for record in records}
        return {key: available for key, available in found.items() if available}


def _open_jobs(known: Mapping[str, Known]) -> dict[str, list[str]]:
    """Lower-cased subscription id → the VM ids of its open jobs."""
    found: dict[str, list[str]] = {}
    for one in known.values():
        if one.job and one.is_open:
            found.setdefault(one.job.subscription_id.lower(), []).append(one.vm_id)
    return found


def _each(
    listed: Sequence[Subscription], looking: Looking, last: Heartbeat | None
) -> list[SeeSubscription]:
    """Those that were behind last time first, and those of open jobs even where they are no longer listed."""
    behind = last.behind if last else {}
    keys = {one.id.lower() for one in listed}
    unlisted = looking.open_jobs.keys() - keys
    return [
        SeeSubscription(
            looking,
            one,
            Turns(last.seen_until(one.id) if last else None, looking.now),
            is_listed=one.id.lower() in keys and not one.is_read_only,
            was_behind=one.id.lower() in behind,
        )
        for one in sorted(
            [*listed, *(Subscription(key, key) for key in sorted(unlisted))],
            key=lambda one: one.id.lower() not in behind,
        )
    ]


async def _see_all(seen: Sequence[SeeSubscription]) -> None:
    """Looks at each; where that finds a new maintenance, at everything: nothing is planned by halves.

    A rollout that knows a later stage and not yet an earlier one would start it first.
    """
    began = asyncio.get_running_loop().time()
    await _by(began + _LOOKED_BY_SECONDS, seen, SeeSubscription.look)
    if any(one.finds_new and one.is_whole for one in seen):
        await _by(began + _REST_BY_SECONDS, seen, SeeSubscription.rest)
        for one in seen:
            one.hold_back()
    await _by(began + _AROUND_BY_SECONDS, seen, SeeSubscription.around)


async def _by(
    deadline: float,
    seen: Iterable[SeeSubscription],
    step: Callable[[SeeSubscription], Awaitable[None]],
) -> None:
    """Takes a step with each, as far as it comes until then; `deadline` is the loop's time."""
    room = asyncio.Semaphore(_SUBSCRIPTIONS_AT_ONCE)

    async def one(subscription: SeeSubscription) -> None:
        async with _room(room):
            await step(subscription)

    with suppress(TimeoutError):
        async with asyncio.timeout_at(deadline):
            await asyncio.gather(*map(one, seen))


@asynccontextmanager
async def _room(room: asyncio.Semaphore) -> AsyncIterator[None]:
    """A place among those at once, given back after a while: who takes long waits for Azure, and holds nothing."""
    await room.acquire()
    later = asyncio.get_running_loop().call_later(_MAKES_ROOM_AFTER_SECONDS, room.release)
    try:
        yield
    finally:
        if asyncio.get_running_loop().time() < later.when():
            later.cancel()
            room.release()


def _sight(seen: Sequence[SeeSubscription], looking: Looking, failed: Mapping[str, str]) -> Sight:
    behind = {one.key: found for one in seen if (found := one.behind())}
    return Sight(
        fleet=Fleet(
            vms={key: vm for one in seen for key, vm in one.vms.items()},
            absent=frozenset(key for one in seen for key in one.absent),
            whole=frozenset(one.key for one in seen if one.is_whole),
            seen_at=looking.now,
            places=Places.of(location for one in seen for location in one.locations),
            surroundings={one.key: one.surroundings for one in seen if one.surroundings},
            available=looking.available,
            told=frozenset(key for one in seen for key in one.told),
        ),
        count=sum(one.count for one in seen),
        unreadable=tuple(item for one in seen for item in one.unreadable),
        failed={
            **failed,
            **{one.subscription.id: behind[one.key].reason for one in seen if one.fails},
        },
        read_only=frozenset(one.subscription.id for one in seen if one.subscription.is_read_only),
        behind=behind,
    )
