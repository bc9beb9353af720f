"""What the name of a VM size says of its temporary disk."""

import re

# Family, vCPUs, constrained vCPUs, features, accelerator, version, as Azure's naming conventions have it.
_NAME = re.compile(
    r"(?:standard|basic)_(?P<family>[a-z]+)(?P<cpus>\d+)(?:-\d+)?(?P<features>[a-z]*)"
    r"(?:_[a-z0-9]+)*?(?:_v(?P<version>\d+))?(?:_promo)?",
    re.ASCII,
)

# Family → the last version whose sizes all have one, whatever their name says. Read off Azure's lists of
# sizes: "Local storage" there, resourceDiskSizeInMB and MaxResourceVolumeMB in the answers of its API.
_ALL_UNTIL = {
    "a": 2, "b": 1, "d": 3, "dc": 2, "ds": 2, "e": 3, "f": 2, "g": 1, "gs": 1, "h": 1, "hb": 5, "hc": 1,
    "hx": 1, "l": 5, "m": 1, "nc": 4, "nd": 6, "np": 1, "nv": 4,  # codespell:ignore nd
}  # fmt: skip
# Families whose later versions have one exactly where the name has a "d".
_D_TELLS = frozenset({"b", "d", "dc", "e", "ec", "f", "fx", "m"})


def has_temporary_disk(vm_size: str) -> bool | None:
    """Whether VMs of a size have a local disk that a redeploy empties; None where the name is strange.

    Args:
        vm_size: `hardwareProfile.vmSize`, such as `Standard_D4ds_v5`, in any case.
    """
    name = _NAME.fullmatch(vm_size.lower())
    if name is None:
        return None
    family, features, version = name["family"], name["features"], int(name["version"] or 1)
    if "d" in features or version <= _ALL_UNTIL.get(family, 0):
        return True
    # Dav4, Eav4 and the large ones of Mv2 are older than the rule and go by the name of newer sizes.
    if family in ("d", "e") and version == 4 and "a" in features:
        return True
    if family == "m" and version == 2 and name["cpus"] in ("208", "416"):
        return True
    return False if family in _D_TELLS else None
