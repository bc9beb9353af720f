"""The rights on Resource Manager that Baton uses, and whether somebody has them."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

OBSERVE = (
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Compute/virtualMachines/instanceView/read",
)
ACT = ("Microsoft.Compute/virtualMachines/performMaintenance/action",)
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


def _matches(action: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
