"""Valid things about patching around the same instant as `builders`; a test overrides what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.maintenance import InstanceView, Vm
from shared.domain.patching.model import (
    AvailablePatchSummary,
    ImageReference,
    LastPatchInstallationSummary,
    PatchSettings,
    PatchStatus,
)
from shared.domain.patching.record import PatchRecord, PatchState
from shared.domain.patching.results import Assessment, AvailablePatch
from tests.builders import NOW, a_view, a_vm

# NOW is 2026-03-02: the last release is that of 2026-02-10, a hotpatch month.
RELEASED = datetime(2026, 2, 10, 18, 0, tzinfo=UTC)
HOTPATCH_IMAGE = ImageReference(
    publisher="MicrosoftWindowsServer",
    offer="WindowsServer",
    sku="2022-datacenter-azure-edition-core",
    version="20348.4294.251105",
)
ENROLLED = PatchSettings(
    provision_vm_agent=True,
    enable_automatic_updates=True,
    time_zone="W. Europe Standard Time",
    patch_mode="AutomaticByPlatform",
    enable_hotpatching=True,
    assessment_mode="AutomaticByPlatform",
    reboot_setting="IfRequired",
)


def a_patch(kb: str = "5034129", **other: Any) -> AvailablePatch:
    """A security patch of the last release that needs no reboot."""
    defaults: dict[str, Any] = {
        "patch_id": f"patch-{kb}",
        "name": f"2026-02 Hotpatch for Windows Server (KB{kb})",
        "kb_id": kb,
        "classifications": ("Security",),
        "reboot_behavior": "NeverReboots",
        "published_date": RELEASED,
        "assessment_state": "Available",
    }
    return AvailablePatch(**(defaults | other))


def a_summary(due: int | None = 0, **other: Any) -> AvailablePatchSummary:
    """An assessment of an hour ago, with so many critical and security patches."""
    defaults: dict[str, Any] = {
        "status": "Succeeded",
        "assessment_activity_id": "assessment-1",
        "reboot_pending": False,
        "critical_and_security_patch_count": due,
        "other_patch_count": 1,
        "start_time": NOW - timedelta(hours=1, minutes=2),
        "last_modified_time": NOW - timedelta(hours=1),
    }
    return AvailablePatchSummary(**(defaults | other))


def an_installation(**other: Any) -> LastPatchInstallationSummary:
    defaults: dict[str, Any] = {
        "status": "Succeeded",
        "installation_activity_id": "installation-1",
        "maintenance_window_exceeded": False,
        "installed_patch_count": 2,
        "failed_patch_count": 0,
        "start_time": NOW - timedelta(days=3, minutes=20),
        "last_modified_time": NOW - timedelta(days=3),
    }
    return LastPatchInstallationSummary(**(defaults | other))


def a_patched_view(
    summary: AvailablePatchSummary | None = None,
    installation: LastPatchInstallationSummary | None = None,
    **other: Any,
) -> InstanceView:
    """Running, its agent ready, in no maintenance, assessed an hour ago with nothing missing."""
    status = PatchStatus(
        available_patch_summary=summary or a_summary(),
        last_patch_installation_summary=installation,
    )
    return a_view(**({"maintenance": None, "patch_status": status} | other))


def a_windows_vm(
    name: str = "win-1",
    *,
    view: InstanceView | None = None,
    settings: PatchSettings | None = ENROLLED,
    **other: Any,
) -> Vm:
    """A VM with Hotpatch that lacks nothing."""
    defaults: dict[str, Any] = {"os_type": "Windows", "image": HOTPATCH_IMAGE}
    view = a_patched_view() if view is None else view
    return a_vm(name, view=view, patch_settings=settings, **(defaults | other))


def with_settings(vm: Vm, **other: Any) -> Vm:
    return replace(vm, patch_settings=replace(vm.patch_settings or ENROLLED, **other))


def a_patch_record(vm: Vm | None = None, **other: Any) -> PatchRecord:
    """Of a VM that lacks nothing, watched by shop/web."""
    vm = vm or a_windows_vm()
    defaults: dict[str, Any] = {
        "state": PatchState.COMPLIANT,
        "reason": "No critical or security patch was missing on 2026-03-02.",
        "image": str(vm.image),
        "enable_hotpatching": True,
        "patch_mode": "AutomaticByPlatform",
        "power_state": "running",
        "assessment": a_summary(),
        "compliant_at": NOW - timedelta(hours=1),
        "seen_at": NOW,
    }
    return PatchRecord(
        vm_id=vm.id,
        vm_name=vm.name,
        resource_group=vm.resource_group,
        subscription_id=vm.subscription_id,
        location=vm.location,
        team="shop",
        policy="web",
        **(defaults | other),
    )


def an_assessment(*patches: AvailablePatch, **other: Any) -> Assessment:
    """Succeeded, and found these."""
    defaults: dict[str, Any] = {
        "status": "Succeeded",
        "assessment_activity_id": "assessment-2",
        "reboot_pending": False,
        "critical_and_security_patch_count": sum(one.is_automatic for one in patches),
        "other_patch_count": sum(not one.is_automatic for one in patches),
        "start_date_time": NOW,
    }
    return Assessment(available_patches=patches, **(defaults | other))
