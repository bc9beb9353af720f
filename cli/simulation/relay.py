"""A mail service, and the port `Mailer` in one process."""

from collections.abc import Callable
from datetime import timedelta

from cli.simulation.faults import Fault
from cli.simulation.process import Errors, Wire
from shared.domain.alert import Delivery, Mail
from shared.domain.errors import Retryable, Terminal

ERRORS: Errors = {
    Fault.BUSY: lambda: Retryable("451 try again later"),
    Fault.LOST_BEFORE: lambda: Retryable("the relay is away"),
    Fault.LOST_AFTER: lambda: Retryable("the connection broke after DATA"),
}
# As long as the adapters wait for an answer.
_WITHIN_SECONDS = 45.0


class Relay:
    """The service's side.

    Attributes:
        mails: What it took, in order; a repeat stands here twice.
        refuses: Addresses that it takes no mail for.
        can_be_asked: Like Communication Services, which at first only says that it took a mail, and
            later what became of it; else like SMTP, which says at once, and can never be asked.
    """

    def __init__(
        self, refuses: frozenset[str], seen: Callable[[Mail], None], *, can_be_asked: bool
    ) -> None:
        self.mails: list[Mail] = []
        self.refuses = refuses
        self.can_be_asked = can_be_asked
        self._seen = seen

    def take(self, mail: Mail, *, again: bool) -> Delivery:
        """Takes a mail, or says what became of it."""
        refused = [f"{each}: 550 no such user" for each in mail.recipients if each in self.refuses]
        if len(refused) == len(mail.recipients):
            raise Terminal("every recipient was refused")
        if self.can_be_asked and again and mail.id in {one.id for one in self.mails}:
            return Delivery(refused=refused)
        self.mails.append(mail)
        self._seen(mail)
        if self.can_be_asked:
            return Delivery(look_after=timedelta(seconds=30))
        return Delivery(refused=refused)


class SimulatedMailer:
    """Mailer; see the port."""

    def __init__(self, relay: Relay, wire: Wire) -> None:
        self._relay = relay
        self._wire = wire

    async def send(self, mail: Mail, *, again: bool) -> Delivery:
        """See the port."""
        return await self._wire.ask(
            "mail",
            mail.id,
            lambda: self._relay.take(mail, again=again),
            ERRORS,
            deadline=_WITHIN_SECONDS,
        )

    async def check(self) -> None:
        """See the port."""
        await self._wire.ask("mail", "check", lambda: None, ERRORS)
