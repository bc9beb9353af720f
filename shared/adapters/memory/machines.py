"""Azure Resource Manager in memory: VMs that a test sets, and answers that it scripts."""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.adapters.memory.scripted import Scripted
from shared.domain.errors import Problem, VmNotFound
from shared.domain.maintenance import (
    InstanceView,
    ListedStatus,
    MaintenanceStatus,
    Subscription,
    Unreadable,
    Vm,
)
from shared.domain.places import Location
from shared.domain.preflight import Surroundings
from shared.domain.scale_sets import ScaleSet, with_set
from shared.ports import Accepted, Activity, Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A start that was asked for.

    Attributes:
        taken: Whether it was accepted.
    """

    vm_id: str
    request_id: str
    taken: bool


class MemoryMachines(Scripted):
    """VirtualMachines. A start changes no VM by itself: the test decides what Azure does next.

    Attributes:
        vms: VM key → VM, with its instance view.
        operations: URL → what ARM says of it; an accepted start is in progress, another URL unknown.
        activities_of: VM key → its activity log.
        bare: Keys of VMs whose item in the status list carries no view.
        unlisted: Keys of VMs that the status list leaves out.
        unreadable: VM key → why its list item cannot be used.
        regions: The locations of every subscription.
        around: Subscription id, lower-cased → what stands around its VMs; nothing where it is absent.
        sets: Every scale set. Its instances are the VMs whose ids say so, and they are in no other list.
        extra_subscriptions: Subscriptions beside those of the VMs.
        starts: Every start that was asked for, accepted or not.
    """

    def __init__(self, *vms: Vm) -> None:
        super().__init__()
        self.vms = {vm.key: vm for vm in vms}
        self.operations: dict[str, Operation] = {}
        self.activities_of: dict[str, list[Activity]] = defaultdict(list)
        self.bare: set[str] = set()
        self.unlisted: set[str] = set()
        self.unreadable: dict[str, Problem] = {}
        self.regions: list[Location] = []
        self.around: dict[str, Surroundings] = {}
        self.sets: list[ScaleSet] = []
        self.extra_subscriptions: list[Subscription] = []
        self.starts: list[Started] = []
        self._answers: dict[str, deque[Accepted | Exception]] = defaultdict(deque)

    # --- what a test says --------------------------------------------------------------------------

    def put(self, *vms: Vm) -> None:
        """Adds or replaces VMs."""
        self.vms |= {vm.key: vm for vm in vms}

    def remove(self, vm: Vm) -> None:
        """Deletes a VM."""
        del self.vms[vm.key]

    def show(self, vm: Vm, view: InstanceView) -> Vm:
        """Replaces what a VM's instance view says."""
        shown = self.vms[vm.key].with_view(view)
        self.put(shown)
        return shown

    def announce(self, vm: Vm, maintenance: MaintenanceStatus | None) -> Vm:
        """Replaces a VM's maintenance alone."""
        view = self.vms[vm.key].view or InstanceView()
        return self.show(vm, replace(view, maintenance=maintenance))

    def answer_start(self, vm: Vm, *answers: Accepted | Exception) -> None:
        """Scripts the answers to the VM's next starts; without one a start is accepted."""
        self._answers[vm.key].extend(answers)

    # --- the port ----------------------------------------------------------------------------------

    async def subscriptions(self) -> Sequence[Subscription]:
        """See the port."""
        async with self.call("subscriptions"):
            ids = {vm.subscription_id.lower(): vm.subscription_id for vm in self.vms.values()}
            found = [Subscription(id=one, name=f"subscription {one}") for one in ids.values()]
            return sorted({*found, *self.extra_subscriptions}, key=lambda one: one.id)

    async def models(self, subscription_id: str) -> AsyncIterator[Vm | Unreadable]:
        """See the port."""
        async with self.call("models", subscription_id):
            for vm in self._of(subscription_id):
                problem = self.unreadable.get(vm.key)
                yield Unreadable(vm.id, problem) if problem else replace(vm, view=None)

    async def statuses(self, subscription_id: str) -> AsyncIterator[ListedStatus | Unreadable]:
        """See the port."""
        async with self.call("statuses", subscription_id):
            for vm in self._of(subscription_id):
                problem = self.unreadable.get(vm.key)
                if vm.key in self.unlisted:
                    continue
                view = None if vm.key in self.bare else vm.view
                yield Unreadable(vm.id, problem) if problem else ListedStatus(vm.id, view)

    async def scale_sets(self, subscription_id: str) -> AsyncIterator[ScaleSet | Unreadable]:
        """See the port."""
        async with self.call("scale_sets", subscription_id):
            for one in self.sets:
                if one.subscription_id.lower() == subscription_id.lower():
                    problem = self.unreadable.get(one.key)
                    yield Unreadable(one.id, problem) if problem else one

    async def instances(self, scale_set: ScaleSet) -> AsyncIterator[Vm | Unreadable]:
        """See the port."""
        async with self.call("instances", scale_set.id):
            for vm in list(self.vms.values()):
                if vm.is_uniform and vm.scale_set == scale_set.key:
                    problem = self.unreadable.get(vm.key)
                    yield Unreadable(vm.id, problem) if problem else vm

    async def get(self, vm_id: str) -> Vm:
        """See the port."""
        async with self.call("get", vm_id):
            vm = self.known(vm_id)
            return with_set(vm, {one.key: one for one in self.sets}) if vm.is_uniform else vm

    async def start_maintenance(
        self, vm_id: str, *, request_id: str, within: timedelta
    ) -> Accepted:
        """See the port."""
        async with self.call("start_maintenance", vm_id, request_id, within):
            vm = self.known(vm_id)
            answers = self._answers[vm.key]
            answer = answers.popleft() if answers else self._accepted()
            taken = isinstance(answer, Accepted)
            self.starts.append(Started(vm_id=vm_id, request_id=request_id, taken=taken))
            if isinstance(answer, Exception):
                raise answer
            if answer.operation_url:
                self.operations.setdefault(answer.operation_url, Operation(status="inProgress"))
            return answer

    async def operation(self, url: str) -> Operation:
        """See the port."""
        async with self.call("operation", url):
            return self.operations.get(url, Operation(status="unknown"))

    async def activities(self, vm_id: str, *, since: datetime) -> Sequence[Activity]:
        """See the port."""
        async with self.call("activities", vm_id, since):
            return [one for one in self.activities_of[vm_id.lower()] if one.at >= since]

    async def locations(self, subscription_id: str) -> Sequence[Location]:
        """See the port."""
        async with self.call("locations", subscription_id):
            wanted = subscription_id.lower()
            return [one for one in self.regions if one.subscription_id.lower() == wanted]

    async def surroundings(self, subscription_id: str) -> Surroundings:
        """See the port."""
        async with self.call("surroundings", subscription_id):
            return self.around.get(subscription_id.lower(), Surroundings())

    def _of(self, subscription_id: str) -> Iterable[Vm]:
        wanted = subscription_id.lower()
        return [
            vm
            for vm in self.vms.values()
            if vm.subscription_id.lower() == wanted and not vm.is_uniform
        ]

    def known(self, vm_id: str) -> Vm:
        """The VM of an id; raises VmNotFound."""
        vm = self.vms.get(vm_id.lower())
        if vm is None:
            raise VmNotFound(f"{vm_id} does not exist")
        return vm

    def _accepted(self) -> Accepted:
        number = len(self.starts) + 1
        return Accepted(
            operation_url=f"https://arm.invalid/operations/{number}",
            correlation_id=f"correlation-{number}",
        )
