"""The rules of a queue. Pure: no clock, no wire; every instant is an argument."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from simulator.servicebus.content import Content
from simulator.servicebus.duplicates import DuplicateHistory
from simulator.servicebus.errors import LOCK_LOST, NOT_ALLOWED, NOT_FOUND, BrokerError
from simulator.servicebus.messages import Disposition, Instant, Lock, Message, State
from simulator.servicebus.options import QueueOptions
from simulator.servicebus.sessions import Session, Sessions
from simulator.servicebus.timers import Due, Timer, Timers

REASON: Final = "DeadLetterReason"
DESCRIPTION: Final = "DeadLetterErrorDescription"


@dataclass(slots=True)
class Totals:
    """What ever happened in a queue, in messages; `sent` counts those that were kept."""

    sent: int = 0
    completed: int = 0
    abandoned: int = 0
    duplicates_dropped: int = 0
    dead_lettered: int = 0
    expired: int = 0
    locks_expired: int = 0
    cancelled: int = 0


class Queue:
    """One queue, or the dead-letter sub-queue of one.

    A caller passes instants that never go back; `tick` is what makes things fall due. Deliveries are
    in the order of sequence numbers, and a message that is given back takes its old place.
    """

    def __init__(self, options: QueueOptions, dead_letters: "Queue | None" = None) -> None:
        """Without `dead_letters` nothing leaves the queue but by being received."""
        self.options = options
        self.dead_letters = dead_letters
        self.totals = Totals()
        self._lock_milliseconds = _milliseconds(options.lock_duration)
        self._ttl = _milliseconds(options.default_message_time_to_live)
        self._messages: dict[int, Message] = {}
        self._locks: dict[UUID, Lock] = {}
        self._ready: list[int] = []
        self._last_sequence_number = 0
        self._duplicates = DuplicateHistory(
            _milliseconds(options.duplicate_detection_history_time_window)
        )
        self._timers = Timers(self._holds)
        self.sessions = Sessions(self._lock_milliseconds, self._head)

    # --- in -----------------------------------------------------------------------------------

    def send(self, contents: Sequence[Content], now: Instant, *, checked: bool = True) -> list[int]:
        """Keep messages, all or none; one with an enqueue time to come is scheduled.

        Args:
            contents: the messages.
            now: the instant.
            checked: whether duplicate detection looks at them, where the queue has it.

        Returns:
            Their sequence numbers in order; a dropped duplicate has one as well, of no use.

        Raises:
            BrokerError: one of them has no session id where the queue requires it.
        """
        if self.options.requires_session and any(not content.session_id for content in contents):
            raise BrokerError(
                NOT_ALLOWED,
                "The SessionId was not set on a message, and it cannot be sent to the entity. "
                "Entities that have session support enabled can only receive messages that have "
                "the SessionId set to a valid value.",
            )
        return [self._keep(content, now, checked=checked) for content in contents]

    def cancel(self, sequence_numbers: Iterable[int], now: Instant) -> None:
        """Forget scheduled messages, all or none; the history of duplicates still knows them.

        Raises:
            BrokerError: one is not scheduled, or no longer.
        """
        self.tick(now)
        for message in self._in_state(sequence_numbers, State.SCHEDULED):
            del self._messages[message.sequence_number]
            self.totals.cancelled += 1

    # --- looking ------------------------------------------------------------------------------

    def peek(self, start: int, count: int, session_id: str | None = None) -> list[Message]:
        """At most `count` messages from a sequence number on, in whatever state they are."""
        numbers = (
            number
            for number, message in self._messages.items()
            if number >= start and (session_id is None or message.content.session_id == session_id)
        )
        return [self._messages[number] for number in heapq.nsmallest(count, numbers)]

    def count(self, state: State) -> int:
        """The messages in a state; locked ones are active."""
        return sum(message.state is state for message in self._messages.values())

    def next_due(self) -> Instant | None:
        """When `tick` has something to do next; None if never."""
        return self._timers.next_at()

    # --- out ----------------------------------------------------------------------------------

    def lock_next(self, now: Instant, session: Session | None = None) -> Message | None:
        """Lock the next message for a receiver; None if none waits."""
        message = self._pop(session)
        return None if message is None else self._lock(message, now)

    def take_next(self, session: Session | None = None) -> Message | None:
        """Remove the next message for a receiver that will not settle; None if none waits."""
        message = self._pop(session)
        return None if message is None else self._complete(message)

    def lock_deferred(self, sequence_numbers: Iterable[int], now: Instant) -> list[Message]:
        """Lock deferred messages, all or none.

        Raises:
            BrokerError: one is not deferred, or locked already.
        """
        messages = self._in_state(sequence_numbers, State.DEFERRED)
        return [self._lock(message, now) for message in messages]

    def take_deferred(self, sequence_numbers: Iterable[int]) -> list[Message]:
        """Remove deferred messages, all or none.

        Raises:
            BrokerError: one is not deferred, or locked.
        """
        messages = self._in_state(sequence_numbers, State.DEFERRED)
        return [self._complete(message) for message in messages]

    def settle(
        self,
        token: UUID,
        disposition: Disposition,
        now: Instant,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Do with a locked message what its receiver asks; `properties` say why it is dead.

        Raises:
            BrokerError: the lock is lost, or this sub-queue has no dead letters of its own.
        """
        self.tick(now)
        if disposition is Disposition.DEAD_LETTER and self.dead_letters is None:
            raise BrokerError(NOT_ALLOWED, f"{self.options.name} has no dead-letter queue.")
        message = self._unlock(self._held(token))
        match disposition:
            case Disposition.COMPLETE:
                self._complete(message)
            case Disposition.ABANDON:
                self.totals.abandoned += 1
                self._give_back(message, now, failed=True)
            case Disposition.DEFER:
                message.state = State.DEFERRED
            case Disposition.DEAD_LETTER:
                self._bury(message, properties or {})
            case Disposition.RELEASE:
                self._give_back(message, now, failed=False)

    def renew(self, tokens: Sequence[UUID], now: Instant) -> list[Instant]:
        """Begin message locks anew, all or none; returns when each ends.

        Raises:
            BrokerError: one is lost.
        """
        self.tick(now)
        for lock in [self._held(token) for token in tokens]:
            lock.until = now + self._lock_milliseconds
            self._timers.add(Timer(lock.until, Due.LOCK, lock.token))
        return [self._locks[token].until for token in tokens]

    def lose_locks(self, tokens: Iterable[UUID], now: Instant) -> None:
        """End locks as if their time were up; those that are gone already are no matter."""
        for lock in filter(None, map(self._locks.get, tokens)):
            self.totals.locks_expired += 1
            self._give_back(self._unlock(lock), now, failed=True)

    # --- sessions -----------------------------------------------------------------------------

    def accept_session(
        self, session_id: str | None, holder: object, now: Instant
    ) -> Session | None:
        """See `Sessions.accept`."""
        self.tick(now)
        session = self.sessions.accept(session_id, holder, now)
        if session:
            self._timers.add(Timer(session.locked_until, Due.SESSION, session.id))
        return session

    def renew_session(self, session_id: str, now: Instant) -> Instant:
        """Begin a session's lock anew; returns when it ends. See `Sessions.renew`."""
        self.tick(now)
        session = self.sessions.renew(session_id, now)
        self._timers.add(Timer(session.locked_until, Due.SESSION, session.id))
        return session.locked_until

    def release_session(self, session: Session, now: Instant, *, failed: bool = False) -> None:
        """Free a session; its locked messages are given back, as a failed attempt or not."""
        session.holder = None
        for lock in sorted(session.locks, key=lambda lock: lock.message.sequence_number):
            self._give_back(self._unlock(lock), now, failed=failed)
        self.sessions.forget_if_empty(session)

    # --- time ---------------------------------------------------------------------------------

    def tick(self, now: Instant) -> None:
        """Let everything that has fallen due by `now` happen."""
        for timer in self._timers.due(now):
            match timer.what:
                case Due.ENQUEUE:
                    self._activate(self._messages.pop(timer.key), now)
                case Due.EXPIRY:
                    message = self._messages[timer.key]
                    if message.lock is None:
                        self._expire(message)
                case Due.LOCK:
                    self.lose_locks([timer.key], now)
                case Due.SESSION:
                    session = self.sessions.of(timer.key)
                    self.totals.locks_expired += len(session.locks)
                    self.release_session(session, now, failed=True)

    def _holds(self, timer: Timer) -> bool:
        match timer.what:
            case Due.ENQUEUE:
                message = self._messages.get(timer.key)
                return message is not None and message.state is State.SCHEDULED
            case Due.EXPIRY:
                message = self._messages.get(timer.key)
                return message is not None and message.state is State.ACTIVE
            case Due.LOCK:
                lock = self._locks.get(timer.key)
                return lock is not None and lock.until == timer.at
            case Due.SESSION:
                session = self.sessions.find(timer.key)
                held = session is not None and session.holder is not None
                return held and session is not None and session.locked_until == timer.at

    # --- how ----------------------------------------------------------------------------------

    def _keep(self, content: Content, now: Instant, *, checked: bool) -> int:
        number = self._next_sequence_number()
        checked = checked and self.options.requires_duplicate_detection
        if checked and not self._duplicates.admits(content.message_id, now):
            self.totals.duplicates_dropped += 1
            return number
        self.totals.sent += 1
        message = Message(content, number, now)
        if content.scheduled_for is not None and content.scheduled_for > now:
            message.state = State.SCHEDULED
            message.enqueued_at = content.scheduled_for
            self._messages[number] = message
            self._timers.add(Timer(content.scheduled_for, Due.ENQUEUE, number))
        else:
            self._enqueue(message, now)
        return number

    def _activate(self, message: Message, now: Instant) -> None:
        """A scheduled message becomes a new one: its old sequence number means nothing any more."""
        message.sequence_number = self._next_sequence_number()
        message.state = State.ACTIVE
        self._enqueue(message, now)

    def _enqueue(self, message: Message, now: Instant) -> None:
        ttl = min(self._ttl, self._ttl if message.content.ttl is None else message.content.ttl)
        message.enqueued_at = now
        message.expires_at = now + ttl
        self._messages[message.sequence_number] = message
        self._timers.add(Timer(message.expires_at, Due.EXPIRY, message.sequence_number))
        self._make_ready(message)

    def _receive_dead(self, message: Message) -> None:
        message.state = State.ACTIVE
        message.expires_at = None
        self._messages[message.sequence_number] = message
        self._make_ready(message)

    def _make_ready(self, message: Message) -> None:
        session_id = message.content.session_id
        in_session = self.options.requires_session and session_id is not None
        lane = self.sessions.of(session_id).ready if in_session and session_id else self._ready
        heapq.heappush(lane, message.sequence_number)

    def _head(self, lane: list[int]) -> int | None:
        """The first of a lane that still waits; those that expired meanwhile are dropped."""
        while lane and lane[0] not in self._messages:
            heapq.heappop(lane)
        return lane[0] if lane else None

    def _pop(self, session: Session | None) -> Message | None:
        lane = session.ready if session else self._ready
        number = self._head(lane)
        if number is None:
            return None
        heapq.heappop(lane)
        return self._messages[number]

    def _lock(self, message: Message, now: Instant) -> Message:
        lock = Lock(message, now + self._lock_milliseconds)
        session_id = message.content.session_id
        if self.options.requires_session and session_id is not None:
            session = self.sessions.of(session_id)
            lock.until, lock.session_id = session.locked_until, session_id
            session.locks.add(lock)
        else:
            self._timers.add(Timer(lock.until, Due.LOCK, lock.token))
        message.lock = self._locks[lock.token] = lock
        return message

    def _held(self, token: UUID) -> Lock:
        lock = self._locks.get(token)
        if lock is None:
            raise BrokerError(
                LOCK_LOST,
                "The lock supplied is invalid. Either the lock expired, or the message has "
                "already been removed from the queue.",
            )
        return lock

    def _unlock(self, lock: Lock) -> Message:
        del self._locks[lock.token]
        if lock.session_id is not None:
            self.sessions.of(lock.session_id).locks.discard(lock)
        lock.message.lock = None
        return lock.message

    def _complete(self, message: Message) -> Message:
        del self._messages[message.sequence_number]
        self.totals.completed += 1
        return message

    def _give_back(self, message: Message, now: Instant, *, failed: bool) -> None:
        message.delivery_count += failed
        limit = self.options.max_delivery_count
        if limit is not None and message.delivery_count >= limit and self.dead_letters is not None:
            text = f"Message could not be consumed after {limit} delivery attempts."
            self._bury(message, {REASON: "MaxDeliveryCountExceeded", DESCRIPTION: text})
        elif message.state is State.DEFERRED:
            pass
        elif message.expires_at is not None and message.expires_at <= now:
            self._expire(message)
        else:
            self._make_ready(message)

    def _expire(self, message: Message) -> None:
        self.totals.expired += 1
        if self.options.dead_lettering_on_message_expiration:
            text = "The message expired and was dead lettered."
            self._bury(message, {REASON: "TTLExpiredException", DESCRIPTION: text})
        else:
            del self._messages[message.sequence_number]

    def _bury(self, message: Message, properties: Mapping[str, str]) -> None:
        del self._messages[message.sequence_number]
        if self.dead_letters is not None:
            self.totals.dead_lettered += 1
            message.content = message.content.with_application_properties(properties)
            self.dead_letters._receive_dead(message)  # noqa: SLF001 - a queue and its own sub-queue

    def _in_state(self, sequence_numbers: Iterable[int], state: State) -> list[Message]:
        messages = []
        for number in dict.fromkeys(sequence_numbers):
            message = self._messages.get(number)
            if message is None or message.state is not state or message.lock is not None:
                text = f"No {state.name.lower()} message has the sequence number {number}."
                raise BrokerError(NOT_FOUND, text)
            messages.append(message)
        return messages

    def _next_sequence_number(self) -> int:
        self._last_sequence_number += 1
        return self._last_sequence_number


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
