"""Clock in memory."""

from datetime import datetime, timedelta


class MemoryClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """The instant that was set."""
        return self._now

    def set(self, now: datetime) -> None:
        """Moves it to an instant."""
        self._now = now

    def advance(self, by: timedelta) -> datetime:
        """Moves it on; returns the new instant."""
        self._now += by
        return self._now
