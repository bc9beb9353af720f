"""A hint that events wait in the outbox: they then go out at once, and not with the next sweep."""

import logging
from dataclasses import dataclass

from shared.domain.errors import BatonError
from shared.ports import Bus, Clock

log = logging.getLogger("baton.events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Herald:
    """Wakes the delivery of events.

    Attributes:
        is_on: Whether events go anywhere (BATON_EVENTS_URL).
    """

    clock: Clock
    bus: Bus
    is_on: bool

    async def __call__(self) -> None:
        """Leaves a message. It is only a hint, and nothing of a redeploy fails by it."""
        if not self.is_on:
            return
        now = self.clock.now()
        try:
            await self.bus.wake_alerts(now, now=now)
        except BatonError as error:
            log.info("Events wait for the sweep: %s", error, extra={"action": "events_unheralded"})
