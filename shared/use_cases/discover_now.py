"""A discovery that a person asks for, beside those of the timer."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from shared.ports import AlertStore, Clock
from shared.use_cases.asking import Asked
from shared.use_cases.discover import Discover

log = logging.getLogger("baton.steer")

# Somebody who asks twice, or three who ask at once, get what the first one found.
_FRESH_FOR = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverNow:
    """Discovers, unless that was just done."""

    clock: Clock
    alerts: AlertStore
    discover: Discover

    async def __call__(self, *, asked: Asked) -> bool:
        """Discovers; False where the last discovery went through within half a minute.

        Raises:
            Retryable: The tables are busy.
        """
        last = await self.alerts.heartbeat()
        if last and self.clock.now() - last.at < _FRESH_FOR:
            return False
        extra = {"action": "discovery_asked", "by": asked.by}
        log.info("A discovery is asked for by %s", asked, extra=extra)
        await self.discover()
        return True
