"""Duplicate detection: which message ids a queue has accepted lately."""

from itertools import takewhile
from typing import Any

from simulator.servicebus.messages import Instant


class DuplicateHistory:
    """The message ids of a window of time; a dropped duplicate does not prolong it."""

    def __init__(self, window_milliseconds: int) -> None:
        self._window = window_milliseconds
        self._seen: dict[tuple[type, Any], Instant] = {}

    def admits(self, message_id: Any, now: Instant) -> bool:
        """Whether an id is new, and remember it. A message without one is never a duplicate."""
        for key in self._outlived(now):
            del self._seen[key]
        if message_id is None:
            return True
        key = (type(message_id), message_id)
        if key in self._seen:
            return False
        self._seen[key] = now
        return True

    def _outlived(self, now: Instant) -> list[tuple[type, Any]]:
        """The ids the window has left behind; they stand in the order in which they came."""
        return [
            key
            for key, _ in takewhile(lambda seen: seen[1] + self._window <= now, self._seen.items())
        ]
