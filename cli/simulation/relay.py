"""A mail relay, and the port `Mailer` in one process."""

from collections.abc import Callable, Sequence

from cli.simulation.faults import Fault
from cli.simulation.process import Errors, Wire
from shared.domain.alert import Delivery, Mail
from shared.domain.errors import Retryable, Terminal

ERRORS: Errors = {
    Fault.BUSY: lambda: Retryable("451 try again later"),
    Fault.LOST_BEFORE: lambda: Retryable("the relay is away"),
    Fault.LOST_AFTER: lambda: Retryable("the connection broke after DATA"),
}


class Relay:
    """The relay's side.

    Attributes:
        mails: What it took, in order; a repeat stands here twice.
        refuses: Addresses that it takes no mail for.
    """

    def __init__(self, refuses: frozenset[str], seen: Callable[[Mail], None]) -> None:
        self.mails: list[Mail] = []
        self.refuses = refuses
        self._seen = seen

    def take(self, mail: Mail) -> Sequence[str]:
        """Takes a mail; returns the refused addresses."""
        refused = [f"{each}: 550 no such user" for each in mail.recipients if each in self.refuses]
        if len(refused) == len(mail.recipients):
            raise Terminal("every recipient was refused")
        self.mails.append(mail)
        self._seen(mail)
        return refused


class SimulatedMailer:
    """Mailer; see the port."""

    def __init__(self, relay: Relay, wire: Wire) -> None:
        self._relay = relay
        self._wire = wire

    async def send(self, mail: Mail, *, again: bool) -> Delivery:  # noqa: ARG002 - as SMTP has it
        """See the port. A relay cannot be asked what it took."""
        refused = await self._wire.ask("mail", mail.id, lambda: self._relay.take(mail), ERRORS)
        return Delivery(refused=refused)

    async def check(self) -> None:
        """See the port."""
        await self._wire.ask("mail", "check", lambda: None, ERRORS)
