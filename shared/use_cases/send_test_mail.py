"""A test mail that a person asks for, to see that mails arrive."""

import logging
from dataclasses import dataclass

from shared.domain.alert import Alert, event_id
from shared.ports import Clock
from shared.use_cases.asking import Asked
from shared.use_cases.tell import Tell

log = logging.getLogger("baton.steer")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTestMail:
    """Raises the alert; it is mailed like any other."""

    clock: Clock
    tell: Tell
    mails: bool

    async def __call__(self, *, asked: Asked) -> bool:
        """Raises it, once a minute however often it is asked for; False where no mail service is set.

        Raises:
            Retryable: The tables are busy.
        """
        now = self.clock.now()
        alert = Alert(
            id=event_id("test", "asked", f"{now:%Y-%m-%dT%H:%M}"),
            kind="test",
            subject="mail",
            reason=f"{asked.by} asked for it: Baton's mails arrive.",
            next_step="Nothing to do.",
            raised_at=now,
        )
        log.info(
            "A test mail is asked for by %s", asked, extra={"action": "test_mail", "by": asked.by}
        )
        await self.tell(alert)
        return self.mails
