"""What happened, in order: for a reader, and as one hash by which two runs are compared."""

import hashlib
from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple


class Entry(NamedTuple):
    """Something that happened.

    Attributes:
        at: Seconds since the simulation began.
        who: A process (`p3`), or the service or person.
        loud: Whether it belongs on a timeline, or is one request among thousands.
    """

    at: float
    who: str
    what: str
    loud: bool


class Trace:
    """The entries, and how often what was counted."""

    def __init__(self, t0: datetime) -> None:
        self.t0 = t0
        self.entries: list[Entry] = []
        self.counts: Counter[str] = Counter()

    def note(self, at: float, who: str, what: str, *, loud: bool = True) -> None:
        """Writes an entry."""
        self.entries.append(Entry(at, who, what, loud))

    @property
    def digest(self) -> str:
        """The same for two runs in which the same things happened in the same order."""
        lines = [f"{at:.6f} {who} {what}\n" for at, who, what, _ in self.entries]
        return hashlib.blake2b("".join(lines).encode(), digest_size=16).hexdigest()

    def timeline(self, *, quiet_before_end: int = 25) -> list[str]:
        """Lines for a reader: what is loud, and the last requests before the end."""
        first_quiet = len(self.entries) - quiet_before_end
        return [
            f"{self.instant(entry.at):%m-%d %H:%M:%S.%f}"[:-3] + f"  {entry.who:<9} {entry.what}"
            for index, entry in enumerate(self.entries)
            if entry.loud or index >= first_quiet
        ]

    def instant(self, at: float) -> datetime:
        """Seconds since the beginning as true time."""
        return self.t0 + timedelta(seconds=at)
