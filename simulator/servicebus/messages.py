"""A message in a queue, and the lock a receiver holds on it."""

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from uuid import UUID, uuid4

from simulator.servicebus.codec import Int, Long, Timestamp
from simulator.servicebus.content import Content

Instant = int
"""Milliseconds since 1970 in UTC, as AMQP has it: an instant cannot be naive here."""


class State(IntEnum):
    """As `x-opt-message-state` numbers them."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


class Disposition(Enum):
    """What a receiver may ask to become of a message it has locked."""

    COMPLETE = "completed"
    ABANDON = "abandoned"
    DEFER = "defered"  # spelt so by the service
    DEAD_LETTER = "suspended"
    RELEASE = "released"


@dataclass(slots=True, eq=False)
class Message:
    """A message in a queue.

    Attributes:
        enqueued_at: when it became, or will become, active.
        expires_at: counted from then; None is never.
        delivery_count: attempts that failed so far.
    """

    content: Content
    sequence_number: int
    enqueued_at: Instant
    state: State = State.ACTIVE
    expires_at: Instant | None = None
    delivery_count: int = 0
    lock: "Lock | None" = None

    def render(self) -> bytes:
        """Encode it for a receiver."""
        annotations = {
            "x-opt-sequence-number": Long(self.sequence_number),
            "x-opt-enqueued-time": Timestamp(self.enqueued_at),
            "x-opt-message-state": Int(self.state),
        }
        if self.lock:
            annotations["x-opt-locked-until"] = Timestamp(self.lock.until)
        return self.content.render(self.delivery_count, annotations)


@dataclass(slots=True, eq=False)
class Lock:
    """One receiver's claim to settle a message, good until an instant.

    In a session it is the session's lock that counts; `until` is then that one's when last looked at.
    """

    message: Message
    until: Instant
    session_id: str | None = None
    token: UUID = field(default_factory=uuid4)
