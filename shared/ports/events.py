"""Where lifecycle events wait, and who receives them."""

from collections.abc import Sequence
from typing import Protocol

from shared.domain.lifecycle import Event, Lease


class Outbox(Protocol):
    """The events that are written and not delivered: rows among the jobs, written with them."""

    async def lease(self) -> Lease:
        """Who delivers now; a free one without an ETag if nobody ever did."""
        ...

    async def waiting(self, most: int) -> Sequence[Event]:
        """The oldest events, at most so many. A row that cannot be read is named in the log and left out."""
        ...

    async def write(self, lease: Lease, *, done: Sequence[Event] = ()) -> Lease:
        """Writes the lease and removes the events, in one transaction.

        Args:
            lease: As read, or as written last, with its changes.
            done: At most 99.

        Returns:
            The lease with its new ETag.

        Raises:
            Stale: Somebody else wrote it, or an event is gone; nothing was written.
        """
        ...


class Receiver(Protocol):
    """Where events go: an Event Grid topic, or a webhook."""

    @property
    def name(self) -> str:
        """Its host, for people; no part of the address that could be a secret."""
        ...

    @property
    def at_once(self) -> int:
        """How many events one request may carry."""
        ...

    async def send(self, events: Sequence[Event]) -> None:
        """Delivers them in one request, sent once. They may have arrived also where this raises.

        Raises:
            Retryable: It is away, busy, or wrongly set up.
            Terminal: It finds fault with what these events are, and never will take them.
        """
        ...

    async def check(self) -> None:
        """Talks to it as far as one can without an event.

        Raises:
            Retryable, Terminal: Nothing would arrive; says why and what to do.
        """
        ...
