"""Reads what a scenario file says of patches: `[[release]]`, and a VM's `image` and `patching`."""

import re
from typing import Final

from simulator.patch_model import CLASSIFICATIONS, REBOOTS, Patching, PatchWord, Release
from simulator.scenario_table import Table

DEFAULT_IMAGE: Final = "MicrosoftWindowsServer:WindowsServer:2022-datacenter-g2"


def parse_release(table: Table) -> Release:
    """Read one ``[[release]]``.

    Raises:
        ScenarioError: naming the key at fault.
    """
    kb = table.text("kb")
    if not re.fullmatch(r"\d{5,8}", kb, re.ASCII):
        raise table.error("kb", kb, "use the digits of a KB number, for example 5034129")
    kind = table.text("kind", among=("baseline", "hotpatch", "other"))
    usual = {"baseline": "Cumulative Update", "hotpatch": "Hotpatch", "other": "Update"}[kind]
    release = Release(
        kb=kb,
        at=table.moment("at"),
        kind=kind,
        name=table.text("name", f"{usual} for Windows Server (KB{kb})"),
        classification=table.text("classification", "Security", among=tuple(CLASSIFICATIONS)),
        reboot=table.text("reboot", "CanRequestReboot", among=REBOOTS),
    )
    table.close()
    return release


def parse_image(table: Table) -> str:
    """Read ``image``: ``publisher:offer:sku``, empty for a VM made of a disk.

    Raises:
        ScenarioError: it has another form.
    """
    image = table.text("image", DEFAULT_IMAGE)
    if image and image.count(":") != 2:
        raise table.error("image", image, f'use publisher:offer:sku, for example "{DEFAULT_IMAGE}"')
    return image


def parse_patching(table: Table) -> Patching:
    """Read ``patching`` of a ``[[vm]]``; absent: as Windows has it by default.

    Raises:
        ScenarioError: naming the key at fault.
    """
    if not table.has("patching"):
        return Patching()
    inner = table.table("patching")
    usual = Patching()
    patching = Patching(
        mode=inner.text("mode", "AutomaticByPlatform"),
        hotpatching=inner.flag("hotpatching", default=True),
        automatic_updates=inner.flag("automatic_updates", default=True),
        agent=inner.flag("agent", default=True),
        time_zone=inner.text("time_zone", ""),
        assessment_mode=inner.text("assessment_mode", "AutomaticByPlatform"),
        reboot_setting=inner.text("reboot_setting", "IfRequired"),
        assessed=inner.moment("assessed") if inner.has("assessed") else None,
        patched_to=inner.moment("patched_to") if inner.has("patched_to") else usual.patched_to,
        assess=_words(inner, "assess"),
        install=_words(inner, "install"),
        assess_seconds=inner.number("assess_seconds", usual.assess_seconds),
        install_seconds=inner.number("install_seconds", usual.install_seconds),
        reboot_seconds=inner.number("reboot_seconds", usual.reboot_seconds),
    )
    inner.close()
    return patching


def _words(table: Table, key: str) -> tuple[PatchWord, ...]:
    found = table.texts(key, ("Succeeded",)) or ("Succeeded",)
    for word in found:
        if word not in set(PatchWord):
            raise table.error(key, word, f"use one of {', '.join(PatchWord)}")
    return tuple(PatchWord(word) for word in found)
