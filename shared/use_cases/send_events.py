"""Lifecycle events go out: those in the outbox, oldest first, each until it is taken or a day old.

Nothing of a redeploy waits for this. An event is removed after it was taken; who dies in between has it
delivered again, under the same id. One handler delivers at a time, which spares receivers most repeats.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.alert import Alert, event_id
from shared.domain.durations import format_duration
from shared.domain.errors import Retryable, Stale, Terminal
from shared.domain.lifecycle import COUNTS_FOR, Event, Lease
from shared.ports import Bus, Clock, Outbox, Receiver
from shared.use_cases.tell import Tell

log = logging.getLogger("baton.events")

# How long one handler may deliver before another takes over.
_LEASE = timedelta(minutes=2)
# With the lease they are removed in one transaction.
_READ_AT_ONCE = 50
_FIRST_RETRY, _RETRY_MAX = timedelta(seconds=5), timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Where events wait, and where they go; there is none where no receiver is set."""

    outbox: Outbox
    receiver: Receiver


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEvents:
    """Delivers what waits.

    Attributes:
        outgoing: None where no receiver is set (BATON_EVENTS_URL).
    """

    clock: Clock
    bus: Bus
    tell: Tell
    outgoing: Outgoing | None

    async def __call__(self) -> None:
        """Delivers for a minute at most, and leaves a message for what is left."""
        if self.outgoing is None:
            return
        began = self.clock.now()
        again_at: datetime | None = began
        while again_at and again_at <= self.clock.now() < began + _LEASE / 2:
            again_at = await self._round(self.outgoing, began)
        if again_at:
            await self.bus.wake_alerts(again_at, now=self.clock.now())

    async def _round(self, outgoing: Outgoing, began: datetime) -> datetime | None:
        """Delivers the oldest; returns when to look again, None if nothing waits."""
        now = self.clock.now()
        lease = await outgoing.outbox.lease()
        if lease.until and now < lease.until <= now + _RETRY_MAX + _LEASE:
            return lease.until if await outgoing.outbox.waiting(1) else None
        events = await outgoing.outbox.waiting(_READ_AT_ONCE)
        if not events:
            return None
        try:
            lease = await outgoing.outbox.write(lease.held(now + _LEASE, tries=lease.tries))
        except Stale:
            return now + _LEASE  # another handler has them
        return await self._deliver(outgoing, events, lease, began)

    async def _deliver(
        self, outgoing: Outgoing, events: Sequence[Event], lease: Lease, began: datetime
    ) -> datetime | None:
        now = self.clock.now()
        late = [event for event in events if now - event.at >= COUNTS_FOR]
        fresh = [event for event in events if now - event.at < COUNTS_FOR]
        if late:
            await self._give_up(
                outgoing, late, f"nobody took them in {format_duration(COUNTS_FOR)}"
            )
        done, busy = await self._send(outgoing, fresh, until=began + _LEASE / 2)
        tries = lease.tries + 1 if busy else 0
        wait = max(_backoff(tries), _asked(busy)) if busy else timedelta(0)
        after = self.clock.now() + wait
        try:
            await outgoing.outbox.write(
                lease.held(after if busy else None, tries=tries), done=[*late, *done]
            )
        except Stale:
            # Held up beyond the lease: whoever has it now delivers them once more.
            return self.clock.now() + _LEASE
        if busy:
            extra = {"action": "events_put_off", "tries": tries, "events": len(fresh) - len(done)}
            log.warning("Events not delivered yet: %s", busy, extra=extra)
        return after

    async def _send(
        self, outgoing: Outgoing, events: Sequence[Event], *, until: datetime
    ) -> tuple[list[Event], Retryable | None]:
        """Sends them in their order while there is time; returns those that are done with, and what stopped it."""
        receiver, done = outgoing.receiver, list[Event]()
        for start in range(0, len(events), receiver.at_once):
            if done and self.clock.now() >= until:
                break
            batch = events[start : start + receiver.at_once]
            try:
                await receiver.send(batch)
            except Retryable as busy:
                return done, busy
            except Terminal as never:
                await self._give_up(outgoing, batch, str(never))
            done += batch
        if done:
            log.info(
                "Delivered %d events",
                len(done),
                extra={"action": "events_sent", "events": len(done)},
            )
        return done, None

    async def _give_up(self, outgoing: Outgoing, events: Sequence[Event], why: str) -> None:
        """Tells people, once a day, that events are dropped."""
        now, name = self.clock.now(), outgoing.receiver.name
        count = "A lifecycle event" if len(events) == 1 else f"{len(events)} lifecycle events"
        alert = Alert(
            id=event_id("events", name, f"{now:%Y-%m-%d}"),
            kind="events",
            subject=name,
            reason=f"{count} for {name} will not be delivered: {why}",
            next_step="The redeploys go on without. Look at the receiver, and at BATON_EVENTS_URL: "
            "./baton doctor. Of events that are dropped later today no mail comes.",
            facts=tuple(
                (f"{event.kind} at {event.at:%H:%M} UTC", event.vm_id) for event in events[:10]
            ),
            raised_at=now,
        )
        await self.tell(alert)
        extra = {"action": "events_dropped", "events": len(events), "reason": why}
        log.error("%s dropped: %s", count, why, extra=extra)


def _backoff(tries: int) -> timedelta:
    doubled: int = 2 ** min(tries - 1, 8)
    return min(_FIRST_RETRY * doubled, _RETRY_MAX)


def _asked(busy: Retryable) -> timedelta:
    """What the receiver asked to wait, within reason."""
    return min(busy.retry_after or timedelta(0), _RETRY_MAX)
