"""What people ask for at a terminal while the app works: approvals, pauses, skips and retries."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from cli.simulation.dice import Dice
from cli.simulation.setup import ApprovalGiven, Asks, PolicyWrite
from simulator.scenario_model import Vm

_HOUR = timedelta(hours=1)
_START = timedelta(0)


def approvals(dice: Dice, rows: Sequence[PolicyWrite], last: timedelta) -> Iterator[ApprovalGiven]:
    """Somebody looks every now and then, and approves what waits."""
    for row in rows:
        if (row.columns or {}).get("approval") != "required":
            continue
        at = dice.duration(_START, _HOUR)
        while at < last:
            counts_for = dice.choice((None, None, 2 * _HOUR))
            yield ApprovalGiven(at=at, team=row.team, name=row.name, counts_for=counts_for)
            at += dice.duration(_HOUR, 5 * _HOUR)


def asks(
    dice: Dice, rows: Sequence[PolicyWrite], vms: Sequence[Vm], last: timedelta
) -> Iterator[Asks]:
    """Somebody stops everything, a team or a policy for a while, leaves VMs out, and has some tried again."""
    for _ in range(dice.randint(0, 2)):
        row = dice.choice(rows)
        what = dice.choice((("", ""), (row.team, ""), (row.team, row.name)))
        at = dice.duration(_START, last / 2)
        yield Asks(at=at, verb="pause", what=what)
        until = at + dice.duration(timedelta(minutes=1), last / 4)
        yield Asks(at=until, verb="resume", what=what)
    for _ in range(dice.randint(0, 6)):
        verb = dice.one_of({"skip": 1, "retry": 3})
        yield Asks(at=dice.duration(_START, last), verb=verb, what=(dice.choice(vms).name, ""))
