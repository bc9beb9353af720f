"""`./baton approve TEAM/POLICY`: lets a rollout go that waits for approval."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from cli import say
from cli.desk import at_the_desk
from cli.shown_plan import utc
from cli.steering import me
from shared.domain.durations import parse_duration
from shared.domain.errors import InvalidInput, Problem
from shared.domain.ledger import PolicyKey
from shared.use_cases.approve import Approved


def run(policy: str, until: str | None, by: str | None, *, clock: datetime, as_json: bool) -> int:
    """Approves, and says what."""
    key, end = read_policy(policy), read_until(until, clock)
    name = by.strip() if by else me()
    approved = asyncio.run(_approve(key, name, end))
    if as_json:
        say.answer(_as_json(key, name, end, approved))
    else:
        print(sentence(policy, name, end, approved))
    return say.OK


def read_policy(text: str) -> PolicyKey:
    """TEAM/POLICY.

    Raises:
        InvalidInput: It is no such pair; no name of a table's key holds a slash.
    """
    team, slash, name = text.strip().partition("/")
    if not slash or not team or not name or "/" in name:
        raise InvalidInput("approve", (Problem("policy", text, "TEAM/POLICY, such as shop/web"),))
    return team, name


def read_until(text: str | None, clock: datetime) -> datetime | None:
    """An instant with its offset, or how long from now.

    Raises:
        InvalidInput: It is neither.
    """
    if text is None:
        return None
    try:
        until = datetime.fromisoformat(text.strip())
        if until.tzinfo:
            return until.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        return clock + parse_duration(text, field="--until")
    except InvalidInput:
        expected = (
            "an instant with its offset, such as 2026-12-02T06:00:00Z, or a duration, such as 8h"
        )
        raise InvalidInput("approve", (Problem("--until", text, expected),)) from None


def sentence(policy: str, by: str, until: datetime | None, approved: Approved) -> str:
    """What was approved, for people."""
    vms = "1 VM waits" if approved.waiting == 1 else f"{approved.waiting} VMs wait"
    for_how_long = f", until {until:%Y-%m-%d %H:%M} UTC" if until else ""
    said = f"Rollout {approved.rollout} of {policy} is approved by {by}{for_how_long}; {vms} in it."
    return (
        said if approved.needed else f"{said} Its policy asks for no approval, so it went anyway."
    )


def _as_json(key: PolicyKey, by: str, until: datetime | None, done: Approved) -> dict[str, Any]:
    """Its keys are part of the outer contract."""
    return {
        "team": key[0],
        "policy": key[1],
        "rollout": done.rollout,
        "by": by,
        "until": utc(until) if until else None,
        "waiting": done.waiting,
        "needed": done.needed,
    }


async def _approve(key: PolicyKey, by: str, until: datetime | None) -> Approved:
    async with at_the_desk() as desk:
        return await desk.approve(*key, by=by, until=until)
