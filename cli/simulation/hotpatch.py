"""Patches by chance: VMs that have Hotpatch, what Microsoft releases, and what comes of an installation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cli.simulation.dice import Dice
from cli.simulation.fleet import FleetOf
from cli.simulation.setup import PolicyWrite
from simulator.patch_model import Patching, PatchWord, Release
from simulator.scenario_model import Vm

# So many of the simulations have patches: they cost about twice as much as the others.
SHARE = 0.1
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_THIRTY_DAYS = timedelta(days=30)
INSTALLED = Release("5030000", -90 * _DAY, "baseline", "an older baseline")
"""What every VM has at first."""
_IMAGES = {
    "MicrosoftWindowsServer:WindowsServer:2022-datacenter-azure-edition-core": 6,
    "Canonical:ubuntu-24_04-lts:server": 1,
}
_WORDS: Mapping[str, Mapping[PatchWord, float]] = {
    "none": {PatchWord.SUCCEEDED: 1},
    "mild": {
        PatchWord.SUCCEEDED: 90,
        PatchWord.WARNINGS: 2,
        PatchWord.FAILED: 2,
        PatchWord.BUSY_409: 3,
        PatchWord.DROP_AFTER: 2,
        PatchWord.DROP_BEFORE: 2,
    },
    "wild": {
        PatchWord.SUCCEEDED: 60,
        PatchWord.WARNINGS: 4,
        PatchWord.FAILED: 8,
        PatchWord.HANG: 3,
        PatchWord.AGENT_LOST: 3,
        PatchWord.BUSY_409: 5,
        PatchWord.REFUSE_409: 3,
        PatchWord.DROP_AFTER: 6,
        PatchWord.DROP_BEFORE: 6,
    },
}


@dataclass(frozen=True, slots=True)
class Patches:
    """What of a simulation is about patches.

    Attributes:
        until: By then the window of every release that is due at first has closed.
        looks: How often the app looks at them.
    """

    fleet: FleetOf
    releases: tuple[Release, ...]
    until: timedelta
    looks: timedelta


def with_patches(
    dice: Dice, fleet: FleetOf, t0: datetime, level: str, *, is_roomy: bool
) -> Patches:
    """The fleet with patches due on it, and perhaps a newer release while Baton works."""
    # Azure's thirty days end at midnight, some time in the first two days.
    midnight = t0.replace(hour=0, minute=0, second=0, microsecond=0)
    days = dice.randint(1, 2)
    published = midnight + days * _DAY - _THIRTY_DAYS + dice.duration(timedelta(0), 23 * _HOUR)
    kind = dice.one_of({"baseline": 3, "hotpatch": 3})
    releases = [INSTALLED, Release("5034100", published - t0, kind, f"a {kind}")]
    if not is_roomy and dice.happens(0.4):
        at = dice.duration(_HOUR, 12 * _HOUR)
        kind = dice.one_of({"baseline": 1, "hotpatch": 1})
        releases.append(Release("5034200", at, kind, f"a newer {kind}"))
    vms = tuple(_patched(dice, vm, level) for vm in fleet.vms)
    until = midnight + days * _DAY - t0
    looks = dice.choice((_HOUR / 3, _HOUR, 2 * _HOUR))
    return Patches(replace(fleet, vms=vms), tuple(releases), until, looks)


def _patched(dice: Dice, vm: Vm, level: str) -> Vm:
    words = _WORDS[level]
    assess = {PatchWord.SUCCEEDED: 9, PatchWord.FAILED: 1, PatchWord.HANG: 1}
    steps = [dice.one_of(words) for _ in range(4)]
    patching = Patching(
        mode="AutomaticByPlatform",
        hotpatching=dice.happens(0.8),
        assessment_mode="AutomaticByPlatform",
        patched_to=-60 * _DAY,
        assess=(dice.one_of(assess), PatchWord.SUCCEEDED)
        if level == "wild"
        else (PatchWord.SUCCEEDED,),
        install=(*steps, PatchWord.SUCCEEDED),
        assess_seconds=float(dice.randint(30, 300)),
        install_seconds=float(dice.randint(60, 1200)),
        reboot_seconds=float(dice.randint(30, 400)),
    )
    return replace(vm, image=dice.one_of(_IMAGES), patching=patching)


def patch_columns(dice: Dice) -> dict[str, Any]:
    """What a row says of patches."""
    columns = {
        "patching": dice.one_of({"install": 8, "observe": 1, "none": 1}),
        "rebootSetting": dice.one_of({"IfRequired": 5, "Never": 1}),
    }
    if dice.happens(0.1):
        columns["kbExclude"] = "KB5034100"
    return columns


def with_columns(dice: Dice, rows: Sequence[PolicyWrite]) -> list[PolicyWrite]:
    """Every row, and every edit of it, with columns about patches: people change those as well."""
    return [
        row if row.columns is None else replace(row, columns={**row.columns, **patch_columns(dice)})
        for row in rows
    ]


def none_any_more(rows: Sequence[PolicyWrite], at: timedelta) -> Iterator[PolicyWrite]:
    """In the end nobody installs anything, so that no window of thirty days is waited for."""
    for row in {(row.team, row.name): row for row in rows}.values():
        if row.columns is not None and not row.is_wrong:
            yield replace(row, at=at, columns={**row.columns, "patching": "none"})
