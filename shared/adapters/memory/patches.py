"""The patching of VMs in memory: a test says what Azure answers, and what became of what it took."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.adapters.cells import Entity
from shared.adapters.memory.machines import MemoryMachines
from shared.adapters.memory.scripted import Scripted
from shared.adapters.patch_rows import patch_keys, patch_of, patch_row
from shared.domain.patching.record import PatchRecord
from shared.domain.patching.results import Assessment, Installation, InstallRequest
from shared.ports import Accepted, Activity, Operation, PatchOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchStart:
    """An assessment or an installation that was asked for.

    Attributes:
        request: None of an assessment.
        taken: Whether it was accepted.
    """

    vm_id: str
    request_id: str
    request: InstallRequest | None = None
    taken: bool


class MemoryPatches(Scripted):
    """Patches. A start changes no VM by itself: the test decides what Azure does next.

    Attributes:
        assessments, installations: URL → what ARM says of it; an accepted start is in progress, another
            URL unknown.
        activities_of: VM key → the activity log of its installations.
        starts: Every start that was asked for, accepted or not.
    """

    def __init__(self, machines: MemoryMachines) -> None:
        """`machines`: the VMs there are."""
        super().__init__()
        self._machines = machines
        self.assessments: dict[str, PatchOperation[Assessment]] = {}
        self.installations: dict[str, PatchOperation[Installation]] = {}
        self.activities_of: dict[str, list[Activity]] = defaultdict(list)
        self.starts: list[PatchStart] = []
        self._answers: dict[str, deque[Accepted | Exception]] = defaultdict(deque)

    def answer_start(self, vm_id: str, *answers: Accepted | Exception) -> None:
        """Scripts the answers to the VM's next starts of either kind; without one a start is accepted."""
        self._answers[vm_id.lower()].extend(answers)

    def installs(self) -> list[PatchStart]:
        """The installations that were asked for."""
        return [start for start in self.starts if start.request]

    # --- the port ----------------------------------------------------------------------------------

    async def start_assessment(self, vm_id: str, *, request_id: str, within: timedelta) -> Accepted:
        """See the port."""
        async with self.call("start_assessment", vm_id, request_id, within):
            taken = self._start(vm_id, request_id, None)
            self.assessments.setdefault(taken.operation_url, _RUNNING_ASSESSMENT)
            return taken

    async def start_installation(
        self, vm_id: str, *, request: InstallRequest, request_id: str, within: timedelta
    ) -> Accepted:
        """See the port."""
        async with self.call("start_installation", vm_id, request, request_id, within):
            taken = self._start(vm_id, request_id, request)
            self.installations.setdefault(taken.operation_url, _RUNNING_INSTALLATION)
            return taken

    async def assessment(self, url: str) -> PatchOperation[Assessment]:
        """See the port."""
        async with self.call("assessment", url):
            return self.assessments.get(url, PatchOperation(operation=_UNKNOWN))

    async def installation(self, url: str) -> PatchOperation[Installation]:
        """See the port."""
        async with self.call("installation", url):
            return self.installations.get(url, PatchOperation(operation=_UNKNOWN))

    async def installation_activities(self, vm_id: str, *, since: datetime) -> Sequence[Activity]:
        """See the port."""
        async with self.call("installation_activities", vm_id, since):
            return [one for one in self.activities_of[vm_id.lower()] if one.at >= since]

    def _start(self, vm_id: str, request_id: str, request: InstallRequest | None) -> Accepted:
        key = self._machines.known(vm_id).key
        number = len(self.starts) + 1
        usual = Accepted(
            operation_url=f"https://arm.invalid/patches/{number}", correlation_id=f"patch-{number}"
        )
        answer = self._answers[key].popleft() if self._answers[key] else usual
        taken = isinstance(answer, Accepted)
        self.starts.append(
            PatchStart(vm_id=vm_id, request_id=request_id, request=request, taken=taken)
        )
        if isinstance(answer, Exception):
            raise answer
        return answer


_UNKNOWN = Operation(status="unknown")
_RUNNING_ASSESSMENT: PatchOperation[Assessment] = PatchOperation(
    operation=Operation(status="inProgress")
)
_RUNNING_INSTALLATION: PatchOperation[Installation] = PatchOperation(
    operation=Operation(status="inProgress")
)


class MemoryPatchStore(Scripted):
    """PatchStore, through the same rows as the table."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[tuple[str, str], Entity] = {}

    def rows(self) -> list[Entity]:
        """Every row as the table has it."""
        return [row for _, row in sorted(self._rows.items())]

    async def records(self) -> Sequence[PatchRecord]:
        """See the port."""
        async with self.call("records"):
            return [patch_of(row) for row in self.rows()]

    async def record(self, vm_id: str) -> PatchRecord | None:
        """See the port."""
        async with self.call("record", vm_id):
            row = self._rows.get(patch_keys(vm_id))
            return patch_of(row) if row else None

    async def keep(self, record: PatchRecord) -> None:
        """See the port."""
        async with self.call("keep", record):
            self._rows[patch_keys(record.vm_id)] = patch_row(record)

    async def forget(self, vm_id: str) -> None:
        """See the port."""
        async with self.call("forget", vm_id):
            self._rows.pop(patch_keys(vm_id), None)
