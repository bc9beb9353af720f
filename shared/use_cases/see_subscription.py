"""Seeing one subscription: its lists, and the VMs of which they do not tell enough."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from shared.domain.errors import BatonError, Retryable
from shared.domain.heartbeat import Behind
from shared.domain.known import Known, is_new
from shared.domain.maintenance import InstanceView, Subscription, Unreadable, Vm
from shared.domain.offers import Available
from shared.domain.places import Location
from shared.domain.preflight import Surroundings
from shared.domain.scale_sets import ScaleSet, with_set
from shared.domain.turns import Turns
from shared.ports import VirtualMachines
from shared.use_cases.own_views import VMS_AT_ONCE, OwnViews

_SETS_AT_ONCE = 4
_READ_ONLY = (
    "Azure has it {}, so nothing in it can be changed: reactivate it, or take it out of BATON_SUBSCRIPTIONS or"
    " from the app's identity"
)
_LISTS_SECONDS = 75.0
"""Long enough for 10,000 VMs in pages of 200, each within a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What one discovery looks for, in every subscription.

    Attributes:
        now: When it began.
        known: VM key → what earlier discoveries know.
        open_jobs: Lower-cased subscription id → the VM ids of its open jobs.
        available: VM key → the patches that are available to it.
        keeps: Whether a VM is wanted although nothing concerns it.
        asks_vms: Whether VMs are asked for their own views.
        at_once: Bounds the own views that are read at once, of all subscriptions.
    """

    vms: VirtualMachines
    now: datetime
    known: Mapping[str, Known]
    open_jobs: Mapping[str, Sequence[str]]
    available: Mapping[str, Available]
    keeps: Callable[[Vm], bool]
    asks_vms: bool
    at_once: asyncio.Semaphore


class SeeSubscription:
    """Reads one subscription, step by step; whatever ends a step early, what was read until then stands.

    Memory holds the VMs that something concerns, and of the others an id where it is not their turn.

    Attributes:
        vms: VM key → VM that something concerns.
        count: How many VMs there are.
        told: Keys of VMs of which a list tells what their open job knows.
        finds_new: Whether a maintenance was found that no earlier discovery knows.
        is_whole: Whether every list was read to its end.
        failure: Why not; `""` where nothing was answered.
    """

    def __init__(
        self,
        looking: Looking,
        subscription: Subscription,
        turns: Turns,
        *,
        is_listed: bool,
        was_behind: bool,
    ) -> None:
        """See the class.

        Args:
            looking: What is looked for.
            subscription: Which one.
            turns: Whose turn it is.
            is_listed: Whether its lists are to be read; else only the VMs of open jobs are.
            was_behind: Whether the discovery before could not read it whole.
        """
        self.subscription = subscription
        self.vms: dict[str, Vm] = {}
        self.count = 0
        self.told: set[str] = set()
        self._unreadable: list[Unreadable] = []
        self.locations: Sequence[Location] = ()
        self.surroundings: Surroundings | None = None
        self.finds_new = False
        self.is_whole = False
        self.failure = "it was not reached in time; it is among the first of the next discovery"
        self._looking = looking
        self._turns = turns
        self._is_listed = is_listed
        self._was_behind = was_behind
        self._lists_vms = False  # whether the lists of its VMs were read to their end
        self._sets: dict[str, ScaleSet] = {}
        self._later: dict[str, datetime] = {}  # VM id → its turn, if it has not come
        self._offered: dict[str, Vm] = {}  # as the lists tell, until a VM's own view does
        self._own = OwnViews(looking.vms, looking.at_once, self._see)

    @property
    def absent(self) -> AbstractSet[str]:
        """Keys of VMs that Azure says do not exist."""
        return self._own.absent

    @property
    def unreadable(self) -> list[Unreadable]:
        """What cannot be used of Azure's answers."""
        return [*self._unreadable, *self._own.unreadable]

    @property
    def fails(self) -> bool:
        """Whether no new job can be made there."""
        return not self.is_whole and (self._is_listed or self.subscription.is_read_only)

    @property
    def key(self) -> str:
        """The id by which subscriptions are compared."""
        return self.subscription.id.lower()

    async def look(self) -> None:
        """Reads its lists, and the own views of those whose turn it is, or whom something concerns."""
        self.failure = ""
        if self._is_listed:
            await self._lists()
        are_few = len(self._later) <= VMS_AT_ONCE  # then all of them cost no more time than one
        for vm_id, turn in list(self._later.items()):
            if self._turns.is_due(turn) or are_few:
                self._own.asked[vm_id] = self._later.pop(vm_id)
        seen = self.vms.keys() | {vm_id.lower() for vm_id in self._own.asked}
        for vm_id in self._looking.open_jobs.get(self.key, ()):
            if vm_id.lower() not in seen:
                self._own.asked[vm_id] = self._looking.now
        await self._own.ask()
        self._trust_lists()

    async def rest(self) -> None:
        """Reads the own views of all the others too: a wave has come."""
        self._own.asked |= self._later
        self._later.clear()
        await self._own.ask()

    def hold_back(self) -> None:
        """Makes no new job, this once, where a wave has come and not all VMs answered.

        One that is left out is not in its rollout, and a later stage would start before it. The next
        discovery plans without those that do not answer then either: one bad VM stops no other for good.
        """
        asked = {vm_id.lower() for vm_id in (*self._own.asked, *self._own.silent)}
        unread = asked - self.vms.keys() - self._looking.known.keys()
        if unread and self.is_whole and not self._was_behind:
            self.is_whole = False
            self.failure = (
                f"{len(unread)} of its {self.count} VMs did not answer while a maintenance is new; "
                "the next discovery asks them once more, and then plans"
            )

    async def around(self) -> None:
        """Reads what stands around its VMs, if something is to be done to one."""
        if not self.vms or not self._looking.asks_vms:
            return
        if self.is_whole:
            # Without its locations no zone and no pair is known, by which VMs are kept apart (P5).
            self.is_whole = False
            try:
                self.locations = await self._looking.vms.locations(self.subscription.id)
                self.is_whole = True
            except BatonError as error:
                self.failure = str(error)
        if any(vm.maintenance for vm in self.vms.values()):
            self.surroundings = await self._looking.vms.surroundings(self.subscription.id)

    def behind(self) -> Behind | None:
        """What is missing; None where nothing is."""
        name, unread = self.subscription.name, len(self._own.asked)
        if self.subscription.is_read_only:
            return Behind(name=name, reason=_READ_ONLY.format(self.subscription.state))
        since: datetime | None = min([*self._own.asked.values(), self._looking.now])
        if self._is_listed and not self.is_whole:
            reason = self.failure or "Azure gave no answer in time"
            since = since if self._lists_vms else self._turns.since
            return Behind(name=name, reason=reason, since=since)
        if not unread:
            return None
        reason = f"{unread} of its {self.count} VMs did not answer in time; the next discovery goes on there"
        return Behind(name=name, reason=reason, since=since)

    # --- lists --------------------------------------------------------------------------------------

    async def _lists(self) -> None:
        """Reads them, as long as there is time; one that may not be read keeps no other from being read."""
        try:
            async with asyncio.timeout(_LISTS_SECONDS):
                for read in (self._scale_sets, self._virtual_machines):
                    try:
                        await read()
                    except Retryable as busy:
                        self.failure = str(busy)
                        break  # the next list would be as slow to say so
                    except BatonError as error:
                        self.failure = str(error)
        except TimeoutError:
            self.failure = f"its lists were not read to their end within {_LISTS_SECONDS:.0f} s"
        self.is_whole = not self.failure

    async def _scale_sets(self) -> None:
        """The scale sets, and of uniform ones the instances; their list carries their own views."""
        async for item in self._looking.vms.scale_sets(self.subscription.id):
            if isinstance(item, Unreadable):
                self._unreadable.append(item)
            else:
                self._sets[item.key] = item
        uniform = iter([one for one in self._sets.values() if one.is_uniform])

        async def some() -> None:
            for scale_set in uniform:
                await self._instances(scale_set)

        await asyncio.gather(*(some() for _ in range(_SETS_AT_ONCE)))

    async def _instances(self, scale_set: ScaleSet) -> None:
        async for item in self._looking.vms.instances(scale_set):
            if isinstance(item, Unreadable):
                self._unreadable.append(item)
            else:
                self.count += 1
                self._see(item)

    async def _virtual_machines(self) -> None:
        """The status list and the model list, merged by lower-cased id."""
        views: dict[str, InstanceView | None] = {}
        garbled: set[str] = set()
        async for status in self._looking.vms.statuses(self.subscription.id):
            if isinstance(status, Unreadable):
                garbled.add(status.vm_id.lower())
            else:
                views[status.vm_id.lower()] = status.view
        # Azure documents nowhere that this list carries the maintenance. Where it does for one VM of the
        # subscription, its silence about another means none; else every VM is asked in its turn.
        carries = any(view and view.maintenance for view in views.values())
        async for item in self._looking.vms.models(self.subscription.id):
            if isinstance(item, Unreadable):
                self._unreadable.append(item)
                continue
            self.count += 1
            vm = with_set(item, self._sets)
            view = views.pop(vm.key, None)
            self._listed(vm, view, carries=carries, asks=carries or vm.key in garbled)
        self._lists_vms = True

    def _listed(self, vm: Vm, view: InstanceView | None, *, carries: bool, asks: bool) -> None:
        """Takes a VM as the lists tell of it, or has it asked: at once where it `asks`, or in its turn."""
        known, turn = self._looking.known.get(vm.key), self._turns.turn(vm.key)
        if not self._looking.asks_vms:
            self._see(vm.with_view(view) if view else vm)
        elif carries and view and known and known.is_told_by(view) and not self._turns.is_due(turn):
            self.vms[vm.key] = vm.with_view(view)
            self.told.add(vm.key)
        elif carries and view and not self._is_offered(view) and not (known and known.is_open):
            self._see(vm.with_view(view))
        elif known or asks:
            self._own.asked[vm.id] = self._looking.now
            if view and self._is_offered(view):
                self._offered[vm.key] = vm.with_view(view)
        else:
            self._later[vm.id] = turn

    def _trust_lists(self) -> None:
        """Takes VMs that did not answer as the lists tell of them.

        One that is left out is not in its rollout, and a later stage would start before it; it is read
        again before it is started.
        """
        silent = self._offered.keys() - self.absent - {one.vm_id.lower() for one in self.unreadable}
        for key in silent:
            self._see(self._offered[key])

    def _is_offered(self, view: InstanceView) -> bool:
        return bool(view.maintenance and view.maintenance.is_offered(self._looking.now))

    def _see(self, vm: Vm) -> None:
        """Keeps a VM if something concerns it."""
        looking = self._looking
        vm = with_set(vm, self._sets)
        self._offered.pop(vm.key, None)
        known, status = looking.known.get(vm.key), vm.maintenance
        if status and is_new(status, known, looking.now):
            self.finds_new = True
        if known or status or vm.key in looking.available or looking.keeps(vm):
            self.vms[vm.key] = vm
