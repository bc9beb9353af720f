"""A discovery that a person asks for, beside those of the timer."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.pace import last_tick
from shared.ports import Bus, Clock, WakeAt
from shared.use_cases.asking import Asked
from shared.use_cases.take_hint import DISCOVERY

log = logging.getLogger("baton.steer")

# Somebody who asks twice, or three who ask at once, get one discovery: it is one message by its id.
_ONE_IN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverNow:
    """Has one made by whoever handles the next message."""

    clock: Clock
    bus: Bus

    async def __call__(self, *, asked: Asked) -> None:
        """Asks for it.

        Raises:
            Retryable: The bus is busy.
        """
        now = self.clock.now()
        extra = {"action": "discovery_asked", "by": asked.by}
        log.info("A discovery is asked for by %s", asked, extra=extra)
        soon = WakeAt(wake=DISCOVERY, at=last_tick(now, _ONE_IN), cause="asked")
        await self.bus.wake([soon], now=now)
