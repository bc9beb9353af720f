"""VMs' own views, read where no list tells enough: at Azure's pace, and anew where it was busy."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.domain.errors import BatonError, InvalidInput, Retryable, VmNotFound
from shared.domain.maintenance import Unreadable, Vm
from shared.domain.vm_ids import name_of
from shared.ports import VirtualMachines

log = logging.getLogger("baton.discover")

VMS_AT_ONCE = 24
"""Of a subscription."""
# Resource Manager gives an identity 250 reads of a subscription at once and 25 a second (learn.microsoft.com:
# azure-resource-manager/management/request-limits-and-throttling, June 2024). The handlers need some too.
_UNPACED = 200
_PER_SECOND = 20
_TRIES = 3
_ONE_TAKES_SECONDS = 30.0  # with all that the adapter tries


class OwnViews:
    """Those of one subscription.

    Attributes:
        asked: VM id → its turn, of those that are to be asked and have not answered.
        silent: The same of those that did not answer however often they were asked.
        absent: Keys of VMs that Azure says do not exist.
        unreadable: VMs whose answers cannot be used.
    """

    def __init__(
        self, vms: VirtualMachines, at_once: asyncio.Semaphore, see: Callable[[Vm], None]
    ) -> None:
        """`at_once`: bounds those of all subscriptions; `see`: takes each VM that was read."""
        self.asked: dict[str, datetime] = {}
        self.silent: dict[str, datetime] = {}
        self.absent: set[str] = set()
        self.unreadable: list[Unreadable] = []
        self._vms = vms
        self._at_once = at_once
        self._see = see
        self._pace = _Pace()

    async def ask(self) -> None:
        """Asks each that is to be asked, anew where ARM was busy, as long as there is time.

        A VM that is left out is not in its rollout, and a later stage would start before it.
        """
        self.asked |= self.silent
        self.silent.clear()
        seconds = _ONE_TAKES_SECONDS + len(self.asked) / _PER_SECOND
        waits: list[timedelta] = []
        try:
            async with asyncio.timeout(seconds):
                for _ in range(_TRIES):
                    await asyncio.sleep(min(waits, default=timedelta()).total_seconds())
                    busy = await self._ask_once()
                    waits = [one.retry_after for one in busy if one.retry_after]
        except TimeoutError:
            return
        for vm_id in [] if waits else list(self.asked):
            # One VM that cannot be read now stops no other; it is asked again in its next turn.
            self.silent[vm_id] = self.asked.pop(vm_id)
            extra = {"action": "vm_unread", "vm": vm_id}
            log.warning("%s was not read", name_of(vm_id), extra=extra)

    async def _ask_once(self) -> list[Retryable]:
        """Asks each once; returns the errors of those that may answer later, and stay asked."""
        busy: list[Retryable] = []
        left = iter(sorted(self.asked, key=self.asked.__getitem__))

        async def some() -> None:
            for vm_id in left:
                try:
                    await self._pace()
                    async with self._at_once:
                        await self._own_view(vm_id)
                except Retryable as error:
                    busy.append(error)
                else:
                    del self.asked[vm_id]

        await asyncio.gather(*(some() for _ in range(min(VMS_AT_ONCE, len(self.asked)))))
        return busy

    async def _own_view(self, vm_id: str) -> None:
        """Reads one.

        Raises:
            Retryable: Asking again may help.
        """
        try:
            vm = await self._vms.get(vm_id)
        except VmNotFound:
            self.absent.add(vm_id.lower())
        except InvalidInput as wrong:
            self.unreadable.append(Unreadable(vm_id, wrong.problems[0]))
        except Retryable:
            raise
        except BatonError as error:
            extra = {"action": "vm_unread", "vm": vm_id}
            log.warning("%s was not read: %s", name_of(vm_id), error, extra=extra)
        else:
            self._see(vm)


class _Pace:
    """Has reads wait their turn, so that Azure need not refuse them."""

    def __init__(self) -> None:
        self._begun = 0.0
        self._reads = 0

    async def __call__(self) -> None:
        """Waits, if this one comes too early."""
        now = asyncio.get_running_loop().time()
        self._begun = self._begun if self._reads else now
        self._reads += 1
        paced = max(self._reads - _UNPACED, 0)
        await asyncio.sleep(max(self._begun + paced / _PER_SECOND - now, 0))
