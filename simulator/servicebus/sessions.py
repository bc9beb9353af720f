"""Sessions: who holds which, until when, and the state kept for each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simulator.servicebus.errors import (
    SESSION_CANNOT_BE_LOCKED,
    SESSION_LOCK_LOST,
    BrokerError,
)
from simulator.servicebus.messages import Instant, Lock


@dataclass(slots=True, eq=False)
class Session:
    """The messages of one session id.

    Attributes:
        ready: a heap of the sequence numbers that wait.
        locks: on its messages; they live as long as the session's own lock.
        holder: whoever has the session's lock; None if nobody.
        locked_until: when that lock ends.
        state: what clients keep here; None if nothing.
        state_updated_at: when it was last set.
    """

    id: str
    ready: list[int] = field(default_factory=list)
    locks: set[Lock] = field(default_factory=set)
    holder: object | None = None
    locked_until: Instant = 0
    state: bytes | None = None
    state_updated_at: Instant = 0


class Sessions:
    """The sessions of one queue."""

    def __init__(self, lock_milliseconds: int, head: Callable[[list[int]], int | None]) -> None:
        """`head` gives the lowest sequence number of a heap that can be delivered now."""
        self._lock_milliseconds = lock_milliseconds
        self._head = head
        self._sessions: dict[str, Session] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, session_id: str) -> Session | None:
        """The session, if anything is known of it."""
        return self._sessions.get(session_id)

    def of(self, session_id: str) -> Session:
        """The session, made if need be."""
        return self._sessions.setdefault(session_id, Session(session_id))

    def accept(self, session_id: str | None, holder: object, now: Instant) -> Session | None:
        """Lock a session for a holder: the one named, or the next that has a message waiting.

        Returns:
            None where no name was given and no session waits.

        Raises:
            BrokerError: the one named is held by another.
        """
        session = self._next() if session_id is None else self.of(session_id)
        if session is None:
            return None
        if session.holder is not None:
            raise BrokerError(
                SESSION_CANNOT_BE_LOCKED,
                f"The requested session '{session.id}' cannot be accepted: it is locked by another.",
            )
        session.holder = holder
        session.locked_until = now + self._lock_milliseconds
        return session

    def renew(self, session_id: str, now: Instant) -> Session:
        """Begin the session's lock anew.

        Raises:
            BrokerError: nobody holds it.
        """
        session = self.held(session_id)
        session.locked_until = now + self._lock_milliseconds
        for lock in session.locks:
            lock.until = session.locked_until
        return session

    def held(self, session_id: str) -> Session:
        """The session, which somebody has locked.

        Raises:
            BrokerError: nobody has.
        """
        session = self._sessions.get(session_id)
        if session is None or session.holder is None:
            raise BrokerError(
                SESSION_LOCK_LOST,
                f"The session lock on '{session_id}' has expired or was given up; accept it again.",
            )
        return session

    def set_state(self, session_id: str, state: bytes | None, now: Instant) -> None:
        """Keep a state for a held session; None clears it.

        Raises:
            BrokerError: nobody holds the session.
        """
        session = self.held(session_id)
        session.state = state
        session.state_updated_at = now

    def forget_if_empty(self, session: Session) -> None:
        """Drop a session of which nothing is left to know."""
        if not (session.holder or session.locks or session.state is not None or session.ready):
            self._sessions.pop(session.id, None)

    def with_something(self) -> list[str]:
        """The ids that have active messages or a state, in order."""
        return sorted(
            session.id
            for session in self
            if session.state is not None or session.locks or self._head(session.ready) is not None
        )

    def with_state_since(self, instant: Instant) -> list[str]:
        """The ids whose state was set after an instant, in order."""
        return sorted(
            session.id
            for session in self
            if session.state is not None and session.state_updated_at > instant
        )

    def _next(self) -> Session | None:
        waiting = (
            (head, session)
            for session in self
            if session.holder is None and (head := self._head(session.ready)) is not None
        )
        return min(waiting, default=(0, None), key=lambda pair: pair[0])[1]
