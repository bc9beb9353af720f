"""Scale sets by chance: some of a fleet's VMs as instances of uniform and flexible ones, shared by policies."""

from collections.abc import Sequence
from dataclasses import replace

from cli.simulation.dice import Dice
from cli.simulation.fleet import TIERS, FleetOf
from cli.simulation.setup import PolicyWrite
from simulator.scenario_model import ScaleSet, Vm

# So many of the simulations have scale sets.
SHARE = 0.3
_DOMAINS = 3
# How a set is orchestrated, and over how many fault domains it spreads: 1 is as far as it can.
_KINDS = {("uniform", 5): 4, ("flexible", _DOMAINS): 3, ("flexible", 1): 1}
# Rows that take part of a set away from the policies that there are.
_SHARES = ("vmss:* name:*1,*3,*5,*7,*9", "vmss:db-*", "!vmss:* tag:tier=web", "vmss:web-*,app-*")


def with_scale_sets(dice: Dice, fleet: FleetOf) -> FleetOf:
    """The fleet, most of whose VMs are in scale sets: those of a region in one, or those of a tier there."""
    sets: dict[tuple[str, str, str], ScaleSet] = {}
    shared = f"{dice.choice(TIERS)}-set" if dice.happens(0.7) else ""
    vms = []
    for number, vm in enumerate(fleet.vms):
        if dice.happens(0.25):
            vms.append(vm)
            continue
        name = shared or f"{vm.tags['tier']}-set"
        mode, fault_domains = dice.one_of(_KINDS)
        scale_set = sets.setdefault(
            (vm.subscription, vm.resource_group, name),
            ScaleSet(
                name=name,
                resource_group=vm.resource_group,
                subscription=vm.subscription,
                location=vm.location,
                mode=mode,
                update_domains=_DOMAINS,
                fault_domains=fault_domains,
            ),
        )
        vms.append(_instance(dice, vm, scale_set, number))
    of_sets = {vm.availability_set for vm in vms}
    left = tuple(one for one in fleet.sets if one.name in of_sets)
    return replace(fleet, sets=left, vms=tuple(vms), scale_sets=tuple(sets.values()))


def with_shares(dice: Dice, rows: Sequence[PolicyWrite]) -> list[PolicyWrite]:
    """The rows, often with one more that shares a set with them."""
    if dice.happens(0.4):
        return list(rows)
    like = dice.choice(rows)
    columns = {**(like.columns or {}), "match": dice.choice(_SHARES), "priority": 5}
    return [*rows, replace(like, name="share", columns=columns)]


def _instance(dice: Dice, vm: Vm, scale_set: ScaleSet, number: int) -> Vm:
    is_uniform = scale_set.mode == "uniform"
    return replace(
        vm,
        name=f"{scale_set.name}_{number}",
        availability_set="",
        scale_set=scale_set.name,
        instance_id=str(number) if is_uniform else "",
        update_domain=dice.randint(0, _DOMAINS - 1),
        fault_domain=dice.randint(0, scale_set.fault_domains - 1),
    )
