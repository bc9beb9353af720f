"""SendAlerts with all that it needs, on a clock that tests set."""

import asyncio
from collections import Counter
from datetime import timedelta

from shared.adapters.letters import write_mail
from shared.adapters.memory import MemoryAlerts, MemoryBus, MemoryClock, MemoryJobs, MemoryMailer
from shared.domain.alert import AlertState
from shared.domain.errors import Retryable
from shared.domain.mode import Mode
from shared.use_cases.send_alerts import SendAlerts
from shared.use_cases.team_calendar import TeamCalendar
from tests.builders import NOW, an_alert

DIGEST = timedelta(minutes=2)


class Post(MemoryMailer):
    """A mail service that is away until an instant; notes when each mail went out."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.away_until = NOW
        self.at = []

    async def send(self, mail, *, again):
        if self.clock.now() < self.away_until:
            raise Retryable("connection refused")
        self.at.append(self.clock.now())
        return await super().send(mail, again=again)


class Office:
    """SendAlerts, run whenever a message is due."""

    def __init__(self, connect=Post):
        """`connect`: clock → mailer."""
        self.clock = MemoryClock(NOW)
        self.alerts = MemoryAlerts()
        self.bus = MemoryBus()
        self.post = connect(self.clock)
        self.send = SendAlerts(
            clock=self.clock,
            alerts=self.alerts,
            bus=self.bus,
            mailer=self.post,
            letters=write_mail,
            calendar=TeamCalendar(clock=self.clock, jobs=MemoryJobs()),
            digest=DIGEST,
            mode=Mode.LIVE,
        )

    async def raise_alert(self, *about, **other):
        await self.alerts.add(an_alert(*about, raised_at=self.clock.now(), **other))
        await self.bus.wake_alerts(self.clock.now() + DIGEST, now=self.clock.now())

    async def run(self, until, *, handlers=1):
        """Delivers every message that is due before that long from NOW, to so many handlers at once."""
        while self.bus.messages and self.bus.messages[0].at <= NOW + until:
            self.clock.set(max(self.clock.now(), self.bus.messages[0].at))
            self.bus.take(self.clock.now())
            await asyncio.gather(*(self.send() for _ in range(handlers)))
        self.clock.set(NOW + until)

    def each_is_in_one_mail(self):
        ids = {alert.mail_id for alert in self.alerts.alerts()}
        states = {alert.state for alert in self.alerts.alerts()}
        return states == {AlertState.MAILED} and Counter(m.id for m in self.post.sent) == Counter(
            ids
        )
