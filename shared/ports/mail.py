"""Mail: who sends it, and who writes it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.alert import Alert, Delivery, Mail


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail, *, again: bool) -> Delivery:
        """Sends it to every recipient that is accepted. Waits for no delivery.

        Args:
            mail: With its id, which is the same at every try.
            again: Whether an earlier try may have been taken: its answer was lost, its handler died, or it
                was to be looked at later. Where the service can be asked, it is, and gets nothing twice.

        Raises:
            Retryable: Nobody got it, or that is unknown; the service is away, busy, or wrongly set up.
            Terminal: Nobody will ever get it: every recipient, or the sender, was refused.
        """
        ...

    async def check(self) -> None:
        """Talks to the service as far as one can without sending.

        Raises:
            Retryable, Terminal: No mail would go out; says why and what to do.
        """
        ...


class Letters(Protocol):
    """Writes the mails' text."""

    def __call__(
        self,
        alerts: Sequence[Alert],
        *,
        mail_id: str,
        recipients: tuple[str, ...],
        mode: str,
        now: datetime,
    ) -> Mail:
        """One mail for these alerts, the most important first.

        Args:
            alerts: At least one.
            mail_id: The mail's id.
            recipients: Addresses.
            mode: BATON_MODE, for the reader to know whether Baton acts.
            now: The mail's date.
        """
        ...
