"""A queue at work: hands its messages to receivers as they come due, and knows when to look again."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from simulator.servicebus.messages import Instant, Message
from simulator.servicebus.queue import Queue
from simulator.servicebus.sessions import Session

Clock = Callable[[], Instant]

_TIMER_SLACK_SECONDS: Final = 0.001
"""Instants are whole milliseconds: waiting this much longer, nothing is looked at too early."""


class Receiver(Protocol):
    """A link on which a client receives.

    Attributes:
        credit: messages it may still be given.
        settles: whether it settles them; else they are gone once delivered.
        session: the one it has locked; None on a queue without sessions.
    """

    credit: int
    settles: bool
    session: Session | None

    def deliver(self, message: Message) -> None:
        """Send a message down the link."""

    def take_session(self, session: Session) -> None:
        """Here is the session it has waited for, locked."""

    def lose_session(self) -> None:
        """The lock on its session has ended."""


class Entity:
    """A queue with its receivers. `serve` is to be called after every change to the queue."""

    def __init__(self, queue: Queue, clock: Clock, dead_letters: "Entity | None" = None) -> None:
        self.queue = queue
        self.clock = clock
        self.dead_letters = dead_letters
        self._receivers: deque[Receiver] = deque()
        self._waiting: list[Receiver] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due: Instant | None = None
        self._buried = 0

    def add(self, receiver: Receiver) -> None:
        """Deliver to a receiver from now on."""
        self._receivers.append(receiver)

    def await_session(self, receiver: Receiver) -> None:
        """Give a receiver the next session that has a message; it is served at once if one has."""
        self._waiting.append(receiver)
        self.serve()

    def remove(self, receiver: Receiver) -> None:
        """Deliver nothing more to a receiver, and free its session."""
        if receiver in self._waiting:
            self._waiting.remove(receiver)
        if receiver in self._receivers:
            self._receivers.remove(receiver)
        if receiver.session and receiver.session.holder is receiver:
            self.queue.release_session(receiver.session, self.clock())
            self.serve()

    def serve(self) -> None:
        """Let what is due happen, and deliver what waits to whoever has credit."""
        now = self.clock()
        self.queue.tick(now)
        self._take_lost_sessions()
        self._offer_sessions(now)
        while self._deliver_round(now):
            pass
        self._wake_when_due(now)
        buried = self.queue.totals.dead_lettered
        if self.dead_letters and buried != self._buried:
            self._buried = buried
            self.dead_letters.serve()

    def close(self) -> None:
        """Stop looking again."""
        if self._timer:
            self._timer.cancel()

    def _take_lost_sessions(self) -> None:
        for receiver in list(self._receivers):
            if receiver.session and receiver.session.holder is not receiver:
                self._receivers.remove(receiver)
                receiver.lose_session()

    def _offer_sessions(self, now: Instant) -> None:
        while self._waiting:
            session = self.queue.accept_session(None, self._waiting[0], now)
            if session is None:
                return
            self._waiting.pop(0).take_session(session)

    def _deliver_round(self, now: Instant) -> bool:
        """One message at most to each receiver in turn; whether any was delivered."""
        delivered = False
        for _ in range(len(self._receivers)):
            receiver = self._receivers[0]
            self._receivers.rotate(-1)
            if receiver.credit <= 0:
                continue
            if receiver.settles:
                message = self.queue.lock_next(now, receiver.session)
            else:
                message = self.queue.take_next(receiver.session)
            if message:
                receiver.deliver(message)
                delivered = True
        return delivered

    def _wake_when_due(self, now: Instant) -> None:
        due = self.queue.next_due()
        if due is not None and due == self._timer_due and due > now:
            return
        self.close()
        self._timer_due = due
        if due is not None:
            seconds = max(0, due - now) / 1000 + _TIMER_SLACK_SECONDS
            self._timer = asyncio.get_running_loop().call_later(seconds, self.serve)
