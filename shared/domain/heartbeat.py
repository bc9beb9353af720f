"""The sign that Baton is alive: its last successful discovery, and whom that left alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A subscription that a discovery could not read, or not to its end.

    Attributes:
        reason: Why, for people.
        since: Until when all of its VMs have had their turns; None where nobody knows.
    """

    reason: str
    since: datetime | None = None


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
