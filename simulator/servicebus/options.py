"""What a queue is configured to do, in Azure's own names, and what it can never be asked to do."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Self

MESSAGE_SIZE_MAX: Final = 256 * 1024
"""Bytes. The Standard tier's and the official emulator's limit, for a message and for a batch."""

FOREVER: Final = timedelta(days=3_650_000)
"""The longest time to live there is: Azure's own default is its largest TimeSpan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """One queue's properties; the defaults are the official emulator's."""

    name: str
    lock_duration: timedelta = timedelta(minutes=1)
    max_delivery_count: int | None = 3
    default_message_time_to_live: timedelta = timedelta(hours=1)
    dead_lettering_on_message_expiration: bool = False
    requires_duplicate_detection: bool = False
    duplicate_detection_history_time_window: timedelta = timedelta(seconds=20)
    requires_session: bool = False

    def of_dead_letters(self) -> Self:
        """The sub-queue's options: nothing expires there and nothing is given up."""
        return replace(
            self,
            name=f"{self.name}/$DeadLetterQueue",
            max_delivery_count=None,
            default_message_time_to_live=FOREVER,
            requires_duplicate_detection=False,
            requires_session=False,
        )
