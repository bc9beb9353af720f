"""Mailer in memory."""

from collections.abc import Mapping

from shared.adapters.memory.scripted import Scripted
from shared.domain.alert import Delivery, Mail
from shared.domain.errors import Terminal


class MemoryMailer(Scripted):
    """Mailer.

    Attributes:
        sent: Every mail that somebody got. `refuses`: address → why its mail is refused.
    """

    def __init__(self, refuses: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.sent: list[Mail] = []
        self.refuses = dict(refuses or {})

    async def send(self, mail: Mail, *, again: bool) -> Delivery:
        """See the port. Sends twice what it is given twice, as SMTP does."""
        async with self.call("send", mail, again):
            refused = [f"{a}: {self.refuses[a]}" for a in mail.recipients if a in self.refuses]
            if len(refused) == len(mail.recipients):
                raise Terminal("every recipient was refused: " + "; ".join(refused))
            self.sent.append(mail)
            return Delivery(refused=refused)

    async def check(self) -> None:
        """See the port."""
