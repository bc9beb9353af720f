"""The rights on Resource Manager that Baton uses, and whether somebody has them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from shared.domain.health import Finding, State

OBSERVE = (
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Compute/virtualMachines/instanceView/read",
    "Microsoft.Compute/virtualMachineScaleSets/read",
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read",
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/instanceView/read",
)
ACT = (
    "Microsoft.Compute/virtualMachines/performMaintenance/action",
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/performMaintenance/action",
)
# Baton works without these, and then does not know what stands beside them.
OPTIONAL = {
    "Microsoft.Resources/subscriptions/read": "the subscription's name",
    "Microsoft.Compute/locations/operations/read": "more of a running redeploy than the VM shows",
    "Microsoft.Resources/subscriptions/locations/read": "which regions are a pair",
    "Microsoft.Insights/eventtypes/values/read": "whether a start whose answer was lost was taken",
    "Microsoft.Network/publicIPAddresses/read": "which addresses a redeploy changes",
    "Microsoft.DevTestLab/schedules/read": "which VMs an auto-shutdown may hit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What one role assignment gives: `actions` without `not_actions`, both with `*` for anything."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether it gives this action. Case does not matter."""
        return _matches(action, self.actions) and not _matches(action, self.not_actions)


def missing(wanted: Iterable[str], permissions: Iterable[Permission]) -> tuple[str, ...]:
    """The actions that no permission gives."""
    held = tuple(permissions)
    return tuple(action for action in wanted if not any(one.allows(action) for one in held))


def judge_rights(
    scope: str, permissions: tuple[Permission, ...], *, is_live: bool, only_vms: bool = False
) -> Iterator[Finding]:
    """Whether the identity may do in a scope what Baton does there.

    Args:
        scope: Its ARM id.
        permissions: What the identity has there.
        is_live: Whether Baton acts; else the rights to act are only worth a note.
        only_vms: For a resource group: without what can only be had on the subscription.
    """
    name = f"rights {scope}"
    observe, act = missing(OBSERVE, permissions), missing(ACT, permissions)
    if observe:
        yield Finding(
            name=name, state=State.BROKEN, says=_lacks(observe), fix=_grant(scope, "observe")
        )
    if act and is_live:
        yield Finding(name=name, state=State.BROKEN, says=_lacks(act), fix=_grant(scope, "act"))
    elif act:
        says = f"{_lacks(act)}; needed before BATON_MODE is live"
        yield Finding(name=name, state=State.NOTE, says=says, fix=_grant(scope, "act"))
    optional = () if only_vms else missing(OPTIONAL, permissions)
    for right in optional:
        says = f"without {right} Baton does not know {OPTIONAL[right]}"
        yield Finding(name=name, state=State.NOTE, says=says, fix=_grant(scope, "observe"))
    if not (observe or act or optional):
        yield Finding(name=name, state=State.OK, says="all that Baton uses")


def _lacks(actions: tuple[str, ...]) -> str:
    return f"the identity lacks {', '.join(actions)}"


def _grant(scope: str, role: str) -> str:
    return f"Assign Baton's role to {role} at {scope} to the identity (docs/security.md)"


def _matches(action: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
