"""The alerts that were raised, and what else is to be remembered of a discovery."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.alert import Alert
from shared.domain.heartbeat import Heartbeat, LeftAlone


class AlertStore(Protocol):
    """Table `BatonAlerts`."""

    async def add(self, alert: Alert) -> bool:
        """Writes it if its id is new; whether it was."""
        ...

    async def unsent(self) -> Sequence[Alert]:
        """Every alert that is RAISED or MAILING, oldest first."""
        ...

    async def tried_since(self, since: datetime) -> Sequence[Alert]:
        """Every alert whose mail was last given to the mail service after that, in any state."""
        ...

    async def raised_since(self, since: datetime) -> Sequence[Alert]:
        """Every alert raised after that, in any state, newest first."""
        ...

    async def replace(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Replaces at most 100 alerts in one transaction, each only if it still has its ETag.

        Returns:
            The alerts with their new ETags.

        Raises:
            Stale: Some alert changed meanwhile; nothing was written.
        """
        ...

    async def heartbeat(self) -> Heartbeat | None:
        """The last that was kept; None if there is none, or none that can be read."""
        ...

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Keeps a heartbeat in the place of the last, whatever that was. One of many at once is kept."""
        ...

    async def left_alone(self) -> Sequence[LeftAlone]:
        """The VMs that the last discovery found a maintenance and no policy for, by VM id."""
        ...

    async def keep_left_alone(self, found: Sequence[LeftAlone]) -> None:
        """Makes that list these VMs. Not in one transaction: half a list is mended by the next discovery."""
        ...
