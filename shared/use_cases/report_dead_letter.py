"""A message that could not be handled: recorded, and told to people."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.domain.alert import Alert, event_id
from shared.domain.errors import InvalidInput, shown
from shared.domain.job import Job
from shared.domain.policy import Policy
from shared.ports import Clock, JobStore, Wake
from shared.use_cases.settle import good_policy
from shared.use_cases.tell import Tell

log = logging.getLogger("baton.dead_letter")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message from a dead-letter queue.

    Attributes:
        reason, description: As the bus gave them.
    """

    queue: str
    message_id: str
    body: bytes
    reason: str
    description: str
    delivery_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDeadLetter:
    """Raises the alert for a dead letter.

    Attributes:
        decode: Reads a message's body, or raises InvalidInput.
    """

    clock: Clock
    jobs: JobStore
    tell: Tell
    decode: Callable[[bytes], Wake]

    async def __call__(self, letter: DeadLetter) -> None:
        """Reports it. The job itself, if there is one, is woken again by the sweep."""
        try:
            wake = self.decode(letter.body)
            ledger = await self.jobs.ledger(wake.team, wake.policy)
            job = ledger.job(wake.job_id) if ledger else None
            why = f"it was delivered {letter.delivery_count} times and never handled"
        except InvalidInput as wrong:
            # No wake at all, or one with names that no row can have.
            ledger, job, why = None, None, str(wrong)
        log.error(
            "Dead letter %s in %s: %s",
            shown(letter.message_id),
            letter.queue,
            why,
            extra={"action": "dead_letter", "queue": letter.queue, "reason": letter.reason},
        )
        policy = good_policy(ledger) if ledger and job else None
        await self.tell(_alert(letter, why, job, policy, self.clock.now()))


def _alert(
    letter: DeadLetter, why: str, job: Job | None, policy: Policy | None, now: datetime
) -> Alert:
    # A job whose messages keep dying is one event a day, not one a message.
    identity = (job.id, f"{now:%Y-%m-%d}") if job else (letter.queue, letter.message_id)
    facts = {
        "VM": job.vm_name if job else "",
        "Policy": f"{job.team}/{job.policy}" if job else "",
        "Queue": letter.queue,
        "Message id": letter.message_id,
        "Dead-letter reason": letter.reason,
        "Description": letter.description,
        "Deliveries": str(letter.delivery_count),
        "Body": shown(letter.body[:200].decode("utf-8", "replace")),
    }
    return Alert(
        id=event_id("deadLettered", *identity),
        kind="deadLettered",
        subject=job.vm_name if job else f"a message in {letter.queue}",
        reason=f"A message could not be handled: {why}",
        next_step=(
            "Baton looks at the job again by itself; look at the app's log for the error."
            if job
            else "Nothing else depends on it. Whoever sent it should mend it."
        ),
        raised_at=now,
        team=job.team if job else "",
        policy=job.policy if job else "",
        facts=tuple((label, value) for label, value in facts.items() if value),
        recipients=policy.owners if policy else (),
        vm_id=job.vm_id if job else "",
        zone=policy.hours.zone_name if policy else "",
    )
