"""What was asked and what happened: the record an independent checker judges by."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TextIO

RECORDS_MAX: Final = 200_000
"""Enough for hours of a demo; an emulator left running for weeks forgets the oldest."""


@dataclass
class Journal:
    """Records in the order of ``seq``.

    Attributes:
        file: where each record is appended as one JSON line, flushed; None for nowhere.
    """

    file: TextIO | None = None
    _records: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=RECORDS_MAX))
    _last: int = 0

    def event(self, name: str, at: datetime, /, **details: Any) -> None:
        """Something that happened to a VM at ``at``, whoever noticed and whenever."""
        self._add({**details, "time": stamp(at), "kind": "event", "event": name})

    def request(self, at: datetime, record: Mapping[str, Any]) -> None:
        """A request that was decided at ``at``: what it began, it began then."""
        self._add({**record, "time": stamp(at), "kind": "request"})

    def since(self, seq: int) -> list[dict[str, Any]]:
        """The records after ``seq``; 0 for all that are kept."""
        return [record for record in self._records if record["seq"] > seq]

    def _add(self, record: dict[str, Any]) -> None:
        self._last += 1
        record = {
            "seq": self._last,
            "time": record.pop("time"),
            "kind": record.pop("kind"),
            **record,
        }
        self._records.append(record)
        if self.file is not None:
            self.file.write(json.dumps(record) + "\n")
            self.file.flush()


def stamp(at: datetime) -> str:
    """ISO 8601 with microseconds, always all six, so that text sorts as time does."""
    return at.isoformat(timespec="microseconds")
