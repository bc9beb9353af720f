"""The fleet as a discovery saw it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.maintenance import Vm
from shared.domain.offers import Available, Offer
from shared.domain.places import Places
from shared.domain.preflight import NOT_READ, Finding, Surroundings, findings

_LEFT_PENDING = (
    "Its policy's rebootSetting is Never: its patches are installed without the reboot that they need, and it"
    " stands rebootPending until somebody reboots it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What a discovery saw.

    Attributes:
        vms: VM key → VM, with its own instance view where it may be in a maintenance. Of those that neither
            a maintenance, patches nor a job concerns, only whom somebody wanted to have.
        told: Keys of the VMs among them whose view is a list's, and tells what their open job knows.
        absent: Keys of VMs that Azure says do not exist.
        whole: Lower-cased ids of the subscriptions that were read to their end. New jobs are made only
            there: a rollout planned from half a list could start its second stage first.
        seen_at: When reading began.
        places: What the locations of those subscriptions say.
        surroundings: Lower-cased id of each subscription with a VM in a maintenance → what stands around
            its VMs.
        available: VM key → the patches that are available to it; a VM that is missing is not known.
    """

    vms: Mapping[str, Vm]
    absent: frozenset[str]
    whole: frozenset[str]
    seen_at: datetime
    places: Places = field(default_factory=Places)
    surroundings: Mapping[str, Surroundings] = field(default_factory=dict)
    available: Mapping[str, Available] = field(default_factory=dict)
    told: frozenset[str] = frozenset()

    def findings(self, vm: Vm, *, gap: timedelta) -> tuple[Finding, ...]:
        """Preflight's findings on a VM of the fleet, the serious first; see `preflight.findings`."""
        around = self.surroundings.get(vm.subscription_id.lower(), NOT_READ)
        return findings(vm, around, gap=gap)

    def to_know(self, vm: Vm, offer: Offer, *, gap: timedelta) -> tuple[str, ...]:
        """What to know before a job's start; what a redeploy costs, an installation does not."""
        if offer.maintenance:
            return tuple(each.text for each in self.findings(vm, gap=gap))
        patches = offer.patches
        return (_LEFT_PENDING,) if patches and patches.needs_reboot > patches.may_reboot else ()
