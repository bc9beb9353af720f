"""Pauses: who stopped what, since when and why. What runs is finished, and nothing else starts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Everything, a team or a policy, paused or resumed.

    Attributes:
        team: `""` is everything.
        policy: `""` is the whole team.
        by, at, reason: Who paused it, when and why; `at` is None where the row cannot be read.
        resumed_by, resumed_at: Who ended the pause, and when; None while it holds.
    """

    team: str = ""
    policy: str = ""
    by: str
    at: datetime | None
    reason: str = ""
    resumed_by: str | None = None
    resumed_at: datetime | None = None
    etag: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is still in force."""
        return self.resumed_at is None

    @property
    def what(self) -> str:
        """What it is about: `everything`, `team shop`, `policy shop/web`."""
        if self.policy:
            return f"policy {self.team}/{self.policy}"
        return f"team {self.team}" if self.team else "everything"

    @property
    def scope(self) -> str:
        """What it is about, as the commands take it: nothing, `shop`, or `shop/web`."""
        return f"{self.team}/{self.policy}" if self.policy else self.team

    def covers(self, team: str, policy: str) -> bool:
        """Whether it is about this policy."""
        return self.team in ("", team) and self.policy in ("", policy)

    def __str__(self) -> str:
        since = f" since {self.at:%Y-%m-%d %H:%M} UTC" if self.at else ""
        why = f": {self.reason}" if self.reason else ""
        return f"{self.what} is paused by {self.by}{since}{why}"


def pause_of(pauses: Iterable[Pause], team: str, policy: str) -> Pause | None:
    """What holds the policy, the widest pause first; None if nothing does."""
    holding = (pause for pause in pauses if pause.holds and pause.covers(team, policy))
    return min(holding, key=lambda pause: (pause.team, pause.policy), default=None)
