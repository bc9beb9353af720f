"""Whose turn it is to be read by itself, where a list does not tell of a VM's maintenance.

Every VM has its own moment in each round, by a hash of its id. A discovery reads those whose moment came since
the one before, so that each is read once a round, however often discoveries come, and whichever process makes
them: nothing is remembered but when the last one was.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

ROUND = timedelta(hours=1)
"""The longest that a new maintenance stays unseen where the status list does not carry it."""

_BEGINNING = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one discovery.

    Attributes:
        since: Until when everybody has had their turns; None: nobody knows, and all are due.
        now: When it begins.
    """

    since: datetime | None
    now: datetime

    @property
    def begin(self) -> datetime:
        """The first moment whose turns are due: a round ago at the earliest."""
        round_ago = self.now - ROUND
        # One that lies ahead was written by a clock that was wrong.
        return max(self.since, round_ago) if self.since and self.since <= self.now else round_ago

    def turn(self, key: str) -> datetime:
        """A VM's first turn after `begin`; the keys' spread is even."""
        own = zlib.crc32(key.encode()) / 2**32 * ROUND
        return self.begin + (own - (self.begin - _BEGINNING)) % ROUND

    def is_due(self, turn: datetime) -> bool:
        """Whether a turn has come."""
        return turn < self.now
