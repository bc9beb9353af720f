"""The sign that Baton is alive: its last successful discovery, and whom that left alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A subscription that a discovery could not read, or not to its end.

    Attributes:
        name: As people call it, `""` where nobody knows.
        reason: Why, for people.
        since: Until when all of its VMs have had their turns; None where nobody knows.
    """

    reason: str
    since: datetime | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A discovery that went through.

    Attributes:
        at: When it was through.
        vms: How many VMs it saw.
        changed: How many jobs it made or changed.
        unmatched: How many VMs with a maintenance have no policy.
        unreadable: How many VMs' answers could not be used.
        failed_subscriptions: How many subscriptions could not be read whole.
        seen_at: When it began to read; None from a version that did not keep it.
        behind: Id of each subscription that could not be read whole → why, as many as a row has room for.
    """

    at: datetime
    vms: int
    changed: int
    unmatched: int
    unreadable: int
    failed_subscriptions: int
    seen_at: datetime | None = None
    behind: Mapping[str, Behind] = field(default_factory=dict)

    def not_read(self, names_max: int) -> list[str]:
        """What people are told of the subscriptions that could not be read whole, a sentence each."""
        named = [
            f"Subscription {one.name or key} was not read whole: {one.reason.rstrip('.')}."
            for key, one in sorted(self.behind.items())
        ][:names_max]
        more = self.failed_subscriptions - len(named)
        if more > 0:
            which = f"{more} {'more ' if named else ''}{'subscription' if more == 1 else 'subscriptions'}"
            named.append(f"{which} not read whole: the alerts say why.")
        return named

    def seen_until(self, subscription_id: str) -> datetime | None:
        """Until when all of a subscription's VMs have had their turns; None where nobody knows."""
        if behind := self.behind.get(subscription_id.lower()):
            return behind.since
        # Where not all that are behind are named, it may be one of the others.
        return self.seen_at if len(self.behind) == self.failed_subscriptions else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftAlone:
    """A VM that has a maintenance and no policy.

    Attributes:
        closes: The end of its self-service window.
        reason: Why no policy has it, for people.
    """

    vm_id: str
    location: str
    closes: datetime
    reason: str
