"""The sign that Baton is alive: its last successful discovery, and whom that left alone."""

from dataclasses import dataclass
from datetime import datetime


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
    """

    at: datetime
    vms: int
    changed: int
    unmatched: int
    unreadable: int
    failed_subscriptions: int


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
