"""A fleet by chance: VMs where they may get into each other's way, and maintenances that fall together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from cli.simulation.dice import Dice
from simulator.scenario_model import (
    AvailabilitySet,
    ScaleSet,
    Step,
    Subscription,
    Vm,
    Windows,
    Word,
)

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_IDS = tuple(f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "123")
# Two regions that are a pair, one whose pair is not here, and one that has none.
_REGIONS = ("westeurope", "northeurope", "uksouth", "italynorth")
TIERS = ("db", "app", "web")
_SIZES: Mapping[tuple[int, int], float] = {(1, 1): 1, (2, 4): 4, (5, 8): 3, (9, 14): 1}

# What Azure makes of a start that its rules let pass, by how much goes wrong.
_WORDS: Mapping[str, Mapping[Word, float]] = {
    "none": {Word.MAINTENANCE_COMPLETED: 1},
    "mild": {
        Word.MAINTENANCE_COMPLETED: 90,
        Word.RETRY_LATER: 4,
        Word.THROTTLE_429: 2,
        Word.BUSY_409: 2,
        Word.DROP_AFTER: 2,
        Word.ERROR_503: 2,
        Word.DROP_BEFORE: 2,
    },
    "wild": {
        Word.MAINTENANCE_COMPLETED: 55,
        Word.RETRY_LATER: 8,
        Word.THROTTLE_429: 4,
        Word.BUSY_409: 4,
        Word.DROP_AFTER: 5,
        Word.ERROR_503: 4,
        Word.DROP_BEFORE: 4,
        Word.MAINTENANCE_ABORTED: 5,
        Word.REFUSE_409: 2,
        Word.HANG: 2,
        Word.AGENT_LOST: 2,
        Word.FAILED_OPERATION: 2,
        Word.LIE_COMPLETED: 3,
    },
}


@dataclass(frozen=True, slots=True)
class FleetOf:
    """VMs and where they are."""

    subscriptions: tuple[Subscription, ...]
    sets: tuple[AvailabilitySet, ...]
    vms: tuple[Vm, ...]
    scale_sets: tuple[ScaleSet, ...] = ()


def a_fleet(dice: Dice, level: str, *, is_roomy: bool) -> FleetOf:
    """A fleet of 1 to 14 VMs in 1 to 3 subscriptions."""
    low, high = dice.one_of(_SIZES)
    subscriptions = tuple(
        Subscription(identity, f"subscription {identity[0]}")
        for identity in _IDS[: dice.one_of({1: 5, 2: 3, 3: 1})]
    )
    regions = dice.some(_REGIONS, 1, 3)
    wave = _a_wave(dice)
    vms = []
    for number in range(dice.randint(low, high)):
        subscription = dice.choice(subscriptions).id
        vms.append(_a_vm(dice, number, subscription, dice.choice(regions), wave, level))
    if is_roomy:
        room = sum((timedelta(seconds=vm.redeploy_seconds) for vm in vms), timedelta(0))
        closes = 2 * room + len(vms) * 3 * _HOUR + dice.choice((4 * _HOUR, 48 * _HOUR))
        vms = [_with_room(vm, closes) for vm in vms]
    sets = {
        (vm.subscription, vm.resource_group, vm.availability_set): AvailabilitySet(
            vm.availability_set, vm.resource_group, vm.subscription, vm.location
        )
        for vm in vms
        if vm.availability_set
    }
    return FleetOf(subscriptions, tuple(sets.values()), tuple(vms))


def a_script(dice: Dice, level: str, steps: int = 6) -> tuple[Step, ...]:
    """What Azure makes of a VM's starts, one after the other; the last word stands for all that follow."""
    words = [dice.one_of(_WORDS[level]) for _ in range(steps)]
    return tuple(Step(word, dice.duration(timedelta(seconds=5), 2 * _MINUTE)) for word in words)


def windows_from(dice: Dice, opens: timedelta) -> Windows:
    """A self-service window of 3 to 30 hours, and a scheduled one after it."""
    closes = opens + dice.duration(3 * _HOUR, dice.one_of({8 * _HOUR: 3, 30 * _HOUR: 1}))
    start = closes + dice.duration(_MINUTE, 6 * _HOUR)
    return Windows(opens, closes, start, start + dice.duration(_HOUR, 6 * _HOUR))


def _a_wave(dice: Dice) -> Windows:
    return windows_from(dice, -dice.duration(timedelta(0), 2 * _HOUR))


def _a_vm(dice: Dice, number: int, subscription: str, region: str, wave: Windows, level: str) -> Vm:
    tier = dice.choice(TIERS)
    place = dice.one_of({"zone": 4, "set": 3, "": 3})
    tags = {"tier": tier}
    if dice.happens(0.7):
        tags["wave"] = str(dice.randint(1, 3))
    return Vm(
        name=f"{tier}-{number}",
        resource_group=f"rg-{region}",
        subscription=subscription,
        location=region,
        zone=str(dice.randint(1, 3)) if place == "zone" else "",
        tags=tags,
        availability_set=f"set-{tier}" if place == "set" else "",
        update_domain=dice.randint(0, 2) if place == "set" else 0,
        power=dice.one_of(
            {"running": 20, "stopped": 1, "deallocated": 1 if level == "wild" else 0}
        ),
        agent=dice.one_of({"ready": 20, "notReady": 1}),
        maintenance=_its_windows(dice, wave),
        script=a_script(dice, level),
        redeploy_seconds=float(dice.randint(60, 1500)),
    )


def _its_windows(dice: Dice, wave: Windows) -> Windows | None:
    """Most VMs are in one wave; some have a window of their own, some none (yet)."""
    kind = dice.one_of({"wave": 12, "own": 4, "none": 1})
    if kind == "own":
        return windows_from(dice, dice.duration(timedelta(0), 6 * _HOUR) - 2 * _HOUR)
    return wave if kind == "wave" else None


def _with_room(vm: Vm, closes: timedelta) -> Vm:
    """The VM in a window in which all could go one after the other, with room for what goes wrong."""
    windows = Windows(-_MINUTE, closes, closes + _HOUR, closes + 3 * _HOUR)
    words = [step for step in vm.script if step.word is not Word.RETRY_LATER]
    script = (*words, Step(Word.MAINTENANCE_COMPLETED))
    power = "running" if vm.power == "deallocated" else vm.power
    return replace(vm, maintenance=windows, script=script, power=power)
