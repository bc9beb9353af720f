"""A hint of Azure's wakes a discovery soon. However many come, within a minute it is one discovery."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.errors import InvalidInput
from shared.domain.hint import read_hint
from shared.domain.pace import next_tick
from shared.ports import Bus, Clock, Wake, WakeAt

DISCOVERY = Wake(team="baton", policy="discovery", job_id="discovery")
"""Wakes no job but a discovery. A version that does not know it finds no such job, and leaves it."""
_SOON = timedelta(minutes=1)

log = logging.getLogger("baton.hint")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeHint:
    """Takes what Azure Monitor posts."""

    clock: Clock
    bus: Bus

    async def __call__(self, body: bytes) -> bool:
        """Takes a hint; whether it is one.

        Raises:
            InvalidInput: It is no alert at all.
            Retryable: The bus is busy; the next timer discovers all the same.
        """
        try:
            hint = read_hint(body)
        except InvalidInput as wrong:
            log.warning("Hint refused: %s", wrong, extra={"action": "hint_refused"})
            raise
        if hint:
            now = self.clock.now()
            log.info("Hint: %s", hint, extra={"action": "hint_taken", "hint": hint})
            soon = WakeAt(wake=DISCOVERY, at=next_tick(now, _SOON), cause="hint")
            await self.bus.wake([soon], now=now)
        return bool(hint)
