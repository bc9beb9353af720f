"""Whether a VM can have Hotpatch, and whether it has: each reason that is missing, and its fix.

Source: learn.microsoft.com, virtual-machines/automatic-vm-guest-patching and
windows-server/get-started/hotpatch.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.maintenance import Vm
from shared.domain.patching.model import ImageReference, PatchMode, PatchSettings
from shared.domain.vm_ids import VmId

PUBLISHER, OFFER = "MicrosoftWindowsServer", "WindowsServer"
# The exact SKUs, and no others: Azure compares publisher, offer and SKU.
SKUS = (
    "2022-datacenter-azure-edition-core",
    "2022-datacenter-azure-edition-core-smalldisk",
    "2022-datacenter-azure-edition-hotpatch",
    "2022-datacenter-azure-edition-hotpatch-smalldisk",
    "2025-datacenter-azure-edition",
    "2025-datacenter-azure-edition-core",
    "2025-datacenter-azure-edition-smalldisk",
    "2025-datacenter-azure-edition-core-smalldisk",
)
# Hotpatch is documented for the global regions alone.
_OTHER_CLOUDS = ("usgov", "usdod", "china")
_CREATE = f"Create a VM from {PUBLISHER} {OFFER} with one of these SKUs: {', '.join(SKUS)}."


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is missing.

    Attributes:
        what: A sentence.
        fix: What a person can do, a sentence.
    """

    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what} {self.fix}"


def lacks_eligibility(vm: Vm) -> tuple[Lack, ...]:
    """Why a VM cannot have Hotpatch, whatever its settings; none: it can."""
    if vm.os_type == "Linux":
        return (Lack("It runs Linux.", "Hotpatch is of Windows Server Azure Edition."),)
    found = (*_of_image(vm.image), *_of_place(vm), *_of_agent(vm))
    return tuple(found)


def lacks_enrolment(vm: Vm) -> tuple[Lack, ...]:
    """What an eligible VM's settings lack to be enrolled; none: it is."""
    settings = vm.patch_settings or PatchSettings()
    found = []
    if settings.patch_mode != PatchMode.AUTOMATIC_BY_PLATFORM:
        mode = settings.patch_mode or "not set"
        found.append(
            Lack(
                f"patchMode is {mode}, not {PatchMode.AUTOMATIC_BY_PLATFORM}.",
                _fix_of_mode(settings, vm),
            )
        )
    if not settings.enable_hotpatching:
        found.append(Lack("enableHotpatching is not set.", _enable(vm)))
    return tuple(found)


def uniform_instance(vm_id: str) -> Lack | None:
    """The lack of an instance of a scale set with Uniform orchestration; None for a VM's own id."""
    try:
        if not VmId.parse(vm_id).scale_set:
            return None
    except ValueError:
        return None
    return Lack(
        "It is an instance of a scale set with Uniform orchestration.",
        "Hotpatch needs VMs of their own, or a scale set with Flexible orchestration.",
    )


def _of_image(image: ImageReference | None) -> Iterator[Lack]:
    if image is None:
        yield Lack("It was made of a disk, not of an image.", _CREATE)
    elif not image.publisher:
        yield Lack(f"It was made of an image of one's own ({image.id}).", _CREATE)
    elif (image.publisher.lower(), image.offer.lower()) != (PUBLISHER.lower(), OFFER.lower()):
        yield Lack(f"Its image is {image}.", _CREATE)
    elif image.sku.lower() not in SKUS:
        yield Lack(f"Its image's SKU is {image.sku}.", _path_from(image.sku.lower()))


def _path_from(sku: str) -> str:
    """The way to a SKU with Hotpatch; there is none within a VM."""
    if sku.startswith(("2022-datacenter-azure-edition", "2019-datacenter-azure-edition")):
        return f"Of Azure Edition only some SKUs have Hotpatch. {_CREATE}"
    return f"An upgrade in place to Azure Edition with Hotpatch is not supported. {_CREATE}"


def _of_place(vm: Vm) -> Iterator[Lack]:
    if vm.location.startswith(_OTHER_CLOUDS):
        yield Lack(
            f"It is in {vm.location}.",
            "Hotpatch is documented for Azure's global regions alone; ask Microsoft.",
        )
    if lack := uniform_instance(vm.id):
        yield lack


def _of_agent(vm: Vm) -> Iterator[Lack]:
    settings = vm.patch_settings
    if settings is None:
        yield Lack(
            "It has no Windows configuration in its osProfile, as VMs made of a specialized disk.",
            _CREATE,
        )
    elif settings.provision_vm_agent is False:
        yield Lack(
            "provisionVMAgent is false.",
            "Install the VM agent and create the VM anew with provisionVMAgent true: it can be set only then.",
        )


def _fix_of_mode(settings: PatchSettings, vm: Vm) -> str:
    if settings.enable_automatic_updates is not False:
        return _enable(vm)
    return (
        f"{_enable(vm)} enableAutomaticUpdates is false and can be set only when a VM is created: should "
        "Azure refuse the mode, create the VM anew with it true."
    )


def _enable(vm: Vm) -> str:
    return f"`./baton hotpatch enable {vm.name}` sets it."
