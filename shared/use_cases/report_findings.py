"""What a discovery found wrong, told where people look: in the policy's row, in the log, by mail."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.alert import Alert, event_id
from shared.domain.errors import BatonError, Stale
from shared.domain.heartbeat import Behind
from shared.domain.ledger import PolicyKey
from shared.domain.policy import Standing
from shared.domain.reconcile import Plan
from shared.domain.vm_ids import name_of
from shared.ports import Clock, PolicyRow, PolicyStore
from shared.use_cases.see_fleet import Sight
from shared.use_cases.tell import Tell

log = logging.getLogger("baton.discover")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFindings:
    """Reports wrong policy rows, ties, unreadable VMs and failing subscriptions, each by name."""

    clock: Clock
    policies: PolicyStore
    tell: Tell

    async def __call__(
        self,
        rows: Sequence[PolicyRow],
        standings: Mapping[PolicyKey, Standing],
        sight: Sight,
        plan: Plan,
    ) -> None:
        """Reports them. The same finding is told once."""
        for row in rows:
            await self._row(row, standings[row.team, row.policy], plan)
        for unread in plan.unread:
            reason = "The row cannot be read; nothing of its policy starts until it is mended or deleted."
            await self._tell("job", f"row {unread} of the jobs table", reason, "", key=unread.key)
        for item in sight.unreadable:
            name = name_of(item.vm_id)
            await self._tell(
                "vm", name, f"Azure's answer about it cannot be used: {item.problem}", item.vm_id
            )
        await self._subscriptions(sight)

    async def _subscriptions(self, sight: Sight) -> None:
        """Once a day each: one that stays closed is news only in the morning. Whatever it says meanwhile."""
        day = f"{self.clock.now():%Y-%m-%d}"
        for subscription, why in sight.failed.items():
            behind = sight.behind.get(subscription.lower())
            subject = _named(subscription, behind) if subscription else "the subscriptions"
            reason = f"could not be read whole, so no new job is made there: {why}"
            # That Azure closed one is told once: it is a state, and may last for months.
            when = "" if subscription in sight.read_only else day
            await self._tell("subscription", subject, reason, when, reason_counts=False)
        # What was not read in time is read at the next discovery, as after a cold start; that is no news.
        for key in sorted(sight.again - {key.lower() for key in sight.failed}):
            behind = sight.behind[key]
            subject = _named(key, behind)
            await self._tell("subscription", subject, behind.reason, day, reason_counts=False)

    async def _row(self, row: PolicyRow, stands: Standing, plan: Plan) -> None:
        key = (row.team, row.policy)
        problems = [str(problem) for problem in stands.problems]
        problems += [plan.tied[key]] if key in plan.tied else []
        status = "error" if problems else "ok"
        message = "; ".join(problems)
        if stands.problems:
            message += (
                ". Baton goes on with the last version that was right."
                if stands.policy
                else ". Nothing starts under this row until it is mended."
            )
        if (status, message) != (row.status, row.status_message):
            try:
                await self.policies.write_status(row, status=status, message=message)
            except Stale:
                log.info("Policy row changed meanwhile", extra={"action": "status_left"})
            except BatonError:
                log.warning(
                    "Status not written", exc_info=True, extra={"action": "status_not_written"}
                )
        if problems:
            # The row's ETag changes with our own status, so its columns identify what was wrong.
            owners = stands.policy.owners if stands.policy else ()
            columns = str(sorted((name, str(value)) for name, value in row.columns.items()))
            await self._tell("policy", "/".join(key), message, columns, key=key, to=owners)

    async def _tell(
        self,
        kind: str,
        subject: str,
        reason: str,
        identity: str,
        *,
        key: PolicyKey = ("", ""),
        to: tuple[str, ...] = (),
        reason_counts: bool = True,
    ) -> None:
        log.warning("%s: %s", subject, reason, extra={"action": f"bad_{kind}", "subject": subject})
        await self.tell(
            Alert(
                id=event_id(kind, subject, reason if reason_counts else "", identity),
                kind=kind,
                subject=subject,
                reason=reason,
                next_step="Everything else goes on.",
                raised_at=self.clock.now(),
                team=key[0],
                policy=key[1],
                recipients=to,
            )
        )


def _named(subscription_id: str, behind: Behind | None) -> str:
    name = behind.name if behind else ""
    is_named = name.lower() not in ("", subscription_id.lower())
    return (
        f"subscription {name} ({subscription_id})"
        if is_named
        else f"subscription {subscription_id}"
    )
