"""`./baton hotpatch enable` and `disable`: a VM's patch settings, with what they mean."""

import asyncio
from dataclasses import replace

from cli import say
from cli.desk import at_the_desk
from cli.hotpatch.find import find_vm
from shared.domain.patching.calendar import ReleaseKind, next_release
from shared.domain.patching.eligibility import lacks_eligibility, lacks_enrolment
from shared.domain.patching.model import PatchMode, PatchSettings

_ENABLED = (
    "Azure configures it in its off-peak hours, which may take more than three hours; then it gets hotpatches "
    "from the next baseline on, or at once where it has the current one."
)


def enable(name: str) -> int:
    """Enrols a VM."""
    return asyncio.run(_enable(name))


def disable(name: str, *, yes: bool) -> int:
    """Takes a VM out, or says what that means."""
    return asyncio.run(_disable(name, yes=yes))


async def _enable(name: str) -> int:
    async with at_the_desk() as desk:
        vm = await find_vm(desk, name)
        lacks = lacks_eligibility(vm)
        for lack in lacks:
            say.complain(f"{vm.name}: {lack}")
        if lacks:
            return say.PROBLEMS
        if not lacks_enrolment(vm):
            print(f"{vm.name} has Hotpatch already; nothing was changed.")
            return say.OK
        settings = replace(
            vm.patch_settings or PatchSettings(),
            patch_mode=PatchMode.AUTOMATIC_BY_PLATFORM,
            enable_hotpatching=True,
        )
        await desk.enrolment.change_settings(vm.id, settings)
        print(
            f"{vm.name}: patchMode is {PatchMode.AUTOMATIC_BY_PLATFORM}, and Hotpatch is on. {_ENABLED}"
        )
        return say.OK


async def _disable(name: str, *, yes: bool) -> int:
    async with at_the_desk() as desk:
        vm = await find_vm(desk, name)
        settings = vm.patch_settings
        if settings is None or not settings.enable_hotpatching:
            print(f"{vm.name} has no Hotpatch; nothing was changed.")
            return say.OK
        release = next_release(desk.clock.now())
        while release.kind is not ReleaseKind.BASELINE:
            release = next_release(release.at)
        means = (
            "it is patched by ordinary updates again, which reboot it every month. Enabled again, it gets "
            f"hotpatches only from the next baseline on, planned for {release.day}."
        )
        if not yes:
            print(
                f"Without Hotpatch {vm.name} keeps its patchMode {settings.patch_mode}, and {means}"
            )
            print("Nothing was changed; --yes does it.")
            return say.PROBLEMS
        await desk.enrolment.change_settings(vm.id, replace(settings, enable_hotpatching=False))
        print(f"{vm.name} has no Hotpatch any more: {means}")
        return say.OK
