"""A VM's off-peak hours: the only ones in which Azure installs patches by itself, and only if the VM runs."""

from shared.domain.errors import InvalidInput
from shared.domain.hours import Hours, parse_hours
from shared.domain.maintenance import Vm

# [assumption] Azure's documentation names off-peak hours and "the VM's time zone", and no numbers
# (automatic-vm-guest-patching). Narrow on purpose: a VM that never runs in them may still be patched.
OFF_PEAK = "22:00-06:00"


def off_peak_hours(vm: Vm) -> Hours:
    """The off-peak hours of a VM, by its own clock; UTC's where its time zone is unknown.

    VMs of a scale set with Flexible orchestration are patched at all hours (automatic-vm-guest-patching).
    """
    if vm.scale_set:
        return Hours()
    zone = vm.patch_settings.time_zone if vm.patch_settings else ""
    try:
        return parse_hours(windows=OFF_PEAK, time_zone=zone, freezes="")
    except InvalidInput:
        return parse_hours(windows=OFF_PEAK, time_zone="", freezes="")
