"""The clock of the machine: the only place where Baton asks for the time."""

from datetime import UTC, datetime


class SystemClock:
    """Clock over the operating system's."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one clock of this process
