"""Azure's patching of the VMs in memory: an installation takes a while, and ends as a test says."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.adapters.memory import MemoryPatches
from shared.domain.errors import Refused, StartUnknown
from shared.domain.patching.model import (
    LastPatchInstallationSummary,
    PatchError,
    PatchStatus,
    RebootSetting,
)
from shared.domain.patching.results import Installation, InstallRequest
from shared.ports import Accepted, Activity, Operation, PatchOperation


@dataclass(frozen=True)
class Install:
    """An accepted installPatches."""

    vm: str
    at: datetime
    request: InstallRequest


class Patching(MemoryPatches):
    """Azure's patching of those VMs: an installation runs for a while, with a reboot at its end where it may.

    Attributes:
        takes: How long an installation takes.
        fails: Names of the VMs on which it fails.
        hangs: Names of the VMs on which it never ends.
        silent: So many answers to a start are lost.
        loses_before: So many starts never arrive.
        refusals: What the next starts are refused with.
    """

    def __init__(self, azure) -> None:
        super().__init__(azure)
        self.azure = azure
        azure.patching_goes_on = self.pass_time
        self.takes = timedelta(minutes=10)
        self.fails: set[str] = set()
        self.hangs: set[str] = set()
        self.silent = 0
        self.loses_before = 0
        self.refusals: list[Refused] = []
        self.installed: list[Install] = []
        self._runs: dict[str, tuple[datetime, str, bool]] = {}

    async def start_installation(self, vm_id, *, request, request_id, within):
        async with self.call("start_installation", vm_id, request, request_id, within):
            vm, now = self.azure.known(vm_id), self.azure.clock.now()
            if self.loses_before:
                self.loses_before -= 1
                raise StartUnknown("connection lost")
            if self.refusals:
                raise self.refusals.pop(0)
            if vm.provisioning_state == "Updating":
                raise Refused(status=409, code="Conflict", message="busy", may_pass=True)
            self.installed.append(Install(vm.name, now, request))
            url = f"https://arm/patches/{vm.name}/{len(self.installed)}"
            reboots = request.reboot_setting is RebootSetting.IF_REQUIRED
            self._runs[url] = (now, vm.key, reboots)
            summary = LastPatchInstallationSummary(
                status="InProgress", installation_activity_id=url, start_time=now
            )
            self._show(vm, summary, state="Updating", up=not reboots)
            self.activities_of[vm.key].append(
                Activity(at=now, status="Accepted", request_id=request_id, correlation_id="c")
            )
            if self.silent:
                self.silent -= 1
                raise StartUnknown("connection lost")
            return Accepted(operation_url=url, correlation_id=f"p{len(self.installed)}")

    async def installation(self, url):
        async with self.call("installation", url):
            self.pass_time()
            _, key, reboots = self._runs[url]
            if key not in self.azure.vms:
                return PatchOperation(operation=Operation(status="unknown"))
            last = self.azure.vms[key].patch_status.last_patch_installation_summary
            if last.installation_activity_id != url or last.status == "InProgress":
                return PatchOperation(operation=Operation(status="inProgress"))
            failed = last.status == "Failed"
            result = Installation(
                status=last.status,
                installation_activity_id=url,
                reboot_status="Completed" if reboots else "NotNeeded",
                installed_patch_count=0 if failed else 2,
                failed_patch_count=2 if failed else 0,
                error=PatchError(code="0x80240022", message="no space") if failed else None,
            )
            status = "failed" if failed else "succeeded"
            return PatchOperation(operation=Operation(status=status), result=result)

    def pass_time(self) -> None:
        """Ends the installations that are over."""
        for url, (started, key, _) in self._runs.items():
            vm = self.azure.vms.get(key)
            last = vm and vm.patch_status and vm.patch_status.last_patch_installation_summary
            running = last and last.installation_activity_id == url and last.status == "InProgress"
            if (
                running
                and vm.name not in self.hangs
                and self.azure.clock.now() >= started + self.takes
            ):
                failed = vm.name in self.fails
                over = replace(last, status="Failed" if failed else "Succeeded")
                self._show(vm, over, state="Succeeded", up=True)

    def _show(self, vm, last, *, state, up) -> None:
        status = replace(vm.patch_status or PatchStatus(), last_patch_installation_summary=last)
        power = "running" if up else "stopped"
        view = replace(vm.view, patch_status=status, power_state=power, agent_ready=up)
        self.azure.put(replace(vm, provisioning_state=state, view=view))
